"""Several applications: what `solve` and `evaluate` print and give as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.families import SharedSize
from finbench.benchmarks.families.campus import draw_with_balance
from finbench.benchmarks.judging.judged import judge, judge_deployment
from finbench.benchmarks.terminal.run_view import print_judged
from finbench.benchmarks.terminal.shared_view import placement_summary, print_shared
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Instance
from finbench.models.io import dump_deployment, dump_instance, write_text
from finbench.models.result import Result, Status
from tests.benchmarks.conftest import BEST

Files = tuple[Path, Path]


def finbench(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def two(balexnet: Instance) -> Instance:
    """Two users of the published scenario, of different rates, the second of which may be rejected."""
    first = balexnet.applications[0].model_copy(update={"rate_per_s": 2.0})
    other = first.model_copy(update={"name": "other", "rate_per_s": 4.0, "rejection_penalty_w": 0.5})
    return balexnet.model_copy(update={"applications": (first, other)})


@pytest.fixture
def both() -> Deployment:
    decision = BEST.deployments[0]
    return Deployment(deployments=(decision, decision.model_copy(update={"application": "other"})))


@pytest.fixture
def one_rejected() -> Deployment:
    return Deployment(deployments=BEST.deployments, rejected=("other",))


@pytest.fixture
def save(tmp_path: Path) -> Callable[[Instance, Deployment], Files]:
    def write(instance: Instance, deployment: Deployment) -> Files:
        files = tmp_path / "instance.json", tmp_path / "deployment.json"
        write_text(files[0], dump_instance(instance))
        write_text(files[1], dump_deployment(deployment))
        return files

    return write


def test_json_carries_power_rejections_tiers_and_loads(
    two: Instance, one_rejected: Deployment, save: Callable[..., Files]
) -> None:
    shown = json.loads(finbench("evaluate", *save(two, one_rejected), "--json").stdout)
    assert shown["energy_j"] == pytest.approx(0.021395457435)
    assert shown["total_power_w"] == pytest.approx(2 * 0.021395457435 + 0.5)
    assert shown["penalty_w"] == 0.5
    assert shown["rejected"] == [{"application": "other", "penalty_w": 0.5, "reason": None}]
    assert set(shown["tiers_w"]) == {"mobile", "cloud"}
    assert sum(shown["tiers_w"].values()) == pytest.approx(2 * 0.021395457435)
    device = next(use for use in shown["loads"] if use["subject"] == "device")
    survival = (1, 0.344, 0.344)
    ops = sum(2 * s * o for s, o in zip(survival, (22620000, 6711000, 10145000), strict=True))
    assert device == {
        "resource": "compute",
        "subject": "device",
        "load": pytest.approx(ops / 1.1e10),
        "limit": 1.0,
        "unit": "executions",
        "utilisation": pytest.approx(ops / 1.1e10),
    }
    fills = [use["utilisation"] for use in shown["loads"]]
    assert fills == sorted(fills, reverse=True)
    assert [app["application"] for app in shown["applications"]] == ["balexnet-cifar10"]


def test_a_method_gives_bound_gap_and_reasons(two: Instance, one_rejected: Deployment) -> None:
    reasons = {"rejected": {"other": "node 'device' is full"}}
    result = Result(Status.FEASIBLE, one_rejected, None, 0.5, info=reasons)
    shown = judge(two, "milp-flow", {}, result).to_json()
    assert shown["lower_bound_w"] == 0.5
    assert shown["gap"] == pytest.approx((0.54279091487 - 0.5) / 0.5)
    assert shown["rejected"][0]["reason"] == "node 'device' is full"


def test_without_rates_or_deployment_no_loads_are_shown(balexnet: Instance, two: Instance) -> None:
    assert "loads" not in judge_deployment(balexnet, BEST).to_json()
    shown = judge(two, "fin", {}, Result(Status.NO_SOLUTION)).to_json()
    assert (shown["total_power_w"], shown["penalty_w"], shown["rejected"], shown["loads"]) == (None, None, [], [])


def test_utilisation_of_a_capacity_of_zero_is_null_in_json(two: Instance, both: Deployment) -> None:
    data = two.model_dump()
    for node in data["network"]["nodes"]:
        node["memory_bytes"] = 0.0
    for block in data["dnns"][0]["blocks"]:
        block["parameter_bytes"] = 1.0
    full = Instance.model_validate(data)
    shown = judge_deployment(full, both).to_json()
    assert [use["utilisation"] for use in shown["loads"] if use["resource"] == "memory"] == [None, None]
    json.dumps(shown, allow_nan=False)


def test_violations_name_resource_and_amount(two: Instance, both: Deployment, save: Callable[..., Files]) -> None:
    busy = two.model_copy(
        update={"applications": tuple(a.model_copy(update={"rate_per_s": 1000.0}) for a in two.applications)}
    )
    files = save(busy, both)
    result = finbench("evaluate", *files)
    assert result.exit_code == 5
    assert "violation (compute): node 'device': compute load" in result.stdout
    broken = json.loads(finbench("evaluate", *files, "--json").stdout)["violations"]
    device = next(v for v in broken if v["subject"] == "device")
    assert device["excess"] == pytest.approx(device["value"] - 1)


def test_the_terminal_shows_both_and_where_the_power_goes(
    two: Instance, both: Deployment, save: Callable[..., Files]
) -> None:
    result = finbench("evaluate", *save(two, both))
    assert result.exit_code == 0
    for part in (
        "applications served 2 of 2",
        "total power [W] 0.1283727446",
        "other",
        "1–3 device, 4–5 cloud",
        "energy by tier",
        "used resources",
        "device->cloud",
    ):
        assert part in " ".join(result.stdout.split())
    lines = result.stdout.splitlines()
    first = next(k for k, line in enumerate(lines) if "largest power first" in line)
    assert "other" in next(line for line in lines[first + 2 :] if line.strip()), "the busier one comes first"


def test_the_terminal_shows_rejections_with_reasons(
    two: Instance, one_rejected: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(Status.FEASIBLE, one_rejected, info={"rejected": {"other": "no room at 'device'"}})
    print_shared(judge(two, "fin", {}, result))
    printed = capsys.readouterr().out
    assert "applications served 1 of 2" in " ".join(printed.split())
    assert "of it penalties [W]" in printed
    assert "no room at 'device'" in printed


def test_a_thousand_applications_fit_on_a_few_screens(capsys: pytest.CaptureFixture[str]) -> None:
    instance, balanced = draw_with_balance(np.random.default_rng(0), SharedSize(100, 1000, 1.3))
    rejected = tuple(decision.application for decision in balanced.deployments[:100])
    deployment = Deployment(deployments=balanced.deployments[100:], rejected=rejected)
    print_shared(judge_deployment(instance, deployment))
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) < 90
    assert "… and 880 more" in printed, "applications"
    assert "… and 90 more" in printed, "rejections"
    assert "more violations" in printed
    assert "the 10 fullest of" in printed


def test_a_single_application_shows_loads_where_it_has_a_rate(
    balexnet: Instance, capsys: pytest.CaptureFixture[str], save: Callable[..., Files]
) -> None:
    assert "used resources" not in finbench("evaluate", *save(balexnet, BEST)).stdout
    app_ = balexnet.applications[0].model_copy(update={"rate_per_s": 10.0})
    rated = balexnet.model_copy(update={"applications": (app_,)})
    printed = finbench("evaluate", *save(rated, BEST)).stdout
    assert "used resources" in printed
    assert "total power [W]" in printed
    assert "block 4 at cloud" in printed


def test_compare_counts_the_rejected(two: Instance, both: Deployment, save: Callable[..., Files]) -> None:
    instance, _ = save(two, both)
    printed = finbench("compare", instance, "--methods", "milp-flow", "--gamma", "100").stdout
    assert "2 applications" in printed
    assert "energy [W]" in printed
    assert "rejected" in printed


def test_a_placement_is_summed_up_in_few_words() -> None:
    decision = ApplicationDeployment(
        application="a",
        last_exit=1,
        placement=("d", "d", "s", "s", "c"),
        routes=((), (), ("d", "r", "s"), (), ("s", "c")),
        shares=(1.0, 1.0, 0.25, 0.5, 1.0),
    )
    assert placement_summary("d", decision) == "1–2 d, 3–4 s at 0.25, 0.5 via r, 5 c"


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("not used: latency exceeds 0.005 s", "warm start not used: latency exceeds 0.005 s"),
        ({"method": "fin", "status": "no-solution"}, "warm start not used: fin ended as no-solution"),
        (
            {"method": "fin", "status": "feasible", "use": "not used: latency exceeds 0.005 s"},
            "warm start not used: latency exceeds 0.005 s",
        ),
        ({"method": "fin", "status": "feasible", "use": "used"}, None),
        ("used", None),
        (None, None),
    ],
)
def test_a_warm_start_that_came_to_nothing_is_told(
    balexnet: Instance, told: Any, line: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(Status.OPTIMAL, BEST, info={} if told is None else {"warm_start": told})
    print_judged(judge(balexnet, "milp-flow", {}, result))
    shown = capsys.readouterr().out
    assert (line in shown) if line else ("warm start" not in shown)
