"""Solve the master (eq. 24) in whole numbers over given columns, by HiGHS: the best joint deployment of them, a bound.

Over some columns the optimum is one more deployment. Over all columns of reduced cost below UB − LB it is the optimum
of the instance: a column c of reduced cost c̄_c at the prices of the bound LB (eq. 25) is in no solution below LB + c̄_c
(after Baldacci, Christofides, Mingozzi, Mathematical Programming 115, 2008).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import inf, isfinite
from typing import Any, NamedTuple

import highspy
import numpy as np
import psutil
from highspy import HighsModelStatus, MatrixFormat, ObjSense, SolutionStatus
from numpy.typing import NDArray

from finbench.fin_graph.joint.columns.master import Aim, Column
from finbench.fin_graph.joint.fin.improvement import Served
from finbench.fin_graph.joint.system import SharedSystem, Usage
from finbench.fin_graph.paths.arrays import Floats, Ints
from finbench.models.result import Clock
from finbench.models.silent_highs import SilentHighs, set_options
from finbench.models.tolerances import SMALLEST_COEFFICIENT, SOLVER_TOLERANCE

_OPTIONS: dict[str, float | bool | str] = {
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.0,
    "mip_feasibility_tolerance": SOLVER_TOLERANCE,
    "primal_feasibility_tolerance": SOLVER_TOLERANCE,
    "small_matrix_value": SMALLEST_COEFFICIENT,
    "threads": 1,
}

FIRST_MARGIN, WIDER = 1 / 16, 4
"""Margin of the first list of columns, as a part of what is open, and the factor from one margin to the next."""


MOST_BYTES = 3 * 2**29
"""Memory that the search may add to the process before it ends: its open nodes would take ever more."""


class Whole(NamedTuple):
    """What HiGHS says of the program in whole numbers."""

    served: Served | None
    """The best solution it found."""
    bound: float
    """Proven bound on the solutions over the given columns; inf where there is none."""


def whole_master(
    system: SharedSystem,
    columns: Sequence[Column],
    rows: Ints,
    room: Floats,
    scale: float,
    clock: Clock,
    *,
    seed: int,
    limit_s: float,
    aim: Aim = Aim.POWER,
    growing: Collection[int] | None = None,
) -> Whole:
    """Solve the master over `columns` in whole numbers.

    Parameters
    ----------
    system : SharedSystem
    columns : sequence of Column
    rows : ndarray
        Resources with a row (`master.scarce`).
    room : ndarray, shape (R,)
        b_r.
    scale : float
        Power that the objective is divided by.
    clock : Clock
    seed : int
    limit_s : float
        Seconds that the solver may take; less where the clock has less.
    aim : Aim
    growing : collection of int, optional
        Resources that may be overloaded under `Aim.OVERLOAD`; left out: all that have a row.

    Returns
    -------
    Whole
    """
    if not _everybody_has_one(system, columns):
        return Whole(None, inf)
    highs = SilentHighs()
    left = inf if clock.remaining_s is None else clock.remaining_s
    set_options(highs, {**_OPTIONS, "random_seed": seed % 2**31, "time_limit": min(limit_s, left)})
    loose = rows if growing is None else rows[np.isin(rows, list(growing))]
    _pass(highs, system, columns, rows, room[rows], scale, aim, loose)
    stop_when_large(highs)
    highs.run()
    facts, said = highs.getInfo(), highs.getModelStatus()
    if said == HighsModelStatus.kInfeasible:
        return Whole(None, inf)
    served = None
    if facts.primal_solution_status == SolutionStatus.kSolutionStatusFeasible:
        times = np.rint(np.array(highs.getSolution().col_value)[: len(columns)]).astype(int)
        served = _served(system, columns, times)
    proven = facts.objective_function_value if said == HighsModelStatus.kOptimal else facts.mip_dual_bound
    return Whole(served, float(proven) * (scale if aim.with_power else 1.0))


def stop_when_large(highs: SilentHighs) -> None:
    """End the search, with its incumbent and bound, once it takes more than `MOST_BYTES`."""
    process = psutil.Process()
    most = process.memory_info().rss + MOST_BYTES

    def look(event: Any) -> None:
        if process.memory_info().rss > most:
            event.interrupt()

    highs.cbMipInterrupt += look


def _everybody_has_one(system: SharedSystem, columns: Sequence[Column]) -> bool:
    """Return whether every group that must be served has a column."""
    served = {column.group for column in columns}
    return all(group.penalty is not None or g in served for g, group in enumerate(system.groups))


def _pass(
    highs: highspy.Highs,
    system: SharedSystem,
    columns: Sequence[Column],
    rows: Ints,
    room: Floats,
    scale: float,
    aim: Aim,
    loose: Ints,
) -> None:
    """Hand over the model: columns, rejections, then overloads of `loose` rows or the factor; `room` is the rows'."""
    groups, first = system.groups, len(system.groups)
    row_of = np.full(system.resources, -1, np.int32)
    row_of[rows] = first + np.arange(len(rows))
    entries: list[tuple[NDArray[Any], Floats]] = []
    for g, usage in columns:
        kept = row_of[usage.resources] >= 0
        indices = np.concatenate([[g], row_of[usage.resources[kept]]])
        entries.append((indices, np.concatenate([[1.0], usage.fractions[kept]])))
    rejectable = [g for g, group in enumerate(groups) if group.penalty is not None]
    entries += [(np.array([g]), np.ones(1)) for g in rejectable]
    sizes, whole = np.array([float(group.count) for group in groups]), len(entries)
    if aim is Aim.OVERLOAD:
        entries += [(np.array([row]), -np.ones(1)) for row in row_of[loose]]
    elif aim is Aim.FACTOR:
        entries.append((row_of[rows], -room))
    power = [*(usage.power for _, usage in columns), *(groups[g].penalty or 0.0 for g in rejectable)]
    growths = len(entries) - whole
    highs.passModel(
        len(entries),
        first + len(rows),
        sum(len(indices) for indices, _ in entries),
        int(MatrixFormat.kColwise),
        int(ObjSense.kMinimize),
        0.0,
        np.concatenate([np.array(power) / scale * aim.with_power, np.ones(growths)]),
        np.zeros(len(entries)),
        np.concatenate([sizes[[*(g for g, _ in columns), *rejectable]], np.full(growths, inf)]),
        np.concatenate([sizes, np.full(len(rows), -inf)]),
        np.concatenate([sizes, np.zeros(len(rows)) if aim is Aim.FACTOR else room]),
        np.cumsum([0, *(len(indices) for indices, _ in entries)]).astype(np.int32),
        np.concatenate([indices for indices, _ in entries]).astype(np.int32),
        np.concatenate([values for _, values in entries]),
        np.array([1] * whole + [0] * growths, np.int32),
    )


def _served(system: SharedSystem, columns: Sequence[Column], times: NDArray[np.int_]) -> Served:
    usages: list[list[Usage]] = [[] for _ in system.groups]
    for c in np.flatnonzero(times).tolist():
        usages[columns[c].group] += [columns[c].usage] * int(times[c])
    return list(zip(system.groups, usages, strict=True))


def rounded_down(bound: float) -> float:
    """Return a bound that came out of HiGHS less what its tolerances may have added."""
    return bound - SOLVER_TOLERANCE * abs(bound) if isfinite(bound) else bound
