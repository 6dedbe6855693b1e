"""Baseline: one shortest path for several constraints at once (multi-constrained path, MCP).

After Xue, Sen, Zhang, Tang, Thulasiraman, "Finding a path subject to many additive QoS constraints", IEEE/ACM
Transactions on Networking 15(1), 2007: every edge weighs the largest of its metrics, each normalised by its bound. On
the extended graph an edge has one constrained metric, latency, and the end of the DNN at exit f another, so

    weight(edge) = latency / δ        weight(end at exit f) = α / α_f

and a shortest path has the least sum of two fractions: latency over its budget, and the accuracy target over the
accuracy. Energy plays no part. The sum is not a constraint: what comes back may miss δ, and then there is no solution.
Each alternative of an application (eq. 29) has such a path of its own; of those that meet δ the one of least energy is
taken. One whose blocks alone cost no less than that is left out.

Several applications, one that may be rejected, and nodes that reserve shares are left to `fin_graph.joint.mcp`: first
come, first served.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import networkx as nx

from finbench.fin_graph.paths.support import may_bind, reason_to_share
from finbench.fin_graph.stages.extended import (
    LOOK_EVERY,
    Vertex,
    cheapest_first,
    deployment_of_path,
    extended_graph,
    path_costs,
    path_of_deployment,
    timed_weight,
)
from finbench.models.deployment import Deployment
from finbench.models.instance import Application, Instance
from finbench.models.nowhere import block_without_node
from finbench.models.options import Options
from finbench.models.result import Clock, OutOfTime, Result, Status
from finbench.models.tolerances import relaxed

_DNN_END: Vertex = (-1, "end of the DNN")


def supports(instance: Instance, options: Options = Options()) -> str | None:  # noqa: ARG001
    """Return None: every instance is supported."""
    return None


def solve(
    instance: Instance,
    options: Options = Options(),  # noqa: ARG001
    *,
    time_limit_s: float | None = None,
    seed: int = 0,  # noqa: ARG001
) -> Result:
    """Find the path of least normalised weight and check it against the latency target.

    Parameters
    ----------
    instance : Instance
    options : Options
        There are none.
    time_limit_s : float, optional
        Looked at now and then while the graph is built and searched [s].
    seed : int
        Of no effect: nothing is drawn.

    Returns
    -------
    Result
        `feasible`; `no-solution` where the path misses δ; `infeasible` where no exit is accurate enough or no path
        leads to one; `time-limit`. Where capacities may bind, what `fin_graph.repair` makes of it; of several
        applications, what `fin_graph.joint.mcp` does.
    """
    if reason_to_share(instance) is not None:
        from finbench.fin_graph.joint.mcp import solve_many

        return solve_many(instance, time_limit_s=time_limit_s)
    if not may_bind(instance):
        return _alone(instance, time_limit_s)
    from finbench.fin_graph.repair import repaired  # loads the compiler, which nothing else needs here

    return repaired(_alone, instance, time_limit_s)


def _alone(instance: Instance, time_limit_s: float | None) -> Result:
    """Find the path, whatever the capacities."""
    app, clock = instance.applications[0], Clock(time_limit_s)
    results = list[Result]()
    for least, choice in cheapest_first(instance, app):
        if results and app.weight * least >= min(map(_objective, results)):
            break
        results.append(_solve_choice(instance, choice, clock))
        if results[-1].status is Status.TIME_LIMIT:
            break
    best = min(results, key=_rank)
    if results[-1].status is Status.TIME_LIMIT and best.deployment is not None:
        best = replace(best, status=Status.TIME_LIMIT, reason="time ended before every alternative had its path")
    return replace(best, times_s=clock.times_s)


_ORDER = (Status.FEASIBLE, Status.TIME_LIMIT, Status.NO_SOLUTION, Status.INFEASIBLE)
"""What is said of several alternatives: the first of these that is true of any."""


def _rank(result: Result) -> tuple[int, float]:
    return _ORDER.index(result.status), _objective(result)


def _objective(result: Result) -> float:
    return inf if result.claimed_objective is None else result.claimed_objective


def _solve_choice(instance: Instance, app: Application, clock: Clock) -> Result:
    """Return the path of least normalised weight of one choice, checked."""
    try:
        with clock.phase("build"):
            graph = extended_graph(instance, app, clock)
            _add_weights(graph, instance, app, clock)
        if not graph.graph["ends"]:
            return Result(Status.INFEASIBLE, reason="no exit is accurate enough")
        with clock.phase("search"):
            weight = timed_weight("weight", clock)
            path = nx.dijkstra_path(graph, graph.graph["source"], _DNN_END, weight=weight)[:-1]
    except OutOfTime:
        return Result(Status.TIME_LIMIT, reason="no path was found in time")
    except nx.NetworkXNoPath:
        without_node = block_without_node(instance, app)
        reason = without_node or "no path leads from the source to an exit that is accurate enough"
        return Result(Status.INFEASIBLE, reason=reason)
    with clock.phase("extract"):
        decision = deployment_of_path(instance, app, path)
        energy, latency = path_costs(graph, path_of_deployment(app, decision))
    if latency > relaxed(app.max_latency_s):
        reason = f"its path takes {latency:.6g} s, the target is {app.max_latency_s:.6g} s"
        return Result(Status.NO_SOLUTION, reason=reason)
    return Result(Status.FEASIBLE, Deployment(deployments=(decision,)), app.weight * energy)


def _add_weights(graph: nx.DiGraph[Vertex], instance: Instance, app: Application, clock: Clock) -> None:
    """Give every edge its weight, and join the accepted ends to one vertex, the end of the DNN."""
    for number, (_, _, data) in enumerate(graph.edges(data=True)):
        if number % LOOK_EVERY == 0:
            clock.check()
        data["weight"] = _share(data["latency_s"], app.max_latency_s)
    exits = instance.dnn_of(app).exits
    for end, f in graph.graph["ends"].items():
        graph.add_edge(end, _DNN_END, weight=_share(app.min_accuracy, exits[f - 1].accuracy))


def _share(metric: float, bound: float) -> float:
    """Return metric / bound. Where the bound is 0, a metric of 0 weighs nothing and any other infinitely much."""
    if metric == 0:
        return 0.0
    return metric / bound if bound > 0 else inf
