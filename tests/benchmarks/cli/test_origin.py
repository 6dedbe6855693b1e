"""A deployment file says what it was made for, and commands say where that is something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from finbench import __version__
from finbench.benchmarks.cli.app import app
from finbench.models.io import load_deployment, load_deployment_file, load_instance


def called(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "deployment.json"
    came = called("solve", "balexnet-cifar10", "--method", "fin", "--gamma", "50", "-o", path)
    assert came.exit_code == 0, came.output
    return path


def test_a_file_names_instance_method_and_version(made: Path) -> None:
    origin = load_deployment_file(made).made_for
    assert origin is not None
    assert origin.instance == "balexnet-cifar10"
    assert origin.content_hash == load_instance("balexnet-cifar10").content_hash
    assert (origin.method, origin.version) == ("fin (gamma=50)", __version__)


def test_nothing_is_said_where_the_instance_is_the_same(made: Path, tmp_path: Path) -> None:
    for more in ([], ["--json"]):
        came = called("evaluate", "balexnet-cifar10", made, *more)
        assert (came.exit_code, came.stderr) == (0, "")
    drawn = called("draw", "balexnet-cifar10", "--deployment", made, "-o", tmp_path / "a.svg")
    assert (drawn.exit_code, drawn.stderr) == (0, f"wrote {tmp_path / 'a.svg'}\n")


@pytest.mark.parametrize("use", ["evaluate", "draw"])
def test_another_instance_is_named_in_one_line_and_the_work_goes_on(use: str, made: Path, tmp_path: Path) -> None:
    where = [made] if use == "evaluate" else ["--deployment", made, "-o", tmp_path / "a.svg"]
    other = tmp_path / "other.json"
    document = json.loads(load_instance("balexnet-cifar10").model_dump_json())
    document["name"] = "other"
    document["applications"][0]["max_latency_s"] *= 2
    other.write_text(json.dumps(document))
    came = called(use, other, *where)
    assert came.exit_code == 0, came.output
    assert [line.startswith("wrote ") for line in came.stderr.splitlines()] == [
        False,
        *([True] if use == "draw" else []),
    ]
    assert "was made by fin (gamma=50) for another instance, 'balexnet-cifar10' (content hash " in came.stderr
    assert "and is used with 'other' (" in came.stderr


def test_a_file_without_an_origin_is_read(made: Path) -> None:
    whole = load_deployment(made)
    document = json.loads(made.read_text())
    del document["made_for"]
    made.write_text(json.dumps(document))
    assert load_deployment(made) == whole
    assert load_deployment_file(made).made_for is None
    came = called("evaluate", "blenet-mnist", made)
    assert "another instance" not in came.stderr


def test_an_origin_that_is_none_is_refused_in_one_line(made: Path) -> None:
    document = json.loads(made.read_text())
    del document["made_for"]["content_hash"]
    made.write_text(json.dumps(document))
    came = called("evaluate", "balexnet-cifar10", made)
    assert (came.exit_code, came.stdout, came.stderr.count("\n")) == (2, "", 1)
    assert "made_for: content_hash: required field is missing" in came.stderr
