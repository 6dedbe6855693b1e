"""Column generation: the master's relaxation (eq. 24) over all deployments, and the bound that comes with it.

Columns come from pricing; for any prices π ≥ 0 that pricing is asked for, with v_g at most the least cost of serving
one member of group g,

    (25) Σ_g n_g min(ψ_g, v_g) − Σ_r b_r π_r  ≤  every solution of (24)        (ψ_g = ∞ where members must be served)

so that a proven bound is at hand at any time, whatever the prices. Between the best prices so far and those of the
master lies the point where columns are priced (Wentges 1997); how near to which is adjusted by itself (Pessoa, Sadykov,
Uchoa, Vanderbeck, INFORMS Journal on Computing 30(2), 2018): nearer to the master's where the bound rises towards them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import inf

import numpy as np

from finbench.fin_graph.joint.columns.master import Aim, Master, Relaxed, group_sizes
from finbench.fin_graph.joint.columns.pricing import Priced, Pricer
from finbench.fin_graph.joint.system import SharedSystem, Usage
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE, safe_bound

CLOSED = FLOAT_NOISE
"""Relative difference between the relaxation's optimum over some columns and over all at which they are the same."""

_IMPROVES = FLOAT_NOISE
"""Saving of a column, relative to what serving a member costs in the master, from which on it is added."""

_FIRST_SMOOTHING = 0.5
_MOST_SMOOTHING = 0.95


@dataclass(frozen=True)
class Bound:
    """The best prices asked for, and what they prove."""

    value: float
    """Eq. (25) as it was summed up; −inf where nothing was priced yet."""
    safe: float
    """The same less what rounding may have added: this is the proof."""
    prices: Floats
    """π_r of every resource; shape (R,)."""
    least: Floats
    """v_g of every group; shape (G,)."""

    @classmethod
    def none(cls, resources: int, groups: int) -> Bound:
        """Return what is known before anything was priced."""
        return cls(-inf, -inf, np.zeros(resources), np.zeros(groups))


class Relaxation:
    """The relaxation of one system, solved for one aim after another; columns stay.

    Parameters
    ----------
    system : SharedSystem
    clock : Clock
    room : ndarray, shape (R,), optional
        b_r; left out: all of every resource.
    smoothing : bool
        False: price at the master's prices always.
    whole : bool
        Leave out deployments that alone overload a node.
    growing : collection of int, optional
        As of `Master`.
    """

    def __init__(
        self,
        system: SharedSystem,
        clock: Clock,
        *,
        room: Floats | None = None,
        smoothing: bool = True,
        whole: bool = True,
        growing: Collection[int] | None = None,
    ) -> None:
        self.system, self.clock = system, clock
        self.room = system.empty_room() if room is None else room
        self.sizes = group_sizes(system.groups)
        self.pricer = Pricer(system, self.room if whole else None)
        self.iterations = 0
        self._smoothing = _FIRST_SMOOTHING if smoothing else 0.0
        nothing = np.zeros(system.resources)
        first = [self.pricer.price(g, nothing) for g in range(len(self.sizes))]
        powers = [0.0 if priced.usage is None else priced.usage.power for priced in first]
        self.master = Master(system, self.room, float(np.mean(powers)) or 1.0, clock, growing)
        for g, priced in enumerate(first):
            if priced.usage is not None:
                self.master.add(g, priced.usage)
        self.bound = Bound.none(system.resources, len(self.sizes))
        self._take(nothing, first)

    @property
    def unservable(self) -> list[int]:
        """Return the groups that must be served and cannot be, even alone."""
        return [
            g for g, group in enumerate(self.system.groups) if group.penalty is None and not self.pricer.servable(g)
        ]

    def solve(
        self, aim: Aim = Aim.POWER, *, stop: Callable[[Relaxed], bool] | None = None, gap: float = CLOSED
    ) -> Relaxed | None:
        """Generate columns until the bound meets the relaxation's value over those at hand.

        Parameters
        ----------
        aim : Aim
        stop : callable, optional
            Asked after every solution of the master whether to end early.
        gap : float
            Relative gap between the two values at which they meet.

        Returns
        -------
        Relaxed or None
            The last solution of the master: the relaxation's optimum where `closed` says so; None where the clock
            ended the first.
        """
        if aim is not self.master.aim:
            self.master.seek(aim)
            self.bound = Bound.none(self.system.resources, len(self.sizes))
        last = None
        while not self.clock.expired:
            relaxed = self.master.solve()
            if relaxed is None:
                break
            last = relaxed
            self.iterations += 1
            if self.closed(relaxed, gap) or (stop is not None and stop(relaxed)) or not self._improve(relaxed):
                break
        return last

    def closed(self, relaxed: Relaxed, gap: float = CLOSED) -> bool:
        """Return whether the bound meets the value of `relaxed`."""
        bound = self.bound.value
        return bound > -inf and relaxed.value - bound <= gap * max(abs(relaxed.value), abs(bound))

    def _improve(self, relaxed: Relaxed) -> bool:
        """Price all groups, add columns, and return whether any was added."""
        centre, pull = self.bound.prices, self._smoothing
        while pull > 0 and np.isfinite(self.bound.value):
            found = self._priced(pull * centre + (1 - pull) * relaxed.prices)
            added = self._add(found, relaxed)
            if added or self.clock.expired:
                self._smoothing = _adjusted(self._smoothing, self._slope(found, relaxed.prices - centre))
                return added
            # Nothing for the master: the bound rose instead, and the next prices lie nearer to the master's.
            centre, pull = self.bound.prices, 2 * pull - 1
        found = self._priced(relaxed.prices)
        return self._add(found, relaxed) or (not self.clock.expired and self._add_exact(found, relaxed))

    def _add(self, found: list[Priced], relaxed: Relaxed) -> bool:
        """Add what is cheaper at the master's prices than what the master has, and return whether anything was."""
        added = False
        for g, priced in enumerate(found):
            if priced.usage is not None and self._cheaper(self._cost(priced.usage, relaxed.prices), relaxed, g):
                added |= self.master.add(g, priced.usage)
        return added

    def _add_exact(self, found: list[Priced], relaxed: Relaxed) -> bool:
        """Do the same by label setting, for the groups whose bound leaves something open."""
        added, power = False, self.master.aim.with_power
        for g, priced in enumerate(found):
            if priced.usage is None or not self._cheaper(priced.bound, relaxed, g):
                continue
            below = float(relaxed.group_prices[g])
            found[g] = exact = self.pricer.exact(g, relaxed.prices, self.clock, below=below, with_power=power)
            if exact.usage is not None and self._cheaper(exact.cost, relaxed, g):
                added |= self.master.add(g, exact.usage)
        self._take(relaxed.prices, found)
        return added

    def _cost(self, usage: Usage, prices: Floats) -> float:
        return usage.cost(prices) if self.master.aim.with_power else _paid(usage, prices)

    def _slope(self, found: list[Priced], direction: Floats) -> float:
        """Return how the bound changes from where `found` was priced along `direction`."""
        slope = -float(self.room @ direction)
        for priced, size, penalty in zip(found, self.sizes, self._penalties(), strict=False):
            if priced.usage is not None and priced.cost < penalty:
                slope += size * _paid(priced.usage, direction)
        return slope

    def _cheaper(self, cost: float, relaxed: Relaxed, g: int) -> bool:
        served = relaxed.group_prices[g]
        return bool(cost < served - _IMPROVES * max(abs(served), cost))

    def _priced(self, prices: Floats) -> list[Priced]:
        """Price all groups and take the bound; where the clock ends this, return those priced, and take no bound."""
        found: list[Priced] = []
        for g in range(len(self.sizes)):
            if self.clock.expired:
                return found
            found.append(self.pricer.price(g, prices, with_power=self.master.aim.with_power))
        self._take(prices, found)
        return found

    def _take(self, prices: Floats, found: list[Priced]) -> None:
        """Keep the bound (25) at `prices` where it is the best so far; for `Aim.FACTOR` Σ_g n_g v_g."""
        least = np.array([priced.bound for priced in found])
        chosen, paid = float(self.sizes @ np.minimum(self._penalties(), least)), float(self.room @ prices)
        if self.master.aim is Aim.FACTOR:
            # Its dual asks for Σ_r b_r π_r ≤ 1.
            unit = max(1.0, paid)
            value, terms, prices, least = chosen / unit, chosen / unit, prices / unit, least / unit
        else:
            value, terms = chosen - paid, chosen + paid
        safe = safe_bound(value, terms)
        if safe > self.bound.safe:
            self.bound = Bound(value, safe, prices, least)

    def _penalties(self) -> Floats:
        """Return ψ_g of every group in the present aim, inf where members must be served."""
        power = self.master.aim.with_power
        return np.array([inf if group.penalty is None else group.penalty * power for group in self.system.groups])


def _paid(usage: Usage, prices: Floats) -> float:
    """Return Σ_r π_r u_r."""
    return float(prices[usage.resources] @ usage.fractions)


def _adjusted(smoothing: float, slope: float) -> float:
    """Return less smoothing where the bound rises towards the master's prices, else more."""
    if slope > 0:
        return max(0.05, smoothing - 0.1)
    return min(_MOST_SMOOTHING, smoothing + 0.1 * (1 - smoothing))
