"""The tree: nodes by best bound, dives between, incumbents on the way.

A node's children are visited one after another down to a leaf (a dive); then the open node of the least bound is next.
The bound of the instance is the least of the open nodes' bounds; what a node was left with because nothing better is in
it counts as well.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from math import inf
from typing import NamedTuple

import numpy as np

from finbench.fin_graph.joint.branching.choosing import INTEGRAL, Chooser, Choice
from finbench.fin_graph.joint.branching.covers import CoverSeparation
from finbench.fin_graph.joint.branching.fixing import hopeless
from finbench.fin_graph.joint.branching.node import Limit, Node
from finbench.fin_graph.joint.branching.program import NodeProgram, Solved
from finbench.fin_graph.joint.branching.relaxing import NodeRelaxation, Outcome
from finbench.fin_graph.joint.branching.spots import Way, values_at
from finbench.fin_graph.joint.fin.improvement import Served
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.tolerances import COLUMN_GAP

ROOT_ROUNDS, NODE_ROUNDS = 40, 2
"""Rounds of cuts at the root, and at every other node."""


class Incumbents(NamedTuple):
    """What the tree asks of who keeps the incumbent."""

    objective: Callable[[], float]
    """Its objective; inf where there is none."""
    offer: Callable[[Served], bool]
    round: Callable[[Outcome], None]
    """Make a joint deployment of a node's solution."""
    note: Callable[[float], None]
    """Take a new bound of the instance."""


class _Open(NamedTuple):
    """An open node, and from which branching it comes."""

    bound: float
    number: int
    node: Node
    choice: Choice | None
    child: int
    value: float


class Tree:
    """Branch, price and cut over a system.

    Parameters
    ----------
    relaxation : NodeRelaxation
    covers : CoverSeparation or None
        None: no cuts.
    first : Node
        The root.
    incumbents : Incumbents
    """

    def __init__(
        self, relaxation: NodeRelaxation, covers: CoverSeparation | None, first: Node, incumbents: Incumbents
    ) -> None:
        self._relaxation, self._covers, self._root, self._incumbents = relaxation, covers, first, incumbents
        self._chooser = Chooser(relaxation.spots)
        self._numbers = count()
        self._heap: list[_Open] = [_Open(first.bound, next(self._numbers), first, None, 0, 0.0)]
        self._dive: _Open | None = None
        self._left = inf
        self._rounds = 0
        self._root_outcome: Outcome | None = None
        self._fixed_at = inf
        self.nodes = 0
        self.fixed = 0
        """Spots closed to everybody."""
        self.visited: Callable[[Node, Outcome], None] | None = None
        """Told every node and what became of it."""

    @property
    def bound(self) -> float:
        """Proven bound on all joint deployments; inf where the tree is empty and found nothing."""
        open_bounds = [self._left, *(one.bound for one in self._heap[:1])]
        if self._dive is not None:
            open_bounds.append(self._dive.bound)
        return min(open_bounds)

    @property
    def cutoff(self) -> float:
        """The bound from which on a node holds nothing better."""
        objective = self._incumbents.objective()
        return objective - COLUMN_GAP * abs(objective) if objective < inf else inf

    def explore(self, stop: Callable[[], bool]) -> None:
        """Visit nodes until none is open, or `stop` says so."""
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
        """Solve a node and branch; return None where the time was over before anything was known."""
        self._rounds = 0
        outcome = self._relaxation.solve(one.node, lambda: self.cutoff, self._separate_at(one.node))
        if self.visited is not None:
            self.visited(one.node, outcome)
        if outcome.solved is None and outcome.bound < self.cutoff:
            return None
        self.nodes += 1
        self._learn(one, outcome)
        if outcome.bound >= self.cutoff:
            self._left = min(self._left, outcome.bound)
            return outcome
        if one.node.depth == 0:
            self._root_outcome = outcome
        self._offer(one.node, outcome)
        self._incumbents.round(outcome)
        self._fix()
        self._divide(one, outcome)
        return outcome

    def _divide(self, one: _Open, outcome: Outcome) -> None:
        assert outcome.solved is not None
        if outcome.bound >= self.cutoff:
            self._left = min(self._left, outcome.bound)
            return
        choice = self._chooser.choose(one.node, outcome)
        if choice is None:
            # Its solution is whole, and yet it is not closed: what remains open here stays open.
            self._left = min(self._left, outcome.bound)
            return
        opened = [
            _Open(outcome.bound, next(self._numbers), replace(child, bound=outcome.bound), choice, k, outcome.solved.value)
            for k, child in enumerate(choice.children)
        ]
        self._dive = opened[0]
        for other in opened[1:]:
            heapq.heappush(self._heap, other)

    def _learn(self, one: _Open, outcome: Outcome) -> None:
        if one.choice is not None and one.choice.key is not None:
            rise = outcome.bound - one.value
            self._chooser.learn(one.choice.key, one.choice.sides[one.child], rise, one.choice.fractions[one.child])

    def _offer(self, node: Node, outcome: Outcome) -> None:
        """Offer a solution that is whole."""
        assert outcome.solved is not None
        times = outcome.solved.times
        if np.abs(times - np.rint(times)).max(initial=0.0) > INTEGRAL:
            return
        groups = self._relaxation.spots.system.groups
        usages: list[list[Way]] = [[] for _ in groups]
        for k in np.flatnonzero(np.rint(times) > 0).tolist():
            way = outcome.program.ways[k]
            usages[way.group] += [way] * int(np.rint(times[k]))
        self._incumbents.offer([(group, [way.usage for way in ways]) for group, ways in zip(groups, usages, strict=True)])

    def _fix(self) -> None:
        """Close the spots that no joint deployment better than the incumbent uses, once it is better."""
        outcome, cutoff = self._root_outcome, self.cutoff
        if outcome is None or cutoff == inf or cutoff >= self._fixed_at:
            return
        self._fixed_at = cutoff
        relaxation = self._relaxation
        closed = hopeless(relaxation.pricer, self._root, outcome, relaxation.penalties(self._root), cutoff)
        relaxation.pricer.close(closed)
        relaxation.drop_closed()
        self.fixed = int(relaxation.pricer.fixed.sum())

    def _separate_at(self, node: Node) -> Callable[[NodeProgram, Solved], Sequence[Limit]]:
        most = ROOT_ROUNDS if node.depth == 0 else NODE_ROUNDS

        def separate(program: NodeProgram, solved: Solved) -> Sequence[Limit]:
            if self._covers is None or self._rounds >= most:
                return []
            self._rounds += 1
            served, members = values_at(program.ways, solved.times)
            return self._covers.cuts(served, members, self._loads(program, solved))

        return separate

    def _loads(self, program: NodeProgram, solved: Solved) -> Floats:
        loads = np.zeros(self._relaxation.spots.system.resources)
        for k in np.flatnonzero(solved.times > 0).tolist():
            usage = program.ways[k].usage
            loads[usage.resources] += solved.times[k] * usage.fractions
        return loads
