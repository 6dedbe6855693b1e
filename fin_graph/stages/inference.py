"""FIN, stage 3: the feasible inference graph and its least-energy path, which is the deployment.

Of the feasible graph, only what lies on a path from the source replica to an accepted end is kept. With the
λ-proximity band, only ends that use the budget almost fully are accepted: replicas k ≥ γ − λ.

Guarantees (round-up, no band): the path is a feasible deployment, and for every deployment whose path has K edges and
latency ≤ δ(1 − K/γ) it needs no more energy (eq. 20), because rounding up adds less than one replica to each edge.
Round-down (eq. 18): the energy is a lower bound on the optimum, and the optimum itself where the path is feasible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import networkx as nx

from finbench.fin_graph.stages.extended import (
    LOOK_EVERY,
    Vertex,
    deployment_of_path,
    extended_graph,
    path_costs,
    path_of_deployment,
    timed_weight,
)
from finbench.fin_graph.stages.feasible import Rounding, feasible_graph
from finbench.fin_graph.stages.labels import Replica
from finbench.models.deployment import ApplicationDeployment
from finbench.models.instance import Application, Instance
from finbench.models.result import Clock


@dataclass(frozen=True)
class FinStages:
    """One run of FIN with everything it went through, for people to inspect and draw."""

    extended: nx.DiGraph[Vertex]
    feasible: nx.DiGraph[Replica]
    inference: nx.DiGraph[Replica]
    path: tuple[Replica, ...]
    """The least-energy path of the inference graph; empty where no end is reachable."""
    energy_j: float | None
    """Energy of the deployment per inference (eq. 1) [J], not weighted by the application's rate."""
    latency_s: float | None
    """Its latency (eq. 2) [s]; with rounding `down` it may exceed the target."""
    deployment: ApplicationDeployment | None
    """The deployment; None where no end is reachable."""


def inference_graph(
    feasible: nx.DiGraph[Replica], *, lambda_: int | None = None, clock: Clock | None = None
) -> nx.DiGraph[Replica]:
    """Build the feasible inference graph, stage 3 of FIN.

    Parameters
    ----------
    feasible : networkx.DiGraph
        Stage 2.
    lambda_ : int, optional
        Width λ of the band of ends, k ≥ γ − λ; default γ (every end). Where no end that can be reached lies in the
        band, it widens just enough to hold the one that uses most of the budget.
    clock : Clock, optional
        Looked at now and then.

    Returns
    -------
    networkx.DiGraph
        The subgraph induced by the vertices on paths from the source replica to an end in the band; empty where there
        is none. Graph attributes as in stage 2, `ends` cut to the band, and `band_start`, the least replica in it.

    Raises
    ------
    OutOfTime
        Once the clock's limit has passed.
    """
    clock = Clock() if clock is None else clock
    gamma: int = feasible.graph["gamma"]
    reached = _reachable(feasible.successors, [feasible.graph["source"]], clock)
    ends: dict[Replica, int] = {end: f for end, f in feasible.graph["ends"].items() if end in reached}
    latest_end = max((k for _, _, k in ends), default=0)
    band_start = 0 if lambda_ is None else max(0, min(gamma - lambda_, latest_end))
    ends = {end: f for end, f in ends.items() if end[2] >= band_start}
    useful = reached & _reachable(feasible.predecessors, ends, clock)
    graph: nx.DiGraph[Replica] = nx.DiGraph(**{**feasible.graph, "ends": ends, "band_start": band_start})
    graph.add_nodes_from(replica for replica in feasible if replica in useful)
    for number, (start, end, data) in enumerate(feasible.edges(data=True)):
        if number % LOOK_EVERY == 0:
            clock.check()
        if start in useful and end in useful:
            graph.add_edge(start, end, **data)
    return graph


def _reachable(
    neighbours: Callable[[Replica], Iterable[Replica]], starts: Iterable[Replica], clock: Clock
) -> set[Replica]:
    """Return all vertices that following `neighbours` from `starts` leads to, the starts included."""
    found = set(starts)
    frontier, looked = list(found), 0
    while frontier:
        looked += 1
        if looked % LOOK_EVERY == 0:
            clock.check()
        for vertex in neighbours(frontier.pop()):
            if vertex not in found:
                found.add(vertex)
                frontier.append(vertex)
    return found


def least_energy_path(inference: nx.DiGraph[Replica], clock: Clock | None = None) -> tuple[float, list[Replica]] | None:
    """Return energy [J] and vertices of the least-energy path from the source replica to an end; None without one.

    One Dijkstra search starts from all ends at once and goes against the edges. It raises `OutOfTime` once the clock's
    limit has passed.
    """
    if not inference.graph["ends"]:
        return None
    source, ends = inference.graph["source"], inference.graph["ends"]
    weight = timed_weight("energy_j", Clock() if clock is None else clock)
    _, against = nx.multi_source_dijkstra(inference.reverse(copy=False), ends, source, weight=weight)
    path = against[::-1]
    return nx.path_weight(inference, path, "energy_j"), path


def fin_three_stages(
    instance: Instance,
    app: Application,
    gamma: int,
    lambda_: int | None = None,
    rounding: Rounding = "up",
    clock: Clock | None = None,
) -> FinStages:
    """Run FIN through its three explicit graphs and return all of them with the deployment.

    Parameters
    ----------
    instance : Instance
    app : Application
        One of its applications.
    gamma : int
        Number of parts γ ≥ 1 of the latency budget.
    lambda_ : int, optional
        Width λ of the band of ends; default γ (no pruning).
    rounding : {"up", "down", "cumulative"}
        `up` and `cumulative` give a feasible deployment (eqs. 17, 32), `down` a lower bound (eq. 18).
    clock : Clock, optional
        Looked at now and then in every stage.

    Returns
    -------
    FinStages

    Raises
    ------
    ValueError
        If gamma < 1.
    OutOfTime
        Once the clock's limit has passed.
    """
    extended = extended_graph(instance, app, clock)
    feasible = feasible_graph(extended, gamma, rounding=rounding, clock=clock)
    inference = inference_graph(feasible, lambda_=lambda_, clock=clock)
    found = least_energy_path(inference, clock)
    if found is None:
        return FinStages(extended, feasible, inference, (), None, None, None)
    deployment = deployment_of_path(instance, app, [(i, name) for i, name, _ in found[1]])
    energy, latency = path_costs(extended, path_of_deployment(app, deployment))
    return FinStages(extended, feasible, inference, tuple(found[1]), energy, latency, deployment)
