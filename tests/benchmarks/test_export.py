"""`finbench export`."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from benchmarks.cli import app
from models.io import dump_instance, write_text
from tests.random_instances import random_instance

RUNNER = CliRunner()


def test_writes_a_program(tmp_path: Path) -> None:
    file = tmp_path / "b.lp"
    result = RUNNER.invoke(app, ["export", "balexnet-cifar10", "--format", "lp", "-o", str(file)])
    assert result.exit_code == 0, result.output
    assert "times the program's" in result.output
    assert "eq7_flow_conservation" in file.read_text()


def test_bad_choices_and_unsupported_instances_are_bad_input(tmp_path: Path) -> None:
    out = ["-o", str(tmp_path / "x")]
    assert RUNNER.invoke(app, ["export", "balexnet-cifar10", "--format", "xls", *out]).exit_code == 2
    assert RUNNER.invoke(app, ["export", "balexnet-cifar10", "--method", "fin", *out]).exit_code == 2
    file = tmp_path / "relays.json"
    write_text(file, dump_instance(random_instance(4)))
    assert RUNNER.invoke(app, ["export", str(file), "--method", "milp-assignment", *out]).exit_code == 2
    assert not (tmp_path / "x").exists()
