"""CBC, the executable of Debian's coinor-cbc.

CBC may call a program infeasible where the time limit cuts its preprocessing short; at the limit that proves nothing.
CBC's seconds are CPU time unless it is told otherwise. It accepts only what improves by its increment, 1e-5 by default:
too much here. It names a bound only where it stops early, rounded; at an optimum its bound is the objective. A warm
start is not handed to it (the reductions of `milp-flow` still use it).
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
from pyomo.core.base import ConcreteModel

from finbench.models.milp.solvers.executable import Spoken, run_on_file
from finbench.models.milp.solvers.interface import Limits, SolverAnswer
from finbench.models.milp.solvers.standard_form import (
    StandardForm,
    UncheckedAnswer,
    checked_answer,
    expired,
    handed_over,
)
from finbench.models.programs.costs import Floats
from finbench.models.result import Clock, Status
from finbench.models.tolerances import SOLVER_TOLERANCE

_SETTINGS = {
    "primalTolerance": SOLVER_TOLERANCE,
    "dualTolerance": SOLVER_TOLERANCE,
    "integerTolerance": SOLVER_TOLERANCE,
    "increment": SOLVER_TOLERANCE,
}

_STATUS = {
    "Optimal": Status.OPTIMAL,
    "Infeasible": Status.INFEASIBLE,
    "Integer infeasible": Status.INFEASIBLE,
    "Stopped on time": Status.TIME_LIMIT,
}

GRACE_S = 5.0
"""How long CBC may overrun its limit before it is stopped without an answer [s]: it looks at the clock between cuts."""

_ROUNDED = 1e-6
"""Relative rounding of the bounds that CBC prints (7 digits and more)."""


def solve_with_cbc(model: ConcreteModel, limits: Limits, clock: Clock) -> SolverAnswer:
    """Solve `model` with CBC (a `models.milp.solvers.interface.SolveProgram`)."""
    form = handed_over(model, clock)
    if isinstance(form, SolverAnswer):
        return form
    spoken = run_on_file(form, clock, partial(command_line, limits), GRACE_S)
    if spoken.stopped and not spoken.log:
        return expired("CBC")
    version = re.search(r"Version:\s*(\S+)", spoken.log)
    solver = f"CBC {version[1]}" if version else "CBC"
    answer = answer_of(spoken, form)
    if answer.status is Status.INFEASIBLE and clock.expired:
        answer = UncheckedAnswer(Status.TIME_LIMIT, f"{answer.words}, said at the time limit, which proves nothing")
    return checked_answer(answer, form, limits, {"solver": solver})


def command_line(limits: Limits, model: Path, solution: Path, left: float | None) -> list[str]:
    """Return the words by which CBC reads `model` and writes `solution`, with `left` seconds (None: no limit)."""
    words = ["cbc", str(model)]
    for name, value in _SETTINGS.items():
        words += [f"-{name}", str(value)]
    words += ["-ratioGap", str(limits.mip_gap), "-randomCbcSeed", str(limits.seed % 2**31)]
    if limits.threads > 1:
        words += ["-threads", str(limits.threads)]
    if limits.careful:
        words += ["-presolve", "off", "-preprocess", "off", "-scaling", "off"]
    if left is not None:
        words += ["-timeMode", "elapsed", "-seconds", str(left)]
    return [*words, "-solve", "-solution", str(solution)]


def answer_of(spoken: Spoken, form: StandardForm) -> UncheckedAnswer:
    """Return what CBC answers, as its log and its solution file say."""
    if spoken.stopped:
        return UncheckedAnswer(Status.TIME_LIMIT, "CBC: stopped, since it overran its limit")
    first, _, rest = spoken.solution.partition("\n")
    said = re.split(r" \(| - ", first)[0] or "no solution file"
    status = _STATUS.get(said, Status.ERROR)
    found = status is Status.OPTIMAL or (status is Status.TIME_LIMIT and "no integer solution" not in first)
    columns = _columns(rest, len(form.variables)) if found else None
    nodes = re.search(r"Enumerated nodes:\s*(\d+)", spoken.log)
    return UncheckedAnswer(
        status=status,
        words=f"CBC: {said}",
        columns=columns,
        bound=_bound(spoken.log, form, columns, status),
        node_count=int(nodes[1]) if nodes else 0,
    )


def _columns(lines: str, count: int) -> Floats:
    """Return values from lines "number name value reduced-cost"; columns at 0 have none, `**` marks an infeasible."""
    columns = np.zeros(count)
    for line in lines.splitlines():
        number, _, value, _ = line.replace("**", "").split()
        columns[int(number)] = float(value)
    return columns


def _bound(log: str, form: StandardForm, columns: Floats | None, status: Status) -> float | None:
    if status is Status.OPTIMAL and columns is not None:
        left = re.findall(r"Exiting as integer gap of (\S+)", log)
        return form.objective(columns) - (float(left[-1]) * (1 + _ROUNDED) if left else 0.0)
    possible = re.findall(r"best possible ([-+.\de]+)\)", log)
    if status is not Status.TIME_LIMIT or not possible:
        return None
    bound = float(possible[-1])
    return bound - _ROUNDED * max(1.0, abs(bound)) + form.offset
