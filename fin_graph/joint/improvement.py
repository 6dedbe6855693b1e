"""Improve a joint deployment: take out one or a few applications, put them back along other paths.

Whoever pays more than alone, or is not served, has a wish: its best path alone, or the cheapest at drawn prices of
what is congested. A move takes it out together with users of what the wish lacks room for, and a few more of them; it
then gets its wish, or they all come back in a drawn order, each on what is left (an ejection chain). A move that does
not lower the cost is undone. Rounds visit everyone in a drawn order, until `FRUITLESS` moves in a row and one whole
round bring nothing, or time or work end.

Groups that must be served and stay left out weigh more after each round, so that others make way for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, inf

import numpy as np

from fin_graph.arrays import Floats
from fin_graph.joint.alone import Alone, everyone_alone
from fin_graph.joint.insertion import insert
from fin_graph.joint.placement import Placement
from fin_graph.joint.residual import cheapest_usage
from fin_graph.joint.system import ROOM_SLACK, Group, System, Usage
from models.result import Clock

NOISE = 1e-9
"""Relative fall of the cost that counts."""

FRUITLESS = 150
"""Moves in a row that a small system is given before the search ends."""

OFFERS = 6
"""Users of a resource among which the one to make way is chosen."""

Served = list[tuple[Group, list[Usage]]]


def improve(
    system: System,
    served: Sequence[tuple[Group, Sequence[Usage]]],
    *,
    clock: Clock,
    seed: int = 0,
    gamma: int = 100,
    prices: Floats | None = None,
    moves: int = 10_000,
    watch: Callable[[float], None] = lambda objective: None,
) -> Served:
    """Improve a joint deployment.

    Parameters
    ----------
    system : System
    served : sequence of (Group, sequence of Usage)
        For every group the usages of those of its members that are served; together they fit.
    clock : Clock
        Its limit ends the search.
    seed : int
        Of all that is drawn.
    gamma : int
        Number of latency steps γ of every path search.
    prices : ndarray, shape (R,), optional
        What congested resources are worth [W for the whole], such as the duals of a master program.
    moves : int
        Moves at most.
    watch : callable
        Told the objective [W] whenever it has fallen.

    Returns
    -------
    list of (Group, list of Usage)
        Of the same form: it fits, leaves out no more members without a penalty, and costs no more.
    """
    alone = everyone_alone(system, gamma)
    placement = Placement.of(system, served, scale_of(system, alone))
    if prices is None:
        prices = np.zeros(system.resources)
    return Improvement(placement, alone, prices, gamma, seed, clock).run(moves, watch)


def scale_of(system: System, alone: Sequence[Alone]) -> float:
    """About what serving everyone takes [W]; 1 where it takes nothing."""
    groups = zip(system.groups, alone, strict=True)
    return sum(group.count * one.power for group, one in groups if one.power < inf) or 1.0


class Improvement:
    """Moves on one placement.

    Parameters
    ----------
    placement : Placement
    alone : sequence of Alone
        What every group would do alone.
    prices : ndarray, shape (R,)
    gamma, seed : int
    clock : Clock
    """

    def __init__(
        self, placement: Placement, alone: Sequence[Alone], prices: Floats, gamma: int, seed: int, clock: Clock
    ) -> None:
        self._placement, self._alone, self._gamma, self._clock = placement, alone, gamma, clock
        self._base, self._random = prices, np.random.default_rng(seed)
        self._scale = scale_of(placement.system, alone) / max(1, sum(g.count for g in placement.system.groups))
        self._prices = prices

    def run(self, moves: int, watch: Callable[[float], None]) -> Served:
        """Move until nothing helps; the best placement found."""
        placement = self._placement
        best, left_out, served = placement.objective, placement.left_out, placement.served()
        fruitless = 0
        while moves > 0 and not self._clock.expired:
            wishing = self._wishing()
            if not wishing:
                break
            gained = False
            for g, number in wishing:
                if moves == 0 or self._clock.expired:
                    break
                moves -= 1
                fruitless += 1
                if self._move(g, number):
                    gained, fruitless = True, 0
            found = placement.left_out, placement.objective
            if found[0] < left_out or (found[0] == left_out and found[1] < best * (1 - NOISE)):
                left_out, best, served = *found, placement.served()
                watch(best)
            if not gained and fruitless >= FRUITLESS:
                break
            self._weigh()
        return served

    def _weigh(self) -> None:
        for g, (missing, group) in enumerate(
            zip(self._placement.unserved, self._placement.system.groups, strict=True)
        ):
            if missing and group.penalty is None:
                self._placement.weigh(g)

    def _wishing(self) -> list[tuple[int, int]]:
        """Groups with lots (−1: members not served) that are worse off than alone, in a drawn order."""
        placement, alone = self._placement, self._alone
        worse = [
            (lot.group, number)
            for number, lot in placement.lots.items()
            if lot.usage.power > alone[lot.group].power * (1 + NOISE)
        ]
        worse += [
            (g, -1)
            for g, missing in enumerate(placement.unserved)
            if missing and alone[g].power < placement.refusal[g]
        ]
        return [worse[k] for k in self._random.permutation(len(worse))]

    def _move(self, g: int, number: int) -> bool:
        """Try to give the lot what it wishes; whether the cost has fallen."""
        placement, random = self._placement, self._random
        if number >= 0 and number not in placement.lots or number < 0 and not placement.unserved[g]:
            return False
        before = placement.snapshot()
        times = placement.lots[number].times if number >= 0 else placement.unserved[g]
        if random.random() < 0.5:
            times = int(random.integers(1, times + 1))
        if number >= 0:
            placement.remove(number, times)
        self._prices = self._draw_prices()
        wish = self._wish(g)
        if wish is None:
            placement.restore(before)
            return False
        removed = self._make_way(wish)
        if random.random() < 0.6:
            taken = int(min(times, placement.times_that_fit(wish)))
            if taken:
                placement.place(g, wish, taken)
                times -= taken
        removed[g] = removed.get(g, 0) + times
        self._put_back(removed)
        if placement.cost < before.cost * (1 - NOISE):
            return True
        placement.restore(before)
        return False

    def _draw_prices(self) -> Floats:
        """Prices of this move: none, those given, or those given and congestion, each times a factor of its own."""
        random = self._random
        kind, count = random.integers(3), len(self._base)
        if kind == 0:
            return self._frugal()
        if kind == 1:
            return self._frugal() + self._base
        used = 1 - self._placement.room
        factor = 10 ** random.uniform(-1.5, 1)
        return self._frugal() + self._base * random.uniform(0, 2, count) + factor * self._scale * random.random(
            count
        ) * np.maximum(used, 0.0) ** 2

    def _frugal(self) -> Floats:
        return np.full(len(self._base), 1e-8 * self._scale)

    def _wish(self, g: int) -> Usage | None:
        if self._random.random() < 0.6:
            return self._alone[g].usage
        system = self._placement.system
        return cheapest_usage(system.groups[g], system.empty_room(), self._prices, self._gamma)

    def _make_way(self, wish: Usage) -> dict[int, int]:
        """Take out users of what `wish` lacks, and a few more; members taken out of every group."""
        placement, removed = self._placement, dict[int, int]()
        for resource, fraction in zip(wish.resources.tolist(), wish.fractions.tolist(), strict=True):
            while placement.room[resource] + ROOM_SLACK < fraction and placement.users(resource):
                self._remove(self._chosen(resource, fraction), resource, fraction, removed)
        for _ in range(int(self._random.integers(3))):
            resource = int(self._random.choice(wish.resources)) if len(wish.resources) else -1
            users = placement.users(resource) if resource >= 0 else []
            if users:
                self._remove(int(self._random.choice(users)), resource, inf, removed)
        return removed

    def _chosen(self, resource: int, fraction: float) -> int:
        """Of a few users of a resource, the one that frees enough with least to spare, else the largest."""
        placement = self._placement
        users = placement.users(resource)
        offers = [users[k] for k in self._random.permutation(len(users))[:OFFERS]]
        lack = fraction - placement.room[resource]
        freed = {number: _of(placement.lots[number].usage, resource) for number in offers[: 1 + len(offers) // 2]}
        enough = [number for number, part in freed.items() if part + ROOM_SLACK >= lack]
        return min(enough, key=freed.__getitem__) if enough else max(freed, key=freed.__getitem__)

    def _remove(self, number: int, resource: int, fraction: float, removed: dict[int, int]) -> None:
        """Take as many members of a lot as must make way."""
        placement = self._placement
        lot = placement.lots[number]
        lack = fraction - placement.room[resource]
        times = lot.times if lack == inf else min(lot.times, max(1, ceil(lack / _of(lot.usage, resource) - ROOM_SLACK)))
        placement.remove(number, times)
        removed[lot.group] = removed.get(lot.group, 0) + times

    def _put_back(self, removed: dict[int, int]) -> None:
        groups = list(removed)
        for k in self._random.permutation(len(groups)):
            insert(self._placement, groups[k], removed[groups[k]], self._prices, self._gamma)
        for g, missing in enumerate(self._placement.unserved):
            if missing and self._alone[g].power < self._placement.refusal[g]:
                insert(self._placement, g, missing, self._frugal(), self._gamma)


def _of(usage: Usage, resource: int) -> float:
    """Fraction of `resource` that a usage takes."""
    return float(usage.fractions[np.searchsorted(usage.resources, resource)])
