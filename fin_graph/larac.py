"""`larac`: Lagrangian relaxation of the latency target (Jüttner, Szviatovszki, Mécs, Rajkó, INFOCOM 2001).

Repeated shortest paths on energy + μ · latency give a feasible path and the Lagrangian lower bound (eq. 19). It is
a baseline: the answer is as good as the dual's end points are, and a duality gap may stay.

It sees no capacity. What is too large by itself is left out beforehand; a path that overloads something is repaired
(`fin_graph.paths.repairing`), and the bound stays that of the path problem without capacities.
"""

from __future__ import annotations

from finbench.fin_graph.paths.alternatives import Bounded, best_incumbent, bounded, problems_of
from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.infeasibility import reason_nothing_fits, reason_of_infeasibility
from finbench.fin_graph.paths.loading import load_compiled
from finbench.fin_graph.paths.own_loads import OwnLoads
from finbench.fin_graph.paths.repairing import fitting_path
from finbench.fin_graph.paths.support import may_bind, reason_to_share
from finbench.models.deployment import Deployment
from finbench.models.instance import Application, Instance
from finbench.models.options import Options
from finbench.models.result import LOAD, Clock, Result, Status
from finbench.models.tolerances import OPTIMAL_GAP


def supports(instance: Instance, options: Options = Options()) -> str | None:  # noqa: ARG001
    """Return why LARAC cannot take `instance`; None where it can."""
    return reason_to_share(instance)


def solve(
    instance: Instance,
    options: Options = Options(),  # noqa: ARG001
    *,
    time_limit_s: float | None = None,
    seed: int = 0,  # noqa: ARG001
) -> Result:
    """Run LARAC and return its path with the Lagrangian bound.

    Parameters
    ----------
    instance : Instance
        One that `supports` takes.
    options : Options
        There are none.
    time_limit_s : float, optional
        Looked at between two shortest paths [s].
    seed : int
        Ignored: nothing is drawn.

    Returns
    -------
    Result
        `optimal` where the bound meets the path, else `feasible`, or `time-limit` with the path and the bound so far;
        or `infeasible`; `no-solution` where no repair of a path that overloads something led to one that does not.
    """
    clock = Clock(time_limit_s)
    with clock.phase(LOAD):
        load_compiled()
    app = instance.applications[0]
    if may_bind(instance):
        return _within_capacities(instance, app, clock)
    with clock.phase("build"):
        problems = problems_of(instance, app)
    with clock.phase("search"):
        alternatives = bounded(problems, clock)
    if not alternatives:
        return Result(Status.INFEASIBLE, reason=reason_of_infeasibility(instance, app), times_s=clock.times_s)
    best = best_incumbent(alternatives)
    path, dual = best.dual.incumbent, best.dual
    assert path is not None
    bound = min(path.energy, *(one.dual.lower_bound for one in alternatives))
    closed = path.energy - bound <= OPTIMAL_GAP * bound
    stopped = any(one.dual.stopped for one in alternatives)
    return Result(
        Status.OPTIMAL if closed else Status.TIME_LIMIT if stopped else Status.FEASIBLE,
        deployment=Deployment(deployments=(best.problem.deployment(path.layers, path.nodes),)),
        claimed_objective=app.weight * path.energy,
        lower_bound=app.weight * bound,
        times_s=clock.times_s,
        info={
            "multiplier_j_per_s": dual.multiplier,
            "shortest_paths": sum(one.dual.iterations for one in alternatives),
        },
    )


def _within_capacities(instance: Instance, app: Application, clock: Clock) -> Result:
    """Repair the dual's path of every alternative, and return the best that fits with the least of their bounds."""
    found: list[tuple[float, Deployment, float]] = []
    bounds, iterations, repairs, stopped = list[float](), 0, 0, False
    for choice in app.choices:
        one = _bounded_within(instance, choice, clock)
        if one is None:
            continue
        bounds.append(one.dual.lower_bound)
        with clock.phase("repair"):
            path, rounds = fitting_path(one.problem, one.dual, OwnLoads.of(instance, choice), clock)
        iterations, repairs, stopped = iterations + one.dual.iterations, repairs + rounds, stopped or one.dual.stopped
        if path is not None:
            decision = Deployment(deployments=(one.problem.deployment(path.layers, path.nodes),))
            found.append((path.energy, decision, one.dual.multiplier))
    if not bounds:
        return Result(Status.INFEASIBLE, reason=reason_nothing_fits(instance, app), times_s=clock.times_s)
    info = {"shortest_paths": iterations, "repairs": repairs}
    if not found:
        ended = Status.TIME_LIMIT if clock.expired else Status.NO_SOLUTION
        reason = f"{repairs} repairs of paths that overload a node or link led to none that does not"
        return Result(ended, lower_bound=app.weight * min(bounds), reason=reason, times_s=clock.times_s, info=info)
    energy, deployment, multiplier = min(found, key=lambda one: one[0])
    bound = min(energy, *bounds)
    ended = Status.TIME_LIMIT if stopped or clock.expired else Status.FEASIBLE
    return Result(
        Status.OPTIMAL if energy - bound <= OPTIMAL_GAP * bound else ended,
        deployment=deployment,
        claimed_objective=app.weight * energy,
        lower_bound=app.weight * bound,
        times_s=clock.times_s,
        info={"multiplier_j_per_s": multiplier, **info},
    )


def _bounded_within(instance: Instance, choice: Application, clock: Clock) -> Bounded | None:
    """Return one alternative without what is too large by itself, and its dual; None where no path meets its target."""
    with clock.phase("build"):
        problem = path_problem(instance, choice)
    if problem is None:
        return None
    with clock.phase("search"):
        problem = OwnLoads.of(instance, choice).without_too_large(problem)
        dual = lagrangian_dual(problem, clock)
    return None if dual.incumbent is None else Bounded(problem, dual)
