"""The tree: branches by best bound, dives between, incumbents on the way.

A branch's children are visited one after another down to a leaf (a dive); then the open branch of the least bound is
next. The bound of the instance is the least of the open branches' bounds; those of branches that were left because
nothing better is in them count as well.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from math import inf
from typing import NamedTuple

import numpy as np

from finbench.fin_graph.joint.branching.branch import Branch, Limit
from finbench.fin_graph.joint.branching.choosing import INTEGRAL, Choice, Chooser
from finbench.fin_graph.joint.branching.closing import Closing
from finbench.fin_graph.joint.branching.covers import CoverSeparation
from finbench.fin_graph.joint.branching.fixing import hopeless
from finbench.fin_graph.joint.branching.program import BranchProgram, Solved
from finbench.fin_graph.joint.branching.relaxing import BranchRelaxation, Outcome
from finbench.fin_graph.joint.branching.spots import SpotWay, most_of_all, values_at
from finbench.fin_graph.joint.fin.improvement import Served
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.tolerances import BRANCHING_GAP

ROOT_ROUNDS, BRANCH_ROUNDS = 40, 2
"""Rounds of cuts at the root, and at every other branch."""

PARTS = (1.0, 1 / 4, 1 / 16, 1 / 64)
"""Margins of the lists at the root, as parts of what is open: where one is too long, the next is tried."""

ROOT_PASSES, CLOSED_PART = 5, 0.1
"""Times that the root is solved with cuts at most, and the part of what is open that each must close."""

FIRST_NODES = 200
"""Nodes of a program in whole numbers that makes an incumbent at the root."""

MOST_WAYS = 30_000
"""Ways from which on no list is made."""

ROOT_NODES, BRANCH_NODES = 1_000_000, 100
"""Nodes that the program in whole numbers may take, at the root and at other branches."""

_LEFT = 0.9
"""Part of `BRANCHING_GAP` at which a branch is left: rounding may take the rest."""


class Incumbents(NamedTuple):
    """What the tree asks of who keeps the incumbent."""

    objective: Callable[[], float]
    """Its objective; inf where there is none."""
    offer: Callable[[Served], bool]
    round: Callable[[Outcome], None]
    """Make a joint deployment of a branch's solution."""
    note: Callable[[float], None]
    """Take a new bound of the instance."""


class _Open(NamedTuple):
    """An open branch, and from which branching it comes."""

    bound: float
    number: int
    branch: Branch
    choice: Choice | None
    child: int
    value: float


class Tree:
    """Branch, price and cut over a system.

    Parameters
    ----------
    relaxation : BranchRelaxation
    covers : CoverSeparation or None
        None: no cuts.
    closing : Closing or None
        None: branches are not closed by programs in whole numbers.
    first : Branch
        The root.
    incumbents : Incumbents
    """

    def __init__(
        self,
        relaxation: BranchRelaxation,
        covers: CoverSeparation | None,
        closing: Closing | None,
        first: Branch,
        incumbents: Incumbents,
    ) -> None:
        self._relaxation, self._covers, self._root, self._incumbents = relaxation, covers, first, incumbents
        self._closing = closing
        self._resting = self._fruitless = 0
        self.closed = 0
        """Branches closed by the program in whole numbers."""
        self._chooser = Chooser(relaxation.spots)
        self._numbers = count()
        self._heap: list[_Open] = [_Open(first.bound, next(self._numbers), first, None, 0, 0.0)]
        self._dive: _Open | None = None
        self._left = inf
        self._most = most_of_all(relaxation.spots)
        self._rounds = 0
        self._root_outcome: Outcome | None = None
        self._fixed_at = inf
        self.visits = 0
        self.fixed = 0
        """Spots closed to everybody."""

    @property
    def bound(self) -> float:
        """Proven bound on all joint deployments; inf where the tree is empty and found nothing."""
        open_bounds = [self._left, *(one.bound for one in self._heap[:1])]
        if self._dive is not None:
            open_bounds.append(self._dive.bound)
        return min(open_bounds)

    @property
    def cutoff(self) -> float:
        """The bound from which on a branch holds nothing better, or without an incumbent nothing at all."""
        objective = self._incumbents.objective()
        return objective - _LEFT * BRANCHING_GAP * abs(objective) if objective < inf else self._most

    def explore(self, stop: Callable[[], bool]) -> None:
        """Visit branches until none is open, or `stop` says so."""
        while (self._heap or self._dive) and not stop():
            one = self._dive or heapq.heappop(self._heap)
            self._dive = None
            if one.bound >= self.cutoff:
                self._left = min(self._left, one.bound)
                continue
            outcome = self._visit(one)
            if outcome is None:
                heapq.heappush(self._heap, one)
                return
            self._incumbents.note(self.bound)

    def _visit(self, one: _Open) -> Outcome | None:
        """Solve a branch and divide it; return None where the time was over before anything was known."""
        outcome = self._solved(one.branch) if one.branch.depth else self._root_solved(one.branch)
        if outcome.solved is None and outcome.bound < self.cutoff:
            return None
        self.visits += 1
        self._learn(one, outcome)
        if outcome.bound >= self.cutoff:
            self._left = min(self._left, outcome.bound)
            return outcome
        self._offer(outcome)
        self._incumbents.round(outcome)
        if one.branch.depth == 0:
            self._sharpen(one.branch, outcome)
        self._fix()
        bound = self._closed(one.branch, outcome)
        if bound >= self.cutoff:
            self._left = min(self._left, bound)
        else:
            self._divide(one, outcome, bound)
        return outcome

    def _solved(self, branch: Branch) -> Outcome:
        self._rounds = 0
        return self._relaxation.solve(branch, lambda: self.cutoff, self._separate_at(branch))

    def _root_solved(self, branch: Branch) -> Outcome:
        """Solve the root without cuts, then with cuts, as long as these close a part of what is open.

        Each time what is open shrinks, more spots are closed, and cuts of whole deployments grow stronger.
        """
        outcome = self._relaxation.solve(branch, lambda: self.cutoff, lambda _program, _solved: [])
        for _ in range(ROOT_PASSES):
            if outcome.solved is None:
                break
            self._sharpen(branch, outcome)
            before, outcome = outcome.best, self._solved(branch)
            if outcome.best - before < CLOSED_PART * (self.cutoff - before):
                break
        return outcome

    def _sharpen(self, branch: Branch, outcome: Outcome) -> None:
        """Make an incumbent of the ways that the root's relaxation likes best, and learn from what is open."""
        if self._closing is not None:
            served = self._closing.gather(branch, outcome, self.cutoff, FIRST_NODES)
            if served is not None:
                self._incumbents.offer(served)
        self._root_outcome, self._fixed_at = outcome, inf
        self._fix()
        if self._covers is not None and self._incumbents.objective() < inf:
            self._covers.passing.learn(branch, outcome, self._relaxation.penalties(branch), self.cutoff)

    def _closed(self, branch: Branch, outcome: Outcome) -> float:
        """Return a bound on a branch, by the program in whole numbers where its ways can be listed."""
        bound, root = outcome.bound, branch.depth == 0
        if self._closing is None or branch.limits or self._resting > 0:
            self._resting -= 1
            return bound
        found = None
        for part in PARTS if root else PARTS[:1]:
            goal = self._goal(outcome, part)
            if goal > bound:
                found = self._closing.close(branch, outcome, goal, MOST_WAYS, ROOT_NODES if root else BRANCH_NODES)
            if found is not None:
                break
        if found is not None:
            if found.served is not None:
                self._incumbents.offer(found.served)
            bound = max(bound, found.bound)
            self.closed += found.done and bound >= self.cutoff
        self._rest(found is not None and found.done)
        return bound

    def _rest(self, done: bool) -> None:
        """Leave lists aside for as many branches as they failed at in a row."""
        self._fruitless = 0 if done else self._fruitless + 1
        self._resting = self._fruitless

    def _goal(self, outcome: Outcome, part: float) -> float:
        """Return the bound that a list is to prove: up to the cutoff, or a part of the way from the branch's own."""
        known = self._incumbents.objective() < inf
        cutoff = self.cutoff if known else outcome.best + abs(outcome.best)
        return cutoff if part == 1.0 else outcome.best + part * (cutoff - outcome.best)

    def _divide(self, one: _Open, outcome: Outcome, bound: float) -> None:
        assert outcome.solved is not None
        choice = self._chooser.choose(one.branch, outcome)
        if choice is None:
            # Its solution is whole, and yet it is not closed: what remains open here stays open.
            self._left = min(self._left, bound)
            return
        opened = [
            _Open(bound, next(self._numbers), replace(child, bound=bound), choice, k, outcome.solved.value)
            for k, child in enumerate(choice.children)
        ]
        self._dive = opened[0]
        for other in opened[1:]:
            heapq.heappush(self._heap, other)

    def _learn(self, one: _Open, outcome: Outcome) -> None:
        if one.choice is not None and one.choice.key is not None:
            rise = outcome.bound - one.value
            self._chooser.learn(one.choice.key, one.choice.sides[one.child], rise, one.choice.fractions[one.child])

    def _offer(self, outcome: Outcome) -> None:
        """Offer a solution that is whole."""
        assert outcome.solved is not None
        times = outcome.solved.times
        if np.abs(times - np.rint(times)).max(initial=0.0) > INTEGRAL:
            return
        groups = self._relaxation.spots.system.groups
        usages: list[list[SpotWay]] = [[] for _ in groups]
        for k in np.flatnonzero(np.rint(times) > 0).tolist():
            way = outcome.program.ways[k]
            usages[way.group] += [way] * int(np.rint(times[k]))
        self._incumbents.offer(
            [(group, [way.usage for way in ways]) for group, ways in zip(groups, usages, strict=True)]
        )

    def _fix(self) -> None:
        """Close the spots that no joint deployment better than the incumbent uses, once it is better."""
        outcome, cutoff = self._root_outcome, self.cutoff
        if outcome is None or self._incumbents.objective() == inf or cutoff >= self._fixed_at:
            return
        self._fixed_at = cutoff
        relaxation = self._relaxation
        closed = hopeless(relaxation.pricer, self._root, outcome, relaxation.penalties(self._root), cutoff)
        relaxation.pricer.close(closed)
        relaxation.drop_closed()
        self.fixed = int(relaxation.pricer.fixed.sum())

    def _separate_at(self, branch: Branch) -> Callable[[BranchProgram, Solved], Sequence[Limit]]:
        most = ROOT_ROUNDS if branch.depth == 0 else BRANCH_ROUNDS

        def separate(program: BranchProgram, solved: Solved) -> Sequence[Limit]:
            if self._covers is None or self._rounds >= most:
                return []
            self._rounds += 1
            served, members = values_at(program.ways, solved.times)
            return self._covers.cuts(served, members, self._loads(program, solved))

        return separate

    def _loads(self, program: BranchProgram, solved: Solved) -> Floats:
        loads = np.zeros(self._relaxation.spots.system.resources)
        for k in np.flatnonzero(solved.times > 0).tolist():
            usage = program.ways[k].usage
            loads[usage.resources] += solved.times[k] * usage.fractions
        return loads
