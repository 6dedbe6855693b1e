"""Damaged files: every command refuses them in one line or answers rightly; none ends in a traceback or not at all."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from finbench.benchmarks.methods import METHODS, run_method
from finbench.models.instance import Instance
from finbench.models.io import dump_deployment, dump_instance
from tests.benchmarks.cli.attack import Document, Tally, damaged, written
from tests.models.bad_inputs import SOUND
from tests.random_instances import random_shared_instance

METHODS_COMPARED = "milp-flow,label-setting,exhaustive,column-generation,fin,greedy,larac,single-node"


def shared() -> Document:
    """Return a system with service levels, memories and an application that may be turned away."""
    for seed in range(100):
        instance = random_shared_instance(seed, levels=True, penalties=True)
        found = run_method(instance, "exhaustive")
        if len(instance.applications) > 1 and found.deployment is not None:
            return dict(json.loads(dump_instance(instance)))
    raise AssertionError


def commands(file: str, folder: Path, draw: random.Random) -> list[str]:
    """Return a command on an instance file."""
    picture = draw.choice(("png", "svg", "pdf"))
    fast = [
        ["compare", file, "--methods", METHODS_COMPARED, "--gamma", "7", "--time-limit", "2"],
        ["compare", file, "--methods", METHODS_COMPARED, "--gamma", "7", "--time-limit", "2", "--json"],
        ["solve", file, "--method", draw.choice(sorted(set(METHODS) - {"cp-sat"})), "--time-limit", "2"],
        ["solve", file, "--time-limit", "2", "-o", f"{folder}/deployment.json", "--json"],
        ["solve", file, "--method", "milp-flow", "--plain", "--time-limit", "2"],
        ["solve", file, "--method", "fin", "--certify", "0.1", "--time-limit", "2"],
        ["explain", file, "--time-limit", "2", *draw.choice(([], ["--json"]))],
        ["frontier", file, "--gamma", "9", "--time-limit", "2", *draw.choice(([], ["--json"]))],
        ["export", file, "-o", f"{folder}/model.lp", "--format", "lp", *draw.choice(([], ["--plain"]))],
        ["evaluate", file, f"{folder}/sound.json"],
        ["upgrade", file, "-o", f"{folder}/upgraded.json"],
    ]
    slow = [["draw", file, "-o", f"{folder}/system.{picture}"], ["solve", file, "--method", "cp-sat"]]
    return draw.choice(slow if draw.random() < 0.02 else fast)


def attack(mutants: Iterator[tuple[str, Callable[[str], list[str]]]], folder: Path, most: int) -> Tally:
    """Write one mutant after the other, run its command, and return how they ended."""
    tally = Tally()
    for number, (text, command) in zip(range(most), mutants, strict=False):
        file = written(folder / f"{number}.json", text)
        arguments = command(str(file))
        tally.run(arguments, text[:3000])
        file.unlink()
    return tally


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_damaged_instances_are_refused_or_solved_without_contradiction(part: int, tmp_path: Path) -> None:
    draw = random.Random(f"instances {part}")
    documents: list[Document] = [SOUND, shared()]
    deployed = run_method(Instance.model_validate_json(json.dumps(SOUND)), "label-setting").deployment
    assert deployed is not None
    (tmp_path / "sound.json").write_text(dump_deployment(deployed))

    def mutants() -> Iterator[tuple[str, Callable[[str], list[str]]]]:
        while True:
            yield damaged(draw.choice(documents), draw), lambda file: commands(file, tmp_path, draw)

    tally = attack(mutants(), tmp_path, 250)
    tally.assert_sound(refused=60, answered=60)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["network", "dnns", "applications"])
def test_damaged_parts_of_instances_are_refused_or_solved(part: str, tmp_path: Path) -> None:
    draw = random.Random(f"parts {part}")
    inner: Any = SOUND[part] if part == "network" else SOUND[part][0]
    whole = {**SOUND, part: "part.json" if part == "network" else ["part.json"]}
    (tmp_path / "whole.json").write_text(json.dumps(whole))
    tally = Tally()
    for _ in range(150):
        text = damaged(inner, draw)
        written(tmp_path / "part.json", text)
        arguments = ["compare", f"{tmp_path}/whole.json", "--methods", METHODS_COMPARED, "--gamma", "7"]
        tally.run([*arguments, "--time-limit", "2"], text)
    tally.assert_sound(refused=40, answered=20)


@pytest.mark.slow
def test_damaged_deployments_are_refused_or_judged(tmp_path: Path) -> None:
    draw = random.Random("deployments")
    instance = Instance.model_validate_json(json.dumps(shared()))
    deployed = run_method(instance, "exhaustive").deployment
    assert deployed is not None
    document = json.loads(dump_deployment(deployed))
    (tmp_path / "instance.json").write_text(dump_instance(instance))
    tally, file = Tally(), tmp_path / "deployment.json"
    for _ in range(500):
        text = damaged(document, draw)
        written(file, text)
        command = draw.choice([["evaluate"], ["evaluate", "--json"]] * 24 + [["draw", "-o", f"{tmp_path}/system.svg"]])
        where = ["--deployment", str(file)] if command[0] == "draw" else [str(file)]
        arguments = [command[0], f"{tmp_path}/instance.json", *where, *command[1:]]
        tally.run(arguments, text)
    tally.assert_sound(refused=100, answered=50)


@pytest.mark.slow
def test_what_is_no_regular_file_is_refused_wherever_a_file_is_read(tmp_path: Path, no_files: list[str]) -> None:
    tally, sound = Tally(), "blenet-mnist"
    for bad in no_files:
        for arguments in (
            ["solve", bad], ["compare", sound, bad], ["explain", bad], ["frontier", bad], ["evaluate", sound, bad],
            ["evaluate", bad, bad], ["export", bad, "-o", f"{tmp_path}/a.lp"], ["draw", bad, "-o", f"{tmp_path}/a.png"],
            ["draw", sound, "-o", f"{tmp_path}/a.png", "--deployment", bad], ["run", bad, "-o", f"{tmp_path}/results"],
            ["scale", bad, "-o", f"{tmp_path}/results"], ["table", bad], ["plot", bad, "-o", f"{tmp_path}/a.png"],
            ["report", bad, "-o", f"{tmp_path}/a.html"], ["compare-results", bad, bad], ["upgrade", bad],
            ["leaderboard", bad],
        ):  # fmt: skip
            tally.run(arguments)
    tally.assert_sound(refused=17 * len(no_files), answered=0)


READERS = {"runs.jsonl": 5, "environments.jsonl": 5, "instances.jsonl": 3, "runs.old.jsonl": 1}
"""Files of results, and how many of table, report, leaderboard, plot and compare-results could read each."""


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_no_file_of_results_may_be_anything_but_a_file(name: str, tmp_path: Path, no_files: list[str]) -> None:
    from tests.benchmarks.conftest import made_up_row, write_results

    tally = Tally()
    for number, bad in enumerate(name for name in no_files if len(name) < 255 and name.isprintable()):
        folder = write_results(tmp_path / str(number), [made_up_row("a", "fin", objective=1.0)])
        (folder / name).unlink(missing_ok=True)
        if bad:
            (folder / name).symlink_to(bad)
        commands = (
            ["table", str(folder)], ["report", str(folder), "-o", f"{tmp_path}/a.html"],
            ["leaderboard", str(folder)], ["plot", str(folder), "-o", f"{tmp_path}/a.svg"],
            ["compare-results", str(folder), str(folder)],
        )  # fmt: skip
        for arguments in commands[: READERS[name]]:
            tally.run(arguments, bad)
    tally.assert_sound(refused=0 if name == "runs.old.jsonl" else 4, answered=0)
