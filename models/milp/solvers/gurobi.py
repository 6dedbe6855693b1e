"""Gurobi through gurobipy (`finbench[gurobi]`), handed over as arrays.

Without a licence file Gurobi takes at most 2,000 variables and 2,000 rows.
"""

from __future__ import annotations

from collections.abc import Callable

import gurobipy
import numpy as np
from gurobipy import GRB, GurobiError
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
from finbench.models.trajectory import Trajectory

_SETTINGS = {
    "MIPGapAbs": 0.0,
    "FeasibilityTol": SOLVER_TOLERANCE,
    "IntFeasTol": SOLVER_TOLERANCE,
    "OptimalityTol": SOLVER_TOLERANCE,
}

_STATUS = {
    GRB.OPTIMAL: Status.OPTIMAL,
    GRB.INFEASIBLE: Status.INFEASIBLE,
    # Every variable is bounded, hence so is the objective.
    GRB.INF_OR_UNBD: Status.INFEASIBLE,
    GRB.TIME_LIMIT: Status.TIME_LIMIT,
    GRB.MEM_LIMIT: Status.MEMORY_LIMIT,
}


def solve_with_gurobi(model: ConcreteModel, limits: Limits, clock: Clock) -> SolverAnswer:
    """Solve `model` with Gurobi (a `models.milp.solvers.interface.SolveProgram`)."""
    form = handed_over(model, clock)
    if isinstance(form, SolverAnswer):
        return form
    with gurobipy.Env(params={"OutputFlag": 0}) as env, gurobipy.Model(env=env) as gurobi:
        with clock.phase("handover"):
            _load(gurobi, form, limits)
        if clock.expired:
            return expired("Gurobi")
        try:
            with clock.phase("solve"):
                if clock.remaining_s is not None:
                    gurobi.setParam("TimeLimit", clock.remaining_s)
                trajectory = Trajectory(clock)
                gurobi.optimize(_follower(trajectory))
        except GurobiError as error:
            if error.errno == GRB.Error.SIZE_LIMIT_EXCEEDED:
                return beyond_licence("Gurobi", form)
            raise
        version = ".".join(map(str, gurobipy.gurobi.version()))
        return checked_answer(_answer(gurobi), form, limits, {"solver": f"Gurobi {version}"}, trajectory)


def _follower(trajectory: Trajectory) -> Callable[[gurobipy.Model, int], None]:
    """Return a callback that records incumbent and bound at every incumbent and wherever Gurobi calls in the search."""
    callback = GRB.Callback
    known = {
        callback.MIP: (callback.MIP_OBJBST, callback.MIP_OBJBND),
        callback.MIPSOL: (callback.MIPSOL_OBJBST, callback.MIPSOL_OBJBND),
    }

    def note(gurobi: gurobipy.Model, where: int) -> None:
        if where in known:
            trajectory.note(*(gurobi.cbGet(what) for what in known[where]))

    return note


def _load(gurobi: gurobipy.Model, form: StandardForm, limits: Limits) -> None:
    for name, value in _SETTINGS.items():
        gurobi.setParam(name, value)
    gurobi.setParam("MIPGap", limits.mip_gap)
    gurobi.setParam("Threads", limits.threads)
    gurobi.setParam("Seed", limits.seed % 2**31)
    if limits.careful:
        gurobi.setParam("Presolve", 0)
        gurobi.setParam("NumericFocus", 3)
    kinds = np.where(form.integral, GRB.INTEGER, GRB.CONTINUOUS)
    x = gurobi.addMVar(len(form.variables), lb=form.lower, ub=form.upper, obj=form.cost, vtype=kinds)
    gurobi.ObjCon = form.offset
    if limits.warm_start:
        x.Start = form.start
    matrix = form.matrix.tocsr()
    equal = form.row_lower == form.row_upper
    less = np.isneginf(form.row_lower)
    sense = np.where(equal, GRB.EQUAL, np.where(less, GRB.LESS_EQUAL, GRB.GREATER_EQUAL))
    gurobi.addMConstr(matrix, x, sense, np.where(less, form.row_upper, form.row_lower))


def _answer(gurobi: gurobipy.Model) -> UncheckedAnswer:
    found = gurobi.SolCount > 0
    return UncheckedAnswer(
        status=_STATUS.get(gurobi.Status, Status.ERROR),
        words=f"Gurobi: status {gurobi.Status}",
        columns=np.array(gurobi.getAttr("X")) if found else None,
        bound=gurobi.ObjBound if gurobi.Status != GRB.INFEASIBLE else None,
        node_count=int(gurobi.NodeCount),
    )
