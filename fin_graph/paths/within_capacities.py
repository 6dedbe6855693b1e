"""Label setting for one application whose capacities may bind: exact, by relaxing the state space decrementally.

What is too large by itself for a node or link is left out beforehand. The Lagrangian dual (eq. 19) of the rest, which
sees no capacity, bounds the optimum; its path, repaired where it overloads something, is the first incumbent. Then
`fin_graph.paths.relaxing` finds the optimum, and with it the k least-energy deployments that keep all capacities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from finbench.fin_graph.paths.arrays import PathProblem, Prices, accurate_exits, path_problem, priced
from finbench.fin_graph.paths.bounds import Dual, lagrangian_dual
from finbench.fin_graph.paths.infeasibility import reason_nothing_fits
from finbench.fin_graph.paths.loading import load_compiled, load_labels_with_loads
from finbench.fin_graph.paths.own_loads import OwnLoads
from finbench.fin_graph.paths.relaxing import Fitting, LeastThatFit, kth_energy, least_that_fit
from finbench.fin_graph.paths.repairing import fitting_path
from finbench.models.deployment import Deployment
from finbench.models.instance import Application, Instance
from finbench.models.news import News, tell
from finbench.models.result import LOAD, Clock, Result, Status


@dataclass(frozen=True)
class _Way:
    """One accurate exit of one alternative that the application may end at."""

    problem: PathProblem
    dual: Dual
    loads: OwnLoads


def solve_within(instance: Instance, k: int, clock: Clock, prices: Prices | None = None) -> Result:
    """Find the least-energy deployment that keeps all capacities, and with `k` > 1 the k least-energy ones.

    Parameters
    ----------
    instance : Instance
        Of a single application; no node reserves.
    k : int
    clock : Clock
    prices : mapping, optional
        As of `label_setting.solve`.

    Returns
    -------
    Result
        As of `label_setting.solve`; `info["critical"]` names the resources whose loads labels had to carry.
    """
    app = instance.applications[0]
    with clock.phase(LOAD):
        load_compiled()
        load_labels_with_loads()
    with clock.phase("bounds"):
        ways = _ways(instance, app, prices, earliest=True, clock=clock)
    if not ways:
        return Result(Status.INFEASIBLE, reason=reason_nothing_fits(instance, app), times_s=clock.times_s)
    dual_bound = min(way.dual.lower_bound for way in ways)
    with clock.phase("repair"):
        known = [one for way in ways for one in _incumbent(way, clock)]
    if known:
        energy, decision = min(known, key=lambda one: one[0])
        incumbent = Deployment(deployments=(decision,))
        tell(News(app.weight * energy, app.weight * min(dual_bound, energy), lambda: incumbent))
    with clock.phase("labels"):
        answer = _over_ways(ways, known, 1, clock)
        if k > 1 and answer.found and answer.stopped is None:
            every = _ways(instance, app, prices, earliest=False, clock=clock)
            more = _over_ways(every, answer.found, k, clock)
            answer = replace(more, lower_bound=answer.lower_bound, labels=answer.labels + more.labels)
    return _result(instance, app, answer, dual_bound, clock)


def _ways(instance: Instance, app: Application, prices: Prices | None, *, earliest: bool, clock: Clock) -> list[_Way]:
    """Return the accurate exits of all alternatives that can be reached in time, the one of the least bound first."""
    ways = []
    for choice in app.choices:
        loads, exits = OwnLoads.of(instance, choice), accurate_exits(instance.dnn_of(choice), app.min_accuracy)
        for last_exit in exits[:1] if earliest else exits:
            problem = path_problem(instance, choice, last_exit)
            assert problem is not None
            problem = loads.without_too_large(priced(problem, prices))
            dual = lagrangian_dual(problem, clock)
            if dual.incumbent is not None:
                ways.append(_Way(problem, dual, loads))
    return sorted(ways, key=lambda way: way.dual.lower_bound)


def _incumbent(way: _Way, clock: Clock) -> Fitting:
    """Return the repaired path of the dual, with its energy; nothing where no repair leads to one that fits."""
    path = fitting_path(way.problem, way.dual, way.loads, clock).path
    return [] if path is None else [(path.energy, way.problem.deployment(path.layers, path.nodes))]


def _over_ways(ways: list[_Way], known: Fitting, k: int, clock: Clock) -> LeastThatFit:
    """Return the k least over all exits; what is known counts among them, and bounds what is looked for."""
    found, bounds, labels, critical = _merged(known, []), [inf], 0, set[int]()
    for number, way in enumerate(ways):
        limit = kth_energy(found, k)
        one = least_that_fit(way.problem, way.dual, way.loads, limit=limit, k=k, clock=clock, critical=critical)
        found = _merged(found, one.found)[:k]
        bounds.append(one.lower_bound)
        labels += one.labels
        critical |= set(one.critical)
        if one.stopped is not None:
            bounds += [other.dual.lower_bound for other in ways[number + 1 :]]
            return replace(one, found=found, lower_bound=min(bounds), labels=labels, critical=tuple(sorted(critical)))
    return LeastThatFit(found, min(bounds), labels, tuple(sorted(critical)))


def _merged(known: Fitting, found: Fitting) -> Fitting:
    """Return both in order of energy, each deployment once."""
    once = {deployment.model_dump_json(): (energy, deployment) for energy, deployment in (*found, *known)}
    return sorted(once.values(), key=lambda one: one[0])


def _result(instance: Instance, app: Application, answer: LeastThatFit, dual_bound: float, clock: Clock) -> Result:
    loads = OwnLoads.of(instance, app.choices[0])
    info = {
        "labels": answer.labels,
        "dual_bound_j": dual_bound,
        "critical": [loads.name(resource) for resource in answer.critical],
        "runners_up": [
            {"energy_j": energy, "deployment": deployment.model_dump(mode="json")}
            for energy, deployment in answer.found[1:]
        ],
    }
    if not answer.found:
        reason = answer.reason if answer.stopped else reason_nothing_fits(instance, app)
        bound = app.weight * answer.lower_bound if answer.stopped else None
        return Result(
            answer.stopped or Status.INFEASIBLE, lower_bound=bound, reason=reason, times_s=clock.times_s, info=info
        )
    energy, best = answer.found[0]
    return Result(
        answer.stopped or Status.OPTIMAL,
        deployment=Deployment(deployments=(best,)),
        claimed_objective=app.weight * energy,
        lower_bound=app.weight * min(energy, answer.lower_bound),
        reason=answer.reason,
        times_s=clock.times_s,
        info=info,
    )
