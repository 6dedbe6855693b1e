"""The registry of solvers: one line each. To add one: its function in a file of its own, and a line in `SOLVERS`.

Whether a solver is there is found out without importing it; it is imported when it is first used.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, cast

from finbench.models.versions import package_version

if TYPE_CHECKING:
    from finbench.models.milp.solvers.interface import SolveProgram

SolverName = Literal["highs", "scip", "cbc", "glpk", "gurobi", "cplex", "xpress"]


@dataclass(frozen=True)
class Solver:
    """An entry of the registry."""

    name: str
    """A `SolverName`, or what a plugin calls its own."""
    title: str
    """One line for people."""
    install: str
    """The one command that installs it."""
    distribution: str | None = None
    """The Python distribution it comes in; None where it is an executable."""
    executable: str | None = None
    licence_limit: str | None = None
    """How large a program it takes without a licence; None where there is no limit."""
    one_thread: bool = False
    """Whether it uses one thread, whatever it is allowed."""
    call: SolveProgram | None = None
    """Its function, where a plugin brings it; None: that of the module named after it."""

    def version(self) -> str | None:
        """Return the version of what is installed, None where it is not."""
        if self.executable is not None:
            return _executable_version(self.executable)
        if self.distribution is None:
            return "unknown"  # a plugin's function, which is there
        return package_version(self.distribution)

    def function(self) -> SolveProgram:
        """Return the function that solves with it, imported on first use; the solver must be there."""
        if self.call is not None:
            return self.call
        return cast(
            "SolveProgram",
            getattr(import_module(f"finbench.models.milp.solvers.{self.name}"), f"solve_with_{self.name}"),
        )


def _pip(extra: str) -> str:
    return f"pip install 'finbench[{extra}]'"


SOLVERS: dict[str, Solver] = {
    solver.name: solver
    for solver in (
        Solver("highs", "HiGHS, in the process", "pip install highspy", "highspy"),
        Solver("scip", "SCIP, one thread", _pip("scip"), "pyscipopt", one_thread=True),
        Solver("cbc", "CBC, a program of its own", "apt-get install coinor-cbc", executable="cbc"),
        Solver(
            "glpk",
            "GLPK, a program of its own, one thread",
            "apt-get install glpk-utils",
            executable="glpsol",
            one_thread=True,
        ),
        Solver("gurobi", "Gurobi", _pip("gurobi"), "gurobipy", licence_limit="2,000 variables, 2,000 rows"),
        Solver("cplex", "CPLEX", _pip("cplex"), "cplex", licence_limit="1,000 variables, 1,000 rows"),
        Solver("xpress", "Xpress", _pip("xpress"), "xpress", licence_limit="5,000 variables and rows together"),
    )
}


def reason_not_to_use(name: str) -> str | None:
    """Return why a solver of the registry cannot be used here; None where it can."""
    solver = SOLVERS[name]
    if solver.version() is not None:
        return None
    return f"the solver {name} is not installed: {solver.install}"


def solver_function(name: str) -> SolveProgram:
    """Return the function of a solver of the registry, which must be there."""
    return SOLVERS[name].function()


def _executable_version(executable: str) -> str | None:
    """Return the first number with a point that the program prints about itself; "unknown" where it prints none."""
    if shutil.which(executable) is None:
        return None
    said = subprocess.run(
        [executable, "-quit" if executable == "cbc" else "--version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    number = re.search(r"\d+\.[\d.]*\d", said.stdout)
    return number[0] if number else "unknown"
