"""Growth of a cost with size: a power law fitted on logarithms, in which runs ended by a limit are censored.

    log cost = a + b · log size + σ ε,     ε ~ N(0, 1)

A run that its limit ended says only that its cost is larger; it enters the likelihood with that probability (Tobit;
Tobin, Econometrica 26(1), 1958), neither left out nor taken for a finished run. The interval of the exponent b comes
from a percentile bootstrap over runs (Efron, Tibshirani, 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_ndtr

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 400
FEWEST_SIZES = 3
"""Distinct sizes with finished runs that a fit, and every bootstrap sample, needs."""

SMALLEST_SPREAD = 1e-3
"""Floor of σ."""


@dataclass(frozen=True)
class GrowthFit:
    """A fitted power law, cost = factor · size ** exponent."""

    exponent: float
    low: float
    """Lower end of the exponent's confidence interval (level `CONFIDENCE`)."""
    high: float
    """Upper end."""
    factor: float
    runs: int
    censored: int
    """How many of the runs were ended by their limit."""

    def predict(self, size: float) -> float:
        """Return the fitted cost at `size`."""
        return float(self.factor * size**self.exponent)


def fit_growth(
    sizes: Sequence[float], costs: Sequence[float], censored: Sequence[bool] | None = None, *, seed: int = 0
) -> GrowthFit | None:
    """Fit a power law.

    Parameters
    ----------
    sizes, costs : sequence of float
        One entry for each run; of a censored run the cost is its limit. A run whose size or cost is 0 is left out: no
        power law passes there.
    censored : sequence of bool, optional
        Which runs were ended by their limit; by default none.
    seed : int
        Of the bootstrap.

    Returns
    -------
    GrowthFit or None
        None where fewer than `FEWEST_SIZES` sizes have a finished run: no slope can be told from noise.
    """
    cut = (False,) * len(sizes) if censored is None else tuple(censored)
    return _fitted(tuple(sizes), tuple(costs), cut, seed)


@lru_cache(maxsize=1024)
def _fitted(
    sizes: tuple[float, ...], costs: tuple[float, ...], censored: tuple[bool, ...], seed: int
) -> GrowthFit | None:
    """Return the fit; table, page and figures of a campaign ask for the same ones."""
    size, cost = np.asarray(sizes, float), np.asarray(costs, float)
    positive = (size > 0) & (cost > 0)
    cut = np.asarray(censored, bool)[positive]
    x, y = np.log(size[positive]), np.log(cost[positive])
    if len(np.unique(x[~cut])) < FEWEST_SIZES:
        return None
    intercept, slope = _fit(x, y, cut)
    rng = np.random.default_rng(seed)
    slopes = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, len(x), len(x))
        if len(np.unique(x[drawn][~cut[drawn]])) >= FEWEST_SIZES:
            slopes.append(_fit(x[drawn], y[drawn], cut[drawn])[1])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(slopes, [tail, 1 - tail])
    return GrowthFit(slope, float(low), float(high), float(np.exp(intercept)), len(x), int(cut.sum()))


def _fit(x: Floats, y: Floats, cut: NDArray[np.bool_]) -> tuple[float, float]:
    """Return intercept and slope: least squares, which is maximum likelihood where nothing is censored, else Tobit."""
    intercept, slope = _least_squares(x[~cut], y[~cut])
    if not cut.any():
        return intercept, slope
    spread = max(float(np.std(y[~cut] - intercept - slope * x[~cut])), SMALLEST_SPREAD)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        """Return negative log-likelihood and its gradient."""
        a, b, log_sigma = parameters
        sigma = np.exp(log_sigma)
        z = (y - a - b * x) / sigma
        log_tail = log_ndtr(-z[cut])
        hazard = np.exp(-(z[cut] ** 2) / 2 - log_tail) / np.sqrt(2 * np.pi)
        pull = z.copy()
        pull[cut] = hazard
        by_log_sigma = float(np.sum(z[~cut] ** 2 - 1) + np.sum(hazard * z[cut]))
        value = np.sum(z[~cut] ** 2) / 2 + (~cut).sum() * log_sigma - log_tail.sum()
        return float(value), -np.array([pull.sum() / sigma, (pull * x).sum() / sigma, by_log_sigma])

    start = np.array([intercept, slope, np.log(spread)])
    # Without a floor, runs that lie on one line would drive the likelihood to infinity.
    bounds = [(None, None), (None, None), (np.log(SMALLEST_SPREAD), None)]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(best.x[0]), float(best.x[1])


def _least_squares(x: Floats, y: Floats) -> tuple[float, float]:
    slope = float(np.dot(x - x.mean(), y) / np.dot(x - x.mean(), x))
    return float(y.mean() - slope * x.mean()), slope
