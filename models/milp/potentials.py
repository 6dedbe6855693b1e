"""Potentials of a longest path in place of the worst of all deviations: the rows (35) of `models.milp.robust`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyomo.core.base import ConstraintList, NonNegativeReals, VarList
from pyomo.core.expr import LinearExpression

from finbench.models.milp.rows import Variables
from finbench.models.programs.costs import Floats


@dataclass(frozen=True)
class Form:
    """A linear form of the decisions."""

    variables: Variables
    coefficients: Floats


@dataclass(frozen=True)
class UncertainTerms:
    """What one application adds to a row (34): a_h, its g_{h,e}, and the part that its rate may grow by."""

    base: Form
    gains: tuple[Form, ...]
    growth: float

    @property
    def most(self) -> float:
        """A bound above what it can be."""
        return (1 + self.growth) * float(sum(form.coefficients.sum() for form in (self.base, *self.gains)))


class Potentials:
    """Potentials of the vertices of one longest path (35), with their rows.

    Parameters
    ----------
    block : Block
        Where variables and rows go.
    most : float
        A bound above every potential that is needed.
    """

    def __init__(self, block: Any, most: float) -> None:
        self._block, self._most = block, most
        block.potential = VarList(domain=NonNegativeReals)
        block.eq35_potential = ConstraintList()

    def before(self, group: UncertainTerms, after: list[Any]) -> list[Any]:
        """Return v_{h,k} for k = 0..Γ from v_{h+1,k}; None stands for 0."""
        base = self._value(group.base)
        gains = [self._value(form) for form in group.gains]
        begun = [self._new() for _ in after]
        for growth in dict.fromkeys((0.0, group.growth)):
            first = self._shares(gains, after, 1 + growth)
            spent = int(growth > 0)
            for k in range(spent, len(after)):
                self._row(begun[k], ((1 + growth), base), first[k - spent])
        return begun

    def _shares(self, gains: list[Any], after: list[Any], factor: float) -> list[Any]:
        """Return u_{h,ζ,1,k} for k = 0..Γ."""
        for gain in reversed(gains):
            begun = [after[0], *(self._new() for _ in after[1:])]
            for k in range(1, len(after)):
                self._row(begun[k], None, after[k])
                self._row(begun[k], (factor, gain), after[k - 1])
            after = begun
        return after

    def _value(self, form: Form) -> Any:
        """Return a variable that is at least a form."""
        variable = self._new()
        self._row_of(variable, form.coefficients.tolist(), form.variables.tolist())
        return variable

    def _row(self, variable: Any, gain: tuple[float, Any] | None, onward: Any) -> None:
        """Add variable ≥ gain + onward."""
        terms = [] if gain is None else [gain]
        terms += [] if onward is None else [(1.0, onward)]
        if terms:
            self._row_of(variable, [c for c, _ in terms], [v for _, v in terms])

    def _row_of(self, variable: Any, coefficients: list[float], variables: list[Any]) -> None:
        body = LinearExpression(
            constant=0, linear_coefs=[1.0, *(-c for c in coefficients)], linear_vars=[variable, *variables]
        )
        self._block.eq35_potential.add((0.0, body, None))

    def _new(self) -> Any:
        variable = self._block.potential.add()
        variable.setub(self._most)
        return variable
