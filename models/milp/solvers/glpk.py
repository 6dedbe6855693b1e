"""GLPK, the executable `glpsol` of Debian's glpk-utils.

GLPK works in one thread, without a seed and without a warm start. It takes no tolerances (its own: 1e-7 on rows, 1e-5
on integers) and whole seconds only: it is asked to end in the last full one, and stopped at the limit, without its
incumbent, where there is none. Its bound stands in its log alone, in lines "mip = objective >= bound".
"""

from __future__ import annotations

import math
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

_ROUNDED = 1e-9
"""Relative rounding of the bounds in GLPK's log."""


def solve_with_glpk(model: ConcreteModel, limits: Limits, clock: Clock) -> SolverAnswer:
    """Solve `model` with GLPK (a `models.milp.solvers.interface.SolveProgram`)."""
    form = handed_over(model, clock)
    if isinstance(form, SolverAnswer):
        return form
    spoken = run_on_file(form, clock, partial(command_line, limits), grace_s=0)
    if spoken.stopped and not spoken.log:
        return expired("GLPK")
    version = re.search(r"LP/MIP Solver (\S+)", spoken.log)
    solver = f"GLPK {version[1]}" if version else "GLPK"
    return checked_answer(answer_of(spoken, form), form, limits, {"solver": solver, "threads": 1})


def command_line(limits: Limits, model: Path, solution: Path, left: float | None) -> list[str]:
    """Return the words by which GLPK reads `model` and writes `solution`, with `left` seconds (None: no limit)."""
    words = ["glpsol", "--freemps", str(model), "--write", str(solution), "--mipgap", str(limits.mip_gap)]
    if limits.careful:
        words += ["--nointopt", "--nopresol"]
    return words if left is None or left < 1 else [*words, "--tmlim", str(math.floor(left))]


def answer_of(spoken: Spoken, form: StandardForm) -> UncheckedAnswer:
    """Return what GLPK answers, as its log and its solution file say."""
    said = "TIME LIMIT EXCEEDED" if spoken.stopped else _said(spoken.log)
    columns = _columns(spoken.solution, len(form.variables))
    if said.startswith(("INTEGER OPTIMAL SOLUTION FOUND", "RELATIVE MIP GAP TOLERANCE REACHED")):
        status = Status.OPTIMAL
    elif "NO" in said and "FEASIBLE SOLUTION" in said:
        status = Status.INFEASIBLE
    else:
        status = Status.TIME_LIMIT if said.startswith("TIME LIMIT EXCEEDED") else Status.ERROR
    return UncheckedAnswer(status, f"GLPK: {said}", columns, _bound(spoken.log, form, columns))


def _said(log: str) -> str:
    """Return the last line in capitals: how the search ended."""
    shouted = re.findall(r"^(?:PROBLEM|INTEGER|TIME|RELATIVE|LP) .*[A-Z]{2}.*$", log, re.MULTILINE)
    return str(shouted[-1]) if shouted else "no status"


def _columns(solution: str, count: int) -> Floats | None:
    """Return values from lines "j number value"; None where the status line says neither optimal nor feasible."""
    if not re.search(r"^s mip \d+ \d+ [of] ", solution, re.MULTILINE):
        return None
    columns = np.zeros(count)
    for number, value in re.findall(r"^j (\d+) (\S+)$", solution, re.MULTILINE):
        columns[int(number) - 1] = float(value)
    return columns


def _bound(log: str, form: StandardForm, columns: Floats | None) -> float | None:
    """Return the last bound of the log; where nothing is left to search, the incumbent is optimal."""
    bounds = re.findall(r"(?:mip =|>>>>>) .* >= +(tree is empty|-inf|\S+)", log)
    if "SOLUTION FOUND BY MIP PREPROCESSOR" in log or bounds[-1:] == ["tree is empty"]:
        return None if columns is None else form.objective(columns)
    if not bounds or bounds[-1] == "-inf":
        return None
    bound = float(bounds[-1])
    return bound - _ROUNDED * max(1.0, abs(bound)) + form.offset
