"""Tables, order and counts of the page: kinds of methods, γ by value, failures beside every mean, units by size."""

from __future__ import annotations

import re
from typing import Any

import pytest

from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.table import TextTable
from finbench.benchmarks.analysis.transfers import TransferPart, transfer_share
from finbench.benchmarks.report.cells import of_rows
from finbench.benchmarks.report.chart import Axis, Chart, Kind, Panel, Series, View
from finbench.benchmarks.report.columns import packed, run_columns
from finbench.benchmarks.report.methods_table import aggregate_tables, facts_of, method_table, system_table
from finbench.benchmarks.report.once import distinct
from finbench.benchmarks.report.order import by_method, in_order
from finbench.benchmarks.report.size_chart import size_chart
from finbench.benchmarks.report.static_figure import static_figure
from finbench.benchmarks.report.transfers import shares_by_group, transfer_sentence
from finbench.benchmarks.report.utilisation_chart import utilisation_chart
from finbench.benchmarks.report.when import when
from finbench.models.loads import Resource
from tests.benchmarks.conftest import made_up_row


def run(instance: str, method: str, objective: float | None, **fields: Any) -> dict[str, Any]:
    status = fields.pop("status", "no-solution" if objective is None else "feasible")
    return made_up_row(instance, method, objective=objective, status=status, **fields)


def test_methods_stand_by_kind_and_numbers_by_value() -> None:
    shuffled = [
        *("mcp", "fin (gamma=1000)", "fin (gamma=5)", "my-own", "column-generation", "fin (gamma=50)"),
        *("label-setting", "milp-flow (solver=scip)", "milp-flow"),
    ]
    assert in_order(shuffled) == [
        *("milp-flow", "milp-flow (solver=scip)", "label-setting", "column-generation"),
        *("fin (gamma=5)", "fin (gamma=50)", "fin (gamma=1000)", "mcp", "my-own"),
    ]


def test_groups_keep_their_order_when_methods_are_sorted() -> None:
    rows = [run("a", "mcp", 1.0, group="z"), run("a", "milp-flow", 1.0, group="z"), run("b", "larac", 1.0, group="a")]
    ordered = by_method(frame(rows))
    assert list(zip(ordered["group"], ordered["variant"], strict=True)) == [
        ("z", "milp-flow"),
        ("z", "mcp"),
        ("a", "larac"),
    ]
    assert list(ordered.index) == [1, 0, 2]


def test_failures_are_counted_beside_means_and_enter_none() -> None:
    rows = [
        *(run(name, "label-setting", 1.0, lower_bound=1.0, status="optimal") for name in "abc"),
        run("a", "fin", 2.0, time_s=0.001),
        run("b", "fin", None, time_s=50.0),
        run("c", "fin", 1.0, time_s=0.003),
        run("d", "fin", None, status="error", time_s=60.0),
    ]
    exact, fin = facts_of(frame(rows))
    assert (fin.runs, fin.conclusive, fin.found, fin.missed, fin.best, fin.solvable) == (4, 2, 2, 1, 1, 3)
    assert (fin.on_proven, fin.optimal) == (3, 1)
    assert (fin.gap_mean, fin.time_median_s, fin.time_longest_s) == pytest.approx((0.5, 0.002, 60.0))
    assert fin.ends == "1 no-solution, 1 error"
    assert (exact.conclusive, exact.optimal) == (3, 3)


def test_a_proof_that_there_is_none_is_conclusive() -> None:
    (facts,) = facts_of(frame([run("a", "label-setting", None, status="infeasible")]))
    assert (facts.conclusive, facts.found, facts.missed) == (1, 0, 0)


def test_cells_have_units_by_size_and_sort_by_value() -> None:
    rows = [run("a", "fin", 1.0, time_s=0.0004), run("b", "mcp", 1.0, time_s=4.0)]
    runs = frame(rows)
    table = method_table("t", runs, facts_of(runs))
    median = table.columns.index("time median")
    assert [(row[median].text, row[median].value) for row in table.rows] == [("400 µs", 0.0004), ("4 s", 4.0)]
    (aggregated,) = aggregate_tables(runs).values()
    assert [row[0].text for row in aggregated.rows] == ["fin", "mcp"]
    converted = of_rows(
        TextTable("t", ("method", "time there [s]", "gap [%]"), (("fin", "0.0004", "1"), ("x", "–", "–")), 1)
    )
    assert converted.columns == ("method", "time there", "gap [%]")
    assert [[cell.text for cell in row] for row in converted.rows] == [["fin", "400 µs", "1"], ["x", "–", "–"]]


def test_means_over_what_is_shared_mark_lower_bounds_and_unknown_gaps() -> None:
    rows = [
        *(run(name, "exact", 1.0, lower_bound=1.0, status="optimal", time_s=10.0) for name in "abd"),
        run("a", "quick", 1.005, time_s=0.03),
        run("b", "quick", None, time_s=0.001),
    ]
    (table,) = aggregate_tables(frame(rows)).values()
    assert table.title == "g: over the 2 of 3 instances that all methods share; 3 with a proven bound"
    shown = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert shown["exact"] == ["2", "2", "2", "2", "0", "10 s", "10 s", "10 s", "0.0000"]
    assert shown["quick"] == ["0", "0", "1", "1", "1", "≥ 16.5 s", "≥ 1.54 s", "300 s", "–"]
    nothing = [run("a", "exact", 1.0, lower_bound=1.0), run("b", "quick", 1.0)]
    (empty,) = aggregate_tables(frame(nothing)).values()
    assert "over the 0 of 2 instances" in empty.title
    (alone,) = aggregate_tables(frame([run("a", "exact", 1.0, lower_bound=1.0)])).values()
    assert alone.title == "g: over the only instance; 1 with a proven bound"
    assert [cell.text for cell in empty.rows[0]] == ["exact", "0", "0", "0", "0", "0", "–", "–", "–", "–"]


def test_systems_are_rows_by_size_load_and_method() -> None:
    size = {"applications": 5, "network_nodes": 9}
    rows = [
        run("a", "fin", 1500.0, load=0.7, total_power_w=1500.0, rejected=1, **size),
        run("b", "fin", None, load=0.7, **size),
        run("c", "greedy", 0.002, load=1.2, total_power_w=0.002, rejected=0, **size),
    ]
    table = system_table("t", frame(rows))
    assert [[cell.text for cell in row[:6]] for row in table.rows] == [
        ["9", "5", "0.7", "fin", "1 of 2", "1.5 kW"],
        ["9", "5", "1.2", "greedy", "1 of 1", "2 mW"],
    ]


def test_the_same_run_is_shown_once_with_all_its_groups() -> None:
    rows = [run("a", "fin", 1.0), run("a", "fin", 1.0, group="h"), run("a", "fin", 1.5, group="h")]
    once = distinct(rows)
    assert (once.kept, once.groups) == ((0, 2), (("g", "h"), ("h",)))


def test_columns_come_back_as_they_were() -> None:
    times = [0.1 * k for k in range(40)]
    rows = [run("a", "fin", float(k % 2), time_s=time, seed=7) for k, time in enumerate(times)]
    runs = frame(rows)
    columns = packed(run_columns(runs, [None] * 40)["runs"])
    assert columns["time_s"] == [0, *times[1:10], 1, *times[11:20], 2, *times[21:30], 3, *times[31:]]
    assert columns["energy_j"] == {"same": "objective"}
    assert "of_run" in columns["objective"]
    assert [columns["objective"]["values"][k] for k in columns["objective"]["of_run"]] == [k % 2 for k in range(40)]
    assert columns["seed"] == {"values": [7]}


def test_a_day_is_named_once_and_rows_without_a_moment_are_counted() -> None:
    moments = [{"started_at": f"2026-03-01T{hour}:00:00.000Z"} for hour in ("09", "08")]
    assert when(moments) == "Runs begun 2026-03-01 08:00 to 09:00 UTC"
    assert when([moments[0], {}]) == "Runs begun 2026-03-01 09:00 UTC (not recorded of 1 run)"
    assert when([{}]) == "Date of the runs not recorded"


def test_it_is_said_in_which_groups_transfers_count() -> None:
    blocks = [["n", 1.0, ["s", "n"], 1.0, 1.0, 1.0, 3.0]]
    quick = [["n", 1.0, ["s", "n"], 1.0, 1.0, 1.0, 0.001]]
    drawn = [{"applications": [{"blocks": one}]} for one in (blocks, quick)]
    shares = shares_by_group([["slow"], ["fast", "both"], ["slow", "both"]], [0, 1, None], drawn)
    assert shares["slow"].latency == 0.75
    assert set(shares) == {"slow", "fast", "both"}
    said = transfer_sentence(shares)
    assert said is not None
    assert said.startswith("Transfers take next to no time in fast and both (at most 5 % of the latency")
    assert "50 % of their energy): such results say little about slow links." in said
    assert said.endswith("They take time in slow (75 % of the latency, median).")
    assert transfer_sentence({"idle": transfer_share([TransferPart(0.0, 0.0, moves=False)])}) is None


def sized(nodes: int, method: str, objective: float | None) -> dict[str, Any]:
    return run(f"i{nodes}", method, objective, network_nodes=nodes, lower_bound=1.0)


def test_gap_and_energy_stand_against_size_with_failures_beside() -> None:
    rows = [sized(nodes, "fin", 1.0 + nodes / 100) for nodes in (10, 20, 40)]
    rows += [sized(nodes, "mcp", 2.0 if nodes == 10 else None) for nodes in (10, 20, 40)]
    chart = size_chart(frame(rows))
    assert chart
    gap, cost, told = chart.views[0].panels
    assert chart.views[0].name == "g, by nodes"
    assert {one.name: one.x for one in gap.series}["fin"] == [10, 20, 40]
    assert {one.name: one.y for one in gap.series}["fin"] == pytest.approx([10, 20, 40])
    assert {one.name: one.y for one in cost.series}["mcp"] == [2.0]
    assert {one.name: one.y for one in told.series} == {"fin": [100, 100, 100], "mcp": [100, 0, 0]}
    assert size_chart(frame(rows[:2])) is None


def test_utilisation_stands_against_load() -> None:
    rows = [run(f"i{load}", "fin", 1.0, applications=3, load=load) for load in (0.3, 0.7)]
    runs = frame([*rows, run("x", "fin", None, applications=3, load=1.2)])
    full = {Resource.COMPUTE: 0.9, Resource.BANDWIDTH: 0.5}
    chart = utilisation_chart(runs, [full, full, {}])
    assert chart
    compute, bandwidth = chart.views[0].panels
    (series,) = compute.series
    assert (series.x, series.y) == ([0.3, 0.7], [90, 90])
    assert bandwidth.series[0].y == [50, 50]
    assert utilisation_chart(frame([run("a", "fin", 1.0, applications=1)]), [{}]) is None


HOSTILE = "<b>&"


def test_a_static_figure_draws_every_kind_within_its_frame_and_escapes_names() -> None:
    x, y = Axis("x", "x", "log"), Axis("y", "y", "symlog", threshold=0.01)
    kinds: tuple[Kind, ...] = ("line", "step", "points", "fit", "halo")
    series = [Series(f"{HOSTILE} {kind}", HOSTILE, [1, 10, 1e6], [0, 1, 200], kind=kind) for kind in kinds]
    series.append(Series("band", HOSTILE, [1, 10], [1, 2], kind="band", high=[2, 3]))
    chart = Chart("c", HOSTILE, "caption", {HOSTILE: 0}, [View("", [Panel(HOSTILE, x, y, series)])])
    drawn = str(static_figure(chart))
    assert "<b>" not in drawn
    numbers = [float(number) for number in re.findall(r"[ML](-?[\d.]+) ", drawn)]
    assert min(numbers) >= 0
    assert max(numbers) <= 560
    assert "nan" not in drawn
    assert drawn.count('<path class="curve"') == 4, "line, step, fit and the legend"


def test_a_logarithmic_axis_between_two_powers_has_ticks_and_the_last_stays_in_the_frame() -> None:
    axis = Axis("arcs", "arcs", "log", unit="s")
    panel = Panel("", axis, Axis("y", "y"), [Series("s", "s", [2.21, 4.62], [1, 2])])
    drawn = str(static_figure(Chart("c", "t", "", {"s": 7}, [View("v", [panel])])))
    texts = re.findall(r'<text x="([\d.]+)" y="(\d+)"[^>]*>([^<]+)', drawn)
    below = [(float(x), label) for x, y, label in texts if y == "289"]
    assert len(below) > 1
    assert all(x + 3.5 * len(label) <= 560 for x, label in below)
    assert drawn.count('stroke-dasharray="8 3"') == 2, "the line and its entry in the legend"


@pytest.mark.parametrize("scale", ["linear", "log", "symlog"])
@pytest.mark.parametrize("values", [[], [0.0], [5.0], [1e-9, 1e9]])
def test_a_static_figure_of_ugly_values_is_drawn(scale: Any, values: list[float]) -> None:
    drawable = [value for value in values if value > 0 or scale != "log"]
    axis = Axis("y", "y", scale, threshold=0.1 if scale == "symlog" else 0.0)
    panel = Panel("", Axis("x", "x"), axis, [Series("s", "s", list(range(len(drawable))), drawable)])
    drawn = str(static_figure(Chart("c", "t", "", {"s": 9}, [View("v", [panel])])))
    assert "nan" not in drawn
    assert "inf" not in drawn
