"""Solve a branch's relaxation: ways by pricing, cuts by separation, and a proven bound at any time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from finbench.fin_graph.joint.branching.branch import Branch, Limit
from finbench.fin_graph.joint.branching.pricing import BranchPricer, CheapestWay, Prices, branch_bound
from finbench.fin_graph.joint.branching.program import BranchProgram, Resources, Solved
from finbench.fin_graph.joint.branching.spots import Spots, SpotWay, values_at
from finbench.fin_graph.joint.columns.relaxation import CLOSED
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE

_DEARER, _DEAREST = 30.0, 8
"""Factor by which members not served become dearer, and how often they may."""

_MISSING = 1e-7
"""Members not served in the relaxation from which on they are missing."""

_DEAR = 10.0
"""Cost of a member not served, in powers of the dearest way or penalty."""


@dataclass(frozen=True)
class Outcome:
    """What is known of a branch once its relaxation was solved, as far as time allowed."""

    bound: float
    """Proven bound on what it allows."""
    solved: Solved | None
    """The last solution of its program; None where it can be left: nothing better is in it, or the time is over."""
    program: BranchProgram
    best: float
    """The best bound that prices proved here; `bound` may come from the parent."""
    prices: Prices
    """Its prices."""
    least: Floats
    """v_p at these prices."""
    duals: Floats
    """y_k at these prices."""
    finished: bool
    """Whether the bound meets the relaxation's value, or the cutoff."""


class BranchRelaxation:
    """Column generation at one branch after another; ways and cuts are kept for the next.

    Parameters
    ----------
    spots : Spots
    resources : Resources
    scale : float
        Power that objectives are divided by before HiGHS sees them.
    clock : Clock
    """

    def __init__(self, spots: Spots, resources: Resources, scale: float, clock: Clock) -> None:
        self.spots, self.resources, self.clock = spots, resources, clock
        self.pricer = BranchPricer(spots)
        self.cuts: list[Limit] = []
        self.pool: list[list[SpotWay]] = [[] for _ in spots.system.groups]
        self._known: list[set[bytes]] = [set() for _ in spots.system.groups]
        self._groups, self.scale = spots.system.groups, scale
        self.priced = 0
        """Rounds of pricing so far."""

    def keep(self, way: SpotWay) -> None:
        """Put a way into the pool."""
        key = way.spots.tobytes()
        if key not in self._known[way.group]:
            self._known[way.group].add(key)
            self.pool[way.group].append(way)

    def drop_closed(self) -> None:
        """Take ways that use spots closed to everybody out of the pool."""
        for g, ways in enumerate(self.pool):
            self.pool[g] = [way for way in ways if not self.pricer.fixed[way.spots].any()]
            self._known[g] = {way.spots.tobytes() for way in self.pool[g]}

    def penalties(self, branch: Branch) -> Floats:
        """Return ψ_p of every party, inf where members must be served."""
        found = [self._groups[party.group].penalty for party in branch.parties]
        return np.array([inf if penalty is None else penalty for penalty in found])

    def program(self, branch: Branch) -> BranchProgram:
        """Return the program of a branch over the ways in the pool."""
        powers = [way.usage.power for ways in self.pool for way in ways]
        dearest = max([self.scale, *powers, *(group.penalty or 0.0 for group in self._groups)])
        dear, limits = _DEAR * dearest / self.scale, (*branch.limits, *self.cuts)
        program = BranchProgram(self.spots, branch.parties, limits, self.resources, self.scale, dear, self.clock)
        parties = enumerate(branch.parties)
        program.add(
            [(p, way) for p, party in parties for way in self.pool[party.group] if self.pricer.allows(party, way)]
        )
        return program

    def solve(
        self,
        branch: Branch,
        cutoff: Callable[[], float],
        separate: Callable[[BranchProgram, Solved], Sequence[Limit]],
        watch: Callable[[float, Solved], None] = lambda _bound, _solved: None,
    ) -> Outcome:
        """Solve the relaxation of a branch.

        Parameters
        ----------
        branch : Branch
        cutoff : callable
            Says above which bound a branch holds nothing better.
        separate : callable
            Gives cuts that a solution breaks; none once it has given enough.
        watch : callable
            Told the bound, and each solution that pricing leaves as it is.
        """
        run = _BranchRun(self, branch, cutoff)
        while not run.over:
            solved = run.generate()
            if solved is None:
                break
            watch(run.bound, solved)
            cuts = separate(run.program, solved)
            if not cuts or not run.finished:
                break
            for cut in cuts:
                self.cuts.append(cut)
                run.program.cut(cut)
        return run.outcome()


class _BranchRun:
    """Column generation at one branch."""

    def __init__(self, relaxation: BranchRelaxation, branch: Branch, cutoff: Callable[[], float]) -> None:
        self._all, self._branch, self._cutoff = relaxation, branch, cutoff
        self.program = relaxation.program(branch)
        self._penalties = relaxation.penalties(branch)
        self.bound = branch.bound
        self._summed = -inf
        self._solved: Solved | None = None
        self._prices = Prices(np.zeros(len(relaxation.resources.room)), None)
        self._least, self._duals, self._best = np.zeros(len(branch.parties)), np.zeros(0), -inf
        self._dearer = 0
        self.finished = False

    @property
    def over(self) -> bool:
        """Whether the branch can be left: nothing better is in it, or the time is over."""
        return self.bound >= self._cutoff() or self._all.clock.expired

    def generate(self) -> Solved | None:
        """Add ways until the bound meets the relaxation's value, and return its solution; None where it is over."""
        self.finished = False
        while not self.over:
            self._solved = solved = self.program.solve()
            if solved is None:
                return None
            if self._improve(solved):
                continue
            if self.over:
                break
            if solved.missing > _MISSING and self._dearer < _DEAREST:
                self._dearer += 1
                self.program.dearer(_DEARER)
                continue
            self.finished = solved.missing <= _MISSING and self._meets(solved)
            return solved
        self._solved = None
        return None

    def _meets(self, solved: Solved) -> bool:
        return solved.value - self._summed <= 10 * CLOSED * max(abs(solved.value), abs(self._summed))

    def _improve(self, solved: Solved) -> bool:
        """Price all parties at the solution's prices, and return whether a way was added."""
        relaxation, parties = self._all, self._branch.parties
        prices = Prices.of(relaxation.spots, solved.prices, self.program.limits, solved.duals)
        relaxation.priced += 1
        found = list[CheapestWay]()
        for party in parties:
            if relaxation.clock.expired:
                return False
            found.append(relaxation.pricer.price(party, prices))
        self._take(solved, prices, found)
        added = self._add(found, solved)
        if added or self.over or self._meets(solved):
            return added
        return self._search(found, solved, prices)

    def _search(self, found: list[CheapestWay], solved: Solved, prices: Prices) -> bool:
        """Do the same by label setting, for the parties whose bound leaves something open."""
        relaxation = self._all
        for p, party in enumerate(self._branch.parties):
            if found[p].way is not None and self._pays(found[p].bound, solved, p):
                below = min(float(solved.served[p]), found[p].cost)
                found[p] = relaxation.pricer.exact(party, prices, relaxation.clock, below)
        self._take(solved, prices, found)
        return self._add(found, solved)

    def _add(self, found: Sequence[CheapestWay], solved: Solved) -> bool:
        cheaper = [
            (p, cheapest.way)
            for p, cheapest in enumerate(found)
            if cheapest.way is not None and self._pays(cheapest.cost, solved, p)
        ]
        for _, way in cheaper:
            self._all.keep(way)
        return self.program.add(cheaper) > 0

    def _pays(self, cost: float, solved: Solved, p: int) -> bool:
        served = float(solved.served[p])
        return cost < served - FLOAT_NOISE * max(abs(served), abs(cost))

    def _take(self, solved: Solved, prices: Prices, found: Sequence[CheapestWay]) -> None:
        """Keep the bound (25') where it is the best so far."""
        least = np.array([cheapest.bound for cheapest in found])
        value, safe = branch_bound(
            self._branch.parties,
            self._penalties,
            least,
            solved.prices,
            self._all.resources.room,
            self.program.limits,
            solved.duals,
        )
        self._summed = max(self._summed, value)
        if safe > self._best:
            self._best, self._prices, self._least, self._duals = safe, prices, least, solved.duals
        self.bound = max(self.bound, safe)

    def outcome(self) -> Outcome:
        """Return what is known of the branch."""
        left = self.bound >= self._cutoff() or self._all.clock.expired
        return Outcome(
            self.bound,
            None if left else self._solved,
            self.program,
            self._best,
            self._prices,
            self._least,
            self._duals,
            self.finished or self.bound >= self._cutoff(),
        )


def spots_served(outcome: Outcome) -> tuple[np.ndarray, Floats]:
    """Return the spots on which members are in a branch's solution, and how many."""
    assert outcome.solved is not None
    return values_at(outcome.program.ways, outcome.solved.times)
