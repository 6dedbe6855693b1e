"""Instances are made, methods compared, campaigns run and pictures drawn from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import finbench as fb
from finbench.benchmarks.judging.comparison import compare_methods
from finbench.models.io import load_instance
from tests.benchmarks.conftest import WORSE, AddMethod, add_method, answer, made_up_row, write_results

__all__ = ["add_method"]  # a fixture


def test_generate_draws_what_the_command_draws() -> None:
    from finbench.benchmarks.families import generate, generate_shared

    assert fb.generate("mesh", nodes=4, blocks=3, exits=2, seed=7) == generate(
        "mesh", nodes=4, blocks=3, exits=2, seed=7
    )
    campus = fb.generate("campus", nodes=4, applications=2, load=0.5, seed=1)
    assert campus == generate_shared("campus", nodes=4, applications=2, load=0.5, seed=1)


@pytest.mark.parametrize(
    ("family", "sizes", "said"),
    [
        ("nothing", {"nodes": 3}, "no such family"),
        ("tiered", {"nodes": 3, "exits": 1}, "blocks: required"),
        ("campus", {"nodes": 3}, "applications: required"),
        ("campus", {"nodes": 3, "applications": 2, "blocks": 3}, "blocks = 3: this family takes applications"),
        ("tiered", {"nodes": 1, "blocks": 3, "exits": 1}, "nodes = 1: must be at least 2"),
    ],
)
def test_what_a_family_does_not_take_is_one_line(family: str, sizes: dict[str, Any], said: str) -> None:
    with pytest.raises(fb.InputError, match=said):
        fb.generate(family, **sizes)


def test_an_instance_is_saved_and_read_again(tmp_path: Path) -> None:
    instance = fb.generate("dense", nodes=3, blocks=2, exits=1, seed=2)
    fb.save(instance, tmp_path / "mine.json")
    assert fb.load(tmp_path / "mine.json") == instance


def test_a_comparison_has_a_row_for_each_run_with_the_gap_to_the_best_bound() -> None:
    instances = [fb.load("blenet-mnist"), fb.generate("mesh", nodes=3, blocks=3, exits=2, seed=5)]
    table = fb.compare(instances, ["exhaustive", ("fin", {"gamma": [2, 100]})])
    assert list(table["variant"]) == ["exhaustive", "fin (gamma=2)", "fin (gamma=100)"] * 2
    assert list(table["instance"]) == [instance.name for instance in instances for _ in range(3)]
    expected = compare_methods(instances[0], [("exhaustive", {}), ("fin", {"gamma": 2}), ("fin", {"gamma": 100})])
    assert table["objective"][2] == expected.runs[2].objective
    assert table["gap"][2] == expected.gap(expected.runs[2])
    assert table.attrs["contradictions"] == []


def test_a_comparison_tells_what_cannot_all_be_true(add_method: AddMethod) -> None:
    add_method("wrong", answer(WORSE, fb.Status.OPTIMAL, None))
    table = fb.compare(fb.load("balexnet-cifar10"), ["exhaustive", "wrong"])
    assert "wrong says" in table.attrs["contradictions"][0]


@pytest.mark.parametrize(
    ("methods", "said"), [([], "at least one"), (["magic"], "no such method"), ([("fin", {"gamma": [0]})], "gamma = 0")]
)
def test_a_comparison_checks_before_it_runs(methods: list[Any], said: str) -> None:
    with pytest.raises(fb.InputError, match=said):
        fb.compare(fb.load("blenet-mnist"), methods)


def test_frontier_and_explanation_come_as_objects() -> None:
    instance = fb.load("balexnet-cifar10")
    found = fb.frontier(instance, gamma=20)
    assert [one.last_exit for one in found] == [1, 2, 3]
    axes = Figure().subplots()
    assert fb.plot.frontier(axes, found) is axes
    assert len(axes.get_legend().get_texts()) == 4  # type: ignore[union-attr]
    assert not fb.explain(instance.with_overrides(max_latency_s=1e-6)).fits


def test_a_frontier_of_nothing_cannot_be_drawn() -> None:
    with pytest.raises(fb.InputError, match="nothing to draw"):
        fb.plot.frontier(Figure().subplots(), ())


def test_a_campaign_is_made_of_objects() -> None:
    mine = fb.generate("mesh", nodes=3, blocks=3, exits=2, seed=5)
    made = fb.campaign("mine", [mine, "blenet-mnist"], ["exhaustive", ("fin", {"gamma": [1, 10]})], repetitions=2)
    assert isinstance(made, fb.Campaign)
    (entry,) = made.entries
    assert [source.build() for source in entry.origins()] == [mine, load_instance("blenet-mnist")]
    assert made.repetitions == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"instances": []}, "instances: at least one"),
        ({"methods": []}, "methods: at least one"),
        ({"instances": ["nowhere"]}, "no such file"),
        ({"methods": [("fin", {"gamma": [1, 0]})]}, "gamma = 0"),
        ({"time_limit_s": 0}, "time_limit_s = 0"),
        ({"name": "a/b"}, "name = 'a/b'"),
    ],
)
def test_a_campaign_that_breaks_a_rule_is_one_line(fields: dict[str, Any], said: str) -> None:
    whole: dict[str, Any] = {"name": "mine", "instances": ["blenet-mnist"], "methods": ["fin"], **fields}
    with pytest.raises(fb.InputError, match=said):
        fb.campaign(**whole)


@pytest.fixture
def results(tmp_path: Path) -> fb.Results:
    rows = [
        made_up_row(instance, "fin", variant=f"fin (gamma={gamma})", options={"gamma": gamma}, objective=1 + 1 / gamma)
        for instance in ("one", "two")
        for gamma in (1, 10)
    ]
    exact = [
        made_up_row(instance, "exhaustive", status="optimal", objective=1.0, lower_bound=1.0)
        for instance in ("one", "two")
    ]
    rows = [{**row, "key": f"{k}"} for k, row in enumerate([*rows, *exact])]
    return fb.read_results(write_results(tmp_path / "made-up", rows))


def test_results_are_read_as_a_table(results: fb.Results) -> None:
    assert len(results) == len(results.to_frame()) == 6
    assert results.contradictions == []
    assert "exhaustive" in list(results.aggregate()["method"])
    assert "<table" in results.to_html()
    assert repr(results).startswith("<Results of 6 runs in ")
    with pytest.raises(fb.InputError, match="cannot be read"):
        fb.read_results(results.folder / "nothing")


def test_results_are_drawn_on_the_axes_that_are_given(results: fb.Results) -> None:
    runs, axes = results.to_frame(), Figure().subplots()
    assert fb.plot.gaps(axes, runs) is axes
    assert np.asarray(axes.lines[0].get_xydata())[:, 0].tolist() == [1, 10]
    other = fb.plot.profile(Figure().subplots(), runs, group="g")
    assert len(other.lines) == 3
    with pytest.raises(fb.InputError, match="group 'other': no such group"):
        fb.plot.profile(Figure().subplots(), runs, group="other")
    with pytest.raises(fb.InputError, match="no run of FIN"):
        fb.plot.gaps(None, runs[runs["method"] == "exhaustive"])


def test_a_system_is_drawn_with_and_without_a_deployment() -> None:
    campus = fb.generate("campus", nodes=4, applications=2, load=0.7, seed=1)
    assert fb.plot.system(campus).axes
    assert len(fb.plot.system(campus, fb.solve(campus, "greedy")).axes) > len(fb.plot.system(campus).axes)


def test_what_only_this_process_knows_is_no_part_of_a_campaign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def typed(instance: fb.Instance, options: fb.Options, **_: Any) -> fb.Result:
        """Is typed at a prompt."""
        return fb.Result(fb.Status.NO_SOLUTION)

    typed.__module__ = "__main__"
    made = fb.register_method("typed", typed)
    try:
        assert fb.solve(fb.load("blenet-mnist"), "typed").status is fb.Status.NO_SOLUTION
        with pytest.raises(fb.InputError, match="put it into a file"):
            fb.run(fb.campaign("mine", ["blenet-mnist"], ["typed"]), tmp_path)
    finally:
        from finbench.benchmarks.plugins.plugin import forget

        assert made.plugin is not None
        forget(made.plugin)


@pytest.mark.slow
def test_a_campaign_runs_from_python_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    mine = fb.generate("mesh", nodes=3, blocks=3, exits=2, seed=5)
    asked = fb.campaign("mine", [mine], ["exhaustive", ("fin", {"gamma": [1, 100]})], time_limit_s=10)
    made = fb.run(asked, tmp_path)
    assert made.rows[0]["status"] == "optimal"
    assert len(made) == 3
    assert {path.name for path in (tmp_path / "mine").iterdir()} >= {"runs.parquet", "runs.csv", "tables.md"}
    again = fb.run(asked, tmp_path)
    assert [row["key"] for row in again.rows] == [row["key"] for row in made.rows]
    assert len((tmp_path / "mine" / "runs.jsonl").read_text().splitlines()) == 3
    assert len(fb.read_results(tmp_path / "mine")) == 3
    with pytest.raises(fb.InputError, match="backend 'cloud'"):
        fb.run(asked, tmp_path, backend="cloud")
