"""The relaxation of a node's program over the ways at hand, as a live model in HiGHS.

It is the master (eq. 24) with a row for every party instead of every group, and a row for every limit and cut:

    minimise    Σ_c p_c x_c + Σ_p ψ_p ρ_p + M (Σ_p a_p + Σ_k b_k)
    subject to  Σ_{c ∈ p} x_c + ρ_p + a_p = n_p                   for every party p          (dual σ_p)
                Σ_c u_{c,r} x_c ≤ b_r                             for every scarce resource  (price π_r ≥ 0)
                l_k ≤ F_k(x) + b_k ≤ h_k                          for every limit and cut    (dual y_k)

a_p and b_k keep it feasible while ways are few; b_k is there only where l_k is finite.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import numpy as np
from highspy import HighsModelStatus, HighsStatus
from scipy.sparse import csc_matrix

from finbench.fin_graph.joint.branching.node import Limit, Party
from finbench.fin_graph.joint.branching.spots import Form, Way
from finbench.fin_graph.joint.system import Group
from finbench.fin_graph.paths.arrays import Floats, Ints
from finbench.models.result import Clock
from finbench.models.silent_highs import SilentHighs, set_options
from finbench.models.tolerances import SMALLEST_COEFFICIENT, SOLVER_TOLERANCE

_OPTIONS: dict[str, float | bool | str] = {
    "threads": 1,
    "presolve": "off",
    "primal_feasibility_tolerance": SOLVER_TOLERANCE,
    "dual_feasibility_tolerance": SOLVER_TOLERANCE,
    "small_matrix_value": SMALLEST_COEFFICIENT,
}


class Solved(NamedTuple):
    """Optimum of a node's relaxation over the ways at hand."""

    value: float
    prices: Floats
    """π_r; shape (R,)."""
    duals: Floats
    """y_k of every limit and cut."""
    served: Floats
    """σ_p of every party."""
    times: Floats
    """x_c of every column."""
    rejected: Floats
    """ρ_p of every party."""
    missing: float
    """Σ_p a_p + Σ_k b_k."""


class Resources(NamedTuple):
    """The scarce resources, and the room of all."""

    rows: Ints
    room: Floats
    row_of: Ints
    """Position of every resource among the scarce ones, −1 for the others."""

    @classmethod
    def of(cls, rows: Ints, room: Floats) -> Resources:
        """Return the scarce resources `rows`."""
        row_of = np.full(len(room), -1, np.int32)
        row_of[rows] = np.arange(len(rows), dtype=np.int32)
        return cls(rows, room, row_of)


class NodeProgram:
    """The program of one node.

    Parameters
    ----------
    groups : sequence of Group
    parties : sequence of Party
    limits : sequence of Limit
        Branching bounds and cuts.
    resources : Resources
    scale : float
        Power that objectives are divided by before HiGHS sees them.
    dear : float
        M, in `scale`s.
    clock : Clock
    """

    def __init__(
        self,
        groups: Sequence[Group],
        parties: Sequence[Party],
        limits: Sequence[Limit],
        resources: Resources,
        scale: float,
        dear: float,
        clock: Clock,
    ) -> None:
        self.ways: list[Way] = []
        self.party_of: list[int] = []
        self.limits = list(limits)
        self._groups, self._parties, self._resources = groups, parties, resources
        self._scale, self._clock, self._dear = scale, clock, dear
        self._known: set[tuple[int, bytes]] = set()
        self._highs = SilentHighs()
        set_options(self._highs, _OPTIONS)
        self._start()

    def _start(self) -> None:
        """Add rows; then the columns of rejections, of members missing, and of limits missed."""
        highs, parties, first = self._highs, self._parties, len(self._parties) + len(self._resources.rows)
        for party in parties:
            highs.addRow(party.count, party.count, 0, [], [])
        for r in self._resources.rows:
            highs.addRow(-inf, self._resources.room[r], 0, [], [])
        for limit in self.limits:
            highs.addRow(limit.least, limit.most, 0, [], [])
        for p, party in enumerate(parties):
            cost = (self._groups[party.group].penalty or 0.0) / self._scale
            highs.addCol(cost, party.least_rejected, party.most_rejected, 1, [p], [1.0])
        for p in range(len(parties)):
            highs.addCol(self._dear, 0.0, inf, 1, [p], [1.0])
        low = [k for k, limit in enumerate(self.limits) if limit.least > -inf]
        for k in low:
            highs.addCol(self._dear, 0.0, inf, 1, [first + k], [1.0])
        self._spare = range(len(parties), 2 * len(parties) + len(low))
        self._first = 2 * len(parties) + len(low)

    def dearer(self, factor: float) -> None:
        """Make it dearer by a factor to leave members unserved or limits unmet."""
        self._dear *= factor
        for column in self._spare:
            self._highs.changeColCost(column, self._dear)

    @property
    def dear(self) -> float:
        """M [W]."""
        return self._dear * self._scale

    def add(self, p: int, ways: Sequence[Way]) -> int:
        """Add ways of party p that are new, and return how many are."""
        fresh = [way for way in ways if (p, way.spots.tobytes()) not in self._known]
        if not fresh:
            return 0
        self._known.update((p, way.spots.tobytes()) for way in fresh)
        self.ways += fresh
        self.party_of += [p] * len(fresh)
        matrix = self._columns(p, fresh)
        count = len(fresh)
        self._highs.addCols(
            count,
            np.array([way.usage.power for way in fresh]) / self._scale,
            np.zeros(count),
            np.full(count, inf),
            matrix.nnz,
            matrix.indptr[:-1].astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
        )
        return count

    def _columns(self, p: int, ways: Sequence[Way]) -> csc_matrix:
        """Return the coefficients of ways of party p in all rows."""
        first, rows, values, columns = len(self._parties), [np.full(len(ways), p)], [np.ones(len(ways))], []
        columns.append(np.arange(len(ways)))
        for k, way in enumerate(ways):
            at = self._resources.row_of[way.usage.resources]
            rows.append(first + at[at >= 0])
            values.append(way.usage.fractions[at >= 0])
            columns.append(np.full(int((at >= 0).sum()), k))
        spots = np.concatenate([way.spots for way in ways])
        owner = np.repeat(np.arange(len(ways)), [len(way.spots) for way in ways])
        for k, limit in enumerate(self.limits):
            total = np.bincount(owner, limit.form.of(spots), len(ways))
            used = np.flatnonzero(total)
            rows.append(np.full(len(used), first + len(self._resources.rows) + k))
            values.append(total[used])
            columns.append(used)
        shape = first + len(self._resources.rows) + len(self.limits), len(ways)
        return csc_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)

    def coefficients(self, form: Form) -> Floats:
        """Return the coefficient of every way at hand in a form."""
        if not self.ways:
            return np.zeros(0)
        spots = np.concatenate([way.spots for way in self.ways])
        owner = np.repeat(np.arange(len(self.ways)), [len(way.spots) for way in self.ways])
        found: Floats = np.bincount(owner, form.of(spots), len(self.ways))
        return found

    def cut(self, limit: Limit) -> None:
        """Add a cut: a row whose form has an upper bound alone."""
        coefficients = self.coefficients(limit.form)
        used = np.flatnonzero(coefficients)
        self.limits.append(limit)
        self._highs.addRow(
            limit.least, limit.most, len(used), (self._first + used).astype(np.int32), coefficients[used]
        )

    def solve(self) -> Solved | None:
        """Return the optimum; None where the clock ended the solver, or the solver gave up."""
        if not self._ran():
            if self._clock.expired:
                return None
            self._highs.clearSolver()
            if not self._ran():
                return None
        return self._solution()

    def _ran(self) -> bool:
        highs = self._highs
        if self._clock.remaining_s is not None:
            set_options(highs, {"time_limit": highs.getRunTime() + self._clock.remaining_s})
        ran = highs.run()
        return bool(ran != HighsStatus.kError and highs.getModelStatus() == HighsModelStatus.kOptimal)

    def _solution(self) -> Solved:
        solution, parties, resources = self._highs.getSolution(), len(self._parties), self._resources
        duals, values = np.array(solution.row_dual) * self._scale, np.array(solution.col_value)
        prices = np.zeros(len(resources.room))
        prices[resources.rows] = np.maximum(-duals[parties : parties + len(resources.rows)], 0.0)
        return Solved(
            value=float(self._highs.getInfo().objective_function_value) * self._scale,
            prices=prices,
            duals=self._signed(duals[parties + len(resources.rows) :]),
            served=duals[:parties],
            times=values[self._first :],
            rejected=values[:parties],
            missing=float(values[parties : self._first].sum()),
        )

    def _signed(self, duals: Floats) -> Floats:
        """Return duals of limits, 0 where the side that they would pay for is infinite."""
        least = np.array([limit.least for limit in self.limits])
        most = np.array([limit.most for limit in self.limits])
        low = np.where(np.isfinite(least), np.maximum(duals, 0.0), 0.0)
        high = np.where(np.isfinite(most), np.minimum(duals, 0.0), 0.0)
        signed: Floats = low + high
        return signed

    def try_limit(self, limit: Limit, steps: int) -> float:
        """Return what the relaxation over the ways at hand would cost with one more limit, after so many steps; inf
        where that has no solution. The program stays as it is.
        """
        highs, basis = self._highs, self._highs.getBasis()
        coefficients = self.coefficients(limit.form)
        used = np.flatnonzero(coefficients)
        highs.addRow(limit.least, limit.most, len(used), (self._first + used).astype(np.int32), coefficients[used])
        set_options(highs, {"simplex_iteration_limit": steps})
        highs.run()
        known = highs.getModelStatus()
        value = inf if known == HighsModelStatus.kInfeasible else float(highs.getInfo().objective_function_value)
        set_options(highs, {"simplex_iteration_limit": 2**31 - 1})
        last = highs.getNumRow() - 1
        highs.deleteRows(1, np.array([last], np.int32))
        highs.setBasis(basis)
        return value * self._scale


