"""Branches of the tree: who is served together, where blocks and transfers must not be, and how many may be on spots.

A **party** is some members of one group that are decided on together; at the root every group is one. A branch says of
each of its parties which spots are closed to it and how many of its members are rejected at least and at most, and of
some spots together how many members they serve at least and at most (`Limit`). Children of a branch divide what it
allows among them: every joint deployment that a branch allows is allowed by one of its children, up to the names of
members that are alike.

- One member whose block j+1 is on spot s in part: s is closed, or all other spots of that block (of all alternatives).
- Several members, f of them on spot s, f fractional: at most ⌊f⌋ or at least ⌈f⌉ (Vanderbeck, Mathematical
  Programming 130, 2011, calls this branching on aggregated variables).
- Rejected members, f fractional: at most ⌊f⌋ or at least ⌈f⌉.
- One member whose blocks have their places, and a transfer that takes two ways in part: where these part, at vertex d,
  the first link out of d is closed, or all others (Barnhart, Hane, Vance, Operations Research 48, 2000).
- Several members of whom whole numbers are everywhere, made of fractions of columns: one leaves the party.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

import numpy as np

from finbench.fin_graph.joint.branching.spots import Numbers, SpotForm
from finbench.fin_graph.joint.system import Group


@dataclass(frozen=True)
class Party:
    """Some members of one group, and what branching says of them."""

    group: int
    count: int
    closed: frozenset[int] = frozenset()
    """Spots on which none of them may be."""
    least_rejected: int = 0
    most_rejected: int = 0

    def without(self, spots: Numbers) -> Party:
        """Return the party with more spots closed."""
        return replace(self, closed=self.closed | frozenset(spots.tolist()))


@dataclass(frozen=True)
class Limit:
    """A row on a form: a branching bound on how many members are on some spots, or a cut."""

    form: SpotForm
    least: float = -inf
    most: float = inf
    resource: int = -1
    """The resource whose row a cut follows from; −1 of a branching bound."""


@dataclass(frozen=True)
class Branch:
    """A part of all joint deployments, and a proven bound on those in it."""

    bound: float
    depth: int
    parties: tuple[Party, ...]
    limits: tuple[Limit, ...] = ()

    def with_party(self, number: int, *changed: Party) -> Branch:
        """Return the child in which others stand in the place of one party."""
        parties = (*self.parties[:number], *changed, *self.parties[number + 1 :])
        return replace(self, parties=parties, depth=self.depth + 1)

    def with_limit(self, limit: Limit) -> Branch:
        """Return the child with one more limit."""
        return replace(self, limits=(*self.limits, limit), depth=self.depth + 1)


def root(groups: tuple[Group, ...], bound: float) -> Branch:
    """Return the branch that allows everything."""
    parties = [
        Party(g, group.count, most_rejected=0 if group.penalty is None else group.count)
        for g, group in enumerate(groups)
    ]
    return Branch(bound, 0, tuple(parties))


def one_leaves(branch: Branch, number: int) -> Branch:
    """Return the branch in which one member of a party is decided on alone.

    It allows whatever the branch allows, and maybe a few more rejections: each part may reject as many as all might.
    """
    party = branch.parties[number]
    one = replace(party, count=1, least_rejected=0, most_rejected=min(1, party.most_rejected))
    others = replace(
        party,
        count=party.count - 1,
        least_rejected=max(0, party.least_rejected - 1),
        most_rejected=min(party.count - 1, party.most_rejected),
    )
    return branch.with_party(number, one, others)


def spot_array(closed: frozenset[int]) -> Numbers:
    """Return spots as an array."""
    return np.fromiter(closed, np.int64, len(closed))
