"""Choose what to branch on: strong branching until pseudo-costs are reliable.

A candidate is something that must be whole and is not (`branch`). Its pseudo-costs are how much the relaxation's value
has risen per unit of what was taken away from, or added to, the fraction. While a candidate was tried fewer than
`RELIABLE` times, it is tried anew by a few steps of the dual simplex method over the ways at hand. The score is the
product of the rises on both sides (Achterberg, Koch, Martin, Operations Research Letters 33, 2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil, floor, inf
from typing import NamedTuple

import numpy as np

from finbench.fin_graph.joint.branching.branch import Branch, Limit, one_leaves
from finbench.fin_graph.joint.branching.relaxing import Outcome
from finbench.fin_graph.joint.branching.spots import Numbers, SpotForm, Spots
from finbench.models.tolerances import SOLVER_TOLERANCE

INTEGRAL = 1000 * SOLVER_TOLERANCE
"""Distance from a whole number at which a number counts as whole."""

RELIABLE = 4
"""Trials of a candidate on each side after which its pseudo-costs are trusted."""

TRIED = 10
"""Candidates tried at a branch at most."""

STEPS = 60
"""Steps of the simplex method in each trial."""

Key = tuple[int, int]
"""What pseudo-costs belong to: a group, and a spot, or −1 for its rejections."""


class BranchingCandidate(NamedTuple):
    """Something that must be whole and is not."""

    key: Key
    value: float
    below: Branch
    above: Branch
    tried: SpotForm | None
    """The form that trials bound; None where they bound the rejections."""


@dataclass
class Rises:
    """Pseudo-costs of one candidate: sums and numbers of rises per unit, below and above."""

    total: list[float] = field(default_factory=lambda: [0.0, 0.0])
    count: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, side: int, rise: float) -> None:
        """Take one more rise per unit."""
        self.total[side] += rise
        self.count[side] += 1


class Choice(NamedTuple):
    """The children that a branch is divided into, the more promising first."""

    children: tuple[Branch, ...]
    key: Key | None
    fractions: tuple[float, float]
    """What the first and the second child take away from the value, or add to it."""
    sides: tuple[int, int]


class Chooser:
    """Pseudo-costs, and the choice of what to branch on.

    Parameters
    ----------
    spots : Spots
    """

    def __init__(self, spots: Spots) -> None:
        self._spots = spots
        self._rises: dict[Key, Rises] = {}
        self.trials = 0

    def learn(self, key: Key, side: int, rise: float, fraction: float) -> None:
        """Take what a child's relaxation rose by."""
        if rise < inf and fraction > INTEGRAL:
            self._rises.setdefault(key, Rises()).add(side, max(rise, 0.0) / fraction)

    def choose(self, branch: Branch, outcome: Outcome) -> Choice | None:
        """Return how to divide a branch; None where its solution is whole."""
        found = candidates(self._spots, branch, outcome)
        if not found:
            return self._last_resort(branch, outcome)
        best = self._best(found, outcome)
        low, high = best.value - floor(best.value), ceil(best.value) - best.value
        below_first = low < high if best.key[1] < 0 else False
        if below_first:
            return Choice((best.below, best.above), best.key, (low, high), (0, 1))
        return Choice((best.above, best.below), best.key, (high, low), (1, 0))

    def _best(self, found: Sequence[BranchingCandidate], outcome: Outcome) -> BranchingCandidate:
        """Return the candidate of the highest score; the unreliable of high scores are tried."""
        assert outcome.solved is not None
        mean = self._mean()
        ordered = sorted(found, key=lambda one: -self._score(one, mean))
        best, highest, fruitless = ordered[0], -inf, 0
        for number, one in enumerate(ordered):
            if number >= TRIED and fruitless >= 4:
                break
            if not self._reliable(one) and number < 2 * TRIED and one.tried is not None:
                self._try(one, outcome)
            score = self._score(one, mean)
            fruitless = 0 if score > highest else fruitless + 1
            if score > highest:
                best, highest = one, score
        return best

    def _try(self, one: BranchingCandidate, outcome: Outcome) -> None:
        assert outcome.solved is not None
        assert one.tried is not None
        self.trials += 1
        for side, limit in ((0, Limit(one.tried, most=floor(one.value))), (1, Limit(one.tried, least=ceil(one.value)))):
            value = outcome.program.try_limit(limit, STEPS)
            fraction = one.value - floor(one.value) if side == 0 else ceil(one.value) - one.value
            rise = value - outcome.solved.value if value < inf else outcome.program.dear
            self.learn(one.key, side, rise, fraction)

    def _mean(self) -> tuple[float, float]:
        known = list(self._rises.values())
        sides = []
        for side in (0, 1):
            count = sum(rises.count[side] for rises in known)
            sides.append(sum(rises.total[side] for rises in known) / count if count else 1.0)
        return sides[0], sides[1]

    def _reliable(self, one: BranchingCandidate) -> bool:
        rises = self._rises.get(one.key)
        return rises is not None and min(rises.count) >= RELIABLE

    def _score(self, one: BranchingCandidate, mean: tuple[float, float]) -> float:
        rises, score = self._rises.get(one.key), 1.0
        for side, fraction in ((0, one.value - floor(one.value)), (1, ceil(one.value) - one.value)):
            per_unit = mean[side]
            if rises is not None and rises.count[side]:
                per_unit = rises.total[side] / rises.count[side]
            score *= max(per_unit * fraction, 1e-9)
        return score

    def _last_resort(self, branch: Branch, outcome: Outcome) -> Choice | None:
        """Divide a branch whose aggregated numbers are whole and whose columns are not; None where these are whole."""
        assert outcome.solved is not None
        times = outcome.solved.times
        broken = np.flatnonzero(np.abs(times - np.rint(times)) > INTEGRAL)
        if not len(broken):
            return None
        p = outcome.program.party_of[int(broken[0])]
        if branch.parties[p].count > 1:
            return Choice((one_leaves(branch, p),), None, (0.0, 0.0), (0, 0))
        ways = [k for k in broken.tolist() if outcome.program.party_of[k] == p]
        parts = self._parting(outcome, ways)
        if parts is None:
            return None
        one, others = parts
        party = branch.parties[p]
        children = branch.with_party(p, party.without(one)), branch.with_party(p, party.without(others))
        return Choice(children, None, (0.0, 0.0), (0, 0))

    def _parting(self, outcome: Outcome, ways: Sequence[int]) -> tuple[Numbers, Numbers] | None:
        """Return a link out of the vertex where two ways part, and all others out of it, as spots of a layer."""
        spots = self._spots
        first, second = (outcome.program.ways[k] for k in ways[:2])
        for spot in np.setdiff1d(first.spots, second.spots).tolist():
            c, j, at = spots.place(spot)
            if at < spots.vertices:
                continue
            link = spots.system.topology.link_source
            start = spots.layer(c, j) + spots.vertices
            out = start + np.flatnonzero(link == link[at - spots.vertices])
            if np.intersect1d(out, second.spots).size:
                return np.array([spot]), out[out != spot]
        return None


def candidates(spots: Spots, branch: Branch, outcome: Outcome) -> list[BranchingCandidate]:
    """Return what must be whole and is not: rejections and spots of parties of one, else spots of the other groups.

    Parties of one come first: a limit would hold for all parties of its group together.
    """
    assert outcome.solved is not None
    found = [
        _rejection(branch, p, float(value)) for p, value in enumerate(outcome.solved.rejected) if _fractional(value)
    ]
    parts: dict[int, list[int]] = {}
    for k in np.flatnonzero(np.abs(outcome.solved.times - np.rint(outcome.solved.times)) > INTEGRAL).tolist():
        parts.setdefault(outcome.program.party_of[k], []).append(k)
    for p, mine in parts.items():
        if branch.parties[p].count == 1:
            found += _spots_of_one(spots, branch, p, outcome, mine)
    if found:
        return found
    for g in sorted({branch.parties[p].group for p in parts}):
        found += _spots_of_many(spots, branch, g, outcome)
    return found


def _fractional(value: float) -> bool:
    return abs(value - round(value)) > INTEGRAL


def _rejection(branch: Branch, p: int, value: float) -> BranchingCandidate:
    party = branch.parties[p]
    below = branch.with_party(p, replace(party, most_rejected=floor(value)))
    above = branch.with_party(p, replace(party, least_rejected=ceil(value)))
    return BranchingCandidate((party.group, -1), value, below, above, None)


def _on_blocks(spots: Spots, outcome: Outcome, mine: Sequence[int]) -> list[tuple[int, float]]:
    """Return spots of blocks on which there is a fraction, and that; of spots of the same columns one."""
    assert outcome.solved is not None
    times, ways = outcome.solved.times, outcome.program.ways
    users: dict[int, list[int]] = {}
    for k in mine:
        if times[k] > 0:
            for spot in ways[k].spots.tolist():
                users.setdefault(spot, []).append(k)
    alone: dict[tuple[int, ...], tuple[int, float]] = {}
    for spot, columns in sorted(users.items()):
        value = float(times[columns].sum())
        if _fractional(value) and spots.place(spot)[2] < spots.vertices:
            alone.setdefault(tuple(columns), (spot, value))
    return list(alone.values())


def _spots_of_one(
    spots: Spots, branch: Branch, p: int, outcome: Outcome, mine: Sequence[int]
) -> list[BranchingCandidate]:
    party, found = branch.parties[p], list[BranchingCandidate]()
    for spot, value in _on_blocks(spots, outcome, mine):
        c, j, _ = spots.place(spot)
        elsewhere = np.concatenate(
            [spots.runs(c, j), *(spots.runs(d, 0) for d in spots.choices_of(party.group) if d != c)]
        )
        there = replace(party.without(elsewhere[elsewhere != spot]), most_rejected=0)
        below = branch.with_party(p, party.without(np.array([spot])))
        found.append(BranchingCandidate((party.group, spot), value, below, branch.with_party(p, there), _count(spot)))
    return found


def _spots_of_many(spots: Spots, branch: Branch, g: int, outcome: Outcome) -> list[BranchingCandidate]:
    mine = [k for k, p in enumerate(outcome.program.party_of) if branch.parties[p].group == g]
    found = list[BranchingCandidate]()
    for spot, value in _on_blocks(spots, outcome, mine):
        below = branch.with_limit(Limit(_count(spot), most=floor(value)))
        above = branch.with_limit(Limit(_count(spot), least=ceil(value)))
        found.append(BranchingCandidate((g, spot), value, below, above, _count(spot)))
    return found


def _count(spot: int) -> SpotForm:
    """Return the number of members on a spot, as a form."""
    return SpotForm(np.array([spot]), np.ones(1))
