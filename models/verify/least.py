"""The least cost of serving one application within its latency limit, from below and in whole numbers.

Costs to go, backwards through the copies, prune a search of all paths whose cost could be below a given number: by
energy, by time, and by energy + μ · time for a multiplier μ ≥ 0 (eq. 19). Of two ways to the same point the one that is
no better in energy and in time is left out: whatever completes it completes the other as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import heapify, heappop, heappush

from finbench.models.verify.layered import Cost, LayeredNetwork

MULTIPLIER_BITS = 64
"""Multipliers are rounded to units of 2^−64 of an energy unit per time unit; any multiplier is valid."""

MOST_LABELS = 400_000
"""Partial paths that are looked at for one application at most (about a minute)."""

CostsToGo = list[list[int | None]]
"""Least cost from holding output i at node n to the end, by i and n; None where no way leads there."""


@dataclass(frozen=True)
class Least:
    """What is known of the least cost."""

    bound: int | None
    """No path within the limit costs less [`UNIT`]; None: there is no path within the limit at all."""
    exhausted: bool
    """Whether every path that could be cheaper was looked at; else the bound is by the multiplier alone."""
    labels: int
    """Partial paths looked at."""


def least_cost(layered: LayeredNetwork, multiplier: Fraction, below: int | None) -> Least:
    """Return a lower bound on the least cost within the latency limit.

    Parameters
    ----------
    layered : LayeredNetwork
    multiplier : Fraction
        μ ≥ 0 of the latency row.
    below : int or None
        Paths below this cost are looked for; the bound is this number or what the cheapest of them costs. None: the
        bound is by the multiplier alone.
    """
    time_to_go = costs_to_go(layered, lambda cost: cost.time)
    quickest = time_to_go[0][layered.source] if layered.ends else None
    if quickest is None or quickest > layered.limit:
        return Least(None, True, 0)
    per_time = round(multiplier * (1 << MULTIPLIER_BITS))
    combined_to_go = costs_to_go(layered, lambda cost: (cost.energy << MULTIPLIER_BITS) + per_time * cost.time)
    start = combined_to_go[0][layered.source]
    assert start is not None
    by_multiplier = max(0, (start - per_time * layered.limit) >> MULTIPLIER_BITS)
    if below is None or by_multiplier >= below:
        return Least(by_multiplier, below is not None, 0)
    energy_to_go = costs_to_go(layered, lambda cost: cost.energy)
    search = _Search(layered, per_time, (energy_to_go, time_to_go, combined_to_go), below)
    if not search.run():
        return Least(by_multiplier, False, search.labels)
    return Least(search.best, True, search.labels)


def costs_to_go(layered: LayeredNetwork, cost_of: Callable[[Cost], int]) -> CostsToGo:
    """Return the least cost from every point to the end, in exact whole numbers (Dijkstra 1959, copy by copy)."""
    nodes = range(len(layered.run[0])) if layered.run else range(0)
    after: list[int | None] = [0 if layered.depth in layered.ends else None for _ in nodes]
    table: CostsToGo = [after]
    for i in reversed(range(layered.depth)):
        here: list[int | None] = [0 if i in layered.ends else None for _ in nodes]
        for n in nodes:
            then = after[n]
            if then is not None:
                for way in layered.run[i][n]:
                    cost = cost_of(way) + then
                    known = here[n]
                    here[n] = cost if known is None else min(known, cost)
        _spread(here, _reversed(layered, i, cost_of))
        table.append(here)
        after = here
    return table[::-1]


def _reversed(layered: LayeredNetwork, i: int, cost_of: Callable[[Cost], int]) -> list[list[tuple[int, int]]]:
    """Return for every node who can send output i to it, and at what cost."""
    arriving: list[list[tuple[int, int]]] = [[] for _ in layered.send[i]]
    for n, leaving in enumerate(layered.send[i]):
        for m, cost in leaving:
            arriving[m].append((n, cost_of(cost)))
    return arriving


def _spread(values: list[int | None], arriving: list[list[tuple[int, int]]]) -> None:
    """Lower the values of nodes from which another node's value can be reached by sending."""
    heap = [(value, n) for n, value in enumerate(values) if value is not None]
    heapify(heap)
    while heap:
        value, m = heappop(heap)
        if value != values[m]:
            continue
        for n, cost in arriving[m]:
            known = values[n]
            if known is None or value + cost < known:
                values[n] = value + cost
                heappush(heap, (value + cost, n))


class _Search:
    """All paths that could cost less than `best`, copy by copy, each by rising energy."""

    def __init__(
        self, layered: LayeredNetwork, per_time: int, to_go: tuple[CostsToGo, CostsToGo, CostsToGo], below: int
    ) -> None:
        self._layered, self._per_time = layered, per_time
        self._energy_to_go, self._time_to_go, self._combined_to_go = to_go
        self.best = below
        self.labels = 0

    def run(self) -> bool:
        """Search, and return whether all was looked at."""
        labels: list[tuple[int, int, int]] = [(0, 0, self._layered.source)]
        for i in range(self._layered.depth + 1):
            settled = self._settled(i, labels)
            if settled is None:
                return False
            if i == self._layered.depth:
                return True
            labels = [label for held in settled for label in self._runs(i, *held)]
        return True

    def _settled(self, i: int, labels: list[tuple[int, int, int]]) -> list[tuple[int, int, int]] | None:
        """Return the (energy, time, node) at which output i can be held; None where these are too many."""
        kept: list[tuple[int, int, int]] = []
        quickest: dict[int, int] = {}
        heapify(labels)
        while labels:
            energy, time, n = heappop(labels)
            if quickest.get(n, time + 1) <= time or not self._open(i, energy, time, n):
                continue
            quickest[n] = time
            kept.append((energy, time, n))
            self.labels += 1
            if self.labels > MOST_LABELS:
                return None
            if i in self._layered.ends:
                self.best = min(self.best, energy)
            if i < self._layered.depth:
                for m, cost in self._layered.send[i][n]:
                    heappush(labels, (energy + cost.energy, time + cost.time, m))
        return kept

    def _runs(self, i: int, energy: int, time: int, n: int) -> Iterator[tuple[int, int, int]]:
        return ((energy + way.energy, time + way.time, n) for way in self._layered.run[i][n])

    def _open(self, i: int, energy: int, time: int, n: int) -> bool:
        """Return whether a path through this point could be below the best and within the limit."""
        more, longer, combined = self._energy_to_go[i][n], self._time_to_go[i][n], self._combined_to_go[i][n]
        if more is None or longer is None or combined is None:
            return False
        limit = self._layered.limit
        return (
            energy + more < self.best
            and time + longer <= limit
            and (energy << MULTIPLIER_BITS) + self._per_time * time + combined
            < (self.best << MULTIPLIER_BITS) + self._per_time * limit
        )
