"""CPLEX through its Python interface (`finbench[cplex]`), handed over as sparse rows.

Without a licence CPLEX takes at most 1,000 variables and 1,000 rows.
"""

from __future__ import annotations

import cplex
import numpy as np
from cplex.exceptions import CplexSolverError
from cplex.exceptions.error_codes import CPXERR_RESTRICTED_VERSION
from pyomo.core.base import ConcreteModel

from finbench.models.milp.solvers.interface import Limits, SolverAnswer
from finbench.models.milp.solvers.standard_form import (
    StandardForm,
    UncheckedAnswer,
    beyond_licence,
    checked_answer,
    expired,
    handed_over,
)
from finbench.models.result import Clock, Status
from finbench.models.tolerances import SOLVER_TOLERANCE


def solve_with_cplex(model: ConcreteModel, limits: Limits, clock: Clock) -> SolverAnswer:
    """Solve `model` with CPLEX (a `models.milp.solvers.interface.SolveProgram`)."""
    form = handed_over(model, clock)
    if isinstance(form, SolverAnswer):
        return form
    with cplex.Cplex() as solver:
        try:
            with clock.phase("handover"):
                _load(solver, form, limits)
            if clock.expired:
                return expired("CPLEX")
            with clock.phase("solve"):
                if clock.remaining_s is not None:
                    solver.parameters.timelimit.set(clock.remaining_s)
                solver.solve()
        except CplexSolverError as error:
            if error.args[2] == CPXERR_RESTRICTED_VERSION:
                return beyond_licence("CPLEX", form)
            raise
        return checked_answer(_answer(solver), form, limits, {"solver": f"CPLEX {solver.get_version()}"})


def _load(solver: cplex.Cplex, form: StandardForm, limits: Limits) -> None:
    for stream in (
        solver.set_log_stream,
        solver.set_results_stream,
        solver.set_warning_stream,
        solver.set_error_stream,
    ):
        stream(None)
    _set_limits(solver, limits)
    integral, continuous = solver.variables.type.integer, solver.variables.type.continuous
    solver.variables.add(
        obj=form.cost.tolist(),
        lb=form.lower.tolist(),
        ub=form.upper.tolist(),
        types=[integral if whole else continuous for whole in form.integral],
    )
    solver.objective.set_offset(form.offset)
    matrix = form.matrix.tocsr()
    less = np.isneginf(form.row_lower)
    sense = np.where(form.row_lower == form.row_upper, "E", np.where(less, "L", "G"))
    bounds = zip(matrix.indptr[:-1].tolist(), matrix.indptr[1:].tolist(), strict=True)
    solver.linear_constraints.add(
        lin_expr=[cplex.SparsePair(matrix.indices[a:b].tolist(), matrix.data[a:b].tolist()) for a, b in bounds],
        senses="".join(sense),
        rhs=np.where(less, form.row_upper, form.row_lower).tolist(),
    )
    if limits.warm_start:
        everywhere = cplex.SparsePair(list(range(len(form.variables))), form.start.tolist())
        solver.MIP_starts.add(everywhere, solver.MIP_starts.effort_level.check_feasibility)


def _set_limits(solver: cplex.Cplex, limits: Limits) -> None:
    settings = solver.parameters
    settings.mip.tolerances.absmipgap.set(0.0)
    settings.mip.tolerances.integrality.set(0.0)
    settings.simplex.tolerances.feasibility.set(SOLVER_TOLERANCE)
    settings.simplex.tolerances.optimality.set(SOLVER_TOLERANCE)
    settings.mip.tolerances.mipgap.set(min(limits.mip_gap, 1.0))
    settings.threads.set(limits.threads)
    settings.randomseed.set(limits.seed % (2**31 - 1))
    if limits.careful:
        settings.preprocessing.presolve.set(0)
        settings.emphasis.numerical.set(1)


def _answer(solver: cplex.Cplex) -> UncheckedAnswer:
    said, codes = solver.solution.get_status(), solver.solution.status
    found = solver.solution.is_primal_feasible()
    if said in (codes.MIP_optimal, codes.optimal_tolerance):
        status = Status.OPTIMAL
    # Every variable is bounded, hence so is the objective.
    elif said in (codes.MIP_infeasible, codes.MIP_infeasible_or_unbounded):
        status = Status.INFEASIBLE
    else:
        timed_out = said in (codes.MIP_time_limit_feasible, codes.MIP_time_limit_infeasible)
        status = Status.TIME_LIMIT if timed_out else Status.ERROR
    return UncheckedAnswer(
        status=status,
        words=f"CPLEX: {solver.solution.get_status_string()}",
        columns=np.array(solver.solution.get_values()) if found else None,
        bound=None if status is Status.INFEASIBLE else solver.solution.MIP.get_best_objective(),
        node_count=solver.solution.progress.get_num_nodes_processed(),
    )
