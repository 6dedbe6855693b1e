"""Statistics that judge methods against each other, each with its formula; numbers in, numbers out.

Time and gap of a method on an instance stand at the same place in every sequence. A failure is never averaged in as if
it were a time or a gap: its gap is None, it is unsolved, and it costs a penalty or counts as censored at its limit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp, fabs, inf, isfinite, log
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from finbench.models.tolerances import ENERGY_TOLERANCE

GAPS = (0.0, 1e-4, 1e-2, 5e-2)
"""Gaps at which solved instances are counted."""

MITTELMANN_SHIFT_S, SMALL_SHIFT_S = 10.0, 0.01
"""Shifts of the geometric mean: as Mittelmann's benchmarks take it, and one that tells milliseconds apart [s]."""

PENALTY = 10.0
"""What an unsolved instance costs in PAR10, in limits."""

CONFIDENCE = 0.95
RESAMPLES = 2000


def shared_instances(instances_of: Mapping[str, Collection[str]]) -> list[str]:
    """Return instances on which every method has a run, in the order of the first method.

    Parameters
    ----------
    instances_of : mapping
        For each method the instances that it was run on, whatever came of it.

    Returns
    -------
    list of str
    """
    first, *others = instances_of.values()
    return [instance for instance in first if all(instance in other for other in others)]


def is_solved(gap: float | None, threshold: float) -> bool:
    """Return whether a gap (E − LB)/LB is at most `threshold`; a threshold of 0 means equal within `ENERGY_TOLERANCE`.

    Parameters
    ----------
    gap : float or None
        Against the best proven bound; None where nothing was found or no bound is known.
    threshold : float, non-negative
    """
    return gap is not None and gap <= max(threshold, ENERGY_TOLERANCE)


def solved_counts(gaps: Sequence[float | None], thresholds: Sequence[float] = GAPS) -> tuple[int, ...]:
    """Return how many instances are solved, #{p : gap_p ≤ θ}, for each threshold θ.

    Parameters
    ----------
    gaps : sequence of float or None
    thresholds : sequence of float

    Returns
    -------
    tuple of int
    """
    return tuple(sum(is_solved(gap, threshold) for gap in gaps) for threshold in thresholds)


def shifted_geometric_mean(times_s: Sequence[float], shift_s: float) -> float:
    """Return the shifted geometric mean, exp(1/n Σ_p log(t_p + s)) − s (Achterberg, TU Berlin, 2007, A.3).

    The shift keeps instances that take next to no time from ruling the mean.

    Parameters
    ----------
    times_s : sequence of float, non-negative
        A censored run enters with its limit: the mean is then a lower bound.
    shift_s : float, positive

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are no times.
    """
    return exp(fmean(log(time + shift_s) for time in times_s)) - shift_s


def penalised_mean(
    times_s: Sequence[float], solved: Sequence[bool], limits_s: Sequence[float], penalty: float = PENALTY
) -> float:
    """Return PAR10: 1/n Σ_p (t_p where solved, else 10 · limit_p) (Hutter et al., JAIR 36, 2009).

    Parameters
    ----------
    times_s, solved, limits_s : sequences of equal length
        The time of an unsolved instance is not read.
    penalty : float

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are no instances, or the lengths differ.
    """
    runs = zip(times_s, solved, limits_s, strict=True)
    return fmean(time if done else penalty * limit for time, done, limit in runs)


@dataclass(frozen=True)
class Profile:
    """Performance profile of one method, ρ(τ) = #{p : r_p ≤ τ} / n (Dolan, Moré, Math. Program. 91, 2002)."""

    ratios: tuple[float, ...]
    """Ratios r_p = t_p / min_s t_{p,s} of the instances it solves, ascending."""
    instances: int
    """How many instances there are, n."""

    def solved_fraction(self, ratio: float) -> float:
        """Return the fraction of instances solved within `ratio` times the time of the fastest method, ρ(ratio)."""
        return bisect_right(self.ratios, ratio) / self.instances


def performance_profiles(
    times_s: Mapping[str, Sequence[float]], solved: Mapping[str, Sequence[bool]]
) -> dict[str, Profile]:
    """Return performance profiles of several methods over the same instances.

    A method that has not solved an instance, its quality included, takes t = ∞ there: it neither sets the least time
    nor reaches any ratio.

    Parameters
    ----------
    times_s : mapping of sequences, positive
        For each method one time for each instance.
    solved : mapping of sequences
        Whether that run counts as solved (`is_solved`).

    Returns
    -------
    dict
        For each method its `Profile`.
    """
    costs = {
        method: [time if done else inf for time, done in zip(times_s[method], solved[method], strict=True)]
        for method in times_s
    }
    least = [min(column) for column in zip(*costs.values(), strict=True)]
    return {
        method: Profile(
            tuple(sorted(time / best for time, best in zip(row, least, strict=True) if isfinite(time))), len(least)
        )
        for method, row in costs.items()
    }


def primal_gap(energy: float | None, best: float) -> float:
    """Return the primal gap |E − E*| / max(|E|, |E*|), in [0, 1] (Berthold, Oper. Res. Lett. 41, 2013).

    Parameters
    ----------
    energy : float or None
        Energy of the incumbent; without one the gap is 1.
    best : float
        Optimum, or the best energy known.

    Returns
    -------
    float
        0 where both are 0; 1 where their signs differ.
    """
    if energy is None or energy * best < 0:
        return 1.0
    return 0.0 if energy == best else fabs(energy - best) / max(fabs(energy), fabs(best))


def primal_integral(incumbents: Sequence[tuple[float, float]], best: float, end_s: float) -> float:
    """Return the primal integral ∫_0^T p(t) dt = Σ_i p_{i−1} (t_i − t_{i−1}) of the gap p (Berthold, 2013).

    p is 1 until the first incumbent and piecewise constant from one to the next.

    Parameters
    ----------
    incumbents : sequence of (float, float)
        Time [s] at which each was found, ascending, and its energy.
    best : float
        Optimum, or the best energy known.
    end_s : float
        T; incumbents found later do not count [s].

    Returns
    -------
    float
        In seconds, at most `end_s`; the average gap is this over `end_s`.
    """
    integral, since, gap = 0.0, 0.0, 1.0
    for time, energy in incumbents:
        if time >= end_s:
            break
        integral += gap * (time - since)
        since, gap = time, primal_gap(energy, best)
    return integral + gap * (end_s - since)


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval (level `CONFIDENCE`)."""

    value: float
    low: float
    high: float

    def map(self, transform: Callable[[float], float]) -> Interval:
        """Return the interval of an increasing function of the estimate."""
        return Interval(transform(self.value), transform(self.low), transform(self.high))


def mean_difference(first: Sequence[float], second: Sequence[float], *, seed: int = 0) -> Interval:
    """Return the mean of paired differences, 1/n Σ_p (b_p − a_p), with a paired percentile bootstrap.

    Pairs are resampled whole. They are sorted first, so that their order does not matter.

    Parameters
    ----------
    first, second : sequences of equal length
        a and b, instance by instance.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If there are no pairs, or the lengths differ.
    """
    return _bootstrapped_mean([b - a for a, b in zip(first, second, strict=True)], seed)


def ratio_of_times(first_s: Sequence[float], second_s: Sequence[float], *, seed: int = 0) -> Interval:
    """Return the geometric mean of paired ratios, exp(1/n Σ_p log(b_p / a_p)), with a paired bootstrap.

    Of all means of ratios only this one gives the inverse when the two sides are exchanged (Fleming, Wallace, CACM 29,
    1986).

    Parameters
    ----------
    first_s, second_s : sequences of equal length, positive
        a and b, instance by instance.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If there are no pairs, or the lengths differ.
    """
    return _bootstrapped_mean([log(b / a) for a, b in zip(first_s, second_s, strict=True)], seed).map(exp)


def _bootstrapped_mean(values: Sequence[float], seed: int) -> Interval:
    ordered: NDArray[np.float64] = np.sort(np.asarray(values, float))
    mean, size = fmean(values), len(ordered)
    rng = np.random.default_rng(seed)
    means = [ordered[rng.integers(0, size, size)].mean() for _ in range(RESAMPLES)]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(mean, min(mean, float(low)), max(mean, float(high)))
