"""The boundary between formulations and solvers.

Every solver is one file with one function of type `SolveProgram`, which takes a Pyomo model and limits and returns a
`SolverAnswer`. What the solver says in its own words ends there. Time limits are wall-clock seconds of the whole run, a
gap is (objective − bound)/objective, and a status means the same, whichever solver it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyomo.core.base import ConcreteModel

from finbench.models.memory import reason_not_to_fit
from finbench.models.result import Clock, Status
from finbench.models.tolerances import ENERGY_TOLERANCE
from finbench.models.trajectory import Point


@dataclass(frozen=True)
class Limits:
    """What a solver is asked to keep to."""

    mip_gap: float = 0.0
    """Relative gap (objective − bound)/objective at which it may stop."""
    threads: int = 1
    """Threads at most; a solver that has one only says so in `SolverAnswer.info["threads"]`."""
    seed: int = 0
    warm_start: bool = False
    """Whether the variables' values are a solution to start from (a variable without a value is 0)."""
    careful: bool = False
    """Whether the solver shall leave out its presolve: asked for where its first answer could not be true."""


@dataclass(frozen=True)
class SolverAnswer:
    """What a solver found, in the model's (scaled) objective."""

    status: Status
    """OPTIMAL, FEASIBLE (a gap was asked for and is left), INFEASIBLE, TIME_LIMIT, MEMORY_LIMIT, ERROR or UNSUPPORTED
    (larger than the solver's licence allows)."""
    objective: float | None = None
    bound: float | None = None
    """Proven lower bound; None where the solver has none."""
    gap: float | None = None
    """(objective − bound)/|objective|."""
    node_count: int = 0
    values: tuple[tuple[Any, float], ...] | None = None
    """The incumbent as (variable, value) pairs, variables at 0 left out; None where there is none."""
    reason: str | None = None
    """One line for people where there is no incumbent."""
    info: Mapping[str, Any] = field(default_factory=dict)
    """Facts of the run, JSON-compatible: `solver`, `rows`, `columns` as handed over."""
    trajectory: tuple[Point, ...] = ()
    """Incumbent and bound over time, the last point those of the end; empty where the solver does not tell."""


BYTES_PER_VARIABLE = 6500
"""Peak memory of building, handing over and solving, for each variable (1.25 GB at 200,101 variables of HiGHS)."""


def reason_not_to_build(variables: int) -> str | None:
    """Return why a program of that many variables would not fit into memory, None where it would."""
    return reason_not_to_fit(BYTES_PER_VARIABLE * variables)


GIVING_BACK = 0.35
"""Seconds that it takes to give back what was made in a second of building, at most."""


def building(clock: Clock) -> Clock:
    """Return the clock that ends the building and the handing over of a program: what was made must be given back."""
    left = clock.remaining_s
    return Clock(None if left is None else left / (1 + GIVING_BACK))


def unbuilt() -> SolverAnswer:
    """Return the answer where no solver was asked: the time ended the building of the program."""
    return SolverAnswer(Status.TIME_LIMIT, reason="the time limit passed while the program was built")


class SolveProgram(Protocol):
    """Solves a Pyomo model of binaries and bounded variables; times `handover` and `solve` on the run's clock."""

    def __call__(self, model: ConcreteModel, limits: Limits, clock: Clock) -> SolverAnswer:
        """Hand `model` over, solve it in the time that `clock` leaves, and report.

        Raises
        ------
        ValueError
            If the solver does not accept one of the limits.
        """


def believed(objective: float | None, bound: float | None, mip_gap: float, words: str) -> tuple[Status, str]:
    """Believe a solver's "optimal", said in its `words`, only where the bound agrees with the objective."""
    if objective is None or bound is None:
        return Status.ERROR, f"{words}, but without solution or bound"
    gap = abs(objective - bound) / max(abs(objective), 1.0)
    if gap <= ENERGY_TOLERANCE:
        return Status.OPTIMAL, words
    if gap <= mip_gap * (1 + ENERGY_TOLERANCE):
        return Status.FEASIBLE, words
    return Status.ERROR, f"{words}, but objective {objective:.9g} and bound {bound:.9g} differ"
