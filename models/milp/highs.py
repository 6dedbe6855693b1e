"""HiGHS through highspy: the fastest hand-over measured (Pyomo's standard form, passed as arrays).

HiGHS compares objectives and rows with absolute tolerances, so models must come scaled (`models.milp.rows`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import highspy
import numpy as np
import scipy.sparse  # noqa: F401 (Pyomo imports it on first use, within the time of a hand-over)
from highspy import HighsModelStatus, HighsStatus, MatrixFormat, ObjSense, SolutionStatus
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.core.base import ConcreteModel
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler, LinearStandardFormInfo

from models.milp.solver import EQUAL, Limits, Outcome
from models.result import Clock, Status

_TOLERANCES = {
    "mip_abs_gap": 0.0,
    "mip_feasibility_tolerance": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
    # Coefficients at or below this are dropped from rows; its default, 1e-9, would lose latencies that add up.
    "small_matrix_value": 1e-12,
}

_STATUS = {
    HighsModelStatus.kOptimal: Status.OPTIMAL,
    HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    # Every variable is bounded, hence so is the objective.
    HighsModelStatus.kUnboundedOrInfeasible: Status.INFEASIBLE,
    HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
    HighsModelStatus.kMemoryLimit: Status.MEMORY_LIMIT,
}


def solve_with_highs(model: ConcreteModel, limits: Limits, clock: Clock) -> Outcome:
    """Solve `model` with HiGHS (a `models.milp.solver.Backend`).

    Raises
    ------
    ValueError
        If HiGHS does not accept one of the limits.
    """
    with clock.phase("handover"):
        try:
            form = LinearStandardFormCompiler().write(model, mixed_form=True)
        except InfeasibleConstraintException as error:
            return Outcome(Status.INFEASIBLE, reason=str(error))
        highs = new_highs(limits)
        if HighsStatus.kError in (pass_model(highs, form), _pass_start(highs, form, limits)):
            return Outcome(Status.ERROR, reason="HiGHS rejects the model or its warm start")
    if clock.expired:
        return Outcome(Status.TIME_LIMIT, reason="the time limit passed before HiGHS could start")
    with clock.phase("solve"):
        if clock.remaining_s is not None:
            _set_options(highs, {"time_limit": clock.remaining_s})
        ran = highs.run()
    return _outcome(highs, form, ran, limits)


class _SilentHighs(highspy.Highs):  # type: ignore[misc]
    """HiGHS that prints nothing: its constructor enables callbacks, which prints a banner unless told before."""

    def enableCallbacks(self) -> None:  # noqa: N802
        _set_options(self, {"output_flag": False})
        super().enableCallbacks()


def new_highs(limits: Limits) -> highspy.Highs:
    """A silent HiGHS with this suite's tolerances and the given limits."""
    # Threads live per process: with another number than the last run's, HiGHS would return without solving.
    highspy.Highs.resetGlobalScheduler(True)
    highs = _SilentHighs()
    _set_options(highs, _TOLERANCES)
    _set_options(highs, {"mip_rel_gap": limits.mip_gap, "threads": limits.threads, "random_seed": limits.seed % 2**31})
    return highs


def _set_options(highs: highspy.Highs, options: Mapping[str, float | bool | str]) -> None:
    for name, value in options.items():
        if highs.setOptionValue(name, value) != HighsStatus.kOk:
            raise ValueError(f"HiGHS does not accept {name} = {value!r}")


def pass_model(highs: highspy.Highs, form: LinearStandardFormInfo) -> HighsStatus:
    """Hand a program over as arrays."""
    matrix, rhs = form.A, np.array(form.rhs, dtype=np.float64)
    kind = np.array([row.bound_type for row in form.rows])  # 1: ≤, 0: =, −1: ≥
    bounds = np.array([variable.bounds for variable in form.columns], dtype=np.float64).reshape(-1, 2)
    integral = np.array([variable.is_integer() for variable in form.columns], dtype=np.int32)
    passed: HighsStatus = highs.passModel(
        len(form.columns),
        len(form.rows),
        matrix.nnz,
        int(MatrixFormat.kColwise),
        int(ObjSense.kMinimize),
        float(form.c_offset[0]),
        form.c.toarray().ravel(),
        bounds[:, 0],
        bounds[:, 1],
        np.where(kind == 1, -np.inf, rhs),
        np.where(kind == -1, np.inf, rhs),
        matrix.indptr,
        matrix.indices,
        matrix.data,
        integral,
    )
    return passed


def _pass_start(highs: highspy.Highs, form: LinearStandardFormInfo, limits: Limits) -> HighsStatus:
    if not limits.warm_start:
        return HighsStatus.kOk
    # HiGHS 1.16.0 maps a start wrongly into its presolved model and may then report it as optimal (1.15.1 does not).
    _set_options(highs, {"presolve": "off"})
    start = highspy.HighsSolution()
    start.col_value = [variable.value or 0.0 for variable in form.columns]
    taken: HighsStatus = highs.setSolution(start)
    return taken


def _outcome(highs: highspy.Highs, form: LinearStandardFormInfo, ran: HighsStatus, limits: Limits) -> Outcome:
    facts, said = highs.getInfo(), highs.getModelStatus()
    status = Status.ERROR if ran == HighsStatus.kError else _STATUS.get(said, Status.ERROR)
    reason = f"HiGHS: {highs.modelStatusToString(said)}"
    found = facts.primal_solution_status == SolutionStatus.kSolutionStatusFeasible
    objective = facts.objective_function_value if found else None
    bound = facts.mip_dual_bound if math.isfinite(facts.mip_dual_bound) else None
    if status is Status.OPTIMAL:
        status, reason = _checked(objective, bound, limits.mip_gap, reason)
    return Outcome(
        status=status,
        objective=objective,
        bound=bound,
        gap=facts.mip_gap if math.isfinite(facts.mip_gap) else None,
        node_count=max(0, facts.mip_node_count),
        values=_nonzero_values(highs, form) if found else None,
        reason=reason,
        info={"solver": f"HiGHS {highs.version()}", "rows": len(form.rows), "columns": len(form.columns)},
    )


def _nonzero_values(highs: highspy.Highs, form: LinearStandardFormInfo) -> tuple[tuple[Any, float], ...]:
    column = np.asarray(highs.getSolution().col_value)
    return tuple((form.columns[j], float(column[j])) for j in np.flatnonzero(column))


def _checked(objective: float | None, bound: float | None, mip_gap: float, reason: str) -> tuple[Status, str]:
    """Believe "optimal" only where the bound agrees with the objective."""
    if objective is None or bound is None:
        return Status.ERROR, f"{reason}, but without solution or bound"
    gap = abs(objective - bound) / max(abs(objective), 1.0)
    if gap <= EQUAL:
        return Status.OPTIMAL, reason
    if gap <= mip_gap * (1 + EQUAL):
        return Status.FEASIBLE, reason
    return Status.ERROR, f"{reason}, but objective {objective:.9g} and bound {bound:.9g} differ"
