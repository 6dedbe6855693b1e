"""Cells of a table of methods: a unit for a column where one serves, digits by noise, marks for what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isinf, isnan, log10

import pandas as pd

from finbench.benchmarks.analysis.measures import Count, Different, Estimate, Measure, Share
from finbench.benchmarks.analysis.units import (
    HEADINGS,
    Quantity,
    Unit,
    digits_of,
    one_unit_serves,
    quantity_of_objectives,
    significant,
    unit_of,
    with_unit,
)
from finbench.models.tolerances import ENERGY_TOLERANCE

DAGGER = "†"
"""Mark of a value that leaves instances out."""

NONE = "–"
"""What stands where nothing is known."""


@dataclass(frozen=True)
class Heading:
    """A column of numbers."""

    name: str
    heading: str
    unit: str
    """Empty where cells name their own."""
    size: float = 1.0
    """The unit, in that of the rows of results."""


class CellWriter:
    """Writes the estimates of one measure: a unit for all of them where one serves, digits by their noise."""

    def __init__(self, measure: Measure, estimates: Sequence[Estimate], here: pd.DataFrame) -> None:
        values = [each.value for each in estimates]
        self.measure = measure
        self.quantity = measure.quantity
        self.unit: Unit | None = None
        self.of_group: dict[str, Quantity] = {}
        if measure.quantity is Quantity.JOULES:
            units = here.groupby("group")["objective_unit"].agg(quantity_of_objectives)
            self.of_group = {str(group): quantity for group, quantity in units.items()}
            self.quantity = quantity_of_objectives(self.of_group.values())
        mixed = len(set(self.of_group.values())) > 1
        if one_unit_serves(values) or self.quantity in (Quantity.FRACTION, Quantity.PLAIN):
            self.unit = None if mixed else unit_of(self.quantity, values)
        heading = HEADINGS.get(self.quantity, measure.heading)
        self.column = Heading(measure.name, heading, "" if self.unit is None else self.unit.symbol)

    def text(self, estimate: Estimate, group: str, noise: float) -> str:
        """Return the cell of a method in a group; `noise` is that of the times."""
        if isinstance(self.measure.measured, Count):
            return str(estimate.instances)
        if isnan(estimate.value):
            return NONE
        if isinf(estimate.value):
            return self._beyond(estimate)
        if isinstance(self.measure.measured, Different):
            return f"{estimate.value:.0f}"
        if isinstance(self.measure.measured, Share):
            return f"{100 * estimate.value:.{max(0, ceil(log10(estimate.instances)) - 2)}f}"
        mark = DAGGER if estimate.left_out and not self.measure.counts_failures else ""
        return self._number(estimate.value, group, noise) + mark

    def _number(self, value: float, group: str, noise: float) -> str:
        if self.quantity is Quantity.FRACTION and abs(value) <= ENERGY_TOLERANCE:
            return "0"
        digits = self.measure.digits or digits_of(noise)
        if self.unit is None:
            return with_unit(value, self.of_group.get(group, self.quantity), digits)
        return significant(value / self.unit.size, digits)

    def _beyond(self, estimate: Estimate) -> str:
        """Return what stands for a median that is not there."""
        if not isnan(estimate.above):
            return f"> {with_unit(estimate.above, self.quantity, 3)}"
        return "∞" if self.quantity is Quantity.FRACTION else NONE
