"""SCIP through PySCIPOpt (`finbench[scip]`), handed over as an MPS file.

Expressions handed over row by row take time superlinear in their length; writing and reading a file does not. SCIP
works in one thread. Its own gap is relative to the smaller of objective and bound: (objective − bound)/bound.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyscipopt
from pyomo.core.base import ConcreteModel
from pyscipopt import SCIP_EVENTTYPE

from finbench.models.milp.solvers.interface import Limits, SolverAnswer
from finbench.models.milp.solvers.model_file import write_numbered
from finbench.models.milp.solvers.standard_form import (
    StandardForm,
    UncheckedAnswer,
    checked_answer,
    expired,
    handed_over,
)
from finbench.models.result import Clock, Status
from finbench.models.tolerances import SMALLEST_COEFFICIENT, SOLVER_TOLERANCE
from finbench.models.trajectory import INFINITE, Trajectory

_SETTINGS = {
    "numerics/feastol": SOLVER_TOLERANCE,
    "numerics/dualfeastol": SOLVER_TOLERANCE,
    # Numbers below this are 0 to SCIP; its default, 1e-9, would lose latencies that add up.
    "numerics/epsilon": SMALLEST_COEFFICIENT,
    "timing/clocktype": 2,  # wall clock
}

_EVENTS = (SCIP_EVENTTYPE.BESTSOLFOUND, SCIP_EVENTTYPE.NODESOLVED, SCIP_EVENTTYPE.FIRSTLPSOLVED)

_STATUS = {
    "optimal": Status.OPTIMAL,
    "gaplimit": Status.OPTIMAL,
    "infeasible": Status.INFEASIBLE,
    # Every variable is bounded, hence so is the objective.
    "inforunbd": Status.INFEASIBLE,
    "timelimit": Status.TIME_LIMIT,
    "memlimit": Status.MEMORY_LIMIT,
}


def solve_with_scip(model: ConcreteModel, limits: Limits, clock: Clock) -> SolverAnswer:
    """Solve `model` with SCIP (a `models.milp.solvers.interface.SolveProgram`)."""
    form = handed_over(model, clock)
    if isinstance(form, SolverAnswer):
        return form
    too_large = _too_large(form)
    if too_large is not None:
        return too_large
    with clock.phase("handover"):
        scip = _loaded(form)
        _set_limits(scip, limits)
        if limits.warm_start:
            _pass_start(scip, form)
    if clock.expired:
        return expired("SCIP")
    with clock.phase("solve"):
        if clock.remaining_s is not None:
            scip.setParam("limits/time", clock.remaining_s)
        trajectory = Trajectory(clock)
        scip.includeEventhdlr(_Follower(trajectory), "follower", "records incumbent and bound over time")
        scip.optimize()
    version = f"{scip.getMajorVersion()}.{scip.getMinorVersion()}.{scip.getTechVersion()}"
    return checked_answer(_answer(scip, form), form, limits, {"solver": f"SCIP {version}", "threads": 1}, trajectory)


class _Follower(pyscipopt.Eventhdlr):  # type: ignore[misc]
    """Records incumbent and bound at every incumbent and after every node."""

    def __init__(self, trajectory: Trajectory) -> None:
        self._trajectory = trajectory

    def eventinit(self) -> None:
        """Listen to SCIP's events."""
        for event in _EVENTS:
            self.model.catchEvent(event, self)

    def eventexec(self, event: object) -> None:  # noqa: ARG002
        """Record what SCIP knows now."""
        self._trajectory.note(self.model.getPrimalbound(), self.model.getDualbound())


def _too_large(form: StandardForm) -> SolverAnswer | None:
    """Return the answer where a number of the program is infinite to SCIP; None where none is."""
    largest = max((float(abs(numbers).max(initial=0.0)) for numbers in (form.cost, form.matrix.data)), default=0.0)
    if largest < INFINITE:
        return None
    reason = f"SCIP takes numbers below {INFINITE:g} only, and the scaled program has one of {largest:.3g}"
    return SolverAnswer(Status.ERROR, reason=reason)


def _loaded(form: StandardForm) -> pyscipopt.Model:
    scip = pyscipopt.Model()
    scip.hideOutput()
    scip.setParams(_SETTINGS)
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.mps")
        write_numbered(form, path)
        scip.readProblem(str(path))
    return scip


def _set_limits(scip: pyscipopt.Model, limits: Limits) -> None:
    gap = limits.mip_gap / (1 - limits.mip_gap) if limits.mip_gap < 1 else scip.infinity()
    scip.setParams({"limits/gap": gap, "randomization/randomseedshift": limits.seed % 2**31})
    if limits.careful:
        scip.setPresolve(pyscipopt.SCIP_PARAMSETTING.OFF)


def _pass_start(scip: pyscipopt.Model, form: StandardForm) -> None:
    start = scip.createSol()
    for variable in scip.getVars():
        scip.setSolVal(start, variable, form.start[_column(variable)])
    scip.addSol(start)


def _answer(scip: pyscipopt.Model, form: StandardForm) -> UncheckedAnswer:
    said = scip.getStatus()
    columns = None
    if scip.getNSols() > 0:
        best = scip.getBestSol()
        columns = np.zeros(len(form.variables))
        for variable in scip.getVars(transformed=False):
            columns[_column(variable)] = scip.getSolVal(best, variable)
    bound = scip.getDualbound()
    return UncheckedAnswer(
        status=_STATUS.get(said, Status.ERROR),
        words=f"SCIP: {said}",
        columns=columns,
        bound=None if scip.isInfinity(abs(bound)) else bound,
        node_count=scip.getNTotalNodes(),
    )


def _column(variable: pyscipopt.Variable) -> int:
    """Number of a column by its name; SCIP sorts columns by type."""
    return int(variable.name.removeprefix("t_").removeprefix("c"))
