"""Nasty values of every option of every command: refused, or an answer; none ends in a traceback or not at all."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import finbench as fb
from finbench.benchmarks.analysis import claims_of_grids
from finbench.benchmarks.campaigns.campaign import Campaign
from finbench.benchmarks.cli import campaign_results, ladder_results, upkeep
from finbench.benchmarks.cli.app import every_command
from finbench.benchmarks.execution.runner import CampaignResult
from finbench.benchmarks.library import checking, exporting
from finbench.benchmarks.library.library import library_folder
from finbench.benchmarks.upkeep import readme_figures
from finbench.models.io import InputError, load_instance
from tests.benchmarks.cli.attack import Tally
from tests.benchmarks.conftest import made_up_row, write_results

VALUES = (
    *("0", "-1", "1", "7", "nan", "inf", "-inf", "1e308", "-1e308", "1e-320", "9" * 23, "9" * 400, "0x10", "1_0"),
    *("", " ", "no-such", "ünïcode-名", "a\x1b[31mb", "a\nb", "a,b", ",", "--", "-", "~", "\udc80", "x" * 5000),
    *("fin", "milp-flow", "balexnet-cifar10", "greedy,fin", "10,0", "expected", "optimal", "1,nan", "0.5,1.0"),
    "/dev/null",
)

OUTPUTS = ("-o", "--output")


def shared_instance(folder: Path) -> str:
    """Return the file of a small instance whose applications have rates."""
    fb.save(fb.generate("campus", nodes=3, applications=2, load=0.5, seed=1), folder / "shared.json")
    return str(folder / "shared.json")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    rows = [made_up_row(f"i{k}", method, objective=1.0 + k) for k in range(3) for method in ("fin", "greedy")]
    return write_results(tmp_path / "made-up", rows)


@pytest.fixture
def sound(tmp_path: Path, results: Path) -> dict[str, list[str]]:
    """Return sound arguments of every command, quick ones where there are several."""
    made = tmp_path / "deployment.json"
    Tally().run(["solve", "blenet-mnist", "-o", str(made)])
    out = str(tmp_path / "out")
    return {
        "solve": ["blenet-mnist", "--time-limit", "1"],
        "export": ["blenet-mnist", "-o", f"{out}.mps"],
        "evaluate": ["blenet-mnist", str(made)],
        "compare": ["blenet-mnist", "--time-limit", "1", "--methods", "fin,greedy"],
        "plan": [shared_instance(tmp_path), "--rounds", "1", "--samples", "200", "--time-limit", "1"],
        "explain": ["blenet-mnist", "--time-limit", "1"],
        "frontier": ["blenet-mnist", "--gamma", "9", "--time-limit", "1"],
        "generate": ["tiered", "-o", f"{out}.json", "--nodes", "4", "--blocks", "3", "--exits", "2"],
        "draw": ["blenet-mnist", "-o", f"{out}.svg"],
        "instances": [],
        "methods": [],
        "schema": [],
        "upgrade": [str(made), "-o", f"{out}.json"],
        "run": ["smoke", "-o", out],
        "scale": ["scale", "-o", out],
        "table": [str(results)],
        "plot": [str(results), "-o", f"{out}.svg"],
        "report": [str(results), "-o", f"{out}.html"],
        "compare-results": [str(results), str(results)],
        "leaderboard": [str(results)],
        "claims": [],
        "bench": ["-o", f"{out}.json"],
        "figures": ["-o", out],
        "verify": ["blenet-mnist", str(made)],
        "families": [],
        "campaigns": [],
        "plugins": [],
        "test-method": ["single-node", "--quick"],
        "import dnn": [small_model(), "-o", f"{out}.toml"],
        "check": ["blenet-mnist"],
        "record": [*served_run(tmp_path, made), str(made)],
        "calibrate": ["blenet-mnist", links_table(tmp_path), "-o", f"{out}.json", "--time-limit", "1"],
        "profile": [*tiny_model(tmp_path), "-o", f"{out}.toml", "--repetitions", "2"],
        "catalogue": ["zoo"],
        "library list": ["--tier", "tiny"],
        "library show": ["balexnet-cifar10-own"],
        "library check": ["balexnet-cifar10-own"],
        "library export": ["blenet-mnist-own", "-o", out],
        "library update": ["balexnet-cifar10-own", str(made), "--folder", str(copied_library(tmp_path))],
        "stress": ["blenet-mnist", str(made), "--time-limit", "1", "--severities", "0.5"],
        "replan": ["blenet-mnist", str(made), "--time-limit", "1"],
        "drift": ["three-tier"],
        "init": ["method", "-o", f"{out}.py"],
        "import dnn-partitioning": [operators(tmp_path), "-o", f"{out}.toml"],
        "import space4ai": [components(tmp_path), "-o", f"{out}.toml"],
        "import exits": [exit_summary(tmp_path), "-o", f"{out}.toml"],
        "import network": ["catalogue:kreonet", "-o", f"{out}.toml"],
        "simulate": ["blenet-mnist", str(made), "--arrivals", "alone", "--samples", "500"],
        "serve": [parts_of(tmp_path)],
        "split": [*split_arguments(tmp_path), "-o", f"{out}-parts"],
    }


def operators(folder: Path) -> str:
    """Return the file of a graph of two operators, in the format of others."""
    node = {"supportedOnFpga": 1, "cpuLatency": 2, "fpgaLatency": 1, "isBackwardNode": 0, "size": 1}
    said = {"maxSizePerFPGA": 9, "maxFPGAs": 1, "maxCPUs": 1, "nodes": [{"id": k, **node} for k in (1, 2)]}
    said["edges"] = [{"sourceId": 1, "destId": 2, "cost": 1}]
    (folder / "operators.json").write_text(json.dumps(said))
    return str(folder / "operators.json")


def components(folder: Path) -> str:
    """Return the file of one component on one machine, in the format of others."""
    said = {
        "Components": {"c": {"s": {"h": {"memory": 1, "next": "", "stop_probability": 0, "data_size": 1}}}},
        "EdgeResources": {"layer": {"E": {"number": 1, "cost": 1, "memory": 9}}},
        "CompatibilityMatrix": {"c": {"h": ["E"]}},
        "DemandMatrix": {"c": {"h": {"E": 1}}},
        "Lambda": 0.1,
        "LocalConstraints": {"c": {"local_res_time": 5}},
    }
    (folder / "components.json").write_text(json.dumps(said))
    return str(folder / "components.json")


def copied_library(folder: Path) -> Path:
    """Return a copy of the library, for commands that write into it."""
    return Path(shutil.copytree(library_folder(), folder / "library" / "v1"))


def exit_summary(folder: Path) -> str:
    """Return the file of a summary of two exits."""
    (folder / "exits.csv").write_text("exit,share,accuracy\n1,0.25,0.9\n2,0.75,0.8\n")
    return str(folder / "exits.csv")


def split_arguments(folder: Path) -> list[str]:
    """Return the files of an instance, a deployment and its model; where `onnx` is missing, of none."""
    if importlib.util.find_spec("onnx") is None:
        return ["blenet-mnist", "no-plan", "no-model"]
    from tests.benchmarks.deploying.made_plans import command_files

    return command_files(folder)


def served_run(folder: Path, made: Path) -> list[str]:
    """Return results in which a run found a deployment of `blenet-mnist`, and the file of what was measured there."""
    decisions, file = json.loads(made.read_text())["deployments"], folder / "measured.json"
    key = load_instance("blenet-mnist").content_hash
    row = made_up_row("blenet-mnist", "fin", objective=1.0, status="feasible", content_hash=key, deployments=decisions)
    app = {"application": decisions[0]["application"], "samples": 1, "within": 1.0, "max_latency_s": 1.0, "exits": []}
    app |= {"mean_s": 1.0, "p95_s": 1.0, "planned_mean_s": 1.0, "planned_p95_s": 1.0}
    run = {"instance": "blenet-mnist", "content_hash": key, "provenance": "made up", "rate_per_s": None}
    file.write_text(json.dumps({**run, "applications": [app], "parts": [], "links": []}))
    return [str(write_results(folder / "served", [row])), str(file)]


def links_table(folder: Path) -> str:
    """Return the file of a measured link."""
    (folder / "links.csv").write_text("from,to,bits_per_s,delay_s\ndevice,edge,2e7,0.001\n")
    return str(folder / "links.csv")


def tiny_model(folder: Path) -> list[str]:
    """Return the file of a model that runs in no time, and the option with that of its DNN."""
    model, dnn = folder / "tiny.onnx", folder / "tiny.toml"
    if importlib.util.find_spec("onnx") is not None:
        import onnx

        value = [onnx.helper.make_tensor_value_info(name, 1, [1, 8]) for name in "xy"]
        nodes = [onnx.helper.make_node("Relu", ["x"], ["a"]), onnx.helper.make_node("Exp", ["a"], ["y"])]
        graph = onnx.helper.make_graph(nodes, "tiny", value[:1], value[1:])
        made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
        model.write_bytes(made.SerializeToString())
        Tally().run(["import", "dnn", str(model), "-o", str(dnn)])
    return [str(model), "--blocks", str(dnn)]


def parts_of(folder: Path) -> str:
    """Return a folder whose manifest is sound, and whose parts were changed: `serve` starts no process then."""
    output = folder / "served"
    Tally().run(["split", *split_arguments(folder), "-o", str(output)])
    for part in output.glob("*.onnx"):
        part.write_bytes(b"changed")
    return str(output)


def small_model() -> str:
    """Return the file of a model that the package `onnx` ships."""
    place = importlib.util.find_spec("onnx")
    folder = Path("no-onnx") if place is None or place.origin is None else Path(place.origin).parent
    return str(folder / "backend/test/data/light/light_zfnet512.onnx")


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave out the long work of commands, but not what they check before it."""

    def nothing_measured() -> Any:
        raise InputError("claims", "not measured here")

    def nothing_run(campaign: Campaign, *_: object) -> CampaignResult:
        return CampaignResult()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(campaign_results, "run_and_report", nothing_run)
    monkeypatch.setattr(ladder_results, "climb_and_report", lambda *_: [])
    monkeypatch.setattr(claims_of_grids, "claims_of_grids", nothing_measured)
    monkeypatch.setattr(upkeep, "measure_and_report", lambda *_: True)
    monkeypatch.setattr(checking, "check_library", lambda *_: [])
    monkeypatch.setattr(exporting, "export_library", lambda *_, **__: [])
    monkeypatch.setattr(readme_figures, "readme_figures", lambda _: [])


def options_of(command: str) -> Iterator[tuple[str, bool]]:
    """Yield every option of a command: how it is spelled, and whether it takes a value."""
    for parameter in every_command()[command].params:
        if parameter.param_type_name == "option":
            for spelling in (parameter.opts[0], *parameter.secondary_opts):
                yield spelling, not parameter.is_flag


def attacks(command: str, sound: list[str], bad_paths: list[str], draw: random.Random) -> Iterator[list[str]]:
    """Yield arguments with one nasty value, then with two options at once; last, with too few and too many."""
    options = list(options_of(command))
    inputs = [path for path in bad_paths if "pipe" not in path and "zero" not in path]
    for option, takes_value in options:
        values = draw.sample(VALUES, 16) if takes_value else [""]
        for value in [*values, *(draw.sample(inputs if option in OUTPUTS else bad_paths, 2) if takes_value else [])]:
            yield [*sound, option, value] if takes_value else [*sound, option]
    for _ in range(len(options)):
        pair = [(option, draw.choice(VALUES) if takes else None) for option, takes in draw.choices(options, k=2)]
        yield [*sound, *(word for option, value in pair for word in (option, value) if word is not None)]
    for k in range(len(sound)):
        yield [*sound[:k], *sound[k + 1 :]]
        yield [*sound[:k], draw.choice(VALUES), *sound[k + 1 :]]
    yield [*sound, "one-too-many"]
    yield [*sound, "--no-such-option"]
    yield ["--help"]


def test_every_command_is_attacked(sound: dict[str, list[str]]) -> None:
    assert sound.keys() == every_command().keys() == set(COMMANDS)


COMMANDS = (
    "plan",
    *("replan", "drift", "leaderboard"),
    *("solve", "export", "evaluate", "compare", "explain", "frontier", "generate", "draw", "instances", "methods"),
    *("schema", "run", "scale", "table", "plot", "report", "compare-results", "claims", "bench", "figures"),
    *("library list", "library show", "library check", "library export", "library update"),
    *("check", "catalogue", "import dnn", "import exits", "import network", "init"),
    *("import dnn-partitioning", "import space4ai"),
    *("verify", "families", "campaigns", "plugins", "test-method", "upgrade", "simulate", "stress"),
    *("profile", "calibrate", "record", "split", "serve"),
)


@pytest.mark.slow
@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("command", COMMANDS)
def test_nasty_options_are_refused_or_answered(
    command: str, sound: dict[str, list[str]], no_files: list[str], tmp_path: Path
) -> None:
    draw, tally = random.Random(f"options {command}"), Tally()
    for arguments in attacks(command, sound[command], no_files, draw):
        tally.run([*command.split(), *arguments])
    tally.assert_sound(refused=2, answered=1)
