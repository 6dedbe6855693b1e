"""A small campaign with everything a page can show: a target grid, a ladder, hostile names, a recorded search."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.campaigns.campaign import load_campaign, problems
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.rows.reading import INSTANCES as FILE
from finbench.models.instance import Instance
from finbench.models.io import dump_instance, load_instance

SCRIPT = "<script>alert(1)</script>"
QUOTES = """"quotes' & <b>bold</b> \\u003c"""
IMAGE = "<img src=x onerror=alert(1)>"

CAMPAIGN = """
name = "shown"
time_limit_s = 10
methods = [
    { name = "label-setting" }, { name = "fin", options = { gamma = [5, 10, 20, 50] } },
    { name = "mcp" }, { name = "single-node" },
]
[[instances]]
group = "grid"
instances = ["balexnet-cifar10"]
max_latency_s = [0.003, 0.005, 0.007, 0.009]
min_accuracy = [0.5, 0.8]
[[instances]]
group = "hostile"
instances = ["hostile.json"]
[[instances]]
group = "several"
instances = ["several.json"]
methods = [{ name = "exhaustive" }]
[[families]]
group = "ladder"
family = "tiered"
nodes = [3, 5, 8, 70]
blocks = [4]
exits = [2]
seeds = [1]
"""

TRAJECTORY = [[0.1, None, 1.0], [0.2, 4.0, 2.0], [0.4, 3.0, 2.5], [0.5, 3.0, 3.0]]


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of results; rows of the hostile instance say more than a file name may."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "hostile.json").write_text(dump_instance(hostile_instance()))
    (folder / "several.json").write_text(dump_instance(several_applications(2, hopeless=True)))
    (folder / "shown.toml").write_text(CAMPAIGN)
    made = CliRunner().invoke(app, ["run", str(folder / "shown.toml"), "-o", str(folder)])
    assert made.exit_code == 0, made.output
    write_instances(folder / "shown", folder / "shown.toml")
    rows = read_rows(folder / "shown")
    for row in rows:
        if row["group"] == "hostile":
            row |= {"group": QUOTES, "instance": SCRIPT, "reason": IMAGE}
    rows[0]["info"] = {"trajectory": TRAJECTORY}
    write_rows(folder / "shown", rows)
    return folder / "shown"


def hostile_instance() -> Instance:
    """Return B-LeNet's instance with names that a browser could take for markup."""
    text = dump_instance(load_instance("blenet-mnist"))
    data = json.loads(text.replace('"device"', json.dumps(IMAGE)))
    data["name"] = data["network"]["name"] = SCRIPT
    data["network"]["nodes"][1]["tier"] = QUOTES
    data["dnns"][0]["blocks"][0]["name"] = IMAGE
    return Instance.model_validate(data)


def several_applications(count: int, *, hopeless: bool = False) -> Instance:
    """B-LeNet's application, several times, each with more time than the one before, and one that none can serve."""
    data = json.loads(dump_instance(load_instance("blenet-mnist")))
    (app,) = data["applications"]
    data["name"] = "several"
    data["applications"] = [
        {**app, "name": f"user {k}", "rate_per_s": 1.0, "max_latency_s": (1 + k) * app["max_latency_s"]}
        for k in range(count)
    ]
    if hopeless:
        late = {**app, "name": "late", "rate_per_s": 1.0, "max_latency_s": 1e-9, "rejection_penalty_w": 1.0}
        data["applications"].append(late)
    return Instance.model_validate(data)


def write_instances(folder: Path, campaign: Path) -> None:
    """The campaign's instances as a folder of results keeps them."""
    built = {
        one.content_hash: one for one in (problem.origin.build() for problem in problems(load_campaign(str(campaign))))
    }
    lines = [{"content_hash": key, "instance": json.loads(dump_instance(one))} for key, one in built.items()]
    (folder / FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))


def read_rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "runs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="session")
def page(results: Path) -> Path:
    path = results.parent / "report.html"
    written = CliRunner().invoke(app, ["report", str(results), "-o", str(path)])
    assert written.exit_code == 0, written.output
    return path
