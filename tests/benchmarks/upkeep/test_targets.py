"""The measuring program: its graphs are the right ones, its marks follow its limits."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scipy.sparse.csgraph import dijkstra

from finbench.benchmarks.cli.upkeep import BENCH_PARTS, measure_and_report
from finbench.benchmarks.families import generate
from finbench.benchmarks.upkeep import exact_targets
from finbench.benchmarks.upkeep import targets as performance
from finbench.benchmarks.upkeep.ceiling import relaxations_per_second
from finbench.benchmarks.upkeep.fin_targets import expanded_graph
from finbench.benchmarks.upkeep.measurement import Measurement, seconds
from finbench.benchmarks.upkeep.subjects import with_alternatives
from finbench.fin_graph.label_setting import solve
from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.kernel import least_energy_replica_path


def problem_of(family: str, nodes: int, seed: int) -> PathProblem:
    instance = generate(family, nodes=nodes, blocks=4, exits=1, seed=seed)
    problem = path_problem(instance, instance.applications[0])
    assert problem is not None
    return problem


@pytest.mark.parametrize("family", ["tiered", "mesh", "dense", "correlated"])
def test_expanded_graph_has_fins_least_energy(family: str) -> None:
    for seed in range(4):
        problem = problem_of(family, 6, seed)
        graph, source, ends = expanded_graph(problem, 30)
        energies = dijkstra(graph, indices=[source])[0]
        assert energies[ends].min() == pytest.approx(least_energy_replica_path(problem, 30).energy, rel=1e-9)


def test_rows_in_cache_are_relaxed_faster_than_paths_are_found() -> None:
    """The machine's own rate is a ceiling; FIN's rate is below it on any machine, however busy."""
    problem = problem_of("dense", 6, 0)
    path = least_energy_replica_path(problem, 30)
    assert path.relaxations / seconds(lambda: least_energy_replica_path(problem, 30), 5) < relaxations_per_second()


def test_marks_follow_the_limits() -> None:
    assert Measurement("t", "s", 5.0, "×", at_least=5).met
    assert not Measurement("t", "s", 4.9, "×", at_least=5).met
    assert Measurement("t", "s", 1.0, "s", at_most=1).met
    assert not Measurement("t", "s", 1.05, "", 0.9, 1.0).met


def test_seconds_is_a_median_without_the_first_call() -> None:
    calls: list[int] = []
    assert seconds(lambda: calls.append(1), 3) >= 0
    assert len(calls) == 4


@pytest.mark.parametrize("value", [1.0, 3.0])
def test_report_is_written_and_says_whether_all_are_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: float
) -> None:
    def measure(_parts: object = ()) -> Iterator[Measurement]:
        yield Measurement("time", "something", 1.0, "s", at_most=2)
        yield Measurement("ratio", "something", value, "×", at_least=2, note="why")

    monkeypatch.setattr(performance, "measure", measure)
    file = tmp_path / "new" / "bench.json"
    assert measure_and_report(file) == (value >= 2)
    written = json.loads(file.read_text())
    assert [one["met"] for one in written["measurements"]] == [True, value >= 2]
    assert ("MISS" in capsys.readouterr().out) == (value < 2)


def test_what_could_not_be_measured_is_counted_apart_and_is_no_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cspy", None)
    monkeypatch.setattr(performance, "measure", lambda _: exact_targets.cspy())
    assert measure_and_report(tmp_path / "bench.json")
    (written,) = json.loads((tmp_path / "bench.json").read_text())["measurements"]
    assert (written["value"], written["met"]) == (None, None)
    said = " ".join(capsys.readouterr().out.split())
    assert "not measured: cspy is not installed" in said
    assert "0 met, 0 missed, 1 not measured" in said


def test_cspy_finds_the_same_optimum() -> None:
    pytest.importorskip("cspy")
    from finbench.benchmarks.upkeep.cspy import cspy_run

    instance = generate("dense", nodes=5, blocks=4, exits=1, seed=0)
    problem = path_problem(instance, instance.applications[0])
    assert problem is not None
    run = cspy_run(problem, 30.0)
    assert run.energy == pytest.approx(solve(instance).claimed_objective, rel=1e-9)


def test_the_command_knows_every_part() -> None:
    assert tuple(performance.PARTS) == BENCH_PARTS


def test_alternatives_are_drawn_around_the_first() -> None:
    one = generate("dense", nodes=6, blocks=4, exits=1, seed=0)
    several = with_alternatives(one, 5, 0.1)
    assert several == type(several).model_validate(several.model_dump(mode="json", exclude_unset=True))
    first, *others = several.dnns
    assert (first, len(others)) == (one.dnns[0], 4)
    for other in others:
        for block, drawn in zip(first.blocks, other.blocks, strict=True):
            assert 0.9 <= drawn.ops / block.ops <= 1.1
            assert 0.9 <= drawn.output_bits / block.output_bits <= 1.1
    best, alone = solve(several).claimed_objective, solve(one).claimed_objective
    assert best is not None
    assert alone is not None
    assert best <= alone
