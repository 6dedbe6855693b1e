"""`finbench frontier`: table, JSON, picture, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.terminal.frontier_view import print_frontiers
from finbench.fin_graph.frontier import ExitFrontier
from finbench.models.io import load_instance

RUNNER = CliRunner()


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_frontier_is_printed_and_drawn(tmp_path: Path, suffix: str) -> None:
    picture = tmp_path / f"frontier.{suffix}"
    result = RUNNER.invoke(app, ["frontier", "balexnet-cifar10", "--gamma", "100", "-o", str(picture)])
    assert result.exit_code == 0, result.output
    assert "0.01714313" in result.output
    assert picture.stat().st_size > 2000


def test_json_has_fin_above_the_exact_corners() -> None:
    result = RUNNER.invoke(app, ["frontier", "blenet-mnist", "--gamma", "50", "--json"])
    exits = json.loads(result.output)["exits"]
    assert [one["last_exit"] for one in exits] == [1, 2]
    for one in exits:
        for corner in one["fin"]:
            reachable = [c["energy_j"] for c in one["exact"] if c["max_latency_s"] <= corner["max_latency_s"]]
            assert corner["energy_j"] >= min(reachable) * (1 - 1e-9)


def rows_of(output: str) -> list[list[str]]:
    """The table's rows as cells: exit, accuracy, energy, budget, FIN's budget, more."""
    return [cells for line in output.splitlines() if len(cells := line.split()) == 6 and cells[0].isdigit()]


def test_time_limit_shows_fin_alone(tmp_path: Path) -> None:
    file = str(tmp_path / "correlated.json")
    size = ["--nodes", "20", "--blocks", "6", "--exits", "1", "--seed", "1"]
    assert RUNNER.invoke(app, ["generate", "correlated", *size, "-o", file]).exit_code == 0
    alone = RUNNER.invoke(app, ["frontier", file, "--time-limit", "0"])
    assert alone.exit_code == 0
    assert "only FIN's corners are shown" in alone.output
    rows = rows_of(alone.output)
    assert rows
    assert {(budget, more) for _, _, _, budget, _, more in rows} == {("–", "–")}
    both = RUNNER.invoke(app, ["frontier", file])
    assert "only FIN's corners are shown" not in both.output
    assert "–" not in {row[3] for row in rows_of(both.output)}


def test_nothing_within_the_horizon_is_exit_code_4_and_draws_nothing(tmp_path: Path) -> None:
    picture = tmp_path / "frontier.png"
    result = RUNNER.invoke(app, ["frontier", "balexnet-cifar10", "--horizon", "1e-9", "-o", str(picture)])
    assert (result.exit_code, picture.exists()) == (4, False)
    assert f"{picture}: not written" in result.stderr


def test_a_printed_budget_reaches_the_printed_energy() -> None:
    for last, accuracy, energy, budget, _, _ in rows_of(RUNNER.invoke(app, ["frontier", "balexnet-cifar10"]).output):
        targets = ["--max-latency", budget, "--min-accuracy", accuracy]
        solved = RUNNER.invoke(app, ["solve", "balexnet-cifar10", "--method", "label-setting", *targets, "--json"])
        found = json.loads(solved.output)
        assert found["energy_j"] <= float(energy) * (1 + 1e-6), (last, budget)
        assert found["latency_s"] <= float(budget), "without the help of a tolerance"


def test_every_energy_comes_once(capsys: pytest.CaptureFixture[str]) -> None:
    corners = ((1.00000001, 2.0), (1.1, 2.0 * (1 - 1e-9)), (1.2, 1.0))
    for exact in (corners, None):
        print_frontiers(load_instance("blenet-mnist"), 10, [ExitFrontier(1, 0.5, corners, exact)])
        rows = rows_of(capsys.readouterr().out)
        assert [row[2] for row in rows] == ["2", "1"]
        assert [row[3 if exact else 4] for row in rows] == ["1.000001", "1.2"]


def test_long_frontiers_are_thinned_in_the_table_not_in_json(tmp_path: Path) -> None:
    file = str(tmp_path / "mesh.json")
    size = ["--nodes", "40", "--blocks", "6", "--exits", "1", "--seed", "1"]
    assert RUNNER.invoke(app, ["generate", "mesh", *size, "-o", file]).exit_code == 0
    every = json.loads(RUNNER.invoke(app, ["frontier", file, "--json"]).output)["exits"][0]["exact"]
    assert len(every) > 15
    shown = RUNNER.invoke(app, ["frontier", file]).output
    assert f"15 of {len(every)} corners are shown" in shown
    for corner in (every[0], every[-1]):
        assert f"{corner['energy_j']:.7g}" in shown


def test_bad_picture_name_is_bad_input(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["frontier", "balexnet-cifar10", "-o", str(tmp_path / "frontier.doc")])
    assert result.exit_code == 2
