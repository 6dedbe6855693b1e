"""Tables of methods from rows written by hand: failures are counted, times honest, means over the same instances."""

from __future__ import annotations

from math import inf, isnan
from typing import Any

import pytest

from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.measures import MEASURES
from finbench.benchmarks.analysis.points import chosen_runs, noise_of_times, points, without_gamma
from finbench.benchmarks.analysis.table_methods import MethodsTable, TableRequest, methods_table
from finbench.benchmarks.rows.row import Row
from tests.benchmarks.conftest import made_up_row


def found(instance: str, method: str, energy: float, time_s: float = 1.0, **more: Any) -> Row:
    return made_up_row(instance, method, objective=energy, time_s=time_s, **{"status": "feasible", **more})


def proved(instance: str, method: str, energy: float, time_s: float = 1.0, **more: Any) -> Row:
    return found(instance, method, energy, time_s, status="optimal", lower_bound=energy, **more)


def failed(instance: str, method: str, status: str, time_s: float, **more: Any) -> Row:
    return made_up_row(instance, method, status=status, time_s=time_s, **more)


def table(rows: list[Row], *columns: str, **asked: Any) -> MethodsTable:
    return methods_table(frame(rows), TableRequest(columns, **asked))


def cells(made: MethodsTable) -> dict[str, dict[str, str]]:
    """Cells of the only block by method and column, headings as in the table."""
    (block,) = made.blocks
    heads = [column.heading for column in made.columns]
    return {key[-1]: dict(zip(heads, row, strict=True)) for key, row in zip(block.keys, block.cells, strict=True)}


FIVE = "abcde"
ROWS = [
    *(proved(name, "exact", 1.0, 0.2) for name in FIVE),
    *(found(name, "quick", 1.1, 0.0005) for name in "abc"),
    *(failed(name, "quick", "no-solution", 0.0005) for name in "de"),
]


def test_a_fast_method_that_fails_sometimes_is_not_charged_with_limits() -> None:
    assert cells(table(ROWS, "time", "answered"))["quick"] == {"time": "0.50", "answered": "60"}


def test_a_method_that_fails_at_once_is_not_fast() -> None:
    rows = [*ROWS[:6], *(failed(name, "quick", "error", 1e-6) for name in "bcde")]
    assert cells(table(rows, "time"))["quick"]["time"] == "–"


def test_a_median_beyond_the_limit_says_so_and_only_where_limits_ended_the_runs() -> None:
    late = [failed(name, "slow", "time-limit", 60.0) for name in "abcd"]
    shown = cells(table([*ROWS[:5], *late, found("e", "slow", 1.0, 2.0)], "time", "gap"))["slow"]
    assert shown == {"time": "> 60.0 s", "median gap": "∞"}
    late[0] = failed("a", "slow", "error", 0.1)
    assert cells(table([*ROWS[:5], *late, found("e", "slow", 1.0, 2.0)], "time"))["slow"]["time"] == "–"


def test_half_answered_has_no_median_and_more_than_half_has_one() -> None:
    rows = [*(proved(name, "exact", 1.0) for name in "abcd"), *(found(name, "quick", 1.0, 0.3) for name in "ab")]
    half = [*rows, *(failed(name, "quick", "no-solution", 0.1) for name in "cd")]
    assert MEASURES["time"].measured.estimate(points(frame(half)).query("variant == 'quick'")).value == inf
    more = [*rows, found("c", "quick", 1.0, 0.5), failed("d", "quick", "no-solution", 0.1)]
    assert MEASURES["time"].measured.estimate(points(frame(more)).query("variant == 'quick'")).value == pytest.approx(
        0.4
    )


def test_means_are_over_the_instances_on_which_all_methods_found_some_and_marked() -> None:
    rows = [*(proved(name, "exact", energy) for name, energy in zip("abc", (1.0, 2.0, 6.0), strict=True))]
    rows += [found("a", "quick", 2.0), found("b", "quick", 4.0), failed("c", "quick", "no-solution", 0.1)]
    made = table(rows, "energy", "saving", "mean-gap", "worst-gap", baseline="quick")
    shown = cells(made)
    assert shown["exact"] == {"energy": "1.500†", "saving": "50.0†", "mean gap": "0", "worst gap": "0"}
    assert shown["quick"] == {"energy": "3.000†", "saving": "0†", "mean gap": "100†", "worst gap": "100†"}
    assert made.notes[-1] == "† instances without a deployment to compare are left out, at most 1 of 3"


def test_a_method_that_found_nothing_does_not_take_the_others_energies() -> None:
    rows = [proved("a", "exact", 1.0), failed("a", "nothing", "no-solution", 0.1)]
    shown = cells(table(rows, "energy", "time"))
    assert (shown["exact"]["energy"], shown["nothing"]["energy"]) == ("1.000", "–")


def test_saving_against_a_baseline_that_is_not_shown() -> None:
    rows = [found("a", "mcp", 4.0), found("a", "fin", 1.0)]
    shown = cells(table(rows, "saving", methods=["fin"], baseline="mcp"))
    assert shown == {"fin": {"saving": "75.0"}}


def test_a_proof_that_nothing_fits_is_an_answer_and_leaves_nothing_out() -> None:
    rows = [proved("a", "exact", 1.0), failed("b", "exact", "infeasible", 0.1)]
    assert cells(table(rows, "answered", "energy"))["exact"] == {"answered": "100", "energy": "1.000"}


def test_methods_are_judged_over_the_instances_that_all_of_them_ran_on() -> None:
    made = table([*ROWS, proved("f", "exact", 9.0)], "instances")
    assert cells(made)["exact"]["instances"] == "5"
    assert made.notes[-1] == "g: over the 5 of 6 instances that all methods share"
    assert table([proved("a", "exact", 1.0), found("b", "quick", 1.0)]).blocks == ()


def test_shares_never_round_up_to_all() -> None:
    rows = [proved(str(k), "exact", 1.0) for k in range(249)] + [failed("x", "exact", "error", 0.1)]
    assert cells(table(rows, "answered"))["exact"]["answered"] == "99.6"


def test_values_over_twelve_decades_name_their_units_themselves() -> None:
    rows = [
        *(found("a", f"m{k}", 10.0**-k, 10.0 ** (k - 12)) for k in range(0, 13, 4)),
    ]
    made = table(rows, "energy", "time")
    assert [column.unit for column in made.columns] == ["", ""]
    assert [row["energy"] for row in cells(made).values()] == ["1.000 J", "100.0 µJ", "10.00 nJ", "1.000 pJ"]


def test_powers_are_watts() -> None:
    rows = [found("a", "fin", 5.0, total_power_w=5.0, applications=3, rejected=1)]
    made = table(rows, "energy", "rejected")
    assert [(column.heading, column.unit) for column in made.columns] == [("power", "W"), ("rejected", "")]


def test_digits_of_times_follow_from_repeated_runs() -> None:
    steady = [found("a", "m", 1.0, 1.0 + 1e-4 * k, seed=k) for k in range(4)]
    assert noise_of_times(frame(steady)) < 1e-4
    assert cells(table(steady, "time"))["m"]["time"] == "1.0002"
    assert cells(table(steady[:1], "time"))["m"]["time"] == "1.0"


def test_rows_by_size_stand_in_its_order_and_by_gamma_name_the_method_alone() -> None:
    rows = [
        found(f"{n}", "fin", 1.0, 1.0, network_nodes=n, variant=f"fin (gamma={g})", options={"gamma": g})
        for n in (20, 3, 100)
        for g in (100, 5)
    ]
    (block,) = table(rows, "gap", by="nodes").blocks
    assert [key[0] for key in block.keys] == ["3", "3", "20", "20", "100", "100"]
    assert block.keys[0][1] == "fin (γ = 5)"
    (block,) = table(rows, "instances", by="gamma").blocks
    assert block.keys == (("5", "fin"), ("100", "fin"))
    assert list(block.cells) == [("3",), ("3",)]


@pytest.mark.parametrize(
    ("variant", "bare"),
    [
        ("fin (gamma=10)", "fin"),
        ("fin (gamma=10, engine=arrays)", "fin (engine=arrays)"),
        ("fin (engine=arrays, gamma=10)", "fin (engine=arrays)"),
        ("mcp", "mcp"),
    ],
)
def test_a_variant_can_be_told_without_its_gamma(variant: str, bare: str) -> None:
    assert without_gamma(variant) == bare


def test_names_with_commas_are_understood() -> None:
    rows = [{**found("a", "fin", 1.0), "group": group} for group in ("a, b", "c", "a")]
    assert list(chosen_runs(frame(rows), groups=["c,a, b"])["group"]) == ["c", "a, b"]
    assert list(chosen_runs(frame(rows), groups=["a", "c"])["group"]) == ["a", "c"]


def test_nothing_known_is_not_a_number() -> None:
    for measure in MEASURES.values():
        value = measure.measured.estimate(
            points(frame([found("a", "m", 1.0)]))
            .iloc[:0]
            .assign(common_objective=[], common_latency=[], common_saving=[])
        ).value
        assert isnan(value) or measure.name == "instances"
