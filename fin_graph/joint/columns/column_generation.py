"""`column-generation`: applications that share a system, by Dantzig–Wolfe decomposition (eqs. 24, 25).

1. Column generation solves the relaxation over all deployments; it has a proven bound at any time (`relaxation`).
2. Joint deployments come from its solutions, rounded, repaired and improved (`incumbent`), and from the master in whole
   numbers over the columns at hand (`restricted`).
3. Columns whose reduced cost exceeds what is open between bound and deployment are in no better one. Where the others
   can be listed, the master in whole numbers over them proves the optimum (`restricted`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf, isfinite
from typing import Any

import numpy as np

from finbench.fin_graph.joint.columns.incumbent import Incumbent
from finbench.fin_graph.joint.columns.master import Aim, Column, Relaxed
from finbench.fin_graph.joint.columns.pricing import load_pricing
from finbench.fin_graph.joint.columns.refusals import infeasible_alone_reason, overload_reason, rejection_reasons
from finbench.fin_graph.joint.columns.relaxation import Relaxation
from finbench.fin_graph.joint.columns.restricted import FIRST_MARGIN, WIDER, Whole, rounded_down, whole_master
from finbench.fin_graph.joint.fin.improvement import Served
from finbench.fin_graph.joint.fin.occupancy import Occupancy
from finbench.fin_graph.joint.system import SharedSystem, joint_deployment, resource_name
from finbench.fin_graph.options import ColumnGenerationOptions
from finbench.fin_graph.paths.arrays import Floats, Ints
from finbench.models.instance import Instance, Network
from finbench.models.news import News, tell
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import COLUMN_GAP, EVALUATOR_SLACK, FLOAT_NOISE

_DEAREST = 4
"""Number of times that overload may be made dearer."""

MOST_COLUMNS = 60_000
"""Columns above which no more are listed."""

_WIDEST = 1e3
"""Margin in bounds from which everything is listed where there is no incumbent."""

_RELAXATION_PART = 0.6
"""Part of the time limit after which the relaxation ends, closed or not."""

_ROUNDING_PERIOD = 15
"""Iterations between two roundings."""

SHORT_PART, _LONG_PART = 0.1, 0.8
"""Parts of the time left for the master in whole numbers over the columns at hand, before the proof and after it."""

_LISTING_PART = 0.4
"""Part of the time left for listing columns."""

_UNLIMITED_S = 60.0
"""Time left, as assumed where there is no limit [s]."""

_MOVES = 10_000
"""Moves of each improvement at most."""


def supports(instance: Instance, options: ColumnGenerationOptions = ColumnGenerationOptions()) -> str | None:  # noqa: ARG001
    """Return None: every instance is supported."""
    return None


def solve(
    instance: Instance,
    options: ColumnGenerationOptions = ColumnGenerationOptions(),
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
) -> Result:
    """Place all applications of `instance`.

    Parameters
    ----------
    instance : Instance
    options : ColumnGenerationOptions
    time_limit_s : float or None
        Limit for the whole run [s].
    seed : int
        Seed of FIN's improvement and of HiGHS.

    Returns
    -------
    Result
        Phases `load`, `build`, `relaxation`, `rounding`, `whole`, `listing`; info `groups`, `iterations`, `columns`,
        `relaxation_bound`, `trajectory` (time, incumbent, bound), `prices` of whole resources [W], `rejected` with
        reasons.
    """
    clock = Clock(time_limit_s)
    with clock.phase("load"):
        load_pricing()
    with clock.phase("build"):
        run = ColumnRun(instance, clock, seed, options.smoothing, reachable=True)
    if run.relaxation.unservable:
        reason = infeasible_alone_reason(instance, run.relaxation, run.relaxation.unservable[0])
        return Result(Status.INFEASIBLE, reason=reason, times_s=clock.times_s)
    run.generate()
    if not run.infeasible:
        run.finish(options.prove)
    return run.result()


class ColumnRun:
    """One run: relaxation, incumbent, and the best bound.

    Parameters
    ----------
    instance : Instance
    clock : Clock
    seed : int
    smoothing : bool
        As in `ColumnGenerationOptions`.
    gap : float
        Relative gap at which the bound proves the incumbent.
    reachable : bool
        As of `SharedSystem.of`.
    """

    def __init__(
        self,
        instance: Instance,
        clock: Clock,
        seed: int,
        smoothing: bool = True,
        gap: float = COLUMN_GAP,
        *,
        reachable: bool = False,
    ) -> None:
        self._instance, self.clock, self.seed = instance, clock, seed
        self._gap = gap
        self.system = SharedSystem.of(instance, reachable=reachable)
        self.relaxation = Relaxation(self.system, clock, smoothing=smoothing)
        self.incumbent = Incumbent(self.system, seed, clock)
        self.bound = self.relaxation.bound.safe
        self.relaxed: Relaxed | None = None
        self._trajectory: list[tuple[float, float | None, float | None]] = []
        self.infeasible: str | None = None

    @property
    def closed(self) -> bool:
        """Whether the bound proves that the incumbent is optimal."""
        objective = self.incumbent.objective
        return objective < inf and objective - self.bound <= self._gap * abs(objective)

    def generate(self) -> None:
        """Solve the relaxation, and prove infeasibility where it has no solution."""
        with self.clock.phase("rounding"):
            self.incumbent.insert(self.clock)
            self.note()
        with self.clock.phase("relaxation"):
            self.relaxed = self.relaxation.solve(stop=self._stop)
            self._keep_bound()
            for _ in range(_DEAREST):
                if not self._overloaded(self.relaxed):
                    break
                self._settle_overload()
        if self.relaxation.unservable:
            self.infeasible = infeasible_alone_reason(self._instance, self.relaxation, self.relaxation.unservable[0])
            self.relaxed = None
        self.note()

    def _overloaded(self, relaxed: Relaxed | None) -> bool:
        """Return whether a solution of the relaxation that is its optimum overloads a resource."""
        return relaxed is not None and bool(relaxed.overload.any()) and self.relaxation.closed(relaxed)

    def _settle_overload(self) -> None:
        """Prove that the relaxation must overload something, or make overload dearer and solve it again."""
        relaxation = self.relaxation
        overloaded = relaxation.solve(Aim.OVERLOAD, stop=lambda relaxed: relaxed.value <= FLOAT_NOISE)
        bound = relaxation.bound
        if bound.safe > EVALUATOR_SLACK * float(bound.prices.sum()):
            taken = np.zeros(self.system.resources) if overloaded is None else overloaded.overload
            self.infeasible = overload_reason(self._instance, relaxation, bound, taken)
            self.relaxed = None
            return
        relaxation.master.dearer()
        self.relaxed = relaxation.solve(Aim.POWER, stop=self._stop)
        self._keep_bound()

    def _stop(self, relaxed: Relaxed) -> bool:
        """Keep what a solution of the master proves, round it now and then, and return whether to end early."""
        self._keep_bound()
        if self.relaxation.iterations % _ROUNDING_PERIOD == 0:
            self.incumbent.round(relaxed, self.relaxation.master.columns, self.clock)
        self.note()
        left = self.clock.remaining_s
        spent = self.clock.elapsed_s
        return self.closed or (left is not None and spent > _RELAXATION_PART * (spent + left))

    def _keep_bound(self) -> None:
        self.bound = max(self.bound, self.relaxation.bound.safe)

    def note(self) -> None:
        """Write down the incumbent and the bound where one has changed, and tell whoever listens."""
        objective = self.incumbent.objective
        known = self.clock.elapsed_s, objective if objective < inf else None, self.bound
        if not self._trajectory or self._trajectory[-1][1:] != known[1:]:
            self._trajectory.append(known)
            served = self.incumbent.served
            made = None if served is None else partial(joint_deployment, served)
            tell(News(known[1], min(self.bound, objective), made))

    def finish(self, prove: bool) -> None:
        """Round, improve, and prove what can be proven."""
        if self.relaxed is None or self.closed:
            return
        with self.clock.phase("rounding"):
            self.improve(self.incumbent.round(self.relaxed, self.relaxation.master.columns, self.clock))
        self.solve_whole(SHORT_PART)
        if prove:
            self._prove()
        self.solve_whole(_LONG_PART)

    def improve(self, occupancy: Occupancy) -> None:
        """Improve an occupancy by FIN's moves at the relaxation's prices, and offer what comes of it."""
        self.incumbent.improve(occupancy, self.relaxation.bound.prices, self.clock, _MOVES)
        self.note()

    def solve_whole(self, part: float) -> None:
        """Solve the master in whole numbers over the columns at hand, for a part of the time left, and improve."""
        if self.closed or self.clock.expired:
            return
        left = self.clock.remaining_s
        with self.clock.phase("whole"):
            self._offer_whole(self.relaxation.master.columns, part * (_UNLIMITED_S if left is None else left))
        occupancy = self.incumbent.occupancy()
        if occupancy is not None and not self.closed:
            with self.clock.phase("rounding"):
                self.improve(occupancy)

    def _whole(self, columns: Sequence[Column], rows: Ints, limit_s: float) -> Whole:
        relaxation = self.relaxation
        return whole_master(
            self.system,
            columns,
            rows,
            relaxation.room,
            relaxation.master.scale,
            self.clock,
            seed=self.seed,
            limit_s=limit_s,
        )

    def _prove(self) -> None:
        """Solve over all columns of reduced cost below a margin, and widen it until the incumbent lies within.

        A solution that uses any other column lies the margin or more above the bound. Rows that do not bind are left
        out until a solution overloads them: columns that differ in such rows alone are one column.
        """
        if not isfinite(self._proven):
            return
        rows, margin = np.flatnonzero(self.relaxation.bound.prices).astype(np.int32), FIRST_MARGIN * self._open
        last: Sequence[Column] | None = None
        while not self.closed and not self.clock.expired:
            margin = self._rounded_up(margin)
            with self.clock.phase("listing"):
                columns = self._listed(margin, rows)
            if columns is None:
                # What could be listed may still hold a better incumbent, and that narrows the next list.
                if last is None or not self._offer_whole(last, inf):
                    return
                last = None
                continue
            last, missing = columns, self._solve_listed(columns, rows, margin)
            if len(missing):
                rows = np.union1d(rows, missing).astype(np.int32)
            elif margin >= (inf if self.incumbent.served is None else self._open):
                return  # All that matters was listed: the solver proved it, ended early, or what it found does not fit.
            else:
                margin *= WIDER

    @property
    def _proven(self) -> float:
        """The bound that reduced costs belong to."""
        return self.relaxation.bound.safe

    @property
    def _open(self) -> float:
        """What lies between that bound and the incumbent; without one, the bound itself stands for it."""
        if self.incumbent.served is None:
            return abs(self._proven)
        return self.incumbent.objective - self._proven

    def _rounded_up(self, margin: float) -> float:
        """Return the margin, or where the next one would be wide enough, one below which nothing is left out."""
        if self.incumbent.served is None:
            return inf if margin >= _WIDEST * self._open else margin
        return self._open if margin * WIDER > self._open else margin

    def _solve_listed(self, columns: Sequence[Column], rows: Ints, margin: float) -> Ints:
        """Solve over all columns of reduced cost below a margin, and keep what that finds and proves.

        Returns
        -------
        ndarray
            Resources without a row that the solution overloads.
        """
        with self.clock.phase("whole"):
            found = self._whole(columns, rows, inf)
        overfull = self._overfull(found.served)
        if found.served is not None and not len(overfull):
            self.incumbent.offer(found.served)
        proven = min(self.incumbent.objective, found.bound, self._proven + margin)
        if proven < inf:
            self.bound = max(self.bound, rounded_down(proven))
        else:
            self.infeasible = "no choice of one deployment for each application fits, only fractions of several"
        self.note()
        return np.setdiff1d(overfull, rows).astype(np.int32)

    def _offer_whole(self, columns: Sequence[Column], limit_s: float) -> bool:
        """Offer the best solution over `columns`, and return whether it is the new incumbent."""
        found = self._whole(columns, self.relaxation.master.rows, limit_s)
        better = found.served is not None and self.incumbent.offer(found.served)
        self.note()
        return better

    def _overfull(self, served: Served | None) -> Ints:
        """Return the resources that a joint deployment overloads."""
        room = self.system.empty_room()
        for _, usages in served or []:
            for usage in usages:
                usage.take(room)
        return np.flatnonzero(room < -EVALUATOR_SLACK).astype(np.int32)

    def _listed(self, margin: float, rows: Ints) -> list[Column] | None:
        """Return columns of reduced cost below `margin` that none dominates in `rows`; None where they are too many."""
        bound, columns = self.relaxation.bound, list[Column]()
        left = self.clock.remaining_s
        clock = Clock(_UNLIMITED_S if left is None else _LISTING_PART * left)
        for g, group in enumerate(self.system.groups):
            if not self.relaxation.pricer.servable(g):
                continue
            limit = min(bound.least[g], inf if group.penalty is None else group.penalty) + margin
            usages = self.relaxation.pricer.within(g, bound.prices, limit, rows)
            if usages is None or len(columns) > MOST_COLUMNS or clock.expired:
                return None
            columns += [Column(g, usage) for usage in usages]
        return columns

    def result(self) -> Result:
        """Return the result: the incumbent, the bound, prices, and why applications are rejected."""
        clock, objective, relaxation = self.clock, self.incumbent.objective, self.relaxation
        info: dict[str, Any] = {
            "groups": len(self.system.groups),
            "iterations": relaxation.iterations,
            "columns": len(relaxation.master.columns),
            "rows": len(relaxation.master.rows),
            "trajectory": [list(step) for step in self._trajectory],
        }
        if self.infeasible is not None:
            return Result(Status.INFEASIBLE, reason=self.infeasible, times_s=clock.times_s, info=info)
        expired = "time limit reached" if clock.expired else None
        info["prices"] = named_prices(self._instance.network, relaxation.bound.prices)
        occupancy = self.incumbent.occupancy()
        if occupancy is None:
            status = Status.TIME_LIMIT if expired else Status.NO_SOLUTION
            reason = expired or "no deployment of all applications was found"
            return Result(status, lower_bound=self.bound, reason=reason, times_s=clock.times_s, info=info)
        info["rejected"] = rejection_reasons(
            self._instance, relaxation, occupancy, self.incumbent.alone, relaxation.bound.prices
        )
        status = Status.OPTIMAL if self.closed else Status.TIME_LIMIT if expired else Status.FEASIBLE
        return Result(
            status,
            joint_deployment(occupancy.served()),
            claimed_objective=objective,
            lower_bound=min(self.bound, objective),
            reason=None if status is Status.OPTIMAL else expired,
            times_s=clock.times_s,
            info=info,
        )


def named_prices(network: Network, prices: Floats) -> list[dict[str, Any]]:
    """Return the prices of whole resources that are not 0 [W], the dearest first."""
    named = []
    for r in np.argsort(-prices, kind="stable").tolist():
        if prices[r] > 0:
            kind, subject = resource_name(network, r)
            named.append({"resource": kind, "subject": subject, "price_w": float(prices[r])})
    return named
