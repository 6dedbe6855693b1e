"""From a model file to a proven placement by the command line alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.benchmarks.imports.onnx.made_models import light  # isort: skip  (skips where onnx is missing)

from finbench.benchmarks.cli.app import app

INSTANCE = """
schema_version = 2
name = "mine"
network = "geant.toml"
dnns = ["dnn.toml"]

[[applications]]
name = "camera"
dnn = "resnet"
source = "FR"
max_latency_s = "100 ms"
min_accuracy = 0.6
"""


def run(*arguments: str) -> str:
    came = CliRunner().invoke(app, list(arguments))
    assert came.exit_code == 0, came.output
    return came.stdout


@pytest.mark.slow
def test_methods_agree_on_a_real_model_on_a_real_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("exits.csv").write_text("exit,share,accuracy\n1,0.4,0.9\n2,0.3,0.9\n3,0.2,0.9\n4,0.1,0.9\n")
    run("import", "exits", "exits.csv", "-o", "exits.toml")
    exits = [word for name in ("r25", "r35", "r47") for word in ("--exit-after", name)]
    sizes = ["--name", "resnet", "--bits", "8", "--input-bits", "8", "--exits", "exits.toml"]
    run("import", "dnn", str(light("resnet50")), *exits, *sizes, "-o", "dnn.toml")
    run("import", "network", "catalogue:geant2009", "--attach", "raspberry-pi-4", "-o", "geant.toml")
    Path("mine.toml").write_text(INSTANCE)
    run("check", "mine.toml")
    energies = [
        json.loads(run("solve", "mine.toml", "--method", method, "--json"))["energy_j"]
        for method in ("fin", "label-setting", "milp-flow")
    ]
    assert energies == pytest.approx([energies[0]] * 3, rel=1e-6)
