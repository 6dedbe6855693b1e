"""FIN, stage 2, with cumulative rounding: every replica has one label, with the true latency of its path.

An edge of latency t leads a label of true latency T to replica ⌈γ (T + t)/δ⌉ (eq. 32). Each replica keeps the label of
least energy, of these the one of least latency: labels are settled in this order, so the first to come is kept, and the
others leave no descendants. Each replica is entered by the one edge that gave it its label; the graph is a tree. Why
its least energy is never above that of (17) is shown in `fin_graph.paths.cumulative`.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from math import ceil, inf
from typing import Any

import networkx as nx

from finbench.fin_graph.stages.extended import LOOK_EVERY, Vertex
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE

Replica = tuple[int, str, int]
"""(i, n, k): the output of block i is at node n, and k/γ of the latency budget is used."""


def steps_of(latency_s: float, max_latency_s: float, gamma: int) -> float:
    """Return the steps that an edge of latency t uses, γ t/δ, at most γ + 2: then it never fits."""
    if latency_s == 0:
        return 0.0
    return min(gamma * latency_s / max_latency_s if max_latency_s > 0 else inf, gamma + 2.0)


def label_graph(extended: nx.DiGraph[Vertex], gamma: int, clock: Clock) -> nx.DiGraph[Replica]:
    """Build the feasible graph with cumulative rounding.

    Parameters
    ----------
    extended : networkx.DiGraph
        Stage 1.
    gamma : int
        Number of parts γ ≥ 1 that the latency budget is divided into.
    clock : Clock
        Looked at now and then.

    Returns
    -------
    networkx.DiGraph
        As `stages.feasible.feasible_graph` returns it.

    Raises
    ------
    OutOfTime
        Once the clock's limit has passed.
    """
    budget = extended.graph["max_latency_s"]
    source: Replica = (*extended.graph["source"], 0)
    graph: nx.DiGraph[Replica] = nx.DiGraph(source=source, max_latency_s=budget, gamma=gamma, rounding="cumulative")
    number, looks = count(), count(1)
    waiting: list[tuple[float, float, int, Replica, Replica | None, dict[str, Any]]] = []
    heappush(waiting, (0.0, 0.0, next(number), source, None, {}))
    while waiting:
        energy, used, _, replica, before, data = heappop(waiting)
        if replica in graph:
            continue
        graph.add_node(replica)
        if before is not None:
            graph.add_edge(before, replica, **data)
        for (i, name), out in extended.adj[replica[:2]].items():
            if next(looks) % LOOK_EVERY == 0:
                clock.check()
            arrival = used + steps_of(out["latency_s"], budget, gamma)
            k = ceil(arrival - FLOAT_NOISE)
            if k <= gamma and (i, name, k) not in graph:
                label = (energy + out["energy_j"], min(arrival, float(k)), next(number), (i, name, k), replica, out)
                heappush(waiting, label)
    ends = extended.graph["ends"]
    graph.graph["ends"] = {replica: ends[replica[:2]] for replica in graph if replica[:2] in ends}
    return graph
