"""The frontier of one application whose capacities may bind, for one exit at a time.

Exact: the least energy that keeps all capacities is found by `fin_graph.paths.relaxing`; then the latency target falls
just below that deployment's latency, and the search begins anew, until nothing fits (the ε-constraint method of Haimes,
Lasdon, Wismer, IEEE Trans. SMC 1(3), 1971). Resources that were critical stay critical.

FIN's corners are those of its pass over the replicas. From the largest budget down, each corner's path is looked at;
what it overloads is forbidden from there on (`fin_graph.paths.repairing`), and the pass is made anew.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np

from finbench.fin_graph.paths.arrays import PathProblem, layer_edges
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.kernel import least_energies, least_energy_replica_path
from finbench.fin_graph.paths.own_loads import OwnLoads
from finbench.fin_graph.paths.relaxing import LeastThatFit, least_that_fit
from finbench.fin_graph.paths.repairing import without_excess
from finbench.fin_graph.paths.shortest import path_costs
from finbench.models.deployment import ApplicationDeployment
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE

Point = tuple[float, float]
"""Latency budget [s] and what one inference costs."""


def exact_points(problem: PathProblem, loads: OwnLoads, clock: Clock) -> list[Point] | None:
    """Return all non-dominated (latency, energy) of deployments that keep all capacities.

    Parameters
    ----------
    problem : PathProblem
        Without what is too large by itself; its latency target is the largest budget.
    loads : OwnLoads
    clock : Clock

    Returns
    -------
    list of (float, float), or None
        By rising latency; None where a limit ended the search.
    """
    points, critical = list[Point](), set[int]()
    while True:
        answer = _least(problem, loads, clock, critical)
        if answer.stopped is not None:
            return None
        if not answer.found:
            return points[::-1]
        energy, decision = answer.found[0]
        latency, critical = _latency(problem, decision), set(answer.critical)
        points.append((latency, energy))
        if latency <= 0:
            return points[::-1]
        problem = replace(problem, max_latency_s=latency * (1 - 2 * FLOAT_NOISE))


def fin_points(problem: PathProblem, loads: OwnLoads, gamma: int, clock: Clock) -> list[Point]:
    """Return budgets and energies of FIN's paths that keep all capacities, by rising budget.

    Parameters
    ----------
    problem : PathProblem
        Without what is too large by itself; its latency target is the largest budget.
    loads : OwnLoads
    gamma : int
        Latency steps up to that.
    clock : Clock
        Where its limit ends the passes, the largest budgets are there.
    """
    horizon, points, last = problem.max_latency_s, list[Point](), gamma
    while last >= 1 and not clock.expired:
        least = least_energies(problem, gamma, clock)[problem.depth]
        if least[last] == inf:
            break
        first = max(1, int(np.flatnonzero(least <= least[last] * (1 + FLOAT_NOISE))[0]))
        budget = horizon * first / gamma
        path = least_energy_replica_path(replace(problem, max_latency_s=budget), first, clock=clock)
        if path.stopped or path.energy == inf:
            break
        excess = loads.excess(problem.deployment(path.layers, path.nodes))
        if excess is None:
            points.append((budget, path.energy))
            last = first - 1
        else:
            problem = without_excess(problem, excess)
    return points[::-1]


def slowest_that_pays(problem: PathProblem, loads: OwnLoads, clock: Clock) -> float:
    """Return the latency of the least-energy deployment that keeps all capacities [s]; 0 where none was found."""
    edges, longest = problem.edges, 0.0
    for j in range(problem.depth):
        layer = layer_edges(edges, j)
        runs = layer.run_latency[np.isfinite(layer.run_energy)]
        longest += runs.max(initial=0.0) + (len(problem.node_names) - 1) * layer.send_latency.max(initial=0.0)
    unhurried = replace(problem, max_latency_s=longest)
    found = _least(unhurried, loads, clock, set()).found
    return max((_latency(problem, decision) for _, decision in found), default=0.0)


def _least(problem: PathProblem, loads: OwnLoads, clock: Clock, critical: set[int]) -> LeastThatFit:
    dual = lagrangian_dual(problem, clock)
    if dual.incumbent is None:
        return LeastThatFit([], inf)
    return least_that_fit(problem, dual, loads, limit=inf, k=1, clock=clock, critical=critical)


def _latency(problem: PathProblem, decision: ApplicationDeployment) -> float:
    number = {name: n for n, name in enumerate(problem.node_names)}
    layers, nodes = [0], [problem.source]
    routes = decision.routes_from(problem.node_names[problem.source])
    for j, (name, route) in enumerate(zip(decision.placement, routes, strict=True)):
        for via in route[1:]:
            layers.append(j)
            nodes.append(number[via])
        layers.append(j + 1)
        nodes.append(number[name])
    return path_costs(problem, layers, nodes)[1]
