"""Measures: what is said of a method over several instances, with its spread; each with one definition for all.

Failures are never averaged in, and never left out unsaid. There are three kinds of measure:

- *shares* over all instances, with the Wilson interval of a share (level `CONFIDENCE`);
- *medians* over all instances, in which an unanswered run counts as ∞: the value that half of the instances reach. They
  do not exist (∞) where fewer than half of the runs answered. Their band goes from the first quartile to the third;
- *means and extremes* over the instances on which deployments to compare were found, which tell how many instances
  were left out; bands of means are 95 % percentile bootstraps over instances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, isinf, nan
from typing import Protocol

import numpy as np
import pandas as pd

from finbench.benchmarks.analysis.statistics import CONFIDENCE, is_solved
from finbench.benchmarks.analysis.units import Quantity
from finbench.models.io import InputError

RESAMPLES = 1000


@dataclass(frozen=True)
class Estimate:
    """A measure of one method over some instances."""

    value: float
    """NaN where nothing is known; ∞ where the middle instance was not answered."""
    counted: int
    """Instances that entered."""
    instances: int
    """Instances that might have: those of the group, or those with a known deployment."""
    above: float = nan
    """Where the value is ∞ because limits ended the runs: the least of these limits."""

    @property
    def left_out(self) -> int:
        """Instances that did not enter."""
        return self.instances - self.counted


NOTHING = Estimate(nan, 0, 0)

Ends = tuple[float, float]


class Measured(Protocol):
    """How a measure is taken from the points of one method (`analysis.points.points`, then `with_common`)."""

    def estimate(self, here: pd.DataFrame) -> Estimate:
        """Return the measure."""

    def band(self, here: pd.DataFrame) -> Ends:
        """Return the ends of the band around it, for figures; NaN where there is none."""


@dataclass(frozen=True)
class Share:
    """The share of all instances of which something is true."""

    of: Callable[[pd.DataFrame], pd.Series[bool]]

    def estimate(self, here: pd.DataFrame) -> Estimate:
        """Return #{p : true} / n."""
        return Estimate(float(self.of(here).mean()), len(here), len(here)) if len(here) else NOTHING

    def band(self, here: pd.DataFrame) -> Ends:
        """Return the Wilson interval."""
        from scipy.stats import binomtest

        if here.empty:
            return nan, nan
        interval = binomtest(int(self.of(here).sum()), len(here)).proportion_ci(CONFIDENCE, "wilson")
        return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class Median:
    """The value that half of all instances reach; values are ∞ where there is none."""

    of: Callable[[pd.DataFrame], pd.Series[float]]
    has_limit: bool = False
    """Whether a median of ∞ is told to be above the limits, where these ended the runs."""

    def estimate(self, here: pd.DataFrame) -> Estimate:
        """Return the median; the mean of the two in the middle, ∞ where one of these is."""
        values = self.of(here).to_numpy(float)
        if not len(values):
            return NOTHING
        middle = float(np.quantile(values, 0.5, method="higher"))
        if isfinite(middle):
            middle = float(np.median(values))
        above = self._above(here) if isinf(middle) and self.has_limit else nan
        return Estimate(middle, int(np.isfinite(values).sum()), len(here), above)

    def _above(self, here: pd.DataFrame) -> float:
        stopped = here[~here["answered"]]
        return float(stopped["limit_s"].min()) if stopped["limited"].all() else nan

    def band(self, here: pd.DataFrame) -> Ends:
        """Return the first and the third quartile, each the value of an instance."""
        values = self.of(here).to_numpy(float)
        if not len(values):
            return nan, nan
        low, high = np.quantile(values, [0.25, 0.75], method="inverted_cdf")
        return float(low), float(high)


@dataclass(frozen=True)
class Mean:
    """The mean over the instances that have a value."""

    of: Callable[[pd.DataFrame], pd.Series[float]]

    def estimate(self, here: pd.DataFrame) -> Estimate:
        """Return the mean, and how many of the instances with a known deployment entered."""
        values = self.of(here).dropna()
        return Estimate(float(values.mean()), len(values), int(here["solvable"].sum()))

    def band(self, here: pd.DataFrame) -> Ends:
        """Return the percentile bootstrap interval over instances."""
        from scipy.stats import bootstrap

        values = self.of(here).dropna().to_numpy(float)
        if not len(values) or np.ptp(values) == 0:
            return (float(values[0]), float(values[0])) if len(values) else (nan, nan)
        rng = np.random.default_rng(0)
        made = bootstrap((values,), np.mean, n_resamples=RESAMPLES, batch=100, method="percentile", rng=rng)
        return float(made.confidence_interval.low), float(made.confidence_interval.high)


@dataclass(frozen=True)
class Largest:
    """The largest value."""

    of: Callable[[pd.DataFrame], pd.Series[float]]

    def estimate(self, here: pd.DataFrame) -> Estimate:
        """Return the largest value, and how many of the instances with a known deployment entered."""
        values = self.of(here).dropna()
        return Estimate(float(values.max()), len(values), int(here["solvable"].sum()))

    def band(self, here: pd.DataFrame) -> Ends:  # noqa: ARG002
        """Return no band."""
        return nan, nan


@dataclass(frozen=True)
class Different:
    """The number of different texts in a column."""

    column: str

    def estimate(self, here: pd.DataFrame) -> Estimate:
        """Return the number, and how many instances have such a text."""
        texts = here[self.column].dropna()
        return Estimate(float(texts.nunique()) if len(texts) else nan, len(texts), len(here))

    def band(self, here: pd.DataFrame) -> Ends:  # noqa: ARG002
        """Return no band."""
        return nan, nan


class Count:
    """The number of instances."""

    def estimate(self, here: pd.DataFrame) -> Estimate:
        """Return the number."""
        return Estimate(len(here), len(here), len(here))

    def band(self, here: pd.DataFrame) -> Ends:  # noqa: ARG002
        """Return no band."""
        return nan, nan


@dataclass(frozen=True)
class Measure:
    """What is measured, and how it is read."""

    name: str
    heading: str
    quantity: Quantity
    measured: Measured
    note: str
    """Its definition, as it stands below a table."""
    digits: int | None = None
    """Significant digits; None: from the noise of the times."""
    is_log: bool = False
    """Whether figures show it on a logarithmic axis."""

    @property
    def counts_failures(self) -> bool:
        """Whether every instance enters; else a table marks values that leave any out."""
        return isinstance(self.measured, Share | Median | Count) and self.name != "memory"

    @property
    def band_name(self) -> str:
        """What its band is."""
        names = {Share: "95 % Wilson interval", Median: "quartiles", Mean: "95 % bootstrap interval"}
        return names.get(type(self.measured), "")


def _is_solved(gap: float) -> Callable[[pd.DataFrame], pd.Series[bool]]:
    return lambda here: here["gap"].map(lambda one: is_solved(one, gap)).astype(bool)


def _gaps(here: pd.DataFrame) -> pd.Series[float]:
    """Return all gaps, ∞ for every failure; none where no instance has a bound or is known to be infeasible."""
    gaps: pd.Series[float] = here["gap"]
    return gaps if (here["bounded"] | (gaps == 0)).any() else gaps.iloc[:0]


def _found_gaps(here: pd.DataFrame) -> pd.Series[float]:
    return here["gap"].where(here["found"] & np.isfinite(here["gap"]))


def _times(here: pd.DataFrame) -> pd.Series[float]:
    return here["time_s"].where(here["answered"], inf)


def _answered_times(here: pd.DataFrame) -> pd.Series[float]:
    return here["time_s"].where(here["answered"])


def _column(name: str) -> Callable[[pd.DataFrame], pd.Series[float]]:
    return lambda here: here[name]


_ALL_FOUND = "over the instances on which all methods shown found a deployment"

MEASURES = {
    each.name: each
    for each in (
        Measure(
            "answered", "answered", Quantity.FRACTION, Share(_column("answered")),  # type: ignore[arg-type]
            "share of all instances that ended in time with a feasible deployment or a proof that there is none",
        ),
        Measure(
            "optimal", "optimum met", Quantity.FRACTION, Share(_is_solved(0.0)),
            "share of all instances with an objective equal to the best proven bound within 1e-6",
        ),
        Measure(
            "solved", "solved", Quantity.FRACTION, Share(_is_solved(0.01)),
            "share of all instances with a gap of at most 1 %",
        ),
        Measure(
            "missed", "missed", Quantity.FRACTION, Share(lambda here: here["solvable"] & ~here["found"]),
            "share of all instances on which the method found no deployment although another method did",
        ),
        Measure("energy", "energy", Quantity.JOULES, Mean(_column("common_objective")), f"mean {_ALL_FOUND}", 4),
        Measure(
            "saving", "saving", Quantity.FRACTION, Mean(_column("common_saving")),
            f"mean of (E_b − E)/E_b {_ALL_FOUND}", 3,
        ),
        Measure(
            "gap", "median gap", Quantity.FRACTION, Median(_gaps),
            "(E − LB)/LB to the best proven bound LB, median over all instances, a failure counting as ∞", 3, True,
        ),
        Measure(
            "mean-gap", "mean gap", Quantity.FRACTION, Mean(_found_gaps),
            "(E − LB)/LB, mean over the deployments found", 3, True,
        ),
        Measure(
            "worst-gap", "worst gap", Quantity.FRACTION, Largest(_found_gaps),
            "(E − LB)/LB, largest over the deployments found", 3, True,
        ),
        Measure(
            "time", "time", Quantity.SECONDS, Median(_times, has_limit=True),
            "median over all instances, an unanswered run counting as slower than all others", is_log=True,
        ),
        Measure(
            "worst-time", "longest time", Quantity.SECONDS, Largest(_answered_times),
            "longest of the answered runs", is_log=True,
        ),
        Measure(
            "memory", "memory", Quantity.BYTES, Median(lambda here: here["peak_bytes"].dropna()),
            "peak, median over the runs that told it", 2, True,
        ),
        Measure("latency", "latency", Quantity.SECONDS, Mean(_column("common_latency")), f"mean {_ALL_FOUND}", 3),
        Measure(
            "rejected", "rejected", Quantity.PLAIN, Mean(_column("rejected")),
            "applications turned away, mean over the deployments found", 2,
        ),
        Measure(
            "alternatives", "DNNs chosen", Quantity.PLAIN, Different("dnn"),
            "how many of their alternatives applications run, over the deployments found",
        ),
        Measure("instances", "instances", Quantity.PLAIN, Count(), "number of instances"),
    )
}  # fmt: skip


def find_measure(name: str) -> Measure:
    """Return the measure of that name; raise InputError where there is none."""
    if name not in MEASURES:
        raise InputError(f"'{name}'", f"no such measure; known: {', '.join(MEASURES)}")
    return MEASURES[name]


def with_common(here: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Return points with `common_objective`, `common_latency` and `common_saving`: NaN where any method found nothing.

    So means of several methods are over the same instances. A method that found nothing at all among the points that
    are alike in group and `keys` does not take the others' costs with it.
    """
    any_found = here.groupby(["group", *keys, "variant"], dropna=False)["found"].transform("any")
    missing = (~here["found"] & any_found).groupby([here["group"], here["instance"]]).transform("any")
    return here.assign(
        common_objective=here["objective"].mask(missing),
        common_latency=here["latency_s"].mask(missing),
        common_saving=here["saving"].mask(missing),
    )
