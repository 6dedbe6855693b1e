"""Xpress through its Python interface (`finbench[xpress]`), handed over as arrays.

Without a licence file Xpress takes at most 5,000 variables and rows together.
"""

from __future__ import annotations

import warnings

import numpy as np
import xpress
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
from finbench.models.tolerances import SMALLEST_COEFFICIENT, SOLVER_TOLERANCE

_SETTINGS = {
    "mipabsstop": 0.0,
    # By default what improves by less than 1e-5, or by 1e-6 of the objective, is cut off, and bounds end up there.
    "mipaddcutoff": -SOLVER_TOLERANCE,
    "miprelcutoff": 0.0,
    "feastol": SOLVER_TOLERANCE,
    "optimalitytol": SOLVER_TOLERANCE,
    "miptol": SOLVER_TOLERANCE,
    "matrixtol": SMALLEST_COEFFICIENT,
}

_STATUS = {
    xpress.SolStatus.OPTIMAL: Status.OPTIMAL,
    xpress.SolStatus.INFEASIBLE: Status.INFEASIBLE,
}

_TOO_LARGE = "?120"
"""How Xpress begins what it says about a problem beyond its licence."""


def solve_with_xpress(model: ConcreteModel, limits: Limits, clock: Clock) -> SolverAnswer:
    """Solve `model` with Xpress (a `models.milp.solvers.interface.SolveProgram`)."""
    form = handed_over(model, clock)
    if isinstance(form, SolverAnswer):
        return form
    with clock.phase("handover"):
        problem = _loaded(form, limits)
    if clock.expired:
        return expired("Xpress")
    with clock.phase("solve"):
        if clock.remaining_s is not None:
            problem.controls.timelimit = clock.remaining_s
        try:
            problem.optimize()
        except xpress.SolverError as error:
            if str(error).startswith(_TOO_LARGE):
                return beyond_licence("Xpress", form)
            raise
    return checked_answer(_answer(problem, form), form, limits, {"solver": f"Xpress {xpress.__version__}"})


def _loaded(form: StandardForm, limits: Limits) -> xpress.problem:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # says that it works without a licence file
        xpress.init()
    problem = xpress.problem()
    problem.controls.outputlog = 0
    for name, value in _SETTINGS.items():
        setattr(problem.controls, name, value)
    problem.controls.miprelstop, problem.controls.threads = limits.mip_gap, limits.threads
    problem.controls.randomseed = limits.seed % 2**31
    if limits.careful:
        problem.controls.presolve, problem.controls.mippresolve = 0, 0
    less = np.isneginf(form.row_lower)
    sense = np.where(form.row_lower == form.row_upper, "E", np.where(less, "L", "G"))
    whole = np.flatnonzero(form.integral)
    problem.loadMIP(
        rowtype=sense.tolist(),
        rhs=np.where(less, form.row_upper, form.row_lower),
        objcoef=form.cost,
        start=form.matrix.indptr,
        rowind=form.matrix.indices,
        rowcoef=form.matrix.data,
        lb=form.lower,
        ub=form.upper,
        coltype=["I"] * len(whole),
        entind=whole,
    )
    if limits.warm_start:
        problem.addMipSol(form.start, np.arange(len(form.start)))
    return problem


def _answer(problem: xpress.problem, form: StandardForm) -> UncheckedAnswer:
    facts = problem.attributes
    said = xpress.SolStatus(facts.solstatus)
    found = facts.mipsols > 0
    if facts.stopstatus == xpress.StopType.TIMELIMIT:
        status = Status.TIME_LIMIT
    elif facts.stopstatus == xpress.StopType.MIPGAP:
        status = Status.OPTIMAL
    else:
        status = _STATUS.get(said, Status.ERROR)
    return UncheckedAnswer(
        status=status,
        words=f"Xpress: {said.name.lower()}",
        columns=np.array(problem.getSolution()) if found else None,
        bound=facts.bestbound + form.offset if abs(facts.bestbound) < xpress.infinity else None,
        node_count=int(facts.nodes),
    )
