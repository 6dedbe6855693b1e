"""Deployments that a campaign found, simulated: `served.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

import finbench as fb
from finbench.benchmarks.campaigns.campaign import Campaign, load_campaign
from finbench.benchmarks.campaigns.conditions import Conditions
from finbench.benchmarks.execution.runner import CampaignResult, Silence, run_campaign
from finbench.benchmarks.execution.simulated import simulated_line
from finbench.benchmarks.execution.task import Event, Finished, Task
from finbench.benchmarks.judging.judged import judge
from finbench.benchmarks.methods import run_method
from finbench.benchmarks.rows.reading import load_instances
from finbench.benchmarks.rows.row import result_columns
from finbench.benchmarks.rows.served import load_served, plan_id
from finbench.models.io import InputError

CAMPAIGN = """
name = "test"
time_limit_s = 5
warm_up = false
simulated_samples = 400
methods = [{ name = "single-node" }, { name = "exhaustive" }]
[[instances]]
group = "one"
instances = ["blenet-mnist", "balexnet-cifar10"]
[[instances]]
group = "impossible"
instances = ["blenet-mnist"]
max_latency_s = [1e-9]
"""


def loaded(folder: Path, text: str = CAMPAIGN) -> Campaign:
    (folder / "campaign.toml").write_text(text)
    return load_campaign(str(folder / "campaign.toml"))


def in_this_process(tasks: Sequence[Task], _: Callable[[], bool]) -> Generator[Event]:
    """Make the runs here: what a worker does around them plays no part in what is simulated."""
    for task in tasks:
        instance = task.origin.build()
        result = run_method(instance, task.method, time_limit_s=task.time_limit_s, seed=task.seed, **task.options)
        yield Finished(task, result_columns(judge(instance, task.method.name, task.options, result), 0.0))


def made(campaign: Campaign, folder: Path, progress: Silence | None = None) -> CampaignResult:
    return run_campaign(campaign, folder, in_this_process, progress=progress)


class Counted(Silence):
    """Keeps what it is told of simulations."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def simulated(self, done: int, of: int) -> None:
        self.told.append((done, of))


def test_every_deployment_that_was_found_is_simulated_once(tmp_path: Path) -> None:
    campaign, counted = loaded(tmp_path), Counted()
    found = [row for row in made(campaign, tmp_path / "r", counted).rows if row["found"]]
    lines = load_served(tmp_path / "r")
    plans = {(row["content_hash"], plan_id(row["deployments"])) for row in found}
    assert {(line["content_hash"], line["plan_id"]) for line in lines} == plans
    assert 2 <= len(plans) == len(lines) == len(counted.told)
    assert {row["status"] for row in made(campaign, tmp_path / "r").rows if not row["found"]}
    made(campaign, tmp_path / "r", counted)
    assert load_served(tmp_path / "r") == lines  # which are there already
    assert counted.told == [(k, len(lines)) for k in range(1, len(lines) + 1)]
    more = campaign.under(Conditions(simulated_samples=500))
    made(more, tmp_path / "r")
    assert len(load_served(tmp_path / "r")) == 2 * len(lines)


def test_a_line_says_what_the_simulation_of_that_deployment_says(tmp_path: Path) -> None:
    made(loaded(tmp_path), tmp_path / "r")
    line = load_served(tmp_path / "r")[0]
    instance = load_instances(tmp_path / "r")[line["content_hash"]]
    deployment = next(
        solution.deployment
        for name in ("single-node", "exhaustive")
        if (solution := fb.solve(instance, name)).deployment is not None
        and plan_id(solution.deployment.model_dump(mode="json")["deployments"]) == line["plan_id"]
    )
    (expected,) = fb.simulate(instance, deployment, samples=400, arrivals="alone", seed=0).applications
    (load,) = line["applications"]
    assert (load["energy_j"], load["latency_s"]) == (expected.energy_j.value, expected.latency_s.value)
    assert (load["planned_energy_j"], load["planned_latency_s"]) == (
        expected.planned_energy_j,
        expected.planned_latency_s,
    )
    assert (load["p95_s"], load["within"]) == (expected.p95_s.value, expected.within.value)
    assert [each["exit"] for each in load["exits"]] == sorted(expected.exits)
    assert line["arrivals"] == "alone"


def test_applications_with_rates_wait_for_each_other() -> None:
    instance = fb.generate("campus", applications=6, nodes=12, load=0.9, seed=1)
    deployment = fb.solve(instance, "greedy").deployment
    assert deployment is not None
    decisions = deployment.model_dump(mode="json")["deployments"]
    line = simulated_line(instance, decisions, 3000, 2**40 + 1)
    assert line["arrivals"] == "poisson"
    assert max(part["added_s"] for part in line["parts"]) > 0
    assert [load["application"] for load in line["applications"]] == [one["application"] for one in decisions]


def test_nothing_is_simulated_where_nobody_asks(tmp_path: Path) -> None:
    made(loaded(tmp_path, CAMPAIGN.replace("simulated_samples = 400\n", "")), tmp_path / "r")
    assert load_served(tmp_path / "r") == []


def test_a_line_that_was_cut_off_is_moved_aside_and_made_again(tmp_path: Path) -> None:
    campaign = loaded(tmp_path)
    made(campaign, tmp_path / "r")
    file, lines = tmp_path / "r" / "served.jsonl", load_served(tmp_path / "r")
    file.write_bytes(file.read_bytes()[:-20])
    made(campaign, tmp_path / "r")
    assert load_served(tmp_path / "r") == lines
    assert (tmp_path / "r" / "served.jsonl.torn").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("by", "guessed"), ("plan_id", ""), ("applications", None), ("parts", [{"subject": "x"}]), ("how", "a\nb")],
)
def test_lines_that_break_the_format_are_refused(field: str, value: Any, tmp_path: Path) -> None:
    made(loaded(tmp_path), tmp_path / "r")
    file, lines = tmp_path / "r" / "served.jsonl", load_served(tmp_path / "r")
    file.write_text(json.dumps({**lines[0], field: value}) + "\n")
    with pytest.raises(InputError, match=r"served\.jsonl: line 1"):
        load_served(tmp_path / "r")


def test_the_id_of_a_deployment_is_that_of_its_decisions_in_any_order() -> None:
    one, two = {"application": "a", "placement": ["x"]}, {"placement": ["y"], "application": "b"}
    assert plan_id([one, two]) == plan_id([dict(reversed(two.items())), one])
    assert plan_id([one]) != plan_id([two])
