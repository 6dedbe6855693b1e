"""Means and quantiles of what was simulated, with 95 % confidence intervals from batch means.

Samples that follow each other wait for the same others, so that they are not independent. Their sequence is cut into
`BATCHES` batches, long enough that the batches' means hardly depend on each other; these give the interval by Student's
t (A. M. Law, Simulation Modeling and Analysis, 5th ed. 2015, section 9.5.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BATCHES = 20

STUDENT_T = 2.0930240544083096
"""97.5 % quantile of Student's t with `BATCHES` − 1 degrees of freedom."""


@dataclass(frozen=True)
class SampledValue:
    """A number that was simulated, and half the width of its 95 % confidence interval."""

    value: float
    half_width: float | None
    """None where there were fewer samples than two a batch."""

    @property
    def relative(self) -> float:
        """Half width relative to the value; inf where it is not known."""
        if self.half_width is None:
            return float("inf")
        return self.half_width / abs(self.value) if self.value else 0.0 if self.half_width == 0 else float("inf")

    def holds(self, number: float, slack: float = 0.0) -> bool:
        """Return whether a number lies within the interval, or within `slack` of it (relative to the value)."""
        return abs(number - self.value) <= (self.half_width or 0.0) + slack * abs(self.value)


def mean_of(values: Floats) -> SampledValue:
    """Return the mean of samples in the order of their arrival."""
    return _of_batches(values, lambda some: float(np.mean(some)))


def quantile_of(values: Floats, share: float) -> SampledValue:
    """Return a quantile of samples in the order of their arrival."""
    return _of_batches(values, lambda some: float(np.quantile(some, share)))


def _of_batches(values: Floats, statistic: Callable[[Floats], float]) -> SampledValue:
    value = statistic(values)
    if values.size < 2 * BATCHES:
        return SampledValue(value, None)
    of_batch = np.array([statistic(batch) for batch in np.array_split(values, BATCHES)])
    return SampledValue(value, float(STUDENT_T * np.std(of_batch, ddof=1) / sqrt(BATCHES)))
