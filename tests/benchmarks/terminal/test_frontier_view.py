"""`finbench frontier`: table, JSON, picture, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.fin_graph.paths import label_search

RUNNER = CliRunner()


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_table_and_picture(tmp_path: Path, suffix: str) -> None:
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


def test_time_limit_shows_fin_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_search, "QUOTA", 1)
    asked = ["frontier", "balexnet-cifar10", "--gamma", "50"]
    result = RUNNER.invoke(app, [*asked, "--time-limit", "0"])
    assert result.exit_code == 0
    assert "the time limit ended the exact search" in result.output
    assert "the time limit ended" not in RUNNER.invoke(app, asked).output
    late, whole = (
        json.loads(RUNNER.invoke(app, [*asked, "--json", *limit]).output)["exits"]
        for limit in (["--time-limit", "0"], [])
    )
    assert [one["fin"] for one in late] == [one["fin"] for one in whole]
    assert all(one["fin"] for one in whole)
    assert [one["exact"] for one in late] == [None] * len(whole)
    assert all(f"{corner['energy_j']:.7g}" in result.output for one in whole for corner in one["fin"])


def test_a_horizon_that_nothing_meets_is_no_solution() -> None:
    horizon = RUNNER.invoke(app, ["frontier", "balexnet-cifar10", "--horizon-s", "1e-9"])
    assert horizon.exit_code == 4


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
