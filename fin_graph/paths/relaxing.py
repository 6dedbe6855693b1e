"""Decremental state space relaxation: the least energies that keep all capacities, with as few loads as it takes.

Righini and Salani, "New dynamic programming algorithms for the resource constrained elementary shortest path problem",
Networks 51(3), 2008; the same idea as state space augmentation in Boland, Dethridge, Dumitrescu, Operations Research
Letters 34(1), 2006. At first no label carries a load: that is a relaxation, so what it finds bounds the optimum. Where
it fits, it is the optimum. Else the resources that it overloads are critical from then on, and the search begins anew
with their loads in every label. Each round has more critical resources than the one before, so the rounds end.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from finbench.fin_graph.paths.arrays import PathProblem
from finbench.fin_graph.paths.bounds import Dual
from finbench.fin_graph.paths.label_search import LabelSearch
from finbench.fin_graph.paths.load_search import LoadSearch
from finbench.fin_graph.paths.own_loads import OwnLoads
from finbench.models.deployment import ApplicationDeployment
from finbench.models.result import Clock, Status
from finbench.models.tolerances import OPTIMAL_GAP

Fitting = list[tuple[float, ApplicationDeployment]]
"""Deployments that keep all capacities, with energies [J per inference], by rising energy."""


@dataclass(frozen=True)
class LeastThatFit:
    """What the rounds found."""

    found: Fitting
    lower_bound: float
    """No deployment that keeps all capacities lies below it, as far as the limit of the search."""
    labels: int = 0
    critical: tuple[int, ...] = ()
    """Resources whose loads the last round's labels carried."""
    stopped: Status | None = None
    reason: str | None = None


def least_that_fit(
    problem: PathProblem, dual: Dual, loads: OwnLoads, *, limit: float, k: int, clock: Clock, critical: set[int]
) -> LeastThatFit:
    """Find the k least-energy deployments below `limit` up to one exit that keep all capacities.

    Parameters
    ----------
    problem : PathProblem
        Without what is too large by itself.
    dual : Dual
        Of `problem`.
    loads : OwnLoads
    limit : float
        What is not below it is not looked for [J]; inf where nothing is known.
    k : int
    clock : Clock
    critical : set of int
        Resources whose loads labels carry from the first round on.

    Returns
    -------
    LeastThatFit
        Where a limit ended the search, what was met that fits.
    """
    bound, labels, critical = dual.lower_bound, 0, set(critical)
    while bound < limit * (1 - OPTIMAL_GAP):
        numbers = tuple(sorted(critical))
        search: LabelSearch | LoadSearch
        if k == 1 and not numbers:
            search = LabelSearch(problem, dual, limit=limit, clock=clock, complete=True)
        else:
            search = LoadSearch(problem, dual, loads.critical(numbers, problem), limit=limit, k=k, clock=clock)
        search.run()
        labels += search.labels
        bound = max(bound, search.lower_bound())
        overloads = [(one, loads.overloads(one[1])) for one in search.deployments()]
        fitting = [one for one, over in overloads if not over]
        if search.stopped is not None or len(fitting) == len(overloads):
            return LeastThatFit(fitting, bound, labels, numbers, search.stopped, search.reason)
        critical.update(*(over for _, over in overloads))
    return LeastThatFit([], min(bound, limit), labels, tuple(sorted(critical)))


def kth_energy(found: Fitting, k: int) -> float:
    """Return the energy that another deployment must be below; inf while fewer than k are found."""
    return found[k - 1][0] if len(found) >= k else inf
