"""FIN, stage 2: the feasible graph, on which every path keeps the latency target.

Each vertex of the extended graph is replicated; replica k = 0..γ says that k/γ of the budget δ is used. An edge of
latency t leads from replica k to k + step, with q = γ t/δ and

    (17) step = ⌈q − 1e-9⌉ (`up`): no path is longer than it looks, so every path is truly feasible;
    (18) step = ⌊q + 1e-9⌋ (`down`): every feasible path is kept, so the least energy is a lower bound on the optimum.

With `cumulative` it is the path whose latency is rounded up (eq. 32, `fin_graph.stages.labels`).

The 1e-9 is for float noise: a path of K edges may exceed δ by at most K · 1e-9 δ/γ.

Edges past replica γ do not exist. Steps may be 0 (no latency, or a short edge rounded down), so links in both
directions can close cycles here: the feasible graph is not acyclic in general.
"""

from __future__ import annotations

from math import ceil, floor, inf
from typing import Literal

import networkx as nx

from finbench.fin_graph.stages.extended import LOOK_EVERY, Vertex
from finbench.fin_graph.stages.labels import Replica, label_graph
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE

Rounding = Literal["up", "down", "cumulative"]
"""Latencies are rounded up edge by edge (eq. 17), down edge by edge (eq. 18), or up along the path (eq. 32)."""


def replica_step(latency_s: float, max_latency_s: float, gamma: int, rounding: Rounding) -> int:
    """Return the number of replicas that an edge of latency t uses (eq. 17 or 18).

    Every edge longer than the budget uses γ + 1, which never fits. With δ = 0, edges without latency use none and no
    other edge fits.
    """
    if latency_s == 0:
        return 0
    quotient = min(gamma * latency_s / max_latency_s if max_latency_s > 0 else inf, gamma + 1.0)
    return ceil(quotient - FLOAT_NOISE) if rounding == "up" else floor(quotient + FLOAT_NOISE)


def feasible_graph(
    extended: nx.DiGraph[Vertex], gamma: int, *, rounding: Rounding = "up", clock: Clock | None = None
) -> nx.DiGraph[Replica]:
    """Build the feasible graph, stage 2 of FIN.

    Only replicas that a path from the source replica (0, s, 0) reaches are built; the others lie on no path.

    Parameters
    ----------
    extended : networkx.DiGraph
        Stage 1.
    gamma : int
        Number of parts γ ≥ 1 that the latency budget is divided into.
    rounding : {"up", "down", "cumulative"}
    clock : Clock, optional
        Looked at now and then.

    Returns
    -------
    networkx.DiGraph
        Vertices (i, n, k); edges with the `energy_j`, `latency_s` and `kind` of stage 1. Graph attributes: `source` (a
        replica), `ends` (replicas of accepted ends, each with its exit index), `max_latency_s`, `gamma`, `rounding`.

    Raises
    ------
    ValueError
        If gamma < 1.
    OutOfTime
        Once the clock's limit has passed.
    """
    clock = Clock() if clock is None else clock
    if gamma < 1:
        raise ValueError(f"gamma = {gamma}: must be at least 1")
    if rounding == "cumulative":
        return label_graph(extended, gamma, clock)
    budget = extended.graph["max_latency_s"]
    steps = {
        vertex: [
            (target, replica_step(data["latency_s"], budget, gamma, rounding), data) for target, data in out.items()
        ]
        for vertex, out in extended.adjacency()
    }
    source: Replica = (*extended.graph["source"], 0)
    graph: nx.DiGraph[Replica] = nx.DiGraph(source=source, max_latency_s=budget, gamma=gamma, rounding=rounding)
    graph.add_node(source)
    frontier, made = [source], 0
    while frontier:
        replica = frontier.pop()
        made += len(steps[replica[:2]])
        if made >= LOOK_EVERY:
            clock.check()
            made = 0
        for (i, name), step, data in steps[replica[:2]]:
            target = (i, name, replica[2] + step)
            if target[2] > gamma:
                continue
            if target not in graph:
                frontier.append(target)
            graph.add_edge(replica, target, **data)
    ends = extended.graph["ends"]
    graph.graph["ends"] = {replica: ends[replica[:2]] for replica in graph if replica[:2] in ends}
    return graph
