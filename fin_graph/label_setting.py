"""`label-setting`: the exact optimum of one application by non-dominated (energy, latency) labels.

Layer by layer, as `fin_graph.paths.labels` describes; pruned by the costs to go of the Lagrangian dual (eq. 19) against
the best known answer: the dual's at first, then the best completion of any label. What survives is the optimum, or the
k least-energy deployments. When time or memory ends first, the incumbent is returned with a proven bound: the least
that any label still open can lead to.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from finbench.fin_graph.options import LabelSettingOptions
from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.bounds import Dual, lagrangian_dual
from finbench.fin_graph.paths.infeasibility import reason_of_infeasibility
from finbench.fin_graph.paths.label_search import LabelSearch
from finbench.fin_graph.paths.loading import load_compiled
from finbench.fin_graph.paths.support import reason_to_refuse
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Instance
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import OPTIMAL_GAP


def supports(instance: Instance, options: LabelSettingOptions = LabelSettingOptions()) -> str | None:  # noqa: ARG001
    """Return why label setting cannot take `instance`; None where it can."""
    return reason_to_refuse(instance)


@dataclass(frozen=True)
class _Answer:
    """Deployments with their energies, in order, and what is proven about the least energy."""

    found: list[tuple[float, ApplicationDeployment]]
    lower_bound: float
    labels: int
    stopped: Status | None = None
    reason: str | None = None


def solve(
    instance: Instance,
    options: LabelSettingOptions = LabelSettingOptions(),
    *,
    time_limit_s: float | None = None,
    seed: int = 0,  # noqa: ARG001
) -> Result:
    """Find the least-energy deployment, and with `k` > 1 the k least-energy ones.

    Parameters
    ----------
    instance : Instance
        Of a single application whose capacities cannot bind (`supports`).
    options : LabelSettingOptions
        Deployments beyond the best come in `info["alternatives"]`, fewer than `k` − 1 where fewer exist.
    time_limit_s : float, optional
    seed : int
        Ignored: nothing is drawn.

    Returns
    -------
    Result
        `optimal`, `infeasible`, or on a limit the incumbent with a proven lower bound.
    """
    clock, k = Clock(time_limit_s), options.k
    app = instance.applications[0]
    with clock.phase("load"):
        load_compiled()
    with clock.phase("build"):
        problem = path_problem(instance, app)
    with clock.phase("bounds"):
        dual = None if problem is None else lagrangian_dual(problem)
    if problem is None or dual is None or dual.incumbent is None:
        return Result(Status.INFEASIBLE, reason=reason_of_infeasibility(instance, app), times_s=clock.times_s)
    incumbent = dual.incumbent.energy, problem.deployment(dual.incumbent.layers, dual.incumbent.nodes)
    with clock.phase("labels"):
        answer = _least(problem, dual, incumbent, clock) if k == 1 else _k_least(problem, dual, incumbent, k, clock)
    energy, best = answer.found[0]
    info = {
        "labels": answer.labels,
        "dual_bound_j": dual.lower_bound,
        "incumbent_j": incumbent[0],
        "alternatives": [
            {"energy_j": e, "deployment": deployment.model_dump(mode="json")} for e, deployment in answer.found[1:]
        ],
    }
    return Result(
        answer.stopped or Status.OPTIMAL,
        deployment=Deployment(deployments=(best,)),
        claimed_objective=app.weight * energy,
        lower_bound=app.weight * min(energy, answer.lower_bound),
        reason=answer.reason,
        times_s=clock.times_s,
        info=info,
    )


def _least(problem: PathProblem, dual: Dual, incumbent: tuple[float, ApplicationDeployment], clock: Clock) -> _Answer:
    if incumbent[0] - dual.lower_bound <= OPTIMAL_GAP * incumbent[0]:
        return _Answer([incumbent], dual.lower_bound, labels=0)
    search = LabelSearch(problem, dual, limit=incumbent[0], clock=clock, complete=True)
    search.run()
    better = search.deployments()
    bound = max(dual.lower_bound, search.lower_bound())
    return _Answer(better or [incumbent], bound, search.labels, search.stopped, search.reason)


def _k_least(
    problem: PathProblem, dual: Dual, incumbent: tuple[float, ApplicationDeployment], k: int, clock: Clock
) -> _Answer:
    """The k least-energy deployments: all below a limit, which grows until k are found or nothing was cut off."""
    limit = incumbent[0] * (1 + 1 / 16) if incumbent[0] > 0 else inf
    while True:
        search = LabelSearch(problem, dual, limit=limit, k=k, clock=clock)
        search.run()
        found = search.deployments()
        if search.stopped is not None or len(found) == k or limit == inf:
            bound = max(dual.lower_bound, search.lower_bound())
            return _Answer(found or [incumbent], bound, search.labels, search.stopped, search.reason)
        limit = inf if limit > 16 * incumbent[0] else incumbent[0] + 2 * (limit - incumbent[0])
