"""`larac`: Lagrangian relaxation of the latency target (Jüttner, Szviatovszki, Mécs, Rajkó, INFOCOM 2001).

Repeated shortest paths on energy + μ · latency give a feasible path and the Lagrangian lower bound (eq. 19). It is
a baseline: the answer is as good as the dual's end points are, and a duality gap may stay.

It sees no capacity. What is too large by itself is left out beforehand; a path that overloads something is repaired
(`fin_graph.paths.repairing`), and the bound stays that of the path problem without capacities.
"""

from __future__ import annotations

from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.infeasibility import reason_nothing_fits
from finbench.fin_graph.paths.loading import load_compiled
from finbench.fin_graph.paths.own_loads import OwnLoads
from finbench.fin_graph.paths.repairing import fitting_path
from finbench.fin_graph.paths.shortest import Path
from finbench.fin_graph.paths.support import may_bind, reason_to_share
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
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
    with clock.phase("build"):
        problem = path_problem(instance, app)
        loads = OwnLoads.of(instance, app) if may_bind(instance) else None
        if problem is not None and loads is not None:
            problem = loads.without_too_large(problem)
    with clock.phase("search"):
        dual = None if problem is None else lagrangian_dual(problem, clock)
    if problem is None or dual is None or dual.incumbent is None:
        return Result(Status.INFEASIBLE, reason=reason_nothing_fits(instance, app), times_s=clock.times_s)
    info = {"multiplier_j_per_s": dual.multiplier, "shortest_paths": dual.iterations}
    path: Path | None = dual.incumbent
    if loads is not None:
        with clock.phase("repair"):
            path, info["repairs"] = fitting_path(problem, dual, loads, clock)
    if path is None:
        ended = Status.TIME_LIMIT if clock.expired else Status.NO_SOLUTION
        reason = f"{info['repairs']} repairs of paths that overload a node or link led to none that does not"
        bound = app.weight * dual.lower_bound
        return Result(ended, lower_bound=bound, reason=reason, times_s=clock.times_s, info=info)
    closed = path.energy - dual.lower_bound <= OPTIMAL_GAP * dual.lower_bound
    return Result(
        Status.OPTIMAL if closed else Status.TIME_LIMIT if dual.stopped else Status.FEASIBLE,
        deployment=Deployment(deployments=(problem.deployment(path.layers, path.nodes),)),
        claimed_objective=app.weight * path.energy,
        lower_bound=app.weight * dual.lower_bound,
        times_s=clock.times_s,
        info=info,
    )
