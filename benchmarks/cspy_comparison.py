"""The layered graph of one application handed to cspy, a library for resource-constrained shortest paths.

For comparison only. cspy reports cost 0 at its time limit, so a run that takes longer than the limit counts as not
finished whatever it reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import networkx as nx
from cspy import BiDirectional

from fin_graph.arrays import PathProblem, layer_edges


@dataclass(frozen=True)
class CspyRun:
    """Energy that cspy found, None if it did not finish, and the time of its search alone."""

    energy: float | None
    time_s: float


def cspy_run(problem: PathProblem, time_limit_s: float) -> CspyRun:
    """Solve with cspy's bidirectional labelling; building its graph is not timed.

    Parameters
    ----------
    problem : PathProblem
    time_limit_s : float

    Returns
    -------
    CspyRun
    """
    graph = cspy_graph(problem)
    edges = graph.number_of_edges()
    search = BiDirectional(graph, [float(edges), 1.0], [0.0, 0.0], time_limit=time_limit_s, elementary=False)
    start = perf_counter()
    search.run()
    elapsed = perf_counter() - start
    finished = elapsed < time_limit_s and search.path is not None
    return CspyRun(float(search.total_cost) if finished else None, elapsed)


def cspy_graph(problem: PathProblem) -> Any:
    """The layered graph in cspy's form: its resources are a count of edges and the latency as a share of the target."""
    graph: Any = nx.DiGraph(directed=True, n_res=2)

    def add(tail: Any, head: Any, energy: float, latency: float) -> None:
        graph.add_edge(tail, head, weight=float(energy), res_cost=[1.0, float(latency / problem.max_latency_s)])

    edges, target = problem.edges, problem.edges.link_target
    for j in range(problem.depth):
        layer = layer_edges(edges, j)
        for n in range(len(problem.node_names)):
            if layer.pin < 0 or layer.pin == n:
                add((j, n), (j + 1, n), layer.run_energy[n], layer.run_latency[n])
        for a, n in enumerate(edges.link_source.tolist()):
            add((j, n), (j, int(target[a])), layer.send_energy[a], layer.send_latency[a])
    add("Source", (0, problem.source), 0.0, 0.0)
    for n in range(len(problem.node_names)):
        add((problem.depth, n), "Sink", 0.0, 0.0)
    return graph
