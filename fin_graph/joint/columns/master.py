"""The master program over deployments (Dantzig and Wolfe 1960), as a live model in HiGHS.

With x_c the number of members that group g(c) serves by column c, of power p_c and fractions u_{c,r}, n_g members of
group g of which ρ_g are rejected at a penalty of ψ_g each, and a room of b_r (1 of a whole system) of every resource r:

    (24) minimise    Σ_c p_c x_c + Σ_g ψ_g ρ_g
         subject to  Σ_{c: g(c) = g} x_c + ρ_g = n_g      for every group g
                     Σ_c u_{c,r} x_c ≤ b_r + o_r          for every resource r that could be overloaded
                     ρ_g = 0 where members must be served

The overload o_r keeps the program feasible while columns are few. It is dear, or all that counts (`Aim`).

A resource has a row only where all members of all groups together could overload it. A column that alone takes more
than the whole of a resource is harmless: no whole member fits by it, so that it can be in no integer solution, and in
the relaxation it only makes the bound weaker.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum
from math import inf
from typing import NamedTuple

import numpy as np
from highspy import HighsModelStatus, HighsStatus

from finbench.fin_graph.joint.system import Group, SharedSystem, Usage
from finbench.fin_graph.paths.arrays import Floats, Ints
from finbench.models.result import Clock
from finbench.models.silent_highs import SilentHighs, set_options
from finbench.models.tolerances import SMALLEST_COEFFICIENT, SOLVER_TOLERANCE

_OPTIONS: dict[str, float | bool | str] = {
    "threads": 1,
    "primal_feasibility_tolerance": SOLVER_TOLERANCE,
    "dual_feasibility_tolerance": SOLVER_TOLERANCE,
    # Coefficients at or below this are dropped from rows.
    "small_matrix_value": SMALLEST_COEFFICIENT,
}

OVERLOAD_COST = 10.0
"""Cost of overloading a whole resource under `Aim.POWER`, in `scale`s for every application."""

DEARER = 30.0

ELSEWHERE = 1e4
"""Cost of overload under `Aim.OVERLOAD` where a resource should not grow."""


class Aim(Enum):
    """What the program minimises."""

    POWER = "power"
    """Power and penalties; overload is dear."""
    OVERLOAD = "overload"
    """Σ_r o_r alone: 0 or there is no deployment."""
    FACTOR = "factor"
    """The least factor s by which all room must grow: Σ_c u_{c,r} x_c ≤ s b_r."""

    @property
    def with_power(self) -> bool:
        """Return whether power counts."""
        return self is Aim.POWER


class Column(NamedTuple):
    """A way to serve one member of a group."""

    group: int
    usage: Usage


class Relaxed(NamedTuple):
    """Optimum of the relaxation over the columns at hand."""

    value: float
    prices: Floats
    """Price π_r of every resource; shape (R,)."""
    group_prices: Floats
    """What serving one more member of every group costs; shape (G,)."""
    times: Floats
    """x_c of every column."""
    overload: Floats
    """o_r of every resource; shape (R,)."""


class Master:
    """The program's relaxation.

    Parameters
    ----------
    system : SharedSystem
    room : ndarray, shape (R,)
        b_r.
    scale : float
        Power that objectives are divided by before HiGHS sees them; values and prices returned are in W all the same.
    clock : Clock
    growing : collection of int, optional
        Resources whose overload costs 1 under `Aim.OVERLOAD`, and that of the others `ELSEWHERE`; left out: all.
    """

    def __init__(
        self,
        system: SharedSystem,
        room: Floats,
        scale: float,
        clock: Clock,
        growing: Collection[int] | None = None,
    ) -> None:
        self.columns: list[Column] = []
        self.rows = scarce(system, room)
        cheap = np.ones(len(self.rows), np.bool_) if growing is None else np.isin(self.rows, list(growing))
        self._growth_costs = np.where(cheap, 1.0, ELSEWHERE)
        self._groups, self._room, self.scale, self._clock = system.groups, room, scale, clock
        self._row_of = np.full(system.resources, -1, np.int32)
        self._row_of[self.rows] = len(self._groups) + np.arange(len(self.rows), dtype=np.int32)
        self._dear = OVERLOAD_COST * float(group_sizes(system.groups).sum())
        self._known: set[tuple[int, float, bytes, bytes]] = set()
        self._highs = SilentHighs()
        set_options(self._highs, _OPTIONS)
        self._build()
        self._seek(Aim.POWER)

    def _build(self) -> None:
        """Add rows, then columns for overloads, for the factor and for rejections."""
        highs, count = self._highs, len(self.rows)
        for group in self._groups:
            highs.addRow(group.count, group.count, 0, [], [])
        for r in self.rows:
            highs.addRow(-inf, self._room[r], 0, [], [])
        for row in self._row_of[self.rows]:
            highs.addCol(0.0, 0.0, inf, 1, [row], [-1.0])
        highs.addCol(0.0, 0.0, 0.0, count, self._row_of[self.rows], -self._room[self.rows])
        for g, group in enumerate(self._groups):
            highs.addCol(0.0, 0.0, 0.0 if group.penalty is None else group.count, 1, [g], [1.0])
        self._first = count + 1 + len(self._groups)

    def seek(self, aim: Aim) -> None:
        """Change the aim; columns stay."""
        if aim is not self.aim:
            self._seek(aim)

    def dearer(self) -> None:
        """Make overload dearer by a factor of `DEARER`; the aim becomes power."""
        self._dear *= DEARER
        self._seek(Aim.POWER)

    def _seek(self, aim: Aim) -> None:
        self.aim, highs, rows = aim, self._highs, len(self.rows)
        allowed, costs = aim is not Aim.FACTOR, self._growth_costs if aim is Aim.OVERLOAD else np.zeros(rows)
        for k, cost in enumerate(np.full(rows, self._dear) if aim is Aim.POWER else costs):
            highs.changeColCost(k, cost)
            highs.changeColBounds(k, 0.0, inf if allowed else 0.0)
            highs.changeRowBounds(len(self._groups) + k, -inf, 0.0 if aim is Aim.FACTOR else self._room[self.rows[k]])
        highs.changeColCost(rows, float(aim is Aim.FACTOR))
        highs.changeColBounds(rows, 0.0, inf if aim is Aim.FACTOR else 0.0)
        for g, group in enumerate(self._groups):
            highs.changeColCost(rows + 1 + g, self._cost(group.penalty or 0.0))
        for c, column in enumerate(self.columns):
            highs.changeColCost(self._first + c, self._cost(column.usage.power))

    def _cost(self, power: float) -> float:
        return power / self.scale if self.aim.with_power else 0.0

    def add(self, g: int, usage: Usage) -> bool:
        """Add a column for group g, and return whether it is new."""
        key = g, usage.power, usage.resources.tobytes(), usage.fractions.tobytes()
        if key in self._known:
            return False
        self._known.add(key)
        self.columns.append(Column(g, usage))
        rows = self._row_of[usage.resources]
        kept = rows >= 0
        indices = np.concatenate([[g], rows[kept]]).astype(np.int32)
        values = np.concatenate([[1.0], usage.fractions[kept]])
        self._highs.addCol(self._cost(usage.power), 0.0, inf, len(indices), indices, values)
        return True

    def _solved(self) -> bool:
        """Run HiGHS, and return whether it found the optimum in the time left."""
        highs = self._highs
        if self._clock.remaining_s is not None:
            # HiGHS counts the time of all its runs.
            set_options(highs, {"time_limit": highs.getRunTime() + self._clock.remaining_s})
        ran = highs.run()
        return bool(ran != HighsStatus.kError and highs.getModelStatus() == HighsModelStatus.kOptimal)

    def solve(self) -> Relaxed | None:
        """Return the optimum of the relaxation; None where the clock ended the solver, or the solver gave up.

        Capacities hundreds of orders of magnitude apart are beyond HiGHS: it then knows no status, twice.
        """
        highs = self._highs
        if not self._solved():
            if self._clock.expired:
                return None
            highs.clearSolver()
            if not self._solved():
                return None
        solution, groups = highs.getSolution(), len(self._groups)
        unit = self.scale if self.aim.with_power else 1.0
        duals, values = np.array(solution.row_dual), np.array(solution.col_value)
        prices = np.zeros(len(self._row_of))
        prices[self.rows] = np.maximum(-duals[groups:], 0.0) * unit
        overload = np.zeros(len(self._row_of))
        overload[self.rows] = values[: len(self.rows)]
        return Relaxed(
            value=highs.getInfo().objective_function_value * unit,
            prices=prices,
            group_prices=duals[:groups] * unit,
            times=values[self._first :],
            overload=overload,
        )


def scarce(system: SharedSystem, room: Floats) -> Ints:
    """Return the resources that all members of all groups together could overload, rising."""
    most = np.zeros(system.resources)
    for group in system.groups:
        most += group.count * group.most()
    return np.flatnonzero(most > room).astype(np.int32)


def group_sizes(groups: Sequence[Group]) -> Floats:
    """Return n_g of every group; shape (G,)."""
    return np.array([float(group.count) for group in groups])
