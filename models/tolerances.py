"""Every tolerance of the suite, with its equation or reason.

One rule decides feasibility, for methods and evaluator alike: a constraint holds when it is met within
`FEASIBILITY_TOLERANCE` of its right-hand side. Methods stop a hundredth short of that (`relaxed`), so that the rounding
of their own sums never carries a deployment over the evaluator's limit.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal
from math import inf
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Limit = TypeVar("Limit", "float", "NDArray[np.float64]")

FEASIBILITY_TOLERANCE = 1e-6
"""Of every constraint, relative to its right-hand side; of an accuracy target (eq. 9), absolute."""

METHOD_TOLERANCE = 0.99 * FEASIBILITY_TOLERANCE
"""What methods allow themselves of it; the rest is for the rounding of their sums and for a solver's own tolerance."""

EVALUATOR_SLACK = FEASIBILITY_TOLERANCE - METHOD_TOLERANCE
"""What the evaluator accepts beyond what methods hold, relative to a right-hand side.

Solutions of a solver may take it, for they are not exact. A proof of infeasibility must exceed it.
"""

ENERGY_TOLERANCE = 1e-6
"""Two energies are equal when |a − b| ≤ ENERGY_TOLERANCE · max(|a|, |b|)."""

CLAIM_TOLERANCE = 10 * ENERGY_TOLERANCE
"""How far a claimed optimum may lie above its own bound, relative: solvers compare the two at `ENERGY_TOLERANCE` of a
scaled objective, which need not be 1."""

FLOAT_NOISE = 1e-9
"""Relative difference that rounding of sums, in any order and over any path, stays below."""

SUM_NOISE = 1e-12
"""Relative difference that the order of one short sum alone can make."""

TERM_NOISE = 1e-13
"""Rounding error of a bound, relative to the sum of the absolute values of the terms that it is a sum of.

Paths of a few hundred edges and a few thousand resources lose about 1e-14.
"""

OPTIMAL_GAP = 1e-9
"""Relative gap between a proven bound and an answer at which the answer is optimal: float noise, nothing more."""

COLUMN_GAP = 10 * OPTIMAL_GAP
"""The same for column generation, whose bound may itself stay `OPTIMAL_GAP` below the relaxation's value."""

BRANCHING_GAP = 9e-7
"""Relative gap at which branch-price-and-cut has proven its incumbent: just below what counts as equal (eq. 3).

Deployments of many applications whose objectives differ by less are many; to tell them apart takes most of the time.
"""

SOLVER_TOLERANCE = 1e-9
"""Feasibility and integrality that solvers are asked for; rows come scaled to right-hand sides of 1."""

SMALLEST_COEFFICIENT = 1e-12
"""Coefficients of scaled rows from which on solvers keep them: by default they lose 1e-9, and latencies add up."""

SPLIT_TOLERANCE = 1e-5
"""Parts of a model must answer as the whole one does, relative to the greatest number of its answer: 32-bit numbers
round at 6e-8, and a runtime joins operators of a whole model that parts keep apart."""

EXIT_SHARE_TOLERANCE = 1e-3
"""Published exit fractions are rounded; their sum may miss 1 by this much."""


def relaxed(limit: Limit) -> Limit:
    """Return the right-hand side that methods hold: the limit and `METHOD_TOLERANCE` of it."""
    return limit * (1 + METHOD_TOLERANCE)


def safe_bound(value: float, terms: float) -> float:
    """Return a lower bound less what rounding may have added to it.

    Parameters
    ----------
    value : float
        The bound as it was summed up; inf stays.
    terms : float
        Sum of the absolute values of what was added and subtracted.
    """
    return value if value == inf else value - TERM_NOISE * terms


def exceeds(value: float, limit: float) -> bool:
    """Return whether value ≤ limit is broken beyond `FEASIBILITY_TOLERANCE` of the limit."""
    return value > limit * (1 + FEASIBILITY_TOLERANCE)


def accurate_enough(accuracy: float, target: float) -> bool:
    """Return whether an exit's accuracy meets the target (eq. 9) within `FEASIBILITY_TOLERANCE`."""
    return accuracy >= target - FEASIBILITY_TOLERANCE


def equal_energy(a: float, b: float) -> bool:
    """Return whether two energies are the same within `ENERGY_TOLERANCE`."""
    return abs(a - b) <= ENERGY_TOLERANCE * max(abs(a), abs(b))


def rounded_up(limit: float, digits: int) -> float:
    """Return a limit rounded up to so many significant digits: who asks for it as it is shown asks for no less."""
    return float(Context(prec=digits, rounding=ROUND_CEILING).create_decimal(Decimal(limit)))
