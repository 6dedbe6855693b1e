"""Damaged devices, certificates, ladders, results of ladders, traces and TOML: refused in one line or answered."""

from __future__ import annotations

import json
import random
import shutil
from itertools import islice
from pathlib import Path

import pytest

from finbench.benchmarks.cli import ladder_results
from finbench.benchmarks.methods import run_method
from finbench.models.instance import Instance
from finbench.models.io import data_directory, dump_instance
from tests.benchmarks.campaigns.test_mutated_campaigns import LADDER, mutants
from tests.benchmarks.cli.attack import Document, Tally, damaged, written
from tests.benchmarks.rows.test_mutated_results import mutate
from tests.extended_instances import extended_instance
from tests.random_instances import random_instance

pytestmark = pytest.mark.slow

METHODS = "milp-flow,label-setting,exhaustive,fin,single-node"


@pytest.fixture
def single(tmp_path: Path) -> Document:
    """Return an instance of one application that has a deployment, and write both, and a certificate of its optimum."""
    solvable = (random_instance(seed) for seed in range(100))
    instance = next(one for one in solvable if run_method(one, "exhaustive").deployment is not None)
    (tmp_path / "instance.json").write_text(dump_instance(instance))
    files = ["-o", f"{tmp_path}/best.json", "--certificate", f"{tmp_path}/proof.json"]
    came = Tally().run(["solve", f"{tmp_path}/instance.json", "--method", "label-setting", *files])
    assert came.exit_code == 0, came.output
    return dict(json.loads(dump_instance(instance)))


def test_damaged_devices_are_refused_or_used(tmp_path: Path) -> None:
    draw, tally = random.Random("devices"), Tally()
    drawn = (extended_instance(seed, only="measured") for seed in range(100))
    solvable = (one for one in drawn if one.devices and run_method(one, "exhaustive").deployment is not None)
    documents = [json.loads(dump_instance(one)) for one in islice(solvable, 4)]
    for number in range(300):
        document = dict(documents[number % len(documents)])
        devices = document["devices"]
        text = damaged(draw.choice(devices), draw)
        written(tmp_path / "device.json", text)
        (tmp_path / "whole.json").write_text(json.dumps({**document, "devices": ["device.json", *devices[1:]]}))
        tally.run(["compare", f"{tmp_path}/whole.json", "--methods", METHODS, "--gamma", "7"], text)
    tally.assert_sound(refused=60, answered=60)


@pytest.mark.usefixtures("single")
@pytest.mark.parametrize("name", ["best.json", "proof.json"])
def test_damaged_proofs_are_refused_or_checked(name: str, tmp_path: Path) -> None:
    draw, tally = random.Random(f"proofs {name}"), Tally()
    document = json.loads((tmp_path / name).read_text())
    files = [f"{tmp_path}/{each}" for each in ("instance.json", "best.json", "proof.json")]
    for _ in range(300):
        text = damaged(document, draw)
        written(tmp_path / name, text)
        tally.run(["verify", *files, *draw.choice(([], ["--json"], ["--claimed", "1"]))], text)
    tally.assert_sound(refused=60, answered=30)


def test_damaged_ladders_are_refused_or_climbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder_results, "climb_and_report", lambda *_: [])
    tally = Tally()
    for file in mutants(LADDER, tmp_path):
        tally.run(["scale", str(file), "-o", str(tmp_path / "results")], file.read_text()[:3000])
    tally.assert_sound(refused=60, answered=20)


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of a small ladder that one method leaves early."""
    folder = tmp_path_factory.mktemp("ladder")
    family = {"group": "g", "family": "dense", "nodes": [4, 6, 9], "blocks": [4], "exits": [1], "seeds": [0]}
    methods = [{"name": "label-setting"}, {"name": "fin", "options": {"gamma": 20}}, {"name": "exhaustive"}]
    document = {"name": "small", "time_limit_s": 5.0, "methods": methods, "families": [family]}
    (folder / "small.json").write_text(json.dumps(document))
    came = Tally().run(["scale", f"{folder}/small.json", "-o", str(folder)])
    assert came.exit_code == 0, came.output
    return folder / "small"


def test_damaged_results_of_ladders_are_refused_or_shown(ladder: Path, tmp_path: Path) -> None:
    draw, tally, folder = random.Random("results of ladders"), Tally(), tmp_path / "ladder"
    for _ in range(200):
        shutil.copytree(ladder, folder, ignore=shutil.ignore_patterns("logs", "*.csv", "*.p*", "*.md"))
        done = mutate(folder, draw)
        often = [["table", str(folder)]] * 12 + [["compare-results", str(folder), str(ladder)]] * 3
        rare = [["plot", str(folder), "-o", f"{folder}/a.svg"], ["report", str(folder), "-o", f"{folder}/a.html"]]
        tally.run(draw.choice([*often, *rare]), done)
        shutil.rmtree(folder)
    tally.assert_sound(refused=50, answered=20)


@pytest.mark.usefixtures("single")
@pytest.mark.parametrize("option", ["--trace", "--exits"])
def test_damaged_traces_are_refused_or_followed(option: str, tmp_path: Path) -> None:
    draw, tally, file = random.Random(option), Tally(), tmp_path / "trace.csv"
    app = Instance.model_validate_json((tmp_path / "instance.json").read_text()).applications[0].name
    lines = [f"{app},{k if option == '--trace' else 1}" for k in range(20)]
    text = "\n".join(["application,time_s" if option == "--trace" else "application,exit", *lines, ""])
    nasty = ["", ",", '"', "\x00", "é", "\n", "nan", "inf", "-1", "1e308", "9" * 400, "1" * 5000, "\r", "x,y", "0"]
    for _ in range(150):
        start = draw.choice([draw.randrange(len(text)), *[k for k in range(len(text) - 1) if text[k] == ","]])
        changed = text[: start + 1] + draw.choice(nasty) + text[start + draw.randrange(1, 4) :]
        written(file, changed)
        arguments = [f"{tmp_path}/instance.json", f"{tmp_path}/best.json", option, str(file)]
        tally.run(
            ["simulate", *arguments, *([] if option == "--trace" else ["--arrivals", "alone", "--samples", "50"])],
            changed,
        )
    tally.assert_sound(refused=20, answered=3)


@pytest.mark.parametrize("kind", ["instance", "deployment"])
def test_damaged_files_are_refused_or_brought_to_the_newest_version(
    kind: str, single: Document, tmp_path: Path
) -> None:
    draw, tally, file = random.Random(f"upgrade {kind}"), Tally(), tmp_path / "old.json"
    document = single if kind == "instance" else json.loads((tmp_path / "best.json").read_text())
    for _ in range(150):
        text = damaged({**document, "schema_version": draw.choice([1, 2, 3])}, draw)
        written(file, text)
        tally.run(["upgrade", str(file)], text)
    tally.assert_sound(refused=30, answered=10)


def test_damaged_toml_is_refused_or_solved(tmp_path: Path) -> None:
    draw, tally = random.Random("toml"), Tally()
    shutil.copytree(data_directory(), tmp_path / "data")
    file = tmp_path / "data" / "instances" / "blenet-mnist.toml"
    text = file.read_text()
    nasty = ["", "=", "[", "]", "[[", "{", '"', "'''", "\x00", "\ufeff", "\\", ".", "1e999", "inf", "nan", "0x", "#"]
    for _ in range(200):
        start = draw.randrange(len(text))
        changed = text[:start] + draw.choice(nasty) + text[start + draw.randrange(4) :]
        written(file, changed)
        tally.run(["solve", str(file), "--method", "label-setting"], changed)
    tally.assert_sound(refused=100, answered=5)
