"""Cover inequalities of the rows of resources, found by separation.

A resource's row Σ_s a_s Y_s ≤ b, with Y_s the number of members on spot s, is a knapsack. A cover C is a set of members
on spots whose demands together exceed b; not all of them can be there, and where C is minimal,

    Σ_{s ∈ C} Y_s + Σ_{s ∉ C} h_s Y_s ≤ |C| − 1

holds with h_s the largest h for which the h largest demands of C together are at most a_s (Balas, Mathematical
Programming 8, 1975; Zemel, Mathematical Programming 15, 1978): h_s ≥ 1 gives the extended cover.

Of a group of n_g members each spot stands for n_g copies of itself, Y_s/n_g on each. A cover with m of them holds
whichever m they are, so that the mean over all choices does as well: φ_s = (m + (n_g − m) h_s) / n_g.

Members are put into covers greedily, in three orders: by (1 − y)/a (Crowder, Johnson, Padberg, Operations Research 31,
1983), by y, and by a.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.branching.branch import Limit
from finbench.fin_graph.joint.branching.passing import PassingDemands
from finbench.fin_graph.joint.branching.spots import Numbers, SpotForm, Spots
from finbench.fin_graph.paths.arrays import Floats, Ints
from finbench.models.tolerances import EVALUATOR_SLACK, FLOAT_NOISE

VIOLATED = 1e-3
"""What a cut must be broken by."""

_NEARLY_FULL = 0.5
"""Fraction of a resource that must be taken for its covers to be sought."""


class CoverSeparation:
    """Separation of covers over all rows of a system.

    Parameters
    ----------
    spots : Spots
    rows : ndarray
        Scarce resources.
    room : ndarray, shape (R,)
    passing : PassingDemands
    """

    def __init__(self, spots: Spots, rows: Ints, room: Floats, passing: PassingDemands) -> None:
        self.passing = passing
        self._spots, self._rows = spots, rows
        self._room = room + EVALUATOR_SLACK + FLOAT_NOISE
        self._demands: dict[int, SpotForm] = {}

    def cuts(self, served: Numbers, members: Floats, loads: Floats) -> list[Limit]:
        """Return cuts that a fractional solution breaks, the most broken of each resource.

        Parameters
        ----------
        served : ndarray
            Spots on which members are, rising.
        members : ndarray
            How many are on each.
        loads : ndarray, shape (R,)
            Fraction that is taken of each resource.
        """
        found = list[Limit]()
        for r in self._rows[loads[self._rows] > _NEARLY_FULL].tolist():
            found += self.cuts_of(r, SpotForm(served, members))
        return found

    def cuts_of(self, resource: int, served: SpotForm) -> list[Limit]:
        """Return the cuts of one resource that a solution breaks most: one of its own row, one of whole deployments."""
        own = self._of(resource)
        users = own.spots[served.of(own.spots) > 0]
        rows = [own, self.passing.row(resource, users, served)] if len(users) else []
        return [cut for row in rows if (cut := self._cut(resource, row, served)) is not None]

    def _cut(self, resource: int, row: SpotForm, served: SpotForm) -> Limit | None:
        values, room = served.of(row.spots), float(self._room[resource])
        found = most_broken(row.coefficients, self._counts(row.spots), values, room)
        if found is None:
            return None
        coefficients, most = found
        used = np.flatnonzero(coefficients)
        return Limit(SpotForm(row.spots[used], coefficients[used]), most=most, resource=resource)

    def _of(self, resource: int) -> SpotForm:
        if resource not in self._demands:
            self._demands[resource] = self._spots.demands(resource)
        return self._demands[resource]

    def _counts(self, spots: Numbers) -> Floats:
        """Return how many members the group of each spot has."""
        choices = np.searchsorted(self._spots.offset, spots, side="right") - 1
        groups = self._spots.system.groups
        return np.array([float(groups[self._spots.group_of[c]].count) for c in choices.tolist()])


def most_broken(demands: Floats, counts: Floats, values: Floats, room: float) -> tuple[Floats, float] | None:
    """Return coefficients and right-hand side of the cover inequality that is broken most; None where none is.

    Parameters
    ----------
    demands : ndarray
        a_s > 0.
    counts : ndarray
        n_g of each spot's group.
    values : ndarray
        Y_s.
    room : float
        b.
    """
    best, broken = None, VIOLATED
    used = np.flatnonzero(values > 0)
    copies = np.minimum(counts[used], np.ceil(room / demands[used]) + 1).astype(int)
    owner = np.repeat(used, copies)
    weight, value = demands[owner], (values / counts)[owner]
    for order in ((1 - value) / weight, -value, -weight):
        chosen = _cover(owner[np.argsort(order, kind="stable")], demands, values / counts, room)
        if chosen is None:
            return None
        coefficients, most = lifted(chosen, demands, counts)
        excess = float(coefficients @ values) - most
        if excess > broken:
            best, broken = (coefficients, most), excess
    return best


def _cover(ordered: NDArray[np.int64], demands: Floats, values: Floats, room: float) -> NDArray[np.int64] | None:
    """Return the first spots of an order that together exceed the room, without those that it does not take."""
    total = np.cumsum(demands[ordered])
    if not len(total) or total[-1] <= room:
        return None
    chosen = ordered[: int(np.argmax(total > room)) + 1]
    weight, kept = float(demands[chosen].sum()), np.ones(len(chosen), np.bool_)
    for k in np.lexsort((-demands[chosen], values[chosen])).tolist():
        if weight - demands[chosen[k]] > room:
            weight, kept[k] = weight - float(demands[chosen[k]]), False
    return chosen[kept]


def lifted(cover: NDArray[np.int64], demands: Floats, counts: Floats) -> tuple[Floats, float]:
    """Return coefficients φ of all spots and right-hand side of the inequality of a cover, one entry for each copy."""
    largest = np.cumsum(np.sort(demands[cover])[::-1])
    h = np.searchsorted(largest, demands, side="right").astype(float)
    copies = np.bincount(cover, minlength=len(demands))
    return (copies + (counts - copies) * h) / counts, float(len(cover) - 1)
