"""Results of several objectives: every amount stands in its own unit (eq. 31)."""

from __future__ import annotations

from typing import Any

import pytest

from finbench.benchmarks.analysis.campaign_tables import campaign_tables, side_by_side, summary
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.units import Quantity, objective_word, quantity_of_objectives
from finbench.benchmarks.report.charts import frontier_chart
from finbench.benchmarks.report.methods_table import facts_of, method_table, system_table
from finbench.benchmarks.rows.row import instance_columns
from finbench.models.instance import OBJECTIVE_UNITS
from finbench.models.io import load_instance
from tests.benchmarks.analysis.test_table_methods import found, table
from tests.benchmarks.conftest import made_up_row


def test_every_unit_of_an_objective_is_a_quantity() -> None:
    units = {unit for pair in OBJECTIVE_UNITS.values() for unit in pair}
    assert {quantity_of_objectives([unit]).value for unit in units} == units
    assert quantity_of_objectives(["g", "J"]) is Quantity.PLAIN


def test_a_row_names_the_unit_and_the_quantile() -> None:
    instance = load_instance("measured-camera").with_overrides(latency_quantile=0.5)
    columns = instance_columns(instance)
    assert (columns["objective_unit"], columns["latency_quantile"]) == ("W", 0.5)


@pytest.mark.parametrize(
    ("unit", "heading", "shown"), [("g", "carbon", "mg"), ("g/s", "carbon rate", "mg/s"), ("money", "money", "money")]
)
def test_the_table_of_methods_has_the_objectives_unit(unit: str, heading: str, shown: str) -> None:
    made = table([found("a", "fin", 0.005, objective_unit=unit)], "energy")
    assert [(column.heading, column.unit) for column in made.columns] == [(heading, shown)]


def test_groups_of_different_objectives_name_their_units_in_the_cells() -> None:
    rows = [found("a", "fin", 0.005, objective_unit="g"), found("b", "fin", 0.005, group="h", objective_unit="J")]
    made = table(rows, "energy")
    assert [block.cells for block in made.blocks] == [(("5.000 mg",),), (("5.000 mJ",),)]
    assert made.columns[0].unit == ""


def test_runs_side_by_side_say_what_was_minimised_beside_the_energy() -> None:
    made = side_by_side("t", frame([found("a", "fin", 0.005, energy_j=2.0, objective_unit="g")]))
    assert made.columns[3:5] == ("energy [J]", "minimised")
    assert made.rows[0][3:5] == ("2", "0.005 g")
    assert "minimised" not in side_by_side("t", frame([found("a", "fin", 0.005)])).columns


def test_totals_of_systems_have_the_objectives_unit() -> None:
    size = {"applications": 5, "network_nodes": 9, "load": 0.7, "rejected": 0}
    rows = [made_up_row("a", "fin", objective=0.25, status="feasible", objective_unit="g/s", total_power_w=9.0, **size)]
    (systems, _) = campaign_tables(frame(rows))
    assert systems.columns[5] == "total carbon rate [g/s]"
    assert systems.rows[0][5] == "0.25"
    assert system_table("t", frame(rows)).rows[0][5].text == "250 mg/s"


def test_a_frontier_over_targets_draws_what_was_minimised() -> None:
    grid: dict[str, Any] = {
        "accounting": "expected",
        "latency_kind": "quantile",
        "latency_quantile": 0.5,
        "min_accuracy": 0.5,
    }
    rows = [
        found(
            "a", "fin", 1.0 / k, content_hash=f"{k}", energy_j=7.0, max_latency_s=k * 1e-3, objective_unit="g", **grid
        )
        for k in range(1, 9)
    ]
    chart = frontier_chart(frame(rows))
    assert chart is not None
    (view,) = chart.views
    assert "quantile latency of 0.5, carbon minimised" in view.name
    assert view.panels[0].y.unit == "g"
    assert max(view.panels[0].series[-1].y) == 1.0


@pytest.mark.parametrize(("unit", "word"), [("J", "energy"), ("W", "energy"), ("g", "carbon"), ("money/s", "money")])
def test_what_is_best_is_called_after_what_is_minimised(unit: str, word: str) -> None:
    runs = frame([found("a", "fin", 0.005, objective_unit=unit)])
    assert f"best {word} found [%]" in summary("t", runs).columns
    made = method_table("t", runs, facts_of(runs))
    assert f"best {word} found [%]" in made.columns
    assert f"best {word} known" in made.note


def test_of_different_objectives_the_best_is_an_objective() -> None:
    assert objective_word(["J", "W"]) == "energy"
    assert objective_word(["J", "g"]) == "objective"
