"""The layered graph of one application handed to cspy, a library for resource-constrained shortest paths.

For comparison only. cspy reports cost 0 at its time limit, ignores that limit within an iteration, and can take all of
a machine's memory; so it runs in a process of its own, under limits that end it, and what it says after its time is up
counts for nothing.
"""

from __future__ import annotations

import multiprocessing
import resource
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

import networkx as nx
from cspy import BiDirectional

from finbench.fin_graph.paths.arrays import PathProblem, layer_edges

MEMORY_LIMIT_BYTES = 8 * 2**30


@dataclass(frozen=True)
class CspyRun:
    """What cspy came to, by the time of its search alone."""

    energy: float | None
    """None if it did not finish."""
    time_s: float
    """Of a run that did not finish: how long it had."""
    reason: str = ""
    """Why it did not finish."""


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
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_work, args=(sender, problem, time_limit_s), daemon=True)
    process.start()
    sender.close()
    receiver.recv()  # its graph is built
    start = perf_counter()
    try:
        if not receiver.poll(time_limit_s):
            return CspyRun(None, time_limit_s, f"not finished within {time_limit_s:.0f} s")
        energy, elapsed = receiver.recv()
        return CspyRun(energy, elapsed, "" if energy is not None else "found no path")
    except EOFError:
        return CspyRun(None, perf_counter() - start, f"out of memory at {MEMORY_LIMIT_BYTES // 2**30} GiB")
    finally:
        process.kill()
        process.join()
        receiver.close()


def _work(sender: Connection, problem: PathProblem, time_limit_s: float) -> None:
    graph = cspy_graph(problem)
    search = BiDirectional(
        graph, [float(graph.number_of_edges()), 1.0], [0.0, 0.0], time_limit=time_limit_s, elementary=False
    )
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    sender.send("built")
    start = perf_counter()
    search.run()
    elapsed = perf_counter() - start
    sender.send((float(search.total_cost) if search.path else None, elapsed))


def cspy_graph(problem: PathProblem) -> Any:
    """Return the layered graph in cspy's form; its resources are edges passed and the part of the target used."""
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
