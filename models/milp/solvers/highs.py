"""HiGHS through highspy: the fastest hand-over measured (Pyomo's standard form, passed as arrays).

HiGHS compares objectives and rows with absolute tolerances, so models must come scaled (`models.milp.rows`).
"""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from highspy import HighsModelStatus, HighsStatus, MatrixFormat, ObjSense, SolutionStatus
from pyomo.core.base import ConcreteModel

from finbench.models.milp.solvers.interface import Limits, SolverAnswer
from finbench.models.milp.solvers.standard_form import (
    StandardForm,
    UncheckedAnswer,
    checked_answer,
    expired,
    handed_over,
)
from finbench.models.result import Clock, Status
from finbench.models.silent_highs import SilentHighs, set_options
from finbench.models.tolerances import SMALLEST_COEFFICIENT, SOLVER_TOLERANCE
from finbench.models.trajectory import Trajectory

_TOLERANCES = {
    "mip_abs_gap": 0.0,
    "mip_feasibility_tolerance": SOLVER_TOLERANCE,
    "primal_feasibility_tolerance": SOLVER_TOLERANCE,
    # Coefficients at or below this are dropped from rows; its default, 1e-9, would lose latencies that add up.
    "small_matrix_value": SMALLEST_COEFFICIENT,
}

_STATUS = {
    HighsModelStatus.kOptimal: Status.OPTIMAL,
    HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    # Every variable is bounded, hence so is the objective.
    HighsModelStatus.kUnboundedOrInfeasible: Status.INFEASIBLE,
    HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
    HighsModelStatus.kMemoryLimit: Status.MEMORY_LIMIT,
}


def solve_with_highs(model: ConcreteModel, limits: Limits, clock: Clock) -> SolverAnswer:
    """Solve `model` with HiGHS (a `models.milp.solvers.interface.SolveProgram`).

    Raises
    ------
    ValueError
        If HiGHS does not accept one of the limits.
    """
    form = handed_over(model, clock)
    if isinstance(form, SolverAnswer):
        return form
    with clock.phase("handover"):
        highs = new_highs(limits)
        if HighsStatus.kError in (pass_model(highs, form), _pass_start(highs, form, limits)):
            return SolverAnswer(Status.ERROR, reason="HiGHS rejects the model or its warm start")
    if clock.expired:
        return expired("HiGHS")
    with clock.phase("solve"):
        if clock.remaining_s is not None:
            set_options(highs, {"time_limit": clock.remaining_s})
        trajectory = _followed(highs, clock)
        ran = highs.run()
    return checked_answer(_answer(highs, ran), form, limits, {"solver": f"HiGHS {highs.version()}"}, trajectory)


def _followed(highs: highspy.Highs, clock: Clock) -> Trajectory:
    """Return the trajectory of the run to come: at every incumbent, and wherever HiGHS asks whether to go on."""
    trajectory = Trajectory(clock)

    def note(event: Any) -> None:
        trajectory.note(event.data_out.mip_primal_bound, event.data_out.mip_dual_bound)

    highs.cbMipImprovingSolution += note
    highs.cbMipInterrupt += note
    return trajectory


def new_highs(limits: Limits) -> highspy.Highs:
    """Return a silent HiGHS with this package's tolerances and the limits but time."""
    highs = SilentHighs()
    set_options(highs, _TOLERANCES)
    set_options(highs, {"mip_rel_gap": limits.mip_gap, "threads": limits.threads, "random_seed": limits.seed % 2**31})
    if limits.careful:
        set_options(highs, {"presolve": "off"})
    return highs


def pass_model(highs: highspy.Highs, form: StandardForm) -> HighsStatus:
    """Hand the arrays over."""
    matrix = form.matrix
    passed: HighsStatus = highs.passModel(
        len(form.variables),
        len(form.constraints),
        matrix.nnz,
        int(MatrixFormat.kColwise),
        int(ObjSense.kMinimize),
        form.offset,
        form.cost,
        form.lower,
        form.upper,
        form.row_lower,
        form.row_upper,
        matrix.indptr,
        matrix.indices,
        matrix.data,
        form.integral.astype(np.int32),
    )
    return passed


def _pass_start(highs: highspy.Highs, form: StandardForm, limits: Limits) -> HighsStatus:
    if not limits.warm_start:
        return HighsStatus.kOk
    # HiGHS 1.16.0 maps a start wrongly into its presolved model and may then report it as optimal (1.15.1 does not).
    set_options(highs, {"presolve": "off"})
    start = highspy.HighsSolution()
    start.col_value = form.start
    taken: HighsStatus = highs.setSolution(start)
    return taken


def _answer(highs: highspy.Highs, ran: HighsStatus) -> UncheckedAnswer:
    facts, said = highs.getInfo(), highs.getModelStatus()
    found = facts.primal_solution_status == SolutionStatus.kSolutionStatusFeasible
    return UncheckedAnswer(
        status=Status.ERROR if ran == HighsStatus.kError else _STATUS.get(said, Status.ERROR),
        words=f"HiGHS: {highs.modelStatusToString(said)}",
        columns=np.asarray(highs.getSolution().col_value) if found else None,
        bound=facts.mip_dual_bound,
        node_count=max(0, facts.mip_node_count),
    )
