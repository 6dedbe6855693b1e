"""FIN, stage 1: the extended graph, on which every deployment of one application is a path.

Vertex (i, n) says "the output of block i is at node n"; layer 0 is the sample. With weights e_i, l_i of the instance's
accounting and latency kind (eqs. 1, 2), an edge costs

=====  =====================  ==============================================  =============================
kind   from → to              energy [J]                                      latency [s]
=====  =====================  ==============================================  =============================
run    (i−1, n) → (i, n)      e_i ε_{i,n}                                     l_i t_{i,n}
send   (i−1, n) → (i, m)      e_i (d_{i−1}(e^tx_nm + e^rx_nm) + ε_{i,m})      l_i (d_{i−1}/B_nm + τ_nm + t_{i,m})
relay  (i−1, n) → (i−1, m)    e_i d_{i−1}(e^tx_nm + e^rx_nm)                  l_i (d_{i−1}/B_nm + τ_nm)
=====  =====================  ==============================================  =============================

for every link (n, m), with run costs t and ε by eq. (26); no run or send edge leads to where block i cannot run. A
relay makes a transfer of several hops possible. Links in both directions make cycles within a layer: the extended graph
is in general not acyclic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from math import inf

import networkx as nx

from finbench.models.deployment import ApplicationDeployment
from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Node, Objective
from finbench.models.result import Clock
from finbench.models.tolerances import accurate_enough, relaxed

Vertex = tuple[int, str]
"""(i, n): the output of block i is at node n."""


LOOK_EVERY = 1 << 10
"""Edges built or searched between two looks at the clock: a few milliseconds."""


def timed_weight(metric: str, clock: Clock) -> Callable[[object, object, Mapping[str, float]], float]:
    """Return an edge weight for searches with NetworkX; it raises `OutOfTime` once the clock's limit has passed."""
    calls = count()

    def weight(_: object, __: object, data: Mapping[str, float]) -> float:
        if next(calls) % LOOK_EVERY == 0:
            clock.check()
        return data[metric]

    return weight


def accepted_exits(instance: Instance, app: Application) -> dict[int, Exit]:
    """Return the exits accurate enough to be the last one, α_f ≥ α (eq. 9), by 1-based index, earliest first."""
    exits = enumerate(instance.dnn_of(app).exits, start=1)
    return {f: exit_ for f, exit_ in exits if accurate_enough(exit_.accuracy, app.min_accuracy)}


def run_costs(instance: Instance, app: Application, block: int) -> dict[str, tuple[float, float]]:
    """Return the weighted energy [J] and latency [s] of running block i = `block` (1-based), by node that may."""
    dnn, pin = instance.dnn_of(app), app.pins.get(block)
    by_energy, by_latency = instance.energy_weights(app)[block - 1], instance.latency_weights(app)[block - 1]
    hosts = [node for node in instance.network.nodes if pin in (None, node.name)]
    if app.allowed or dnn.blocks[block - 1].working_bytes > 0:
        hosts = [node for node in hosts if _fits_and_may(app, dnn.blocks[block - 1], block, node)]
    found = ((node, _run_once(instance, dnn, block, node)) for node in hosts)
    return {
        node.name: (by_energy * cost[0], by_latency * (cost[1] + node.wait_s))
        for node, cost in found
        if cost is not None
    }


def _run_once(instance: Instance, dnn: DNN, block: int, node: Node) -> tuple[float, float] | None:
    """Return weighed energy ε [J] and time t [s] of running a block once at `node` (eqs. 26, 31); None: it cannot."""
    measured = None if node.device is None else instance.measurements(dnn, node).get(block)
    ops = dnn.blocks[block - 1].ops
    if measured is not None:
        time, energy = measured.time_s, measured.energy_j
        energy = node.power_w * time if energy is None else energy
    elif node.compute_ops_per_s is not None:
        time, energy = ops / node.compute_ops_per_s, ops * node.power_w / node.compute_ops_per_s
    else:
        return None
    return energy if instance.objective is Objective.ENERGY else _weighed(instance, node, energy, time), time


def _weighed(instance: Instance, node: Node, energy: float, time: float = 0.0) -> float:
    """Return what energy spent at `node`, and seconds of running there, weigh in what is minimised (eq. 31)."""
    if instance.objective is Objective.ENERGY:
        return energy
    if instance.objective is Objective.CARBON:
        return energy * node.carbon_g_per_j
    return energy * node.price_per_j + time * node.price_per_busy_s


def _fits_and_may(app: Application, block: Block, i: int, node: Node) -> bool:
    """Return whether block i fits (eq. 27) and may run (eq. 28) at `node`; without working memory (12) says it all."""
    needed, memory = block.parameter_bytes + block.working_bytes, node.memory_bytes
    fits = memory is None or block.working_bytes == 0 or needed <= relaxed(memory)
    return fits and app.permits(i, node)


def cheapest_first(instance: Instance, app: Application) -> list[tuple[float, Application]]:
    """Return the DNNs that an application may run (eq. 29) with an energy that none undercuts, the least first.

    Each block costs at least what it does at its cheapest node, up to the earliest accurate exit; later ones only add.
    It is infinite where no exit is accurate enough, or a block can run at no node.
    """
    if len(app.choices) == 1:
        return [(0.0, app.choices[0])]
    return sorted(((_least_energy(instance, choice), choice) for choice in app.choices), key=lambda one: one[0])


def _least_energy(instance: Instance, app: Application) -> float:
    first = next(iter(accepted_exits(instance, app).values()), None)
    if first is None:
        return inf
    blocks = range(1, first.after_block + 1)
    return sum(min((energy for energy, _ in run_costs(instance, app, i).values()), default=inf) for i in blocks)


def send_cost(instance: Instance, app: Application, block: int, link: Link) -> tuple[float, float]:
    """Return the weighted energy [J] and latency [s] of moving the input of block i = `block` (1-based) over `link`."""
    bits, sent, received = instance.dnn_of(app).transfer_bits(block), link.tx_energy_j_per_bit, link.rx_energy_j_per_bit
    if instance.objective is not Objective.ENERGY:
        nodes = instance.network.node_by_name
        sent, received = _weighed(instance, nodes[link.source], sent), _weighed(instance, nodes[link.target], received)
    energy = instance.energy_weights(app)[block - 1] * bits * (sent + received)
    return energy, instance.latency_weights(app)[block - 1] * (bits / link.bandwidth_bit_per_s + link.delay_s)


def extended_graph(instance: Instance, app: Application, clock: Clock | None = None) -> nx.DiGraph[Vertex]:
    """Build the extended graph, stage 1 of FIN.

    Parameters
    ----------
    instance : Instance
    app : Application
        One of its applications.
    clock : Clock, optional
        Looked at now and then.

    Returns
    -------
    networkx.DiGraph
        Vertices (i, n) for i = 0..L', L' the block of the deepest accepted exit (0 where none is accepted), each with
        its node's `tier`; edges with `energy_j`, `latency_s` and `kind` (`run`, `send` or `relay`). Edges into a
        pinned block exist only at its pin (eq. 10). Graph attributes: `source` (a vertex), `ends` (accepted end
        vertices, each with its 1-based exit index) `max_latency_s` (δ), `minimised` and the `unit` of that (eq. 31).

    Raises
    ------
    OutOfTime
        Once the clock's limit has passed.
    """
    clock = Clock() if clock is None else clock
    exits = accepted_exits(instance, app)
    depth = max((exit_.after_block for exit_ in exits.values()), default=0)
    nodes = instance.network.nodes
    graph: nx.DiGraph[Vertex] = nx.DiGraph(
        source=(0, app.source),
        ends={(exit_.after_block, node.name): f for f, exit_ in exits.items() for node in nodes},
        max_latency_s=relaxed(app.max_latency_s),
        minimised=instance.objective.value,
        unit=instance.inference_unit,
    )
    for i in range(depth + 1):
        clock.check()
        graph.add_nodes_from(((i, node.name), {"tier": node.tier}) for node in nodes)
    for i in range(1, depth + 1):
        _add_edges_into_block(graph, instance, app, i, clock)
    return graph


def _add_edges_into_block(
    graph: nx.DiGraph[Vertex], instance: Instance, app: Application, i: int, clock: Clock
) -> None:
    """Add the run, send and relay edges that move and consume the output of block i − 1."""
    run = run_costs(instance, app, i)
    for name, (energy, latency) in run.items():
        graph.add_edge((i - 1, name), (i, name), energy_j=energy, latency_s=latency, kind="run")
    for number, link in enumerate(instance.network.links):
        if number % LOOK_EVERY == 0:
            clock.check()
        energy, latency = send_cost(instance, app, i, link)
        start, end = link.source, link.target
        graph.add_edge((i - 1, start), (i - 1, end), energy_j=energy, latency_s=latency, kind="relay")
        if end in run:
            total = {"energy_j": energy + run[end][0], "latency_s": latency + run[end][1]}
            graph.add_edge((i - 1, start), (i, end), **total, kind="send")


def extended_graph_size(instance: Instance, app: Application) -> tuple[int, int]:
    """Return the numbers of vertices and edges of the extended graph, by formula.

    With N nodes, |A| links and L' layers of blocks: |V| = (L' + 1) N and |E| = L' (N + 2|A|); where block i may run at
    H nodes alone, the N + |A| run and send edges into it shrink to H + |{(m, n) ∈ A: n ∈ H}|.
    """
    network = instance.network
    depth = max((exit_.after_block for exit_ in accepted_exits(instance, app).values()), default=0)
    entries = 0
    for i in range(1, depth + 1):
        hosts = run_costs(instance, app, i)
        entries += len(hosts) + sum(link.target in hosts for link in network.links)
    return (depth + 1) * len(network.nodes), entries + depth * len(network.links)


def deployment_of_path(instance: Instance, app: Application, vertices: Sequence[Vertex]) -> ApplicationDeployment:
    """Return the deployment that a path of the extended graph describes.

    The last exit is the one at the end vertex's block. Relays after the last block feed nothing and are dropped.
    A route's way out and back to a node it has passed is dropped, too. Both would only cost energy and time.

    Parameters
    ----------
    instance : Instance
    app : Application
    vertices : sequence of (block, node)
        From the source to an accepted end.

    Returns
    -------
    ApplicationDeployment
        With every route listed, empty where the two nodes are equal.
    """
    depth = vertices[-1][0]
    visited: list[list[str]] = [[] for _ in range(depth + 1)]
    for i, name in vertices:
        visited[i].append(name)
    placement = [visited[i][0] for i in range(1, depth + 1)]
    routes = [_without_loops([*visited[i - 1], placement[i - 1]]) for i in range(1, depth + 1)]
    exits = instance.dnn_of(app).exits
    return ApplicationDeployment(
        application=app.name,
        dnn=app.named_dnn,
        last_exit=next(f for f, exit_ in enumerate(exits, start=1) if exit_.after_block == depth),
        placement=tuple(placement),
        routes=tuple(tuple(route) if len(route) > 1 else () for route in routes),
    )


def _without_loops(route: list[str]) -> list[str]:
    """Return the nodes of `route` in order, without what lies between two visits of the same node."""
    kept: list[str] = []
    for name in route:
        if name in kept:
            del kept[kept.index(name) + 1 :]
        else:
            kept.append(name)
    return kept


def path_of_deployment(app: Application, decision: ApplicationDeployment) -> list[Vertex]:
    """Return the path of the extended graph that a deployment takes (the inverse of `deployment_of_path`)."""
    vertices: list[Vertex] = [(0, app.source)]
    for i, (name, route) in enumerate(zip(decision.placement, decision.routes_from(app.source), strict=True), start=1):
        vertices += [(i - 1, relay) for relay in route[1:-1]]
        vertices.append((i, name))
    return vertices


def path_costs(extended: nx.DiGraph[Vertex], vertices: Sequence[Vertex]) -> tuple[float, float]:
    """Return energy [J] and latency [s] of a path of the extended graph."""
    return (
        nx.path_weight(extended, list(vertices), "energy_j"),
        nx.path_weight(extended, list(vertices), "latency_s"),
    )
