"""Aggregates from rows written by hand: shared instances only, failures counted and never averaged in."""

from __future__ import annotations

import random
from math import inf
from typing import Any

import pytest

from finbench.benchmarks.analysis.aggregate import aggregate, profiles, worth
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.rows.row import Row
from tests.benchmarks.conftest import made_up_row


def solved(instance: str, method: str, objective: float, time_s: float, **more: Any) -> Row:
    return made_up_row(instance, method, objective=objective, time_s=time_s, **{"status": "feasible", **more})


def proved(instance: str, method: str, objective: float, time_s: float, **more: Any) -> Row:
    return solved(instance, method, objective, time_s, status="optimal", lower_bound=objective, **more)


def failed(instance: str, method: str, status: str, time_s: float, **more: Any) -> Row:
    return made_up_row(instance, method, status=status, time_s=time_s, **more)


ROWS = [
    proved("a", "exact", 1.0, 30.0),
    solved("a", "quick", 1.005, 0.03),
    proved("b", "exact", 2.0, 0.0),
    failed("b", "quick", "no-solution", 0.001),
    failed("c", "exact", "infeasible", 0.0),
    failed("c", "quick", "no-solution", 0.001),
    proved("d", "exact", 1.0, 1.0),
]
"""Limit 60 s. `quick` has no run on d; c is proven infeasible."""


def judged(rows: list[Row]) -> dict[str, dict[str, Any]]:
    return {
        str(row["method"]): {str(k): v for k, v in row.items()} for row in aggregate(frame(rows)).to_dict("records")
    }


def test_aggregates_are_as_worked_out_by_hand() -> None:
    exact, quick = judged(ROWS).values()
    assert (exact["instances"], exact["shared"], exact["bounded"]) == (4, 3, 3)
    counts = ("solved_at_0", "solved_at_0.0001", "solved_at_0.01", "solved_at_0.05", "unanswered")
    assert [exact[name] for name in counts] == [3, 3, 3, 3, 0]
    assert [quick[name] for name in counts] == [0, 0, 1, 1, 2]
    assert exact["sgm_10s_s"] == pytest.approx((10 * 10 * 40) ** (1 / 3) - 10)
    assert quick["sgm_10s_s"] == pytest.approx((10.03 * 70 * 70) ** (1 / 3) - 10), "failures enter with their limit"
    assert quick["sgm_0.01s_s"] == pytest.approx((0.04 * 60.01 * 60.01) ** (1 / 3) - 0.01)
    assert exact["par10_s"] == pytest.approx(10.0, abs=1e-5)
    assert quick["par10_s"] == pytest.approx((0.03 + 600 + 600) / 3)
    assert (exact["median_gap"], quick["median_gap"]) == (0.0, inf)


@pytest.mark.parametrize(
    ("row", "answered", "gap"),
    [
        (solved("a", "m", 1.5, 60.0), True, 0.5),
        (solved("a", "m", 1.5, 62.9), True, 0.5),
        (solved("a", "m", 1.5, 63.1), False, inf),
        (solved("a", "m", 1.5, 70.0), False, inf),
        (solved("a", "m", 1.5, 62.0, status="time-limit"), False, 0.5),
        (solved("a", "m", 1.5, 70.0, status="time-limit"), False, inf),
        (failed("a", "m", "time-limit", 60.0), False, inf),
        (failed("a", "m", "error", 0.01), False, inf),
        (failed("a", "m", "unsupported", 0.0), False, inf),
        (failed("a", "m", "infeasible", 0.01), False, inf),
        (failed("a", "m", "feasible", 0.01, objective=0.5, found=False), False, inf),
    ],
    ids=[
        "exact",
        "late",
        "too late",
        "over",
        "limit",
        "over its limit",
        "nothing",
        "raised",
        "refused",
        "wrong",
        "violated",
    ],
)
def test_what_a_run_is_worth(row: Row, answered: bool, gap: float) -> None:
    values = worth(frame([proved("a", "exact", 1.0, 1.0), row])).xs("m")
    assert values[["answered", "gap"]].to_numpy().tolist() == [[answered, gap]]
    assert values["time_s"].max() <= 60.0


def test_an_instance_that_could_not_be_made_is_unsolved_for_all() -> None:
    broken = [failed("x", method, "error", 0.0, content_hash=None) for method in ("exact", "quick")]
    for row in broken:
        del row["time_s"]
    exact, quick = judged(ROWS + broken).values()
    assert (exact["instances"], exact["shared"], exact["unanswered"], quick["unanswered"]) == (5, 4, 1, 3)
    assert exact["par10_s"] == pytest.approx(630 / 4, abs=1e-5)


def test_repeated_runs_count_once_with_median_time_and_worst_gap() -> None:
    rows = [proved("a", "exact", 1.0, 1.0)]
    rows += [solved("a", "m", energy, time, seed=k) for k, (energy, time) in enumerate([(1.0, 1), (1.2, 2), (1.1, 9)])]
    values = worth(frame(rows)).xs("m")
    assert values[["time_s", "gap"]].to_numpy().tolist() == [[2.0, pytest.approx(0.2)]]
    assert judged(rows)["m"]["shared"] == 1
    crashed = judged([*rows, failed("a", "m", "error", 0.01, seed=3)])["m"]
    assert (crashed["shared"], crashed["unanswered"], crashed["solved_at_0.05"]) == (1, 1, 0)


def test_a_hundredth_counts_as_solved_and_no_time_is_nought() -> None:
    rows = [proved("a", "exact", 1.0, 0.0), solved("a", "near", 1.0099, 2.0), solved("a", "far", 1.0101, 2.0)]
    assert [judged(rows)[method]["par10_s"] for method in ("near", "far")] == [2.0, 600.0]
    assert worth(frame(rows[:1]))["time_s"].tolist() == [1e-6]
    (profile,) = profiles(frame(rows)).values()
    assert [len(profile[method].ratios) for method in ("near", "far")] == [1, 0]


def test_groups_and_methods_stand_in_the_order_of_the_runs() -> None:
    rows = [{**row, "group": group} for group in "zx" for row in (ROWS[1], ROWS[0])]
    assert aggregate(frame(rows))[["group", "method"]].to_numpy().tolist() == [
        [group, method] for group in "zx" for method in ("quick", "exact")
    ]


def test_without_a_bound_nothing_counts_as_solved() -> None:
    row = judged([solved("a", "m", 1.0, 1.0)])["m"]
    assert (row["bounded"], row["solved_at_0.05"], row["unanswered"], row["median_gap"]) == (0, 0, 0, inf)


def test_nothing_shared_is_said_and_not_averaged() -> None:
    rows = [proved("a", "exact", 1.0, 1.0), solved("b", "quick", 1.0, 1.0)]
    exact = judged(rows)["exact"]
    assert (exact["shared"], exact["instances"], exact["unanswered"]) == (0, 2, 0)
    assert not {"sgm_10s_s", "sgm_0.01s_s", "par10_s", "median_gap"} & set(exact), "nothing is averaged"
    assert profiles(frame(rows)) == {}


def test_the_order_of_rows_and_a_dominated_method_change_nothing() -> None:
    before = judged(ROWS)
    after = judged(random.Random(1).sample(ROWS, len(ROWS)))
    slow = [{**row, "method": "slow", "variant": "slow", "time_s": row["time_s"] + 1} for row in ROWS[::2]]
    joined = judged(ROWS[:6] + slow)
    for method in before:
        assert after[method] == pytest.approx(before[method])
        assert joined[method]["par10_s"] == pytest.approx(before[method]["par10_s"])


def test_profiles_ask_for_quality() -> None:
    runs = frame(ROWS)
    assert {method: profile.ratios for method, profile in profiles(runs)["g"].items()} == {
        "exact": (1.0, 1.0, pytest.approx(1000.0)),
        "quick": (1.0,),
    }
    strict = profiles(runs, gap=0.0)["g"]
    assert (strict["exact"].ratios, strict["quick"].ratios) == ((1.0, 1.0, 1.0), ())
