"""Improve a joint deployment: take out one or a few applications, put them back along other paths.

An application that pays more than alone, or is not served, has a wish: its best usage alone, or the cheapest at drawn
prices of what is congested. A move takes the application out, with users of the resources that the wish lacks, and a
few more. Then it gets its wish, or all come back in a drawn order, each on what is left (an ejection chain). A move
that does not lower the cost is undone. Rounds visit all such applications in a drawn order. The search ends after
`FRUITLESS` moves in a row without success (or `ROUNDS` rounds, where these are more), or with its time or work.

Groups that must be served and stay left out weigh more after each round, so that others make way for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.fin.alone import FRUGALITY, Alone, bound_of_all, everyone_alone
from finbench.fin_graph.joint.fin.insertion import insert
from finbench.fin_graph.joint.fin.occupancy import Occupancy
from finbench.fin_graph.joint.fin.residual import cheapest_usage
from finbench.fin_graph.joint.fin.resolution import Resolution
from finbench.fin_graph.joint.system import Group, SharedSystem, Usage
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE

FRUITLESS = 75
"""Moves in a row without success after which the search ends on a small system."""

ROUNDS = 4
"""Rounds without success after which it ends on a large one."""

REPAIRS = 10
"""Moves for every group that is left out before leaving it out weighs more."""

OFFERS = 5
"""Most users of a resource among which the one to make way is chosen."""

OTHERS = 3
"""Most groups not served, beside those of a move, that are tried after it."""

GRANTED = 0.4
"""Probability that a wish is granted before the others come back."""

Served = list[tuple[Group, list[Usage]]]


STEPS = Resolution()
"""Resolution of a path search where none are asked for."""


def improve(
    system: SharedSystem,
    served: Sequence[tuple[Group, Sequence[Usage]]],
    *,
    clock: Clock,
    seed: int = 0,
    steps: Resolution = STEPS,
    prices: Floats | None = None,
    moves: int = 10_000,
    watch: Callable[[float], None] | None = None,
) -> Served:
    """Improve a joint deployment.

    Parameters
    ----------
    system : SharedSystem
    served : sequence of (Group, sequence of Usage)
        For every group the usages of those of its members that are served; together they fit.
    clock : Clock
        Its limit ends the search.
    seed : int
        Seed of all that is drawn.
    steps : Resolution
        Of every path search.
    prices : ndarray, shape (R,), optional
        What congested resources are worth [W for the whole], such as the duals of a master program.
    moves : int
        Moves at most.
    watch : callable, optional
        Told the objective [W] whenever it has fallen.

    Returns
    -------
    list of (Group, list of Usage)
        Of the same form: it fits, leaves out no more members without a penalty, and costs no more.
    """
    alone = everyone_alone(system, steps, clock)
    occupancy = Occupancy.of(system, served, scale_of(system, alone))
    if prices is None:
        prices = np.zeros(system.resources)
    improvement = Improvement(occupancy, alone, prices, steps, np.random.default_rng(seed), clock)
    improvement.run(moves, watch or (lambda _: None), bound_of_all(system, alone) * (1 + FLOAT_NOISE))
    return improvement.served


def scale_of(system: SharedSystem, alone: Sequence[Alone]) -> float:
    """Return roughly what serving everyone takes [W]; 1 where it takes nothing."""
    groups = zip(system.groups, alone, strict=True)
    return sum(group.count * one.power for group, one in groups if one.power < inf) or 1.0


class Improvement:
    """The search that moves applications of one occupancy.

    Parameters
    ----------
    occupancy : Occupancy
    alone : sequence of Alone
        What every group would do alone.
    prices : ndarray, shape (R,)
    steps : Resolution
    random : Generator
    clock : Clock
    """

    def __init__(
        self,
        occupancy: Occupancy,
        alone: Sequence[Alone],
        prices: Floats,
        steps: Resolution,
        random: np.random.Generator,
        clock: Clock,
    ) -> None:
        self._occupancy, self._alone, self._steps, self._clock = occupancy, alone, steps, clock
        self._base, self._random = prices, random
        self._scale = scale_of(occupancy.system, alone) / sum(group.count for group in occupancy.system.groups)
        self._frugal = np.full(len(prices), FRUGALITY * self._scale)
        self._prices = prices
        self.served = occupancy.served()
        self._objective = occupancy.left_out, occupancy.objective

    def run(self, moves: int, watch: Callable[[float], None], goal: float = -inf) -> int:
        """Make up to `moves` moves, keep the best in `served`, and return the moves left over.

        Parameters
        ----------
        moves : int
        watch : callable
            Told the objective [W] whenever it has fallen.
        goal : float
            Objective that is good enough [W].

        Returns
        -------
        int
            Moves left over.
        """
        fruitless = 0
        while (wishing := self._wishing()) and self._objective > (0, goal):
            for g, number in wishing:
                if moves <= 0 or self._clock.expired:
                    break
                if number in self._occupancy.lots or (number < 0 and self._occupancy.unserved[g]):
                    moves -= 1
                    fruitless = 0 if self._move(g, number) else fruitless + 1
            self._keep(watch)
            if moves <= 0 or self._clock.expired or fruitless >= max(FRUITLESS, ROUNDS * len(wishing)):
                break
            self._weigh()
        return moves

    def polish(self, steps: Resolution, watch: Callable[[float], None]) -> None:
        """Serve what still fits, and route lots that are worse off than alone anew, at finer steps."""
        for g in self._waiting():
            if not self._clock.expired:
                insert(self._occupancy, g, self._occupancy.unserved[g], self._frugal, self._steps)
        for g, number in self._wishing():
            if self._clock.expired:
                break
            if number >= 0:
                before, lot = self._occupancy.snapshot(), self._occupancy.lots[number]
                self._occupancy.remove(number, lot.times)
                insert(self._occupancy, g, lot.times, self._frugal, steps)
                if self._occupancy.cost >= before.cost * (1 - FLOAT_NOISE):
                    self._occupancy.restore(before)
        self._keep(watch)

    def _keep(self, watch: Callable[[float], None]) -> None:
        """Remember the occupancy where it is the best so far."""
        objective = self._occupancy.left_out, self._occupancy.objective
        if objective < self._objective:
            self._objective, self.served = objective, self._occupancy.served()
            if not objective[0]:
                watch(objective[1])

    def _weigh(self) -> None:
        for g, (missing, group) in enumerate(zip(self._occupancy.unserved, self._occupancy.system.groups, strict=True)):
            if missing and group.penalty is None:
                self._occupancy.weigh(g)

    def _wishing(self) -> list[tuple[int, int]]:
        """Return groups, each with the number of a lot that is worse off than alone, in a drawn order.

        The number −1 stands for members not served. While members that must be served are not, only they count.
        """
        occupancy, alone = self._occupancy, self._alone
        groups = occupancy.system.groups
        out = [g for g, missing in enumerate(occupancy.unserved) if missing and groups[g].penalty is None]
        if out:
            return [(g, -1) for g in out for _ in range(REPAIRS)]
        lots = occupancy.lots.items()
        worse = [(lot.group, n) for n, lot in lots if lot.usage.power > alone[lot.group].power * (1 + FLOAT_NOISE)]
        worse += [(g, -1) for g in self._waiting()]
        return [worse[k] for k in self._random.permutation(len(worse))]

    def _waiting(self) -> list[int]:
        """Return the groups with members not served that would cost less if served alone."""
        occupancy = self._occupancy
        return [
            g for g, missing in enumerate(occupancy.unserved) if missing and self._alone[g].power < occupancy.refusal[g]
        ]

    def _move(self, g: int, number: int) -> bool:
        """Try to give a lot its wish, and return whether the cost has fallen."""
        occupancy, random = self._occupancy, self._random
        before = occupancy.snapshot()
        self._prices = self._drawn_prices()
        wish = self._wish(g)
        if wish is None:
            return False
        times = occupancy.lots[number].times if number >= 0 else occupancy.unserved[g]
        if random.random() < 0.5:
            times = int(random.integers(1, times + 1))
        if number >= 0:
            occupancy.remove(number, times)
        removed = self._make_way(wish)
        if random.random() < GRANTED:
            granted = int(min(times, occupancy.times_that_fit(wish)))
            occupancy.serve(g, wish, granted)
            times -= granted
        removed[g] = removed.get(g, 0) + times
        if self._put_back(removed, before.cost * (1 - FLOAT_NOISE)):
            return True
        occupancy.restore(before)
        return False

    def _drawn_prices(self) -> Floats:
        """Return the prices of this move: none, those given, or those given and the load, times drawn factors."""
        random, kind = self._random, self._random.integers(3)
        if kind == 0:
            return self._frugal
        if kind == 1:
            return self._frugal + self._base
        given = self._base * random.uniform(0, 2, len(self._base))
        filled: Floats = random.random(len(given)) * np.maximum(1 - self._occupancy.room, 0.0) ** 2
        return self._frugal + given + 10 ** random.uniform(-1.5, 1) * self._scale * filled

    def _wish(self, g: int) -> Usage | None:
        """Return a group's best usage alone, or the cheapest at this move's prices."""
        if self._random.random() < 0.6:
            return self._alone[g].usage
        system = self._occupancy.system
        return cheapest_usage(system.groups[g], system.empty_room(), self._prices, self._steps, self._closed(g))

    def _closed(self, g: int) -> NDArray[np.bool_] | None:
        """Return where blocks must not run in this search: at no node, or at some that are drawn for each block."""
        random, group = self._random, self._occupancy.system.groups[g]
        if random.random() < 0.5:
            return None
        topology = group.topology
        drawn = random.random((group.depth, len(topology.network.nodes)))
        closed: NDArray[np.bool_] = drawn[:, topology.node_of_vertex] < random.uniform(0, 0.5)
        return closed

    def _make_way(self, wish: Usage) -> dict[int, int]:
        """Take out users of what `wish` lacks, and a few more; return how many members of which groups."""
        occupancy, random, removed = self._occupancy, self._random, dict[int, int]()
        for resource, fraction in zip(wish.resources.tolist(), wish.fractions.tolist(), strict=True):
            while occupancy.room[resource] + FLOAT_NOISE < fraction and occupancy.users(resource):
                self._remove(self._chosen(resource, fraction), resource, fraction, removed)
        for resource in random.permutation(wish.resources)[: random.integers(3)].tolist():
            users = occupancy.users(resource)
            if users:
                self._remove(users[random.integers(len(users))], resource, inf, removed)
        return removed

    def _chosen(self, resource: int, fraction: float) -> int:
        """Return, of a few users of a resource, the one that frees enough with least to spare, else the largest."""
        occupancy = self._occupancy
        number_of_offers = int(self._random.integers(1, OFFERS))
        offers: list[int] = self._random.permutation(occupancy.users(resource))[:number_of_offers].tolist()
        lack = fraction - occupancy.room[resource]
        freed = {number: _of(occupancy.lots[number].usage, resource) for number in offers}
        enough = [number for number, part in freed.items() if part + FLOAT_NOISE >= lack]
        if enough:
            return min(enough, key=lambda number: freed[number])
        return max(freed, key=lambda number: freed[number])

    def _remove(self, number: int, resource: int, fraction: float, removed: dict[int, int]) -> None:
        """Take out as many members of a lot as free `fraction`; all of them where that is inf."""
        lot, lack = self._occupancy.lots[number], fraction - self._occupancy.room[resource]
        needed = lack / _of(lot.usage, resource) - FLOAT_NOISE
        times = lot.times if needed >= lot.times else max(1, ceil(needed))
        self._occupancy.remove(number, times)
        removed[lot.group] = removed.get(lot.group, 0) + times

    def _put_back(self, removed: dict[int, int], limit: float) -> bool:
        """Serve the removed members again, in a drawn order, and return whether the cost falls below `limit`.

        The move ends early where it would not, even if all that are left were served as if alone.
        """
        occupancy, groups = self._occupancy, list(removed)
        gain = {g: max(0.0, occupancy.refusal[g] - self._alone[g].power) for g in groups}
        hope = sum(removed[g] * gain[g] for g in groups)
        for k in self._random.permutation(len(groups)):
            if occupancy.cost - hope >= limit:
                return False
            g = groups[k]
            left = insert(occupancy, g, removed[g], self._prices, self._steps, self._closed(g))
            hope -= (removed[g] - left) * gain[g]
        waiting = self._waiting()
        others = self._random.permutation([g for g in waiting if g not in removed])[:OTHERS].tolist()
        for g in [*(g for g in waiting if g in removed), *others]:
            insert(occupancy, g, occupancy.unserved[g], self._frugal, self._steps)
        return occupancy.cost < limit


def _of(usage: Usage, resource: int) -> float:
    """Return the fraction of `resource` that a usage takes."""
    return float(usage.fractions[np.searchsorted(usage.resources, resource)])
