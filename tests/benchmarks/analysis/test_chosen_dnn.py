"""Rows, tables and pages say which alternative a run chose (eq. 29); results from before that have nothing to say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from finbench.benchmarks.analysis.campaign_tables import side_by_side
from finbench.benchmarks.analysis.frame import frame, load_frame
from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.methods import run_method
from finbench.benchmarks.report.columns import run_columns
from finbench.benchmarks.rows.row import result_columns
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import load_instance
from tests.benchmarks.analysis.test_table_methods import cells, found, table
from tests.benchmarks.conftest import write_results
from tests.extended_instances import extended_shared_instance

NAMES = ("blenet-softmax-0.6", "blenet-softmax-0.8", "blenet-softmax-0.95")


def judged(instance: Instance, method: str = "label-setting") -> Judged:
    result = run_method(instance, method)
    evaluation = None if result.deployment is None else evaluate(instance, result.deployment)
    return Judged(instance, method, {}, result, evaluation)


@pytest.mark.parametrize(("accuracy", "name"), [*zip((0.987, 0.9885, 0.989), NAMES, strict=True)])
def test_the_threshold_that_is_accurate_enough_at_least_energy_is_chosen_and_told(accuracy: float, name: str) -> None:
    run = judged(load_instance("blenet-thresholds").with_overrides(min_accuracy=accuracy))
    assert result_columns(run, 0.1)["dnn"] == name


def test_where_there_is_nothing_to_choose_nothing_is_told() -> None:
    assert result_columns(judged(load_instance("blenet-mnist")), 0.1)["dnn"] is None
    nothing = judged(load_instance("blenet-thresholds").with_overrides(max_latency_s=1e-9))
    assert result_columns(nothing, 0.1)["dnn"] is None


def test_of_many_applications_it_is_told_how_many_run_each() -> None:
    told = 0
    for seed in range(12):
        run = judged(extended_shared_instance(seed, alternatives=True), "column-generation")
        if not run.found or run.result.deployment is None:
            continue
        counts = Counter(one.dnn for one in run.result.deployment.deployments if one.dnn)
        assert (run.chosen_dnn or "") == ", ".join(f"{counts[name]} {name}" for name in sorted(counts))
        told += run.chosen_dnn is not None
    assert told > 2


def test_tables_have_a_column_for_it_only_where_there_is_something_to_tell() -> None:
    with_choice = [found("a", "fin", 1.0, dnn="small"), found("a", "mcp", 2.0, dnn="large"), found("b", "fin", 1.0)]
    made = side_by_side("t", frame(with_choice))
    at = made.columns.index("DNN")
    assert [row[at] for row in made.rows] == ["small", "large", "–"]
    assert "DNN" not in side_by_side("t", frame([found("a", "fin", 1.0)])).columns


def test_the_table_of_methods_counts_how_many_alternatives_were_chosen() -> None:
    rows = [found(name, "fin", 1.0, dnn="small" if name < "c" else "large") for name in "abcd"]
    assert cells(table(rows, "alternatives"))["fin"] == {"DNNs chosen": "2"}


def test_results_from_before_are_read_and_say_nothing(tmp_path: Path) -> None:
    row = found("a", "fin", 1.0)
    row.pop("dnn", None)
    runs = load_frame(write_results(tmp_path / "old", [row]))
    assert "dnn" not in runs or runs["dnn"].isna().all()
    assert "DNN" not in side_by_side("t", runs).columns
    assert cells(table([row], "alternatives"))["fin"] == {"DNNs chosen": "–"}


def test_the_page_has_the_names_beside_the_runs() -> None:
    rows = [found("a", "fin", 1.0, dnn="small"), found("b", "fin", 1.0)]
    assert run_columns(frame(rows), [None, None])["runs"]["dnn"] == {"texts": ["small", ""], "of_run": [0, 1]}
