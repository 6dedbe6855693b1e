"""One application as arrays: what the compiled searches run on.

Vertices are pairs (j, n): the data that feeds block j+1 lies at node n, for layers j = 0..depth (layer 0: the raw
sample, layer `depth`: the DNN's end). The edges are not stored: running block j+1 leads from (j, n) to (j+1, n), a link
(n, m) relays within a layer, and the costs of both follow from a few vectors.

The depth is that of the earliest exit whose accuracy suffices. Costs are non-negative, and a deployment up to an exit
is a prefix of one up to any later exit. So the earliest accurate exit dominates every later one in energy and in
latency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.compiled import compiled
from finbench.fin_graph.paths.run_costs import run_costs
from finbench.fin_graph.paths.topology import Topology
from finbench.models.deployment import ApplicationDeployment
from finbench.models.instance import DNN, Application, Instance
from finbench.models.tolerances import accurate_enough, relaxed

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


class Edges(NamedTuple):
    """Everything that the edges of the layered graph follow from, in a form that compiled functions take.

    Energies are weighted as eq. (1) says, latencies as eq. (2) says. N nodes, A links, `depth` blocks.
    """

    pins: Ints
    """Node that each block is pinned to, −1 where it is free; shape (depth,)."""
    run_energy: Floats
    """Energy of running block j+1 at node n [J], inf where it must not; shape (depth, N)."""
    run_latency: Floats
    """Latency of running block j+1 at node n [s]; shape (depth, N)."""
    in_start: Ints
    """Links are sorted by target: those into node m are in_start[m]..in_start[m+1]; shape (N+1,)."""
    link_source: Ints
    """Sending node of every link; shape (A,)."""
    link_target: Ints
    """Receiving node of every link; shape (A,)."""
    link_energy: Floats
    """e^tx + e^rx of every link [J/bit]; shape (A,)."""
    link_time: Floats
    """1/B of every link [s/bit]; shape (A,)."""
    link_delay: Floats
    """τ of every link [s]; shape (A,)."""
    energy_bits: Floats
    """Bits that a transfer in layer j costs energy for, e_{j+1} d_j; shape (depth,)."""
    latency_bits: Floats
    """Bits that a transfer in layer j costs time for, l_{j+1} d_j; shape (depth,)."""
    delay_weight: Floats
    """Weight l_{j+1} of the propagation delay in layer j; shape (depth,)."""
    load_bits: Floats
    """Bits per second λ s_{j+1} d_j that a transfer in layer j asks of every link it takes (eq. 13); shape (depth,)."""
    link_price: Floats
    """Price of every link, added to the energy [J s/bit]; shape (A,)."""
    link_room: Floats
    """Bits per second left on every link; a transfer that asks for more must not take it; shape (A,)."""
    send_price: Floats
    """Price of a transfer in layer j over link a, added to its energy, inf where it must not; (depth, A), or (0, 0)."""


class LayerEdges(NamedTuple):
    """The edges of one layer: running block j+1, and the links that carry the data feeding it."""

    pin: int
    run_energy: Floats
    run_latency: Floats
    in_start: Ints
    link_source: Ints
    send_energy: Floats
    """Energy of a transfer over every link [J]; shape (A,)."""
    send_latency: Floats
    """Latency of a transfer over every link [s]; shape (A,)."""


@compiled
def layer_edges(edges: Edges, j: int) -> LayerEdges:
    """Return the edges of layer j; sending over a link without room costs inf."""
    load = edges.load_bits[j]
    send_energy = edges.energy_bits[j] * edges.link_energy + load * edges.link_price
    if edges.send_price.shape[0] > 0:
        send_energy += edges.send_price[j]
    for a in range(send_energy.shape[0]):
        if load > edges.link_room[a]:
            send_energy[a] = np.inf
    return LayerEdges(
        edges.pins[j],
        edges.run_energy[j],
        edges.run_latency[j],
        edges.in_start,
        edges.link_source,
        send_energy,
        edges.latency_bits[j] * edges.link_time + edges.delay_weight[j] * edges.link_delay,
    )


@compiled
def run_edge(layer: LayerEdges, m: int, a: int) -> tuple[int, float, float]:
    """Return tail, energy and latency of the a-th edge that runs a block at m.

    It sends over link a and runs. Where a is below the first link into m, the data is at m already.
    """
    if a < layer.in_start[m]:
        return m, layer.run_energy[m], layer.run_latency[m]
    return (
        layer.link_source[a],
        layer.send_energy[a] + layer.run_energy[m],
        layer.send_latency[a] + layer.run_latency[m],
    )


@dataclass(frozen=True)
class PathProblem:
    """A resource-constrained shortest path problem on the layered graph of one application."""

    application: str
    node_names: tuple[str, ...]
    source: int
    last_exit: int
    """1-based index of the exit at the end."""
    max_latency_s: float
    edges: Edges
    run_time: Floats
    """Time of running block j+1 once at vertex n on the whole of its node, not weighted [s]; shape (depth, V)."""
    shares: tuple[float, ...] | None = None
    """Share of its node's rate that a block reserves when it runs at each vertex; None where no node reserves."""
    dnn: str | None = None
    """The alternative that runs, as deployments name it (eq. 29); None where the application has only one DNN."""

    @property
    def depth(self) -> int:
        """Number of blocks that run."""
        return len(self.edges.pins)

    @property
    def arcs(self) -> int:
        """Number of edges of the extended graph without pins: run, send and relay edges."""
        return self.depth * (len(self.node_names) + 2 * len(self.edges.link_source))

    def deployment(self, layers: Sequence[int], nodes: Sequence[int]) -> ApplicationDeployment:
        """Return the deployment of a path from (0, source) to layer `depth`.

        Parameters
        ----------
        layers, nodes : sequence of int
            Vertices (j, n) in order. Two that differ in both mean: send over the link, then run.
        """
        names = [self.node_names[n] for n in nodes]
        placement: list[str] = []
        routes: list[tuple[str, ...]] = []
        shares: list[float] = []
        route = [names[0]]
        for k in range(1, len(names)):
            if names[k] != names[k - 1]:
                route.append(names[k])
            if layers[k] > layers[k - 1]:
                placement.append(names[k])
                routes.append(tuple(route) if len(route) > 1 else ())
                route = [names[k]]
                if self.shares is not None:
                    shares.append(self.shares[nodes[k]])
        return ApplicationDeployment(
            application=self.application,
            dnn=self.dnn,
            last_exit=self.last_exit,
            placement=tuple(placement),
            routes=tuple(routes),
            shares=tuple(shares) if self.shares is not None else None,
        )


def accurate_exits(dnn: DNN, min_accuracy: float) -> list[int]:
    """Return the 1-based indices of the exits that are accurate enough (eq. 9), earliest first."""
    return [f for f, exit_ in enumerate(dnn.exits, start=1) if accurate_enough(exit_.accuracy, min_accuracy)]


def path_problem(
    instance: Instance, app: Application, last_exit: int | None = None, topology: Topology | None = None
) -> PathProblem | None:
    """Return one application as arrays, up to one exit.

    Parameters
    ----------
    instance : Instance
    app : Application
        One of the instance's applications; of one with alternatives, one of its `choices`.
    last_exit : int, optional
        1-based exit to end at; by default the earliest that is accurate enough.
    topology : Topology, optional
        That of the instance's network, or what can be reached from the application's source; left out: the former.

    Returns
    -------
    PathProblem or None
        None where no exit is accurate enough.
    """
    dnn = instance.dnn_of(app)
    if last_exit is None:
        accurate = accurate_exits(dnn, app.min_accuracy)
        if not accurate:
            return None
        last_exit = accurate[0]
    topology = Topology.of(instance) if topology is None else topology
    depth = dnn.exits[last_exit - 1].after_block
    energy_weight = np.array(instance.energy_weights(app)[:depth])
    latency_weight = np.array(instance.latency_weights(app)[:depth])
    bits = np.array([dnn.transfer_bits(i) for i in range(1, depth + 1)])
    runs = run_costs(instance, app, topology, depth)
    shares, allowed = topology.share_of_vertex, runs.possible & _allowed(topology, app, depth)
    at_share = np.divide(1, shares, out=np.zeros_like(shares), where=shares > 0)
    edges = Edges(
        pins=np.array([np.flatnonzero(row)[0] if row.sum() == 1 else -1 for row in allowed], np.int32),
        # Machine code is made for one order of the elements; another would be compiled anew.
        run_energy=np.ascontiguousarray(np.where(allowed, energy_weight[:, None] * runs.energy, np.inf)),
        run_latency=np.ascontiguousarray(latency_weight[:, None] * (runs.time * at_share + topology.wait_of_vertex)),
        in_start=topology.in_start,
        link_source=topology.link_source,
        link_target=topology.link_target,
        link_energy=topology.link_energy,
        link_time=topology.link_time,
        link_delay=topology.link_delay,
        energy_bits=energy_weight * bits,
        latency_bits=latency_weight * bits,
        delay_weight=latency_weight,
        load_bits=np.zeros(depth),
        link_price=np.zeros(len(topology.link_source)),
        link_room=np.full(len(topology.link_source), np.inf),
        send_price=np.zeros((0, 0)),
    )
    return PathProblem(
        application=app.name,
        node_names=topology.names,
        source=topology.vertex_of[app.source],
        last_exit=last_exit,
        max_latency_s=relaxed(float(app.max_latency_s)),
        edges=edges,
        run_time=runs.time,
        shares=tuple(shares.tolist()) if topology.has_levels else None,
        dnn=app.named_dnn,
    )


Prices = Mapping[str | None, Floats]
"""What running every block at every node costs besides [J], shape (L, N), inf where it must not run; by the alternative
that a deployment names, None where the application has only one DNN."""


def priced(problem: PathProblem, prices: Prices | None) -> PathProblem:
    """Return the problem with prices added to the energy of running; no node may reserve shares."""
    if prices is None:
        return problem
    run_energy = problem.edges.run_energy + prices[problem.dnn][: problem.depth]
    return replace(problem, edges=problem.edges._replace(run_energy=run_energy))


def _allowed(topology: Topology, app: Application, depth: int) -> NDArray[np.bool_]:
    """Return where each block may run, as far as pins and service levels say; shape (depth, V)."""
    allowed = np.empty((depth, len(topology.share_of_vertex)), np.bool_)
    allowed[:] = topology.share_of_vertex > 0
    names = np.array(topology.names) if app.pins else None
    for block, name in app.pins.items():
        if block <= depth:
            allowed[block - 1] &= names == name
    return allowed
