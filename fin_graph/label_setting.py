"""`label-setting`: the exact optimum of one application by non-dominated (energy, latency) labels.

The search goes layer by layer, as `fin_graph.paths.labels` describes. It prunes by the costs to go of the Lagrangian
dual (eq. 19) against the best known answer: the dual's at first, then the best completion of any label. What survives
is the optimum. When time or memory ends first, the incumbent is returned with a proven bound: the least that any label
still open can lead to.

Of an application with alternatives (eq. 29), those whose bound is not below the best known answer are left out, and the
others are searched one after another, each for what is better still.

The optimum ends at the earliest accurate exit, which dominates every later one. The k least-energy deployments may end
at any accurate exit, so every such exit of every alternative is searched. Two of them differ in the alternative, the
last exit, the placement or a route; a route visits no node twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from finbench.fin_graph.options import LabelSettingOptions
from finbench.fin_graph.paths.alternatives import Bounded, best_incumbent, bounded, problems_of
from finbench.fin_graph.paths.arrays import PathProblem, Prices, accurate_exits, path_problem, priced
from finbench.fin_graph.paths.bounds import Dual, lagrangian_dual
from finbench.fin_graph.paths.infeasibility import reason_of_infeasibility
from finbench.fin_graph.paths.label_search import LabelSearch
from finbench.fin_graph.paths.loading import load_compiled
from finbench.fin_graph.paths.support import may_bind, reason_to_share
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Application, Instance
from finbench.models.news import News, tell
from finbench.models.result import LOAD, Clock, Result, Status
from finbench.models.tolerances import OPTIMAL_GAP


def supports(instance: Instance, options: LabelSettingOptions = LabelSettingOptions()) -> str | None:  # noqa: ARG001
    """Return why label setting cannot take `instance`; None where it can."""
    return reason_to_share(instance)


FIRST_MARGIN, LARGEST_MARGIN = 2.0**-10, 16.0
"""Relative margins above the optimum below which the k least are sought: the first one, and the last finite one."""

Found = list[tuple[float, ApplicationDeployment]]
"""Deployments with their energies [J per inference], in order of energy."""


@dataclass(frozen=True)
class _Answer:
    """Deployments, and what is proven about the least energy."""

    found: Found
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
    prices: Prices | None = None,
) -> Result:
    """Find the least-energy deployment, and with `k` > 1 the k least-energy ones.

    Parameters
    ----------
    instance : Instance
        One that `supports` takes. Where capacities may bind, `fin_graph.paths.within_capacities` takes over.
    options : LabelSettingOptions
        Deployments beyond the best come in `info["runners_up"]`, fewer than `k` − 1 where fewer exist.
    time_limit_s : float, optional
        Limit [s]. Where it ends the search for the k least, the least and its proof stay, with the least others
        that were met.
    seed : int
        Ignored: nothing is drawn.
    prices : mapping, optional
        What running blocks costs besides, added to the energy; goes with `k` = 1.

    Returns
    -------
    Result
        `optimal`, `infeasible`, or on a limit the incumbent with a proven lower bound.
    """
    clock = Clock(time_limit_s)
    if may_bind(instance):
        from finbench.fin_graph.paths.within_capacities import solve_within

        return solve_within(instance, options.k, clock, prices)
    app = instance.applications[0]
    with clock.phase(LOAD):
        load_compiled()
    with clock.phase("build"):
        problems = [priced(problem, prices) for problem in problems_of(instance, app)]
    with clock.phase("bounds"):
        alternatives = bounded(problems, clock, to_search=True)
    if not alternatives:
        return Result(Status.INFEASIBLE, reason=reason_of_infeasibility(instance, app), times_s=clock.times_s)
    best_known = best_incumbent(alternatives)
    path = best_known.dual.incumbent
    assert path is not None
    incumbent = path.energy, best_known.problem.deployment(path.layers, path.nodes)
    dual_bound = min(path.energy, *(one.dual.lower_bound for one in alternatives))
    known = Deployment(deployments=(incumbent[1],))
    tell(News(app.weight * incumbent[0], app.weight * dual_bound, lambda: known))
    with clock.phase("labels"):
        answer = _least(alternatives, incumbent, clock)
        if options.k > 1 and answer.stopped is None:
            answer = _KLeast(instance, app, answer, options.k, clock).answer()
    energy, best = answer.found[0]
    info = {
        "labels": answer.labels,
        "dual_bound_j": dual_bound,
        "incumbent_j": incumbent[0],
        "runners_up": [
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


def _least(alternatives: list[Bounded], incumbent: tuple[float, ApplicationDeployment], clock: Clock) -> _Answer:
    """Find the least-energy deployment, or the best known one with a proven bound where a limit ends the search.

    The alternatives come by rising bound. What the search of one finds is the limit of the next.
    """
    best, labels, bounds = incumbent, 0, list[float]()
    for number, one in enumerate(alternatives):
        bounds.append(one.dual.lower_bound)
        if best[0] - one.dual.lower_bound <= OPTIMAL_GAP * best[0]:
            continue
        search = LabelSearch(one.problem, one.dual, limit=best[0], clock=clock, complete=True)
        search.run()
        best = min([best, *search.deployments()], key=lambda found: found[0])
        bounds[-1] = max(bounds[-1], search.lower_bound())
        labels += search.labels
        if search.stopped is not None:
            bounds += [other.dual.lower_bound for other in alternatives[number + 1 :]]
            return _Answer([best], min(bounds), labels, search.stopped, search.reason)
    return _Answer([best], min(bounds), labels)


class _KLeast:
    """The k least-energy deployments over all accurate exits of all alternatives, from the least on.

    Everything below a limit is found, exit by exit; the limit grows until k are found or nothing was cut off.

    Parameters
    ----------
    instance : Instance
    app : Application
    least : _Answer
        The least-energy deployment, proven.
    k : int
    clock : Clock
    """

    def __init__(self, instance: Instance, app: Application, least: _Answer, k: int, clock: Clock) -> None:
        self._least, self._k, self._clock = least, k, clock
        problems = (
            path_problem(instance, choice, last_exit)
            for choice in app.choices
            for last_exit in accurate_exits(instance.dnn_of(choice), app.min_accuracy)
        )
        self._exits = [(problem, lagrangian_dual(problem, clock)) for problem in problems if problem is not None]
        self._found: list[Found] = [[] for _ in self._exits]
        self._labels = least.labels

    def answer(self) -> _Answer:
        """Search below growing limits and return the k least; where time or memory ends it, what was found so far."""
        optimum = self._least.found[0][0]
        margin = FIRST_MARGIN
        limit = optimum * (1 + margin) if optimum > 0 else inf
        while True:
            for e, (problem, dual) in enumerate(self._exits):
                search = self._search(problem, dual, min(limit, self._kth_energy()))
                if search is None:
                    continue
                if search.stopped is not None:
                    self._found[e] = distinct([*self._found[e], *search.completed(self._k)])
                    return self._answered(search.stopped, search.reason)
                self._found[e] = search.deployments()
            if limit == inf or len(self._all_found()) == self._k:
                return self._answered(None, None)
            margin *= 2
            limit = inf if margin > LARGEST_MARGIN else optimum * (1 + margin)

    def _search(self, problem: PathProblem, dual: Dual, limit: float) -> LabelSearch | None:
        """Search below `limit` up to one exit and return the search; None where nothing can be below the limit."""
        if dual.lower_bound >= limit:
            return None
        search = LabelSearch(problem, dual, limit=limit, k=self._k, clock=self._clock)
        search.run()
        self._labels += search.labels
        return search

    def _all_found(self) -> Found:
        """Return the k least deployments found up to any exit."""
        return sorted((one for found in self._found for one in found), key=lambda one: one[0])[: self._k]

    def _kth_energy(self) -> float:
        """Return the energy that another deployment must be below; inf while fewer than k are found."""
        found = self._all_found()
        return found[-1][0] if len(found) == self._k else inf

    def _answered(self, stopped: Status | None, reason: str | None) -> _Answer:
        found = distinct([*self._least.found, *self._all_found()])[: self._k]
        return _Answer(found, self._least.lower_bound, self._labels, stopped, reason)


def distinct(found: Found) -> Found:
    """Return the deployments in order of energy, each once."""
    once = {deployment.model_dump_json(): (energy, deployment) for energy, deployment in reversed(found)}
    return sorted(once.values(), key=lambda one: one[0])
