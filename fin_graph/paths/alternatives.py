"""The alternatives of one application (eq. 29): path problems on one topology, of which bounds leave few to search.

Whatever serves the application runs one of its DNNs, so that its optimum is the least of theirs. The least energy of
any path, one sweep each, orders them. Once a deployment of one is known, others whose bound is no less are done.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.bounds import Dual, lagrangian_dual
from finbench.fin_graph.paths.shortest import CostsToGo, costs_to_go
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


def in_order(problems: list[PathProblem]) -> list[tuple[PathProblem, float]]:
    """Return the problems with the least energy of any path, latency ignored, the least first.

    One problem alone needs no order: of its energy no more is said than that it is at least 0.
    """
    if len(problems) == 1:
        return [(problems[0], 0.0)]
    return [(problem, least) for problem, _, least in _swept(problems)]


def _swept(problems: list[PathProblem]) -> list[tuple[PathProblem, CostsToGo, float]]:
    """Return the problems with their energies to go and the least energy of any path, the least first."""
    to_go = [costs_to_go(problem.edges, 1.0, 0.0) for problem in problems]
    least = [float(one.cost[0, problem.source]) for problem, one in zip(problems, to_go, strict=True)]
    return [(problems[v], to_go[v], least[v]) for v in sorted(range(len(problems)), key=least.__getitem__)]


def bounded(problems: list[PathProblem], clock: Clock | None = None) -> list[Bounded]:
    """Return the problems that may hold the optimum, each with its dual, the one of least bound first.

    Parameters
    ----------
    problems : list of PathProblem
        The alternatives of one application.
    clock : Clock, optional
        As in `lagrangian_dual`.

    Returns
    -------
    list of Bounded
        Empty exactly when no problem is feasible. The optimum of a problem that is left out is no less than the best
        incumbent of these.
    """
    if len(problems) == 1:
        dual = lagrangian_dual(problems[0], clock)
        return [] if dual.incumbent is None else [Bounded(problems[0], dual)]
    found, known = list[Bounded](), inf
    for problem, to_go, least in _swept(problems):
        if least >= known:
            break
        dual = lagrangian_dual(problem, clock, energy_to_go=to_go, limit=known)
        if dual.incumbent is not None:
            known = min(known, dual.incumbent.energy)
            found.append(Bounded(problem, dual))
    return sorted((one for one in found if _may_be_best(one.dual, known)), key=lambda one: one.dual.lower_bound)


def _may_be_best(dual: Dual, known: float) -> bool:
    """Return whether an alternative may cost less than what is known, or is what is known."""
    assert dual.incumbent is not None
    return dual.lower_bound < known or dual.incumbent.energy <= known


def best_incumbent(alternatives: list[Bounded]) -> Bounded:
    """Return the alternative whose incumbent costs the least; there must be one."""
    return min(alternatives, key=_energy)


def _energy(one: Bounded) -> float:
    return inf if one.dual.incumbent is None else one.dual.incumbent.energy
