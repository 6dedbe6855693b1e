"""Every statistic against numbers worked by hand, and what must not change it."""

from __future__ import annotations

import random
from math import exp, log

import numpy as np
import pytest

from finbench.benchmarks.analysis.statistics import (
    Interval,
    is_solved,
    mean_difference,
    penalised_mean,
    performance_profiles,
    primal_gap,
    primal_integral,
    ratio_of_times,
    shared_instances,
    shifted_geometric_mean,
    solved_counts,
)

SEEDS = range(5)


def drawn_times(seed: int, count: int = 12) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(time) for time in np.exp(rng.normal(0, 2, count))]


def drawn_solved(seed: int, count: int = 12) -> list[bool]:
    return [bool(drawn < 0.7) for drawn in np.random.default_rng(1000 + seed).random(count)]


def test_an_instance_counts_only_where_every_method_has_a_run() -> None:
    assert shared_instances({"fin": ["c", "a", "b"], "mcp": ["b", "a", "c"], "larac": ["d", "c", "a"]}) == ["c", "a"]
    assert shared_instances({"fin": ["a"], "mcp": ["b"]}) == []


def test_solved_counts_are_as_worked_out_by_hand() -> None:
    gaps = [0.0, 9e-7, 2e-6, 1e-4, 1.01e-4, 0.01, 0.0101, 0.05, 0.0501, None]
    assert solved_counts(gaps) == (2, 4, 6, 8)


def test_gap_zero_means_the_tolerance_of_equal_energies() -> None:
    assert is_solved(1e-6, 0.0)
    assert not is_solved(1.1e-6, 0.0)
    assert not is_solved(None, 1.0)


def test_shifted_geometric_mean_by_hand() -> None:
    assert shifted_geometric_mean([0.0, 30.0], 10.0) == pytest.approx(10.0)  # √(10 · 40) − 10
    assert shifted_geometric_mean([0.0, 0.03], 0.01) == pytest.approx(0.01)  # √(0.01 · 0.04) − 0.01
    assert shifted_geometric_mean([2.0, 4.0, 8.0], 1e-12) == pytest.approx(4.0)


def test_no_instances_have_no_mean() -> None:
    with pytest.raises(ValueError, match="at least one"):
        shifted_geometric_mean([], 10.0)
    with pytest.raises(ValueError, match="at least one"):
        penalised_mean([], [], [])
    with pytest.raises(ValueError, match="at least one"):
        ratio_of_times([], [])


def test_par10_is_as_worked_out_by_hand() -> None:
    assert penalised_mean([1.0, 0.001, 3.0], [True, False, True], [60.0, 60.0, 10.0]) == pytest.approx(604 / 3)


def test_performance_profiles_are_as_worked_out_by_hand() -> None:
    times = {"fast": [1.0, 2.0, 1.0, 9.0], "slow": [2.0, 1.0, 5.0, 9.0]}
    solved = {"fast": [True, True, False, False], "slow": [True, True, True, False]}
    profiles = performance_profiles(times, solved)
    assert profiles["fast"].ratios == (1.0, 2.0)
    assert profiles["slow"].ratios == (1.0, 1.0, 2.0), "an unsolved instance sets no least time"
    assert [profiles["fast"].solved_fraction(ratio) for ratio in (0.9, 1.0, 1.9, 2.0, 1e9)] == [
        0.0,
        0.25,
        0.25,
        0.5,
        0.5,
    ]
    assert profiles["slow"].solved_fraction(1e9) == 0.75


def test_primal_gap_is_as_worked_out_by_hand() -> None:
    assert primal_gap(10.0, 8.0) == pytest.approx(0.2)
    assert primal_gap(8.0, 10.0) == pytest.approx(0.2)
    assert (primal_gap(None, 8.0), primal_gap(0.0, 0.0), primal_gap(5.0, 0.0), primal_gap(-1.0, 2.0)) == (1, 0, 1, 1)


def test_primal_integral_is_as_worked_out_by_hand() -> None:
    # gap 1 for 2 s, |16 − 8|/16 = 0.5 for 3 s, |10 − 8|/10 = 0.2 for 1 s, then 0
    incumbents = [(2.0, 16.0), (5.0, 10.0), (6.0, 8.0)]
    assert primal_integral(incumbents, 8.0, 10.0) == pytest.approx(3.7)
    assert primal_integral(incumbents, 8.0, 4.0) == pytest.approx(3.0), "what comes after the end does not count"
    assert primal_integral([], 8.0, 10.0) == 10.0


def test_ratio_of_times_by_hand() -> None:
    assert ratio_of_times([1.0, 1.0], [2.0, 8.0]).value == pytest.approx(4.0)
    constant = ratio_of_times([1.0, 2.0, 3.0], [1.5, 3.0, 4.5])
    assert (constant.value, constant.low, constant.high) == pytest.approx((1.5, 1.5, 1.5))


def test_two_pairs_bootstrap_to_all_that_two_pairs_can_say() -> None:
    # Of the four equally likely resamples one is twice the first pair and one twice the second.
    interval = mean_difference([4.0, 5.0], [5.0, 8.0])
    assert interval == Interval(2.0, 1.0, 3.0)


def test_seeds_draw_other_resamples_and_the_usual_seed_is_nought() -> None:
    first, second = drawn_times(1), drawn_times(2)
    for statistic in (mean_difference, ratio_of_times):
        assert statistic(first, second) == statistic(first, second, seed=0)
        assert statistic(first, second) != statistic(first, second, seed=1)


def test_interval_is_the_normal_one_where_there_are_many_pairs() -> None:
    rng = np.random.default_rng(3)
    logs = rng.normal(0.2, 0.5, 800)
    interval = ratio_of_times([1.0] * 800, np.exp(logs).tolist())
    half = 1.96 * float(np.std(logs)) / 800**0.5
    assert log(interval.low) == pytest.approx(float(logs.mean()) - half, abs=half / 10)
    assert log(interval.high) == pytest.approx(float(logs.mean()) + half, abs=half / 10)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for trial in range(60):
        first = np.exp(rng.normal(0, 2, 25))
        second = first * np.exp(rng.normal(0.3, 0.4, 25))
        interval = ratio_of_times(first.tolist(), second.tolist(), seed=trial)
        covered += interval.low <= exp(0.3) <= interval.high
    assert 51 <= covered < 60


def test_pairing_takes_the_differences_between_instances_out() -> None:
    first = [10.0**k for k in range(-3, 4)]
    interval = ratio_of_times(first, [1.1 * time for time in first])
    assert (interval.low, interval.high) == pytest.approx((1.1, 1.1))


@pytest.mark.parametrize("seed", SEEDS)
def test_exchanged_sides_give_the_inverse_ratio(seed: int) -> None:
    first, second = drawn_times(seed), drawn_times(seed + 50)
    assert ratio_of_times(second, first).value == pytest.approx(1 / ratio_of_times(first, second).value)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_the_instances_does_not_matter(seed: int) -> None:
    first, second, solved = drawn_times(seed), drawn_times(seed + 50), drawn_solved(seed)
    order = random.Random(seed).sample(range(len(first)), len(first))
    again, twice = ([row[k] for k in order] for row in (first, second))
    done = [solved[k] for k in order]
    assert shifted_geometric_mean(again, 10.0) == pytest.approx(shifted_geometric_mean(first, 10.0))
    limits = [100.0] * len(first)
    assert penalised_mean(again, done, limits) == pytest.approx(penalised_mean(first, solved, limits))
    assert ratio_of_times(again, twice) == ratio_of_times(first, second)
    one = performance_profiles({"a": first, "b": second}, {"a": solved, "b": solved})
    two = performance_profiles({"a": again, "b": twice}, {"a": done, "b": done})
    assert one == two


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("unit", [1e-3, 60.0])
def test_another_unit_of_time_scales_means_and_leaves_ratios(seed: int, unit: float) -> None:
    first, second, solved = drawn_times(seed), drawn_times(seed + 50), drawn_solved(seed)
    one, two = ([unit * time for time in row] for row in (first, second))
    assert shifted_geometric_mean(one, unit * 10.0) == pytest.approx(unit * shifted_geometric_mean(first, 10.0))
    limits = [100.0] * len(first)
    scaled = penalised_mean(one, solved, [unit * limit for limit in limits])
    assert scaled == pytest.approx(unit * penalised_mean(first, solved, limits))
    before, after = ratio_of_times(first, second), ratio_of_times(one, two)
    assert (after.value, after.low, after.high) == pytest.approx((before.value, before.low, before.high))
    marks = {"a": solved, "b": solved}
    here, there = (performance_profiles({"a": a, "b": b}, marks) for a, b in ((first, second), (one, two)))
    assert all(there[method].ratios == pytest.approx(here[method].ratios) for method in here)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dominated_method_changes_no_profile_of_the_others(seed: int) -> None:
    first, second, solved = drawn_times(seed), drawn_times(seed + 50), drawn_solved(seed)
    alone = performance_profiles({"a": first, "b": second}, {"a": solved, "b": solved})
    times = {"a": first, "b": second, "c": [2 * time for time in first]}
    joined = performance_profiles(times, dict.fromkeys("abc", solved))
    assert {method: joined[method] for method in "ab"} == alone
    assert all(joined["c"].solved_fraction(ratio) <= joined["a"].solved_fraction(ratio) for ratio in (1.0, 2.0, 10.0))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_time_that_a_failure_took_is_never_read(seed: int) -> None:
    times, solved, limits = drawn_times(seed), drawn_solved(seed), [100.0] * 12
    other = [time if done else 1e-9 for time, done in zip(times, solved, strict=True)]
    assert penalised_mean(other, solved, limits) == penalised_mean(times, solved, limits)
    one, two = (performance_profiles({"a": t, "b": drawn_times(9)}, {"a": solved, "b": solved}) for t in (times, other))
    assert one == two
