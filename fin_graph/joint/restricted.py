"""The master (eq. 24) in whole numbers over given columns, by HiGHS.

Over some columns its optimum is one solution more. Over all columns of reduced cost below UB − LB it proves the
optimum: a column c of reduced cost c̄_c at the prices of the bound LB (eq. 25) is in no solution below LB + c̄_c (after
Baldacci, Christofides, Mingozzi, Mathematical Programming 115, 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import highspy
import numpy as np
from highspy import HighsModelStatus, MatrixFormat, ObjSense, SolutionStatus
from numpy.typing import NDArray

from fin_graph.arrays import Floats, Ints
from fin_graph.joint.master import Column
from fin_graph.joint.improvement import Served
from fin_graph.joint.system import System, Usage
from models.result import Clock
from models.silent_highs import SilentHighs, set_options

_OPTIONS: dict[str, float | bool | str] = {
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.0,
    "mip_feasibility_tolerance": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
    "threads": 1,
}


class Whole(NamedTuple):
    """What HiGHS says of the program in whole numbers."""

    served: Served | None
    """The best solution it found."""
    bound: float
    """Proven bound on the solutions over the given columns; inf where there is none."""


def whole_master(
    system: System, columns: Sequence[Column], rows: Ints, scale: float, clock: Clock, *, seed: int, limit_s: float
) -> Whole:
    """Solve the master over `columns` in whole numbers.

    Parameters
    ----------
    system : System
    columns : sequence of Column
    rows : ndarray
        Resources with a row (`master.scarce`).
    scale : float
        Power that the objective is divided by.
    clock : Clock
    seed : int
    limit_s : float
        Seconds that the solver may take; less where the clock has less.

    Returns
    -------
    Whole
    """
    # Threads live per process: with another number than the last run's, HiGHS would return without solving.
    highspy.Highs.resetGlobalScheduler(True)
    highs = SilentHighs()
    left = inf if clock.remaining_s is None else clock.remaining_s
    set_options(highs, {**_OPTIONS, "random_seed": seed % 2**31, "time_limit": min(limit_s, left)})
    _pass(highs, system, columns, rows, scale)
    highs.run()
    facts, said = highs.getInfo(), highs.getModelStatus()
    if said == HighsModelStatus.kInfeasible:
        return Whole(None, inf)
    served = None
    if facts.primal_solution_status == SolutionStatus.kSolutionStatusFeasible:
        times = np.rint(np.array(highs.getSolution().col_value)[: len(columns)]).astype(int)
        served = _served(system, columns, times)
    proven = facts.objective_function_value if said == HighsModelStatus.kOptimal else facts.mip_dual_bound
    return Whole(served, float(proven) * scale)


def _pass(highs: highspy.Highs, system: System, columns: Sequence[Column], rows: Ints, scale: float) -> None:
    groups = system.groups
    row_of = np.full(system.resources, -1, np.int32)
    row_of[rows] = len(groups) + np.arange(len(rows))
    indices, values, starts = list[Floats](), list[Floats](), [0]
    for g, usage in columns:
        kept = row_of[usage.resources] >= 0
        indices.append(np.concatenate([[g], row_of[usage.resources[kept]]]))
        values.append(np.concatenate([[1.0], usage.fractions[kept]]))
        starts.append(starts[-1] + len(values[-1]))
    rejectable = [g for g, group in enumerate(groups) if group.penalty is not None]
    starts += [starts[-1] + k + 1 for k in range(len(rejectable))]
    count, sizes = len(columns) + len(rejectable), np.array([float(group.count) for group in groups])
    highs.passModel(
        count,
        len(groups) + len(rows),
        starts[-1],
        int(MatrixFormat.kColwise),
        int(ObjSense.kMinimize),
        0.0,
        np.array([*(usage.power for _, usage in columns), *(groups[g].penalty for g in rejectable)], float) / scale,
        np.zeros(count),
        sizes[[*(g for g, _ in columns), *rejectable]],
        np.concatenate([sizes, np.full(len(rows), -inf)]),
        np.concatenate([sizes, np.ones(len(rows))]),
        np.array(starts, np.int32),
        np.concatenate([*indices, rejectable]).astype(np.int32),
        np.concatenate([*values, np.ones(len(rejectable))]),
        np.ones(count, np.int32),
    )


def _served(system: System, columns: Sequence[Column], times: NDArray[np.int_]) -> Served:
    usages: list[list[Usage]] = [[] for _ in system.groups]
    for c in np.flatnonzero(times):
        usages[columns[c].group] += [columns[c].usage] * int(times[c])
    return list(zip(system.groups, usages, strict=True))

