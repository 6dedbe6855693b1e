"""Numbers that were made up are named until they are replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.models.instance import Instance
from finbench.models.io import InputWarning
from finbench.models.remarks import PLACEHOLDER, remarks


def with_provenance(text: str) -> Instance:
    instance = fb.load("balexnet-cifar10")
    return instance.model_copy(update={"dnns": (instance.dnns[0].model_copy(update={"provenance": text}),)})


def test_every_placeholder_of_a_provenance_is_a_remark() -> None:
    said = with_provenance(f"model: a file\n{PLACEHOLDER}shares made up\n{PLACEHOLDER}accuracies made up\ntotals: 3")
    name = said.dnns[0].name
    assert list(remarks(said)) == [f"dnn '{name}': shares made up", f"dnn '{name}': accuracies made up"]
    assert list(remarks(with_provenance("model: a file, no placeholder: here"))) == []


def test_solve_and_check_name_a_placeholder_and_the_exit_code_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    fb.save(with_provenance(f"{PLACEHOLDER}shares made up"), path)
    came = CliRunner().invoke(app, ["check", str(path)])
    assert (came.exit_code, came.stdout) == (1, f"dnn '{fb.load(path).dnns[0].name}': shares made up\n")
    with pytest.warns(InputWarning, match="shares made up") as told:
        solved = CliRunner().invoke(app, ["solve", str(path), "--method", "single-node"])
    assert (solved.exit_code, len(told)) == (0, 1)
