"""Plans beside what samples met, on the page."""

from __future__ import annotations

from typing import Any

import pytest

from finbench.benchmarks.analysis.served import exit_latencies, parts_off, served_plans
from finbench.benchmarks.report.page import report_page
from finbench.benchmarks.report.served_tables import served_tables
from finbench.benchmarks.rows.served import ServedColumns, plan_id
from tests.benchmarks.conftest import made_up_row


def row(instance: str, method: str, node: str) -> dict[str, Any]:
    deployments = [{"application": "camera", "placement": [node], "last_exit": 1}]
    return made_up_row(instance, method, objective=1.0, status="feasible", deployments=deployments)


def line(of: dict[str, Any], by: str, latency_s: float, **parts: float) -> dict[str, Any]:
    """Return a line of a plan that promises 2 s and 4 J, both exits having the same latency."""
    exits = [
        {"exit": k, "share": 0.5, "latency_s": latency_s * k, "planned_latency_s": 2.0 * k, "energy_j": None}
        for k in (1, 2)
    ]
    load = {
        "application": "camera",
        "samples": 10,
        "energy_j": 6.0 if by == "simulated" else None,
        "planned_energy_j": 4.0,
        "latency_s": latency_s,
        "planned_latency_s": 2.0,
        "p95_s": 5.0,
        "max_latency_s": 10.0,
        "within": 0.75,
        "exits": exits,
    }
    told = [{"subject": name, "added_s": added} for name, added in parts.items()]
    made = {"content_hash": of["content_hash"], "plan_id": plan_id(of["deployments"]), "by": by, "how": "x"}
    made |= {"applications": [load], "parts": told}
    ServedColumns.model_validate(made)
    return made


ROWS = [row("i0", "fin", "a"), row("i0", "label-setting", "a"), row("i1", "fin", "b"), row("i2", "fin", "c")]


def cells(table: Any) -> list[list[str]]:
    return [[cell.text for cell in each] for each in table.rows]


def test_methods_are_judged_by_what_their_plans_met() -> None:
    lines = [line(ROWS[0], "simulated", 3.0), line(ROWS[2], "simulated", 5.0), line(ROWS[0], "measured", 2.5)]
    by_method, by_exit, *_ = served_tables(ROWS, lines)
    assert cells(by_method) == [
        ["label-setting", "simulated", "1", "1.5", "1.5", "1.5", "0.5", "75.0000", "75.0000"],
        ["label-setting", "measured", "1", "–", "1.25", "1.25", "0.5", "75.0000", "75.0000"],
        ["fin", "simulated", "2", "1.5", "2", "2.5", "0.5", "75.0000", "75.0000"],
        ["fin", "measured", "1", "–", "1.25", "1.25", "0.5", "75.0000", "75.0000"],
    ]
    assert cells(by_exit)[0] == ["i1", "fin", "camera", "1", "2 s", "5 s", "–", "150"]
    assert ["i0", "fin, label-setting", "camera", "2", "4 s", "6 s", "5 s", "50"] in cells(by_exit)


def test_the_part_that_is_off_most_stands_first() -> None:
    lines = [line(ROWS[0], "simulated", 3.0, a=0.5, b=0.0), line(ROWS[2], "measured", 3.0, **{"a->b": -2.0})]
    plans = served_plans(ROWS, lines)
    assert [(each.subject, each.by, each.added_s) for each in parts_off(plans)] == [
        ("a->b", "measured", -2.0),
        ("a", "simulated", 0.5),
    ]
    assert [each.exit for each in exit_latencies(plans)] == [1, 2, 1, 2]


def test_lines_of_other_plans_say_nothing() -> None:
    other = row("i0", "fin", "elsewhere")
    assert served_tables(ROWS, [line(other, "simulated", 3.0)]) == ()
    assert served_tables(ROWS, []) == ()


def test_of_several_lines_of_a_kind_the_last_counts() -> None:
    (table, *_) = served_tables(ROWS[:1], [line(ROWS[0], "simulated", 3.0), line(ROWS[0], "simulated", 2.0)])
    assert cells(table)[0][4] == "1"


@pytest.mark.parametrize("served", [True, False])
def test_the_page_has_the_section_where_something_was_served(served: bool) -> None:
    page = report_page(ROWS, {}, "t", served=[line(ROWS[0], "simulated", 3.0)] if served else [])
    assert ('<section id="served"' in page) is served
    assert ('href="#served"' in page) is served
    assert ("Latency by exit" in page) is served
