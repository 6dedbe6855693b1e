"""`larac`: Lagrangian relaxation of the latency target (Jüttner, Szviatovszki, Mécs, Rajkó, INFOCOM 2001).

Repeated shortest paths on energy + μ · latency give a feasible path and the Lagrangian lower bound (eq. 19). It is
a baseline: the answer is as good as the dual's end points are, and a duality gap may stay.
"""

from __future__ import annotations

from finbench.fin_graph.paths.alternatives import best_incumbent, bounded, problems_of
from finbench.fin_graph.paths.infeasibility import reason_of_infeasibility
from finbench.fin_graph.paths.loading import load_compiled
from finbench.fin_graph.paths.support import reason_to_refuse
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.options import Options
from finbench.models.result import LOAD, Clock, Result, Status
from finbench.models.tolerances import OPTIMAL_GAP


def supports(instance: Instance, options: Options = Options()) -> str | None:  # noqa: ARG001
    """Return why LARAC cannot take `instance`; None where it can."""
    return reason_to_refuse(instance)


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
        Of a single application whose capacities cannot bind (`supports`).
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
        or `infeasible`.
    """
    clock = Clock(time_limit_s)
    with clock.phase(LOAD):
        load_compiled()
    app = instance.applications[0]
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
