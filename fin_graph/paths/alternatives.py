"""The alternatives of one application (eq. 29): path problems on one topology, of which bounds leave few to search.

Whatever serves the application runs one of its DNNs, so that its optimum is the least of theirs. The Lagrangian dual of
one gives a multiplier μ. At this μ one sweep bounds each of the others (eq. 19): any μ ≥ 0 does. The bounds order them,
and once a deployment of one is known, those whose bound is no less are done.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.bounds import Dual, bound_at, lagrangian_dual
from finbench.fin_graph.paths.topology import Topology
from finbench.models.instance import Application, Instance
from finbench.models.result import Clock


@dataclass(frozen=True)
class Bounded:
    """One alternative with its Lagrangian dual."""

    problem: PathProblem
    dual: Dual


def problems_of(instance: Instance, app: Application) -> list[PathProblem]:
    """Return the path problem of every DNN of `app` that has an accurate exit; all share one topology."""
    if len(app.choices) == 1:
        problem = path_problem(instance, app.choices[0])
        return [] if problem is None else [problem]
    topology = Topology.of(instance)
    problems = (path_problem(instance, choice, topology=topology) for choice in app.choices)
    return [problem for problem in problems if problem is not None]


def bounded(problems: list[PathProblem], clock: Clock | None = None, *, to_search: bool = False) -> list[Bounded]:
    """Return the problems that may hold the optimum, each with its dual, the one of least bound first.

    Parameters
    ----------
    problems : list of PathProblem
        The alternatives of one application.
    clock : Clock, optional
        As in `lagrangian_dual`.
    to_search : bool
        Whether a search follows: the first problem's multiplier then serves the others, and their bounds need not be
        the best.

    Returns
    -------
    list of Bounded
        Empty exactly when no problem is feasible. The optimum of a problem that is left out is no less than the best
        incumbent of these.
    """
    first, waiting = _first_feasible(problems, clock)
    if first is None:
        return []
    found = [first]
    for problem, least in waiting:
        known = _energy(best_incumbent(found))
        if least >= known:
            break
        dual = lagrangian_dual(problem, clock, limit=known, likely=first.dual.multiplier if to_search else None)
        if dual.incumbent is not None:
            found.append(Bounded(problem, dual))
    known = _energy(best_incumbent(found))
    kept = [one for one in found if one.dual.lower_bound < known or _energy(one) <= known]
    return sorted(kept, key=lambda one: one.dual.lower_bound)


def in_order(problems: list[PathProblem], clock: Clock | None = None) -> list[tuple[PathProblem, float]]:
    """Return the feasible problems with a proven bound on the energy of each, the least first.

    One problem alone needs no order: of its energy no more is said than that it is at least 0.
    """
    if len(problems) == 1:
        return [(problems[0], 0.0)]
    first, waiting = _first_feasible(problems, clock)
    known = [] if first is None else [(first.problem, first.dual.lower_bound)]
    return sorted([*known, *waiting], key=lambda one: one[1])


def _first_feasible(
    problems: list[PathProblem], clock: Clock | None
) -> tuple[Bounded | None, list[tuple[PathProblem, float]]]:
    """Return the first feasible problem with its dual, and those after it with bounds, the least bound first."""
    for number, problem in enumerate(problems):
        dual = lagrangian_dual(problem, clock)
        if dual.incumbent is not None:
            others = [(other, bound_at(other, dual.multiplier)) for other in problems[number + 1 :]]
            return Bounded(problem, dual), sorted(others, key=lambda one: one[1])
    return None, []


def best_incumbent(alternatives: list[Bounded]) -> Bounded:
    """Return the alternative whose incumbent costs the least; there must be one."""
    return min(alternatives, key=_energy)


def _energy(one: Bounded) -> float:
    return inf if one.dual.incumbent is None else one.dual.incumbent.energy
