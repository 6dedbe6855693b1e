"""A linear Pyomo model as arrays, read row by row while the model's clock watches.

Pyomo's own compiler takes any expression apart, which takes longer, and looks at no clock before its first row and
after its last one. What the formulations write are `LinearExpression`s, whose terms are at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import scipy.sparse
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.core.base import ConcreteModel, Constraint, Objective, Var
from pyomo.core.expr import LinearExpression
from pyomo.repn import generate_standard_repn

from finbench.models.programs.costs import Floats, Ints, Mask


@dataclass(frozen=True)
class LinearModel:
    """Objective, rows and variables of a model with n variables that have a coefficient, and m rows."""

    variables: tuple[Any, ...]
    """The n Pyomo variables, in the order in which objective and rows name them first."""
    constraints: tuple[Any, ...]
    """The m Pyomo constraints, in the order of the model."""
    cost: Floats
    """(n,) objective coefficients."""
    offset: float
    matrix: scipy.sparse.csc_array[Any]
    """(m, n) coefficients of the rows."""
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats
    integral: Mask
    """(n,) whether a variable is integral."""


def linear_model(model: ConcreteModel) -> LinearModel:
    """Return the arrays of `model`, which minimises.

    Raises
    ------
    pyomo.common.errors.InfeasibleConstraintException
        If a row without variables cannot hold.
    finbench.models.result.OutOfTime
        Once the limit of a model that watches a clock has passed.
    """
    terms, constraints, sides = _Terms(model), [], []
    (objective,) = model.component_data_objects(Objective, active=True)
    offset = terms.add(objective.expr)
    for constraint in model.component_data_objects(Constraint, active=True):
        least, body, most = constraint.to_bounded_expression(evaluate_bounds=True)
        constant = terms.add(body)
        constraints.append(constraint)
        sides.append((-inf if least is None else least - constant, inf if most is None else most - constant))
    matrix, used = terms.matrix()
    row_lower, row_upper = np.array(sides, dtype=np.float64).reshape(-1, 2).T
    filled = _that_name_a_variable(matrix[1:], constraints, row_lower, row_upper)
    return LinearModel(
        variables=tuple(terms.variables[number] for number in used.tolist()),
        constraints=tuple(constraints[row] for row in filled.tolist()),
        cost=matrix[[0]].toarray().ravel(),
        offset=offset,
        matrix=matrix[1 + filled].tocsc(),
        row_lower=row_lower[filled],
        row_upper=row_upper[filled],
        lower=terms.bounds[used, 0],
        upper=terms.bounds[used, 1],
        integral=terms.integral[used],
    )


def _that_name_a_variable(
    rows: scipy.sparse.csr_array[Any], constraints: list[Any], lower: Floats, upper: Floats
) -> Ints:
    """Return the numbers of the rows that have coefficients; raise where one without them cannot hold."""
    empty = np.diff(rows.indptr) == 0
    broken = np.flatnonzero(empty & ((lower > 0) | (upper < 0)))
    if broken.size:
        raise InfeasibleConstraintException(f"row '{constraints[broken[0]].name}' names no variable and cannot hold")
    return np.flatnonzero(~empty)


class _Terms:
    """The terms of several expressions, one expression after another.

    Parameters
    ----------
    model : ConcreteModel
        Its variables are those that may appear.
    """

    def __init__(self, model: ConcreteModel) -> None:
        self.variables: list[Any] = []
        """All variables of the model."""
        limits, integral = [], []
        for variable in model.component_data_objects(Var):
            self.variables.append(variable)
            limits.append(variable.bounds)
            integral.append(variable.is_integer())
        self.bounds: Floats = np.array(limits, dtype=np.float64).reshape(-1, 2)
        """Their least and largest values."""
        self.integral: Mask = np.array(integral, dtype=np.bool_)
        """Whether each is integral."""
        self._number = {id(variable): number for number, variable in enumerate(self.variables)}
        self._numbers: list[int] = []
        self._coefficients: list[float] = []
        self._starts = [0]

    def add(self, body: Any) -> float:
        """Add the terms of an expression, and return its constant."""
        linear = body if isinstance(body, LinearExpression) else generate_standard_repn(body)
        self._coefficients.extend(linear.linear_coefs)
        self._numbers.extend(map(self._number.__getitem__, map(id, linear.linear_vars)))
        self._starts.append(len(self._numbers))
        return float(linear.constant)

    def matrix(self) -> tuple[scipy.sparse.csr_array[Any], Ints]:
        """Return a row for every expression, without zeros, and the variables of its columns, by number.

        Columns stand in the order in which expressions name their variables first.
        """
        numbers = np.array(self._numbers, dtype=np.intp)
        first = np.full(len(self.variables), len(numbers))
        first[numbers[::-1]] = np.arange(len(numbers))[::-1]
        order = np.argsort(first, kind="stable")
        column = np.empty(len(order), dtype=np.int32)
        column[order] = np.arange(len(order))
        values, start = np.array(self._coefficients, dtype=np.float64), np.array(self._starts, dtype=np.int32)
        rows = scipy.sparse.csr_array((values, column[numbers], start), shape=(len(start) - 1, len(order)))
        rows.sum_duplicates()
        rows.eliminate_zeros()
        named = np.bincount(rows.indices, minlength=len(order)) > 0
        return rows[:, np.flatnonzero(named)], order[named]
