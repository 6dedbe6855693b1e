"""The command `solve --robust`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.replanning.robust import solve_robust
from finbench.models.io import load_deployment, load_instance
from finbench.models.uncertainty import Uncertainty, worst_case


def test_both_methods_make_the_same_plan_and_the_command_writes_it(tmp_path: Path) -> None:
    plans = {}
    for method in ("milp-flow", "label-setting"):
        made = tmp_path / f"{method}.json"
        called = ["solve", "balexnet-cifar10", "--method", method, "--robust", "1", "--deviation", "0.2", "--json"]
        result = CliRunner().invoke(app, [*called, "-o", str(made)])
        assert result.exit_code == 0, result.output
        plans[method] = json.loads(result.stdout)
        instance = load_instance("balexnet-cifar10")
        worst = worst_case(instance, load_deployment(made), Uncertainty(1, 0.2))
        assert worst.objective == pytest.approx(plans[method]["worst"], rel=1e-12)
    assert plans["milp-flow"]["worst"] == pytest.approx(plans["label-setting"]["worst"], rel=1e-6)
    assert plans["milp-flow"]["worst"] > plans["milp-flow"]["planned"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--robust", "1"], "method 'fin' makes no robust plans"),
        (["--robust", "1", "--method", "label-setting", "--k", "2"], "leave --k out"),
        (["--robust", "1", "--method", "milp-flow", "--certificate", "c.json"], "leave --robust out"),
    ],
)
def test_what_cannot_be_robust_is_refused_in_one_line(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["solve", "balexnet-cifar10", *arguments])
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_claim_that_is_not_so_is_a_contradiction() -> None:
    from dataclasses import replace

    plan = solve_robust(load_instance("blenet-mnist"), Uncertainty(1, 0.1))
    assert plan.contradiction is None
    assert plan.worst is not None
    lied = replace(plan, result=replace(plan.result, claimed_objective=plan.worst * 0.99))
    assert "claims" in str(lied.contradiction)
