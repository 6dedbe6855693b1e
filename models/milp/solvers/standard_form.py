"""A Pyomo model as arrays, and a solver's columns back as a `SolverAnswer`: what all solvers share.

    minimise c·x + offset   subject to   row_lower ≤ A x ≤ row_upper,  lower ≤ x ≤ upper,  some columns integral

Every variable is bounded and the objective comes scaled (`models.milp.rows`). Whatever a solver says in its own words,
its objective and gap are computed here from the columns, and its columns are put into the rows again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.core.base import ConcreteModel

from finbench.models.milp.solvers.interface import Limits, SolverAnswer, believed
from finbench.models.milp.solvers.linear_model import LinearModel, linear_model
from finbench.models.programs.costs import Floats, Mask
from finbench.models.result import Clock, OutOfTime, Status
from finbench.models.tolerances import ENERGY_TOLERANCE, SMALLEST_COEFFICIENT
from finbench.models.trajectory import Trajectory


@dataclass(frozen=True)
class StandardForm(LinearModel):
    """The arrays of a mixed-integer program with n columns, one for each variable, and m rows."""

    dropped: Mapping[str, int]
    """How many coefficients of at most `SMALLEST_COEFFICIENT` were left out, by the equation of their rows."""

    @classmethod
    def of(cls, model: ConcreteModel) -> StandardForm:
        """Return the arrays of `model`.

        Raises
        ------
        pyomo.common.errors.InfeasibleConstraintException
            If a row without variables cannot hold.
        finbench.models.result.OutOfTime
            Once the limit of a model that watches a clock has passed.
        """
        read = linear_model(model)
        matrix, dropped = _without_tiny(read.matrix, read.constraints)
        alone = _that_break_a_row_alone(matrix, read.row_upper, read.lower)
        upper = np.where(alone & read.integral, 0.0, read.upper)
        return cls(**{**vars(read), "matrix": matrix, "upper": upper, "dropped": dropped})

    @cached_property
    def start(self) -> Floats:
        """(n,) values of the variables, 0 where one has none."""
        return np.array([variable.value or 0.0 for variable in self.variables], dtype=np.float64)

    def objective(self, columns: Floats) -> float:
        """Return the objective c·x + offset."""
        return float(self.cost @ columns) + self.offset

    def violation(self, columns: Floats) -> float:
        """Return by how much a row is broken at most, integral columns rounded; 0 where every row holds."""
        rounded = np.where(self.integral, np.round(columns), columns)
        activity = self.matrix @ rounded
        excess = np.concatenate([self.row_lower - activity, activity - self.row_upper, [0.0]])
        return float(excess.max())


def _without_tiny(
    matrix: scipy.sparse.csc_array[Any], constraints: Sequence[Any]
) -> tuple[scipy.sparse.csc_array[Any], dict[str, int]]:
    """Return the coefficients that solvers keep, and how many others there were, by the equation of their rows.

    Solvers and writers of files drop such coefficients, or refuse them, each by a rule of its own. Columns are at most
    1 and rows come scaled to right-hand sides of 1: ten thousand of such terms stay below what `METHOD_TOLERANCE`
    leaves for rounding.
    """
    tiny = np.abs(matrix.data) <= SMALLEST_COEFFICIENT
    if not tiny.any():
        return matrix, {}
    names = [constraints[i].parent_component().local_name for i in matrix.indices[tiny & (matrix.data != 0)].tolist()]
    kept = matrix.copy()
    kept.data[tiny] = 0.0
    kept.eliminate_zeros()
    return kept, dict(Counter(names))


def _that_break_a_row_alone(matrix: scipy.sparse.csc_array[Any], row_upper: Floats, lower: Floats) -> Mask:
    """Return which columns break a row by being 1, whatever the others are; a loosely tolerant solver takes them."""
    rows, most = matrix.indices, np.where(np.isfinite(row_upper), row_upper, np.inf)
    least = np.zeros(len(row_upper))
    np.minimum.at(least, rows, matrix.data)
    too_much = (matrix.data > most[rows]) & (least[rows] >= 0)
    column = np.repeat(np.arange(len(lower)), np.diff(matrix.indptr))
    alone = np.zeros(len(lower), dtype=np.bool_)
    alone[column[too_much]] = True
    return alone if not lower.any() else np.zeros_like(alone)


def handed_over(model: ConcreteModel, clock: Clock) -> StandardForm | SolverAnswer:
    """Return the arrays of `model` (phase `handover`), or the answer of a run that need not start."""
    with clock.phase("handover"):
        try:
            form = StandardForm.of(model)
        except InfeasibleConstraintException as error:
            return SolverAnswer(Status.INFEASIBLE, reason=str(error))
        except OutOfTime:
            return SolverAnswer(Status.TIME_LIMIT, reason="the time limit passed while the program was handed over")
    if not np.isfinite(form.cost).all():
        return SolverAnswer(Status.ERROR, reason="coefficients of the objective range too widely for floating point")
    return form


def expired(solver: str) -> SolverAnswer:
    """Return the answer of a run whose limit passed before its solver could start."""
    return SolverAnswer(Status.TIME_LIMIT, reason=f"the time limit passed before {solver} could start")


def beyond_licence(solver: str, form: StandardForm) -> SolverAnswer:
    """Return the answer where a solver's licence does not reach as far as the program's size."""
    size = f"{len(form.variables)} columns and {len(form.constraints)} rows"
    return SolverAnswer(Status.UNSUPPORTED, reason=f"{solver} refuses {size}: more than its licence allows")


@dataclass(frozen=True)
class UncheckedAnswer:
    """What a solver said, in the terms of this package, before anyone has checked it."""

    status: Status
    """OPTIMAL stands for "within the gap asked for"."""
    words: str
    """The solver's name and its own words for the status."""
    columns: Floats | None = None
    """(n,) values of the incumbent."""
    bound: float | None = None
    """Proven lower bound, offset included; not finite or None where there is none."""
    node_count: int = 0


def checked_answer(
    answer: UncheckedAnswer,
    form: StandardForm,
    limits: Limits,
    info: Mapping[str, Any],
    trajectory: Trajectory | None = None,
) -> SolverAnswer:
    """Return `answer` checked against its own bound and against the rows.

    Parameters
    ----------
    answer : UncheckedAnswer
    form : StandardForm
    limits : Limits
    info : mapping
        Facts of the run.
    trajectory : Trajectory or None
        What the solver told while it ran; the end is added.

    Returns
    -------
    SolverAnswer
        ERROR with a reason where "optimal" comes without solution or bound, where the two differ, and where the
        solution breaks a row by more than `ENERGY_TOLERANCE` (rows come scaled to right-hand sides of 1).
    """
    columns = answer.columns
    bound = None if answer.bound is None or not math.isfinite(answer.bound) else answer.bound
    objective = None if columns is None else form.objective(columns)
    status, reason = answer.status, answer.words
    if status is Status.OPTIMAL:
        status, reason = believed(objective, bound, limits.mip_gap, reason)
    if columns is not None and form.violation(columns) > ENERGY_TOLERANCE:
        broken = f"{answer.words}, but its solution breaks a row by {form.violation(columns):.3g}"
        status, reason, columns = Status.ERROR, broken, None
    if trajectory is not None:
        trajectory.note(objective, bound)
    lost = {"coefficients_dropped": dict(form.dropped)} if form.dropped else {}
    return SolverAnswer(
        status=status,
        objective=objective,
        bound=bound,
        gap=_gap(objective, bound),
        node_count=answer.node_count,
        values=None if columns is None else _nonzero(form, columns),
        reason=reason,
        info={**info, "rows": len(form.constraints), "columns": len(form.variables), **lost},
        trajectory=() if trajectory is None else trajectory.points(),
    )


def _gap(objective: float | None, bound: float | None) -> float | None:
    if objective is None or bound is None or objective == 0 != bound:
        return None
    return max(0.0, objective - bound) / abs(objective) if objective else 0.0


def _nonzero(form: StandardForm, columns: Floats) -> tuple[tuple[Any, float], ...]:
    return tuple((form.variables[j], float(columns[j])) for j in np.flatnonzero(columns))
