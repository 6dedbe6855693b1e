"""`larac`: Lagrangian relaxation of the latency target (Jüttner, Szviatovszki, Mécs, Rajkó, INFOCOM 2001).

Repeated shortest paths on energy + μ · latency give a feasible path and the Lagrangian lower bound (eq. 19). It is
a baseline: the answer is as good as the dual's end points are, and a duality gap may stay.
"""

from __future__ import annotations

from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.infeasibility import reason_of_infeasibility
from finbench.fin_graph.paths.loading import load_compiled
from finbench.fin_graph.paths.support import may_bind, reason_to_share
from finbench.fin_graph.repair import repaired
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
        or `infeasible`. Where capacities may bind, what `fin_graph.repair` makes of it.
    """
    return repaired(_alone, instance, time_limit_s) if may_bind(instance) else _alone(instance, time_limit_s)


def _alone(instance: Instance, time_limit_s: float | None) -> Result:
    """Run LARAC, which sees no capacity."""
    clock = Clock(time_limit_s)
    with clock.phase(LOAD):
        load_compiled()
    app = instance.applications[0]
    with clock.phase("build"):
        problem = path_problem(instance, app)
    with clock.phase("search"):
        dual = None if problem is None else lagrangian_dual(problem, clock)
    if problem is None or dual is None or dual.incumbent is None:
        return Result(Status.INFEASIBLE, reason=reason_of_infeasibility(instance, app), times_s=clock.times_s)
    path = dual.incumbent
    closed = path.energy - dual.lower_bound <= OPTIMAL_GAP * dual.lower_bound
    return Result(
        Status.OPTIMAL if closed else Status.TIME_LIMIT if dual.stopped else Status.FEASIBLE,
        deployment=Deployment(deployments=(problem.deployment(path.layers, path.nodes),)),
        claimed_objective=app.weight * path.energy,
        lower_bound=app.weight * dual.lower_bound,
        times_s=clock.times_s,
        info={"multiplier_j_per_s": dual.multiplier, "shortest_paths": dual.iterations},
    )
