"""`finbench simulate`, and the files that it replays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.simulation.arrivals import read_exits, read_trace
from finbench.models.io import InputError


def called(*arguments: object) -> tuple[int, str]:
    came = CliRunner().invoke(app, list(map(str, arguments)))
    return came.exit_code, came.output


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.json"
    instance = fb.load("blenet-mnist")
    deployment = fb.solve(instance, "fin").deployment
    assert deployment is not None
    fb.save(deployment, file)
    return file


def test_the_command_prints_draws_and_tells_programs(plan: Path, tmp_path: Path) -> None:
    picture = tmp_path / "timeline.svg"
    code, text = called("simulate", "blenet-mnist", plan, "--arrivals", "alone", "--samples", 500, "-o", picture)
    assert code == 0
    assert "By the exit where samples left" in text
    assert picture.stat().st_size > 5000
    code, text = called("simulate", "blenet-mnist", plan, "--arrivals", "alone", "--samples", 500, "--json")
    found = json.loads(text)
    assert code == 0
    assert found["applications"][0]["within"] == {"value": 1.0, "half_width": 0.0}


def test_a_plan_that_breaks_a_target_is_simulated_and_said_so(plan: Path) -> None:
    code, text = called(
        "simulate", "blenet-mnist", plan, "--max-latency", 1e-5, "--arrivals", "alone", "--samples", 100
    )
    assert code == 5
    assert "latency" in text
    assert "0.000 %" in text


def test_rates_are_asked_for_in_one_line(plan: Path) -> None:
    code, text = called("simulate", "blenet-mnist", plan)
    assert (code, text.count("\n")) == (2, 1)
    assert "rate_per_s is missing: without it only `alone` can be simulated" in text


def test_a_trace_and_exits_are_read(tmp_path: Path) -> None:
    trace, exits = tmp_path / "trace.csv", tmp_path / "exits.csv"
    trace.write_text("application,time_s\na,2\nb,1e-3\na,0.5\n")
    exits.write_text("application,exit\na,2\na,1\n")
    assert {name: list(times) for name, times in read_trace(trace, ["a", "b"]).items()} == {"a": [0.5, 2], "b": [1e-3]}
    assert {name: list(each) for name, each in read_exits(exits, ["a", "b"]).items()} == {"a": [2, 1]}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "is empty"),
        ("application\na\n", "column 'time_s': is missing"),
        ("application,time_s\nb,1\n", "line 2: application = 'b': must be one that is served"),
        ("application,time_s\na,-1\n", "line 2: time_s = '-1': must be at least 0"),
        ("application,time_s\na,nan\n", "line 2: time_s = 'nan'"),
        ("application,time_s\na,=1+1\n", "line 2: time_s = '=1+1'"),
        ("application,time_s\na,1,2\n", "line 2: has 3 cells: the header names 2 columns"),
        ("application,time_s\na\n", "line 2: has 1 cells: the header names 2 columns"),
        ("application,time_s\n", "holds no sample"),
        ('application,time_s\n"a', "is not valid CSV"),
    ],
)
def test_a_bad_trace_is_refused_by_line(text: str, rule: str, tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        read_trace(file, ["a"])
    assert rule in str(refused.value)


@pytest.mark.parametrize("exit_", ["0", "-1", "1.5", "x", "²", "99999999999"])
def test_a_bad_exit_is_refused_by_line(exit_: str, tmp_path: Path) -> None:
    file = tmp_path / "exits.csv"
    file.write_text(f"application,exit\na,{exit_}\n")
    with pytest.raises(InputError, match="line 2: exit"):
        read_exits(file, ["a"])


def test_python_simulates_solutions_and_deployments() -> None:
    instance = fb.load("blenet-mnist")
    solution = fb.solve(instance, "fin")
    assert solution.deployment is not None
    one = fb.simulate(instance, solution, arrivals="alone", samples=200)
    assert one == fb.simulate(instance, solution.deployment, arrivals="alone", samples=200)
    traced = fb.simulate(instance, solution, trace={instance.applications[0].name: [0, 1, 2]}, warm_up=0.0)
    assert traced.applications[0].samples == 3
    assert np.isclose(traced.applications[0].latency_s.value, traced.applications[0].latency_s.value)
    with pytest.raises(InputError, match="samples = 0"):
        fb.simulate(instance, solution, samples=0)


@pytest.mark.parametrize(("written", "part"), [("5%", 0.05), ("0.05", 0.05)])
def test_an_interval_is_asked_for_as_a_part_or_a_percentage(plan: Path, written: str, part: float) -> None:
    ask = ("simulate", "blenet-mnist", plan, "--arrivals", "alone", "--samples", 500, "--until-ci", written, "--json")
    code, text = called(*ask)
    found = json.loads(text)
    assert (code, found["options"]["until_ci"], found["precise"]) == (0, part, True)
    for app_ in found["applications"]:
        assert app_["energy_j"]["half_width"] <= part * app_["energy_j"]["value"]


@pytest.mark.parametrize("written", ["x%", "%", "", "0%", "100%", "nan"])
def test_an_interval_that_is_no_part_is_refused(plan: Path, written: str) -> None:
    code, _ = called("simulate", "blenet-mnist", plan, "--arrivals", "alone", "--until-ci", written)
    assert code == 2
