"""Power-law fits: exact on exact data, right through censoring, wrong where censoring is ignored."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.benchmarks.analysis.growth import fit_growth


def test_an_exact_power_law_is_recovered() -> None:
    sizes = [1.0, 10.0, 100.0, 1000.0]
    fit = fit_growth(sizes, [3e-6 * size**1.5 for size in sizes])
    assert fit is not None
    assert fit.exponent == pytest.approx(1.5)
    assert fit.factor == pytest.approx(3e-6)
    assert fit.low == pytest.approx(1.5)
    assert fit.high == pytest.approx(1.5)
    assert fit.predict(1e4) == pytest.approx(3.0)


def test_runs_of_size_or_cost_0_are_left_out() -> None:
    sizes = [1.0, 10.0, 100.0, 1000.0]
    costs = [3e-6 * size**1.5 for size in sizes]
    assert fit_growth([*sizes, 0.0, 5.0], [*costs, 1.0, 0.0], [False] * 6) == fit_growth(sizes, costs, [False] * 4)


def test_three_finished_sizes_are_needed() -> None:
    assert fit_growth([1, 1, 10], [2, 3, 20]) is None
    assert fit_growth([1, 10, 100], [2, 20, 60], [False, False, True]) is None
    assert fit_growth([1, 10, 100], [2, 20, 200]) is not None


def test_censored_runs_are_taken_as_censored() -> None:
    rng = np.random.default_rng(5)
    sizes = np.repeat(np.logspace(1, 4, 13), 6)
    costs = 1e-3 * sizes**1.2 * np.exp(0.4 * rng.standard_normal(len(sizes)))
    limit = 10.0
    cut = costs > limit
    assert 5 < cut.sum() < len(sizes) / 2
    seen = np.minimum(costs, limit)
    honest = fit_growth(sizes.tolist(), seen.tolist(), cut.tolist())
    naive = fit_growth(sizes.tolist(), seen.tolist())
    assert honest is not None
    assert naive is not None
    assert honest.low <= 1.2 <= honest.high
    assert abs(honest.exponent - 1.2) < 0.1
    assert naive.exponent < 1.1, "limits taken for run times flatten the slope"
    assert honest.censored == cut.sum()


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    sizes = np.repeat([10.0, 30.0, 100.0, 300.0], 5)
    covered = 0
    for trial in range(40):
        costs = sizes * np.exp(0.3 * rng.standard_normal(len(sizes)))
        fit = fit_growth(sizes.tolist(), costs.tolist(), seed=trial)
        assert fit is not None
        covered += fit.low <= 1.0 <= fit.high
    assert covered >= 33
