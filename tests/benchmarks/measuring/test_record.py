"""Served runs that go into a folder of results, beside the plans and simulations of the runs that found them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.deploying.serving.served_run import (
    ServedApplication,
    ServedExit,
    ServedLink,
    ServedPart,
    ServedRun,
    dump_served_run,
)
from finbench.benchmarks.execution.simulated import simulated_line
from finbench.benchmarks.measuring.served_runs import measured_line
from finbench.benchmarks.rows.served import load_served
from finbench.models.deployment import Deployment
from finbench.models.io import dump_deployment
from tests.benchmarks.conftest import made_up_row, write_results

INSTANCE = fb.load("blenet-mnist")
APP = INSTANCE.applications[0].name
DEPLOYMENT = fb.solve(INSTANCE, "single-node").deployment or Deployment(deployments=())


def decisions() -> list[dict[str, Any]]:
    return list(DEPLOYMENT.model_dump(mode="json")["deployments"])


def served(**changes: Any) -> ServedRun:
    """Return a run in which exit 1 took 3 ms instead of 2, the part 1 ms more and the link 0.75 s more a message."""
    exits = (
        ServedExit(exit=1, name="", samples=8, share=0.8, planned_share=0.5, mean_s=3e-3, p95_s=4e-3, planned_s=2e-3),
        ServedExit(exit=2, name="", samples=0, share=0.0, planned_share=0.5, mean_s=None, p95_s=None, planned_s=4e-3),
    )
    one = ServedApplication(
        application=APP, samples=8, mean_s=3e-3, p95_s=4e-3, planned_mean_s=2e-3, planned_p95_s=2e-3,
        max_latency_s=1.0, within=1.0, exits=exits,
    )  # fmt: skip
    part = ServedPart(
        application=APP, part=1, node="edge", first_block=1, last_block=2, runs=8, mean_s=3e-3, p95_s=3e-3,
        planned_s=2e-3,
    )  # fmt: skip
    link = ServedLink(
        source="device", target="edge", messages=2, bytes=200, bits_per_s=800.0, delay_s=0.25,
        planned_bits_per_s=1600.0, planned_delay_s=0.0,
    )  # fmt: skip
    said = {
        "instance": INSTANCE.name, "content_hash": INSTANCE.content_hash, "provenance": "this\nmachine",
        "rate_per_s": None, "applications": (one,), "parts": (part,), "links": (link,),
    }  # fmt: skip
    return ServedRun(**{**said, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return results of two methods, of which one found the deployment, and write what was served beside them."""
    said = {"content_hash": INSTANCE.content_hash, "objective": 1.0, "status": "feasible"}
    rows = [
        made_up_row(INSTANCE.name, "single-node", deployments=decisions(), **said),
        made_up_row(INSTANCE.name, "greedy", deployments=[{**decisions()[0], "last_exit": 1}], **said),
    ]
    (tmp_path / "measured.json").write_text(dump_served_run(served()))
    (tmp_path / "deployment.json").write_text(dump_deployment(DEPLOYMENT))
    return write_results(tmp_path / "results", rows)


def called(*arguments: object) -> tuple[int, str]:
    came = CliRunner().invoke(app, list(map(str, arguments)))
    return came.exit_code, came.output


def record(folder: Path) -> tuple[int, str]:
    return called("record", folder, folder.parent / "measured.json", folder.parent / "deployment.json")


def test_what_was_measured_is_a_line_of_the_results(folder: Path) -> None:
    code, text = record(folder)
    assert (code, text) == (0, f"{folder}: measured beside the plan of single-node\n")
    (line,) = load_served(folder)
    (load,) = line["applications"]
    assert (line["by"], line["arrivals"], line["how"]) == ("measured", "alone", "this machine")
    assert (load["latency_s"], load["planned_latency_s"]) == (3e-3, 2e-3)
    assert load["exits"] == [{"exit": 1, "share": 0.8, "latency_s": 3e-3, "planned_latency_s": 2e-3}]
    part, link = line["parts"]
    assert part == {"subject": f"edge: {APP}, blocks 1 to 2", "added_s": pytest.approx(1e-3)}
    assert link == {"subject": "device->edge", "added_s": pytest.approx(800 / 800 - 800 / 1600 + 0.25)}


def test_the_page_shows_an_exit_planned_simulated_and_measured(folder: Path) -> None:
    import json

    simulated = simulated_line(INSTANCE, decisions(), 200, 0)
    (folder / "served.jsonl").write_text(json.dumps(simulated) + "\n")
    assert record(folder)[0] == 0
    assert [line["by"] for line in load_served(folder)] == ["simulated", "measured"]
    page = folder.parent / "page.html"
    assert called("report", folder, "-o", page)[0] == 0
    text = page.read_text().replace("\N{NO-BREAK SPACE}", " ")
    for said in ("Latency by exit", "3 ms", f"edge: {APP}, blocks 1 to 2", "Where plans were off most"):
        assert said in text


def test_a_run_of_another_plan_or_instance_is_refused(folder: Path) -> None:
    other = Deployment.model_validate({"deployments": [{**decisions()[0], "placement": ["elsewhere"]}]})
    (folder.parent / "deployment.json").write_text(dump_deployment(other))
    code, text = record(folder)
    assert (code, text.count("\n")) == (2, 1)
    assert f"no run on '{INSTANCE.name}' found the deployment that was served" in text
    (folder.parent / "measured.json").write_text(dump_served_run(served(content_hash="0" * 64)))
    code, text = record(folder)
    assert (code, text.count("\n")) == (2, 1)
    assert f"has no run on '{INSTANCE.name}'" in text
    assert load_served(folder) == []


def test_a_deployment_of_other_applications_is_refused() -> None:
    other = Deployment.model_validate({"deployments": [{**decisions()[0], "application": "other"}]})
    with pytest.raises(ValueError, match="has other applications than were served: other"):
        measured_line(served(), other)
