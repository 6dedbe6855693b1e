"""`branch-price-and-cut`: applications that share a system, to a proven optimum (eqs. 24, 25).

1. Column generation solves the relaxation over all deployments, and FIN's moves make a first incumbent
   (`fin_graph.joint.columns`).
2. Cover inequalities of the resources' rows raise the relaxation's value (`covers`, `passing`); spots that no better
   joint deployment uses are closed (`fixing`). A program in whole numbers over the columns of least reduced cost makes
   incumbents (`closing`).
3. The rest is divided: blocks are bound to places or kept from them (`branch`), by strong branching (`choosing`).
   Every branch has its relaxation solved by column generation again (`relaxing`, `pricing`); those that hold nothing
   better than the incumbent are left (`tree`).
4. Where the columns that something better could use can be listed, a program in whole numbers over them closes the
   branch (`closing`).

The scheme is that of Barnhart, Johnson, Nemhauser, Savelsbergh, Vance, Operations Research 46, 1998.
"""

from __future__ import annotations

from dataclasses import replace

import psutil

from finbench.fin_graph.joint.branching.branch import root
from finbench.fin_graph.joint.branching.closing import Closing
from finbench.fin_graph.joint.branching.covers import CoverSeparation
from finbench.fin_graph.joint.branching.fixing import load_branching
from finbench.fin_graph.joint.branching.passing import PassingDemands
from finbench.fin_graph.joint.branching.program import Resources
from finbench.fin_graph.joint.branching.relaxing import BranchRelaxation, Outcome
from finbench.fin_graph.joint.branching.spots import Spots
from finbench.fin_graph.joint.branching.tree import Incumbents, Tree
from finbench.fin_graph.joint.columns.column_generation import ColumnRun
from finbench.fin_graph.joint.columns.master import Column, Relaxed
from finbench.fin_graph.joint.columns.refusals import infeasible_alone_reason
from finbench.fin_graph.joint.fin.improvement import Served
from finbench.fin_graph.options import BranchingOptions
from finbench.models.instance import Instance
from finbench.models.memory import PLANNED_PART, available_bytes, reason_not_to_fit
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import BRANCHING_GAP

MOST_BYTES = 3 * 2**29
"""Memory that the tree may add to the process before it ends, where so much is available."""

BYTES_PER_SPOT = 300
"""Peak memory of all that is kept of a spot: prices, demands, what is closed."""

_ROUNDED_EVERY = 10
"""Branches between two roundings."""

_MOVES = 200
"""Moves of FIN's improvement after each rounding: programs in whole numbers make better incumbents."""


def supports(instance: Instance, options: BranchingOptions = BranchingOptions()) -> str | None:  # noqa: ARG001
    """Return None: every instance is supported."""
    return None


def solve(
    instance: Instance,
    options: BranchingOptions = BranchingOptions(),
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
) -> Result:
    """Place all applications of `instance`.

    Parameters
    ----------
    instance : Instance
    options : BranchingOptions
    time_limit_s : float or None
        Limit for the whole run [s].
    seed : int
        Seed of FIN's improvement and of HiGHS.

    Returns
    -------
    Result
        As that of `column-generation`; phases `tree`, info `nodes` (branches
        visited), `cuts`, `closed_spots` and `closed_by_lists` (branches) beside.
    """
    clock = Clock(time_limit_s)
    with clock.phase("load"):
        load_branching()
    with clock.phase("build"):
        run = ColumnRun(instance, clock, seed, gap=BRANCHING_GAP)
        spots = Spots(run.system)
    no_room = reason_not_to_fit(BYTES_PER_SPOT * spots.total)
    if no_room is not None:
        return Result(Status.MEMORY_LIMIT, reason=no_room, times_s=clock.times_s)
    if run.relaxation.unservable:
        reason = infeasible_alone_reason(instance, run.relaxation, run.relaxation.unservable[0])
        return Result(Status.INFEASIBLE, reason=reason, times_s=clock.times_s)
    run.generate()
    if run.infeasible or run.closed or run.relaxed is None:
        return _counted(run, None)
    with clock.phase("rounding"):
        occupancy = run.incumbent.round(run.relaxed, run.relaxation.master.columns, clock)
        run.incumbent.improve(occupancy, run.relaxation.bound.prices, clock, _MOVES)
        run.note()
    branching = _Branching(run, spots, options)
    branching.explore()
    return _counted(run, branching)


class _Branching:
    """One run of the tree on top of one of column generation."""

    def __init__(self, run: ColumnRun, spots: Spots, options: BranchingOptions) -> None:
        self._run, master = run, run.relaxation.master
        resources = Resources.of(master.rows, run.relaxation.room)
        self.relaxation = BranchRelaxation(spots, resources, master.scale, run.clock)
        for g, usage in master.columns:
            self.relaxation.keep(spots.way(g, usage))
        for g, (_, usages) in enumerate(run.incumbent.served or []):
            for usage in usages:
                self.relaxation.keep(spots.way(g, usage))
        passing = PassingDemands(self.relaxation.pricer)
        covers = CoverSeparation(spots, master.rows, run.relaxation.room, passing) if options.cuts else None
        incumbents = Incumbents(lambda: run.incumbent.objective, self._offer, self._round, self._note)
        closing = Closing(self.relaxation, run.seed) if options.lists else None
        self.tree = Tree(self.relaxation, covers, closing, root(run.system.groups, run.bound), incumbents)
        self._most = psutil.Process().memory_info().rss + min(MOST_BYTES, PLANNED_PART * available_bytes())
        self.full = False
        """Whether the tree ended because of its memory."""

    def explore(self) -> None:
        """Visit branches until the incumbent is proven, or a limit is met."""
        run = self._run
        if run.closed:
            return
        with run.clock.phase("tree"):
            self.tree.explore(self._stop)
        self._note(self.tree.bound)
        if run.incumbent.served is None and self.tree.bound >= self.tree.cutoff:
            run.infeasible = "no choice of one deployment for each application fits, only fractions of several"

    def _stop(self) -> bool:
        self.full = psutil.Process().memory_info().rss > self._most
        return self._run.clock.expired or self.full

    def _offer(self, served: Served) -> bool:
        better = self._run.incumbent.offer(served)
        if better:
            self._run.note()
        return better

    def _note(self, bound: float) -> None:
        self._run.bound = max(self._run.bound, min(bound, self._run.incumbent.objective))
        self._run.note()

    def _round(self, outcome: Outcome) -> None:
        """Round a branch's solution now and then, and improve what comes of it."""
        run, solved = self._run, outcome.solved
        if solved is None or (self.tree.visits - 1) % _ROUNDED_EVERY:
            return
        columns = [Column(way.group, way.usage) for way in outcome.program.ways]
        relaxed = Relaxed(solved.value, solved.prices, solved.served, solved.times, solved.prices * 0)
        occupancy = run.incumbent.round(relaxed, columns, run.clock)
        run.incumbent.improve(occupancy, solved.prices, run.clock, _MOVES)
        for g, (_, usages) in enumerate(run.incumbent.served or []):
            for usage in usages:
                self.relaxation.keep(self.relaxation.spots.way(g, usage))


def _counted(run: ColumnRun, branching: _Branching | None) -> Result:
    """Return the run's result, with what the tree took."""
    result = run.result()
    facts = {"nodes": 0, "cuts": 0, "closed_spots": 0, "closed_by_lists": 0}
    if branching is not None:
        tree = branching.tree
        facts = {
            "nodes": tree.visits,
            "cuts": len(branching.relaxation.cuts),
            "closed_spots": tree.fixed,
            "closed_by_lists": tree.closed,
        }
        if branching.full and result.status is not Status.OPTIMAL:
            reason = "the tree ended before it took more memory than is available"
            result = replace(result, status=Status.MEMORY_LIMIT, reason=reason)
    return replace(result, info={**result.info, **facts})
