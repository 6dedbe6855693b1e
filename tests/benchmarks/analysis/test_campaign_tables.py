"""Tables of systems that many applications share."""

from __future__ import annotations

from typing import Any

import pytest

from finbench.benchmarks.analysis.campaign_tables import campaign_tables, shared_systems
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.rows.row import Row
from tests.benchmarks.conftest import made_up_row


def system_row(instance: str, method: str, load: float, power: float | None, **fields: Any) -> Row:
    own = {"network_nodes": 20, "applications": 30, "load": load, "total_power_w": power, "objective": power}
    return made_up_row(instance, method, **{**own, "status": "feasible", **fields})


ROWS = [
    system_row("a", "milp-flow", 0.7, 10.0, status="optimal", lower_bound=10.0, time_s=3.0, rejected=0),
    system_row("a", "fin", 0.7, 10.1, time_s=0.1, rejected=0),
    system_row("b", "milp-flow", 0.7, None, status="time-limit", lower_bound=19.0, time_s=60.0),
    system_row("b", "fin", 0.7, 20.0, time_s=0.3, rejected=1),
    system_row("c", "milp-flow", 1.2, None, status="infeasible", time_s=0.5),
    system_row("c", "fin", 1.2, None, status="no-solution", time_s=0.2),
]


def test_shared_systems_are_summed_up_by_size_and_load() -> None:
    table = shared_systems("campus", frame(ROWS))
    cells = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [(row["load"], row["method"]) for row in cells] == [
        ("0.7", "milp-flow"),
        ("0.7", "fin"),
        ("1.2", "milp-flow"),
        ("1.2", "fin"),
    ]
    exact, fin, refuted, nothing = cells
    assert (exact["nodes"], exact["applications"], exact["found"]) == ("20", "30", "1 of 2")
    assert (exact["total power [W]"], exact["gap median [%]"], exact["other ends"]) == ("10", "0.0000", "1 time-limit")
    assert (fin["total power [W]"], fin["rejected"], fin["runtime median [s]"]) == ("15.05", "0.5", "0.2")
    assert float(fin["gap median [%]"]) == pytest.approx((1 + 100 / 19) / 2, abs=1e-4)
    assert float(fin["gap worst [%]"]) == pytest.approx(100 / 19, abs=1e-4)
    assert (refuted["total power [W]"], refuted["rejected"], refuted["other ends"]) == ("–", "–", "1 infeasible")
    assert nothing["other ends"] == "1 no-solution"


def test_groups_with_several_applications_are_shown_that_way_and_others_side_by_side() -> None:
    alone = [{**made_up_row("x", "fin", objective=1.0, status="feasible"), "group": "alone", "applications": 1}]
    titles = [table.title for table in campaign_tables(frame([*ROWS, *alone]))]
    assert titles[0] == "g: by size and load"
    assert titles[2] == "alone: side by side"


def test_instances_without_a_load_are_a_size_of_their_own() -> None:
    rows = [*ROWS[:2], {key: value for key, value in ROWS[3].items() if key != "load"}]
    table = shared_systems("campus", frame(rows))
    assert [row[2] for row in table.rows] == ["0.7", "0.7", "–"]


def test_points_of_a_target_grid_are_told_apart_by_the_targets_in_which_they_differ() -> None:
    grid = [
        {
            **made_up_row(f"x{delta}{alpha}", "fin", objective=1.0, status="feasible"),
            **{"instance": "x", "applications": 1, "max_latency_s": delta, "min_accuracy": alpha},
            **{"accounting": "full_depth", "latency_kind": "expected"},
        }
        for delta in (0.005, 0.0061)
        for alpha in (0.8, 0.9)
    ]
    names = [row[0] for row in campaign_tables(frame(grid))[0].rows]
    assert names[0] == "x, δ [s] = 0.005, α = 0.8"
    assert len(set(names)) == 4
    assert [row[0] for row in campaign_tables(frame(grid[:1]))[0].rows] == ["x"]
