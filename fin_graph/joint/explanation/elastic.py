"""Find the least growth of capacities after which all applications that must be served can be.

Capacities b_r = 1 may grow in two ways, both over whole deployments (eq. 24 without power):

- the least factor s by which all of them grow, min s: Σ_c u_{c,r} x_c ≤ s;
- the least sum of what single ones grow by, min Σ_r o_r: Σ_c u_{c,r} x_c ≤ b_r + o_r. A memory of 0 bytes has b_r = 0.

Growth is that of right-hand sides: as if a like machine or link stood beside, at unchanged speeds. A node that is
itself faster by as much serves at least as well, for latencies only fall.

The relaxation gives a bound. As for power, all columns of reduced cost below what is open then prove the least.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from finbench.fin_graph.joint.columns.master import Aim, Column
from finbench.fin_graph.joint.columns.relaxation import Relaxation
from finbench.fin_graph.joint.columns.restricted import FIRST_MARGIN, WIDER, Whole, rounded_down, whole_master
from finbench.fin_graph.joint.fin.improvement import Served
from finbench.fin_graph.joint.system import SharedSystem
from finbench.fin_graph.paths.arrays import Floats, Ints
from finbench.models.result import Clock
from finbench.models.tolerances import EVALUATOR_SLACK

_MET = 10 * EVALUATOR_SLACK
"""Difference to the bound at which the least is found: growth below `FEASIBILITY_TOLERANCE` is none anyway."""


@dataclass(frozen=True)
class CapacityGrowth:
    """The least growth found."""

    value: float
    """s, or Σ_r o_r."""
    lower_bound: float
    """Proven; equal to `value` (up to noise) where that is the least."""
    loads: Floats
    """What the deployments take of every resource, as fractions of it; shape (R,)."""
    relaxed_bound: float
    """What the relaxation alone proves of the least."""
    prices: Floats
    """By how much that bound falls where a resource grows by one whole of it; shape (R,)."""


def least_growth(
    system: SharedSystem, aim: Aim, clock: Clock, seed: int, growing: Collection[int] | None = None
) -> CapacityGrowth | None:
    """Return the least growth after which all applications that must be served can be.

    Parameters
    ----------
    system : SharedSystem
        A forgiving one, so that blocks may ask for more than there is.
    aim : Aim
        `FACTOR` or `OVERLOAD`.
    clock : Clock
    seed : int
    growing : collection of int, optional
        Under `Aim.OVERLOAD`, the only resources that may grow; left out: all.

    Returns
    -------
    CapacityGrowth or None
        None where time or memory ended the search first, or an application cannot be served whatever grows; of value
        inf where it is proven that no growth of `growing` is enough.
    """
    if clock.expired:
        return None
    search = _GrowthSearch(system, aim, clock, seed, growing)
    return None if search.relaxation.unservable else search.run()


class _GrowthSearch:
    """The search of one least growth."""

    def __init__(
        self, system: SharedSystem, aim: Aim, clock: Clock, seed: int, growing: Collection[int] | None
    ) -> None:
        self.relaxation = Relaxation(system, clock, room=system.capacities(), whole=False, growing=growing)
        self._system, self._aim, self._clock, self._seed = system, aim, clock, seed
        self._best: CapacityGrowth | None = None
        self._bound, self._growing, self._none = 0.0, growing, False
        most = sum((group.count * group.most() for group in system.groups), np.zeros(system.resources))
        self._most = inf if growing is None else float(np.maximum(most - self.relaxation.room, 0.0)[[*growing]].sum())

    def run(self) -> CapacityGrowth | None:
        """Solve the relaxation, the program in whole numbers over its columns, then over more columns."""
        relaxation = self.relaxation
        if relaxation.solve(self._aim) is None:
            return None
        relaxed, prices = relaxation.bound.safe, relaxation.bound.prices
        self._bound = relaxed
        self._offer(self._whole(relaxation.master.columns, relaxation.master.rows))
        self._prove()
        if self._none:
            return CapacityGrowth(inf, inf, np.zeros_like(prices), relaxed, prices)
        if self._best is None:
            return None
        bound = min(self._bound, self._best.value)
        return replace(self._best, lower_bound=bound, relaxed_bound=relaxed, prices=prices)

    def _prove(self) -> None:
        """List columns of more and more reduced cost, and take the least growth over them.

        Where nothing was found, but only some resources may grow, the most that could be asked of them is the limit.
        """
        bound, margin = self._bound, 0.0
        rows = np.flatnonzero(self.relaxation.bound.prices).astype(np.int32)
        while self._upper < inf and not self._met and not self._clock.expired:
            still_open = self._upper - bound + _MET
            if still_open <= 0:
                self._none = True
                return
            margin = min(still_open, max(margin, still_open * FIRST_MARGIN))
            columns = self._listed(margin, rows)
            if columns is None:
                return
            found = self._whole(columns, rows)
            loads = self._offer(found)
            self._bound = max(self._bound, min(rounded_down(found.bound), bound + margin, self._upper))
            missing = np.setdiff1d(np.flatnonzero(loads > self._allowed(found) + EVALUATOR_SLACK), rows)
            if len(missing):
                rows = np.union1d(rows, missing).astype(np.int32)
            elif margin == still_open:
                self._none = self._best is None and not self._clock.expired
                return
            else:
                margin *= WIDER

    @property
    def _upper(self) -> float:
        """What the least growth is not above: the best found, or the most that could be asked of what may grow."""
        return self._most if self._best is None else self._best.value

    @property
    def _met(self) -> bool:
        return self._best is not None and self._best.value - self._bound <= _MET * max(1.0, self._best.value)

    def _allowed(self, found: Whole) -> Floats:
        """Return what the program lets a deployment take of every resource that has a row; shape (R,)."""
        return self.relaxation.room * (found.bound if self._aim is Aim.FACTOR else 1.0)

    def _whole(self, columns: Sequence[Column], rows: Ints) -> Whole:
        room = self.relaxation.room
        return whole_master(
            self._system,
            columns,
            rows,
            room,
            1.0,
            self._clock,
            seed=self._seed,
            limit_s=inf,
            aim=self._aim,
            growing=self._growing,
        )

    def _listed(self, margin: float, rows: Ints) -> list[Column] | None:
        bound, columns = self.relaxation.bound, list[Column]()
        for g, group in enumerate(self._system.groups):
            if group.penalty is None:
                limit = bound.least[g] + margin
                usages = self.relaxation.pricer.within(g, bound.prices, limit, rows, with_power=False)
                if usages is None or self._clock.expired:
                    return None
                columns += [Column(g, usage) for usage in usages]
        return columns

    def _offer(self, found: Whole) -> Floats:
        """Keep a solution if it needs less growth, and return what it takes of every resource."""
        loads = loads_of(self._system, found.served or [])
        if found.served is not None:
            over = np.maximum(loads - self.relaxation.room, 0.0)
            value = float(loads.max()) if self._aim is Aim.FACTOR else float(over.sum())
            if self._growing is not None and np.delete(over, list(self._growing)).max(initial=0.0) > EVALUATOR_SLACK:
                return loads  # a resource without a row in this program would have to grow as well
            if self._best is None or value < self._best.value:
                self._best = CapacityGrowth(value, 0.0, loads, 0.0, np.zeros_like(loads))
        return loads


def loads_of(system: SharedSystem, served: Served) -> Floats:
    """Return what a joint deployment takes of every resource; shape (R,)."""
    loads = np.zeros(system.resources)
    for _, usages in served:
        for usage in usages:
            usage.take(loads, -1)
    return loads
