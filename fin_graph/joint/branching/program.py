"""The relaxation of a branch's program over the ways at hand, as a live model in HiGHS.

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
from highspy import HighsModelStatus, HighsStatus, SolutionStatus
from scipy.sparse import csc_matrix, csr_matrix, vstack

from finbench.fin_graph.joint.branching.branch import Limit, Party
from finbench.fin_graph.joint.branching.spots import SpotForm, Spots, SpotWay
from finbench.fin_graph.joint.columns.restricted import stop_when_large
from finbench.fin_graph.paths.arrays import Floats, Ints
from finbench.models.result import Clock
from finbench.models.silent_highs import SilentHighs, set_options
from finbench.models.tolerances import BRANCHING_GAP, SMALLEST_COEFFICIENT, SOLVER_TOLERANCE

_OPTIONS: dict[str, float | bool | str] = {
    "threads": 1,
    "presolve": "off",
    "primal_feasibility_tolerance": SOLVER_TOLERANCE,
    "dual_feasibility_tolerance": SOLVER_TOLERANCE,
    "small_matrix_value": SMALLEST_COEFFICIENT,
}

_WHOLE: dict[str, float | bool | str] = {
    "presolve": "choose",
    "mip_rel_gap": 0.4 * BRANCHING_GAP,
    "mip_abs_gap": 0.0,
    "mip_feasibility_tolerance": SOLVER_TOLERANCE,
}


class Solved(NamedTuple):
    """Optimum of a branch's relaxation over the ways at hand."""

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


class WholeAnswer(NamedTuple):
    """What HiGHS says of a branch's program in whole numbers."""

    times: Floats | None
    """x_c of its best solution."""
    bound: float
    """Proven bound on the solutions over the ways at hand, as far as the goal; inf where there is none below it."""
    done: bool
    """Whether it was solved to the end."""


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


class BranchProgram:
    """The program of one branch.

    Parameters
    ----------
    spots : Spots
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
        spots: Spots,
        parties: Sequence[Party],
        limits: Sequence[Limit],
        resources: Resources,
        scale: float,
        dear: float,
        clock: Clock,
    ) -> None:
        self.ways: list[SpotWay] = []
        self.party_of: list[int] = []
        self.limits = list(limits)
        self._groups, self._parties, self._resources = spots.system.groups, parties, resources
        self._total = spots.total
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

    def add(self, ways: Sequence[tuple[int, SpotWay]]) -> int:
        """Add ways of parties, given by their numbers, that are new; return how many are."""
        fresh = {(p, way.spots.tobytes()): (p, way) for p, way in ways}
        fresh = {key: one for key, one in fresh.items() if key not in self._known}
        if not fresh:
            return 0
        self._known.update(fresh)
        parties, added = [p for p, _ in fresh.values()], [way for _, way in fresh.values()]
        self.party_of += parties
        self.ways += added
        matrix, count = self._columns(parties, added), len(added)
        self._highs.addCols(
            count,
            np.array([way.usage.power for way in added]) / self._scale,
            np.zeros(count),
            np.full(count, inf),
            matrix.nnz,
            matrix.indptr[:-1].astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
        )
        return count

    def _columns(self, parties: Sequence[int], ways: Sequence[SpotWay]) -> csc_matrix:
        """Return the coefficients of ways of parties in all rows."""
        count, first = len(ways), len(self._parties)
        member = csc_matrix((np.ones(count), (parties, np.arange(count))), shape=(first, count))
        used = np.concatenate([self._resources.row_of[way.usage.resources] for way in ways])
        taken = np.concatenate([way.usage.fractions for way in ways])
        owner = np.repeat(np.arange(count), [len(way.usage.resources) for way in ways])
        kept = used >= 0
        shape = len(self._resources.rows), count
        loads = csc_matrix((taken[kept], (used[kept], owner[kept])), shape=shape)
        return csc_matrix(vstack([member, loads, self._limited(ways)]))

    def _limited(self, ways: Sequence[SpotWay]) -> csc_matrix:
        """Return the coefficients of ways in the rows of limits."""
        places = np.concatenate([way.spots for way in ways])
        starts = np.cumsum([0, *(len(way.spots) for way in ways)])
        on_spots = csr_matrix((np.ones(len(places)), places, starts), shape=(len(ways), self._total))
        forms = [limit.form for limit in self.limits]
        named = np.concatenate([np.zeros(0, np.int64), *(form.spots for form in forms)])
        factors = np.concatenate([np.zeros(0), *(form.coefficients for form in forms)])
        numbers = np.repeat(np.arange(len(forms)), [len(form.spots) for form in forms])
        of_spots = csr_matrix((factors, (named, numbers)), shape=(self._total, len(forms)))
        return csc_matrix((on_spots @ of_spots).T)

    def coefficients(self, form: SpotForm) -> Floats:
        """Return the coefficient of every way at hand in a form."""
        if not self.ways:
            return np.zeros(0)
        spots = np.concatenate([way.spots for way in self.ways])
        owner = np.repeat(np.arange(len(self.ways)), [len(way.spots) for way in self.ways])
        return np.bincount(owner, form.of(spots), len(self.ways)).astype(float)

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

    def solve_whole(self, goal: float, nodes: int, seed: int) -> WholeAnswer:
        """Solve the program in whole numbers, by HiGHS; it is of no use afterwards.

        Parameters
        ----------
        goal : float
            Objective [W] from which on nothing matters: HiGHS leaves out what costs more, and what it
            says of its bound holds up to there.
        nodes : int
            Nodes of HiGHS's tree after which it ends.
        seed : int
        """
        highs, total = self._highs, self._first + len(self.ways)
        for column in self._spare:
            highs.changeColBounds(column, 0.0, 0.0)
        highs.changeColsIntegrality(total, np.arange(total, dtype=np.int32), np.ones(total, np.uint8))
        set_options(highs, {**_WHOLE, "random_seed": seed % 2**31, "mip_max_nodes": nodes})
        if np.isfinite(goal):
            set_options(highs, {"objective_bound": goal / self._scale})
        if self._clock.remaining_s is not None:
            set_options(highs, {"time_limit": highs.getRunTime() + self._clock.remaining_s})
        stop_when_large(highs)
        highs.run()
        facts, said = highs.getInfo(), highs.getModelStatus()
        times = None
        if facts.primal_solution_status == SolutionStatus.kSolutionStatusFeasible:
            times = np.rint(np.array(highs.getSolution().col_value)[self._first :])
        if said == HighsModelStatus.kInfeasible:
            return WholeAnswer(None, inf, True)
        return WholeAnswer(times, float(facts.mip_dual_bound) * self._scale, said == HighsModelStatus.kOptimal)

    def try_limit(self, limit: Limit, steps: int) -> float:
        """Return what the relaxation over the ways at hand would cost with one more limit, after so many steps.

        inf where that has no solution. The program stays as it is.
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
