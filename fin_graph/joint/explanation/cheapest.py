"""The least energy of one application, with a proof, beside answers that are known already."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from finbench.fin_graph.paths.arrays import PathProblem
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.label_search import LabelSearch
from finbench.models.result import Clock
from finbench.models.tolerances import OPTIMAL_GAP


class Cheapest(NamedTuple):
    """What is known of a least energy [J per inference], or of a least objective in its unit."""

    energy: float
    """Of the best deployment known; inf where there is none."""
    lower_bound: float
    """Proven."""

    @property
    def exact(self) -> bool:
        """Whether the bound meets the energy."""
        return self.energy == inf or self.energy - self.lower_bound <= OPTIMAL_GAP * self.energy


def cheapest(problem: PathProblem, clock: Clock, known: float = inf) -> Cheapest:
    """Return the least energy of a path problem.

    Parameters
    ----------
    problem : PathProblem
        Of one application whose capacities cannot bind.
    clock : Clock
        Where it ends the search, what was found and proven until then is returned.
    known : float
        Energy that some deployment is known to reach: only less is searched for.
    """
    dual = lagrangian_dual(problem, clock)
    if dual.incumbent is None:
        return Cheapest(inf, inf)
    energy = min(known, dual.incumbent.energy)
    if energy - dual.lower_bound <= OPTIMAL_GAP * energy:
        return Cheapest(energy, min(energy, dual.lower_bound))
    search = LabelSearch(problem, dual, limit=energy, clock=clock, complete=True)
    search.run()
    energy = min([energy, *(found for found, *_ in search.paths())])
    bound = energy if search.stopped is None else max(dual.lower_bound, search.lower_bound())
    return Cheapest(energy, min(energy, bound))
