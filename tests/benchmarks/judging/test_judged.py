"""The judge: the evaluator's numbers beside the method's claims, and what cannot all be true."""

from __future__ import annotations

import json
from typing import Any

import pytest

from finbench.benchmarks.judging.contradictions import contradictions, relative_gap
from finbench.benchmarks.judging.judged import Judged, judge, judge_deployment
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.result import Result, Status
from tests.benchmarks.conftest import BEST, OPTIMUM_J, TOO_SLOW, WORSE, placed

FIELDS = {
    "instance", "method", "options", "status", "energy_j", "compute_energy_j", "transfer_energy_j", "latency_s",
    "accuracy", "violations", "claimed_energy_j", "lower_bound_j", "gap", "times_s", "deployments",
}  # fmt: skip


def judged(instance: Instance, status: Status, *fields: Any, method: str = "mcp", **more: Any) -> Judged:
    return judge(instance, method, {}, Result(status, *fields, **more))


def test_numbers_come_from_the_evaluator_and_claims_stand_beside(balexnet: Instance) -> None:
    run = judged(balexnet, Status.OPTIMAL, BEST, 77.0, 0.02, times_s={"load": 9.0, "solve": 1.5, "build": 0.5})
    shown = run.to_json()
    assert shown.keys() >= FIELDS
    assert shown["energy_j"] == pytest.approx(OPTIMUM_J, rel=1e-12)
    assert shown["energy_j"] == shown["compute_energy_j"] + shown["transfer_energy_j"]
    assert (shown["claimed_energy_j"], shown["lower_bound_j"]) == (77.0, 0.02)
    assert shown["gap"] == pytest.approx(OPTIMUM_J / 0.02 - 1)
    assert shown["violations"] == []
    assert run.time_s == 2.0
    assert "total_power_w" not in shown
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown


def test_without_a_deployment_there_are_no_costs(balexnet: Instance) -> None:
    shown = judged(balexnet, Status.INFEASIBLE, reason="least latency is too long").to_json()
    assert {shown[field] for field in ("energy_j", "latency_s", "accuracy", "gap", "lower_bound_j")} == {None}
    assert (shown["deployments"], shown["reason"]) == ([], "least latency is too long")


def test_violations_come_with_their_amounts(balexnet: Instance) -> None:
    run = judge_deployment(balexnet, TOO_SLOW)
    shown = run.to_json()
    assert (shown["method"], shown["status"], shown["gap"]) == (None, "violated", None)
    assert shown["violations"][0]["kind"] == "latency"
    assert shown["violations"][0]["excess"] == pytest.approx(0.0065636363636 - 0.005)
    assert judge_deployment(balexnet, BEST).to_json()["status"] == "feasible"


def test_a_structural_violation_leaves_no_costs(balexnet: Instance) -> None:
    nowhere = Deployment(deployments=(BEST.deployments[0].model_copy(update={"last_exit": 9}),))
    shown = judge_deployment(balexnet, nowhere).to_json()
    assert (shown["energy_j"], shown["applications"]) == (None, [])
    assert shown["violations"][0]["kind"] == "exit"


def rated(instance: Instance, rate: float, *, twice: bool = False) -> Instance:
    data = instance.model_dump()
    data["applications"][0]["rate_per_s"] = rate
    if twice:
        data["applications"] = [*data["applications"], data["applications"][0] | {"name": "other"}]
    return Instance.model_validate(data)


def test_with_a_rate_claims_are_given_per_inference(balexnet: Instance) -> None:
    shown = judged(rated(balexnet, 10.0), Status.OPTIMAL, BEST, 0.5, 0.2).to_json()
    assert shown["total_power_w"] == pytest.approx(10 * OPTIMUM_J)
    assert (shown["claimed_energy_j"], shown["lower_bound_j"]) == (0.05, 0.02)
    assert shown["gap"] == pytest.approx(10 * OPTIMUM_J / 0.2 - 1)


def test_several_applications_have_a_joint_bound(balexnet: Instance) -> None:
    other = WORSE.deployments[0].model_copy(update={"application": "other"})
    both = Deployment(deployments=(*BEST.deployments, other))
    shown = judged(rated(balexnet, 1.0, twice=True), Status.FEASIBLE, both, 0.05, 0.04).to_json()
    assert (shown["lower_bound_j"], shown["lower_bound_w"], shown["claimed_power_w"]) == (None, 0.04, 0.05)
    assert shown["energy_j"] == pytest.approx(sum(app["energy_j"] for app in shown["applications"]))
    assert shown["latency_s"] == max(app["latency_s"] for app in shown["applications"])


def test_the_worst_accuracy_counts_and_a_part_has_no_costs(balexnet: Instance) -> None:
    lax = rated(balexnet.with_overrides(min_accuracy=0.0), 1.0, twice=True)
    early = placed("device", last_exit=1).deployments[0].model_copy(update={"application": "other"})
    both = judge_deployment(lax, Deployment(deployments=(*BEST.deployments, early))).to_json()
    accuracies = [exit_.accuracy for exit_ in balexnet.dnns[0].exits]
    assert both["accuracy"] == accuracies[0] < accuracies[2]
    nowhere = early.model_copy(update={"last_exit": 9})
    part = judge_deployment(lax, Deployment(deployments=(*BEST.deployments, nowhere))).to_json()
    assert (part["energy_j"], part["latency_s"], part["applications"]) == (None, None, [])


def test_a_shared_system_adds_power_penalty_tiers_rejections_and_loads(balexnet: Instance) -> None:
    """They are power, penalty, tiers, rejections and loads; without a deployment none of them has a value."""
    data = rated(balexnet, 2.0, twice=True).model_dump()
    data["applications"][1]["rejection_penalty_w"] = 0.25
    instance = Instance.model_validate(data)
    alone = Deployment(deployments=BEST.deployments, rejected=("other",))
    run = judged(instance, Status.FEASIBLE, alone, info={"rejected": {"other": "too dear"}})
    shown = run.to_json()
    assert shown["total_power_w"] == pytest.approx(2 * OPTIMUM_J + 0.25)
    assert shown["penalty_w"] == 0.25
    assert sum(shown["tiers_w"].values()) == pytest.approx(2 * OPTIMUM_J)
    assert shown["rejected"] == [{"application": "other", "penalty_w": 0.25, "reason": "too dear"}]
    assert {load["subject"] for load in shown["loads"]} == {"device", "cloud", "device->cloud"}
    none = judged(instance, Status.NO_SOLUTION).to_json()
    assert [none[name] for name in ("total_power_w", "penalty_w", "tiers_w", "rejected", "loads")] == [
        None, None, {}, [], []
    ]  # fmt: skip


def test_a_judged_run_has_a_label_and_knows_what_it_claims(balexnet: Instance) -> None:
    assert judge_deployment(balexnet, BEST).variant == "file"
    assert judged(balexnet, Status.FEASIBLE, BEST).variant == "mcp"
    assert judged(balexnet, Status.TIME_LIMIT, TOO_SLOW).claims_feasible
    assert not judged(balexnet, Status.NO_SOLUTION, TOO_SLOW).claims_feasible
    assert not judged(balexnet, Status.TIME_LIMIT).claims_feasible


@pytest.mark.parametrize(
    ("energy", "bound", "gap"),
    [
        (1.5, 1.0, 0.5),
        (1.0, 1.0, 0.0),
        (1.0 + 1e-15, 1.0, 0.0),
        (1.0 - 1e-9, 1.0, 0.0),
        (0.0, 0.0, 0.0),
        (1.0, 0.0, None),
        (None, 1.0, None),
        (1.0, None, None),
    ],
)
def test_the_gap_is_relative_to_the_bound(energy: float | None, bound: float | None, gap: float | None) -> None:
    assert relative_gap(energy, bound) == gap


def test_a_real_gap_is_not_rounded_away() -> None:
    assert relative_gap(1.0 + 1e-9, 1.0) == pytest.approx(1e-9, rel=1e-6)
    assert relative_gap(0.9, 1.0) == pytest.approx(-0.1)


def test_runs_that_agree_contradict_nothing(balexnet: Instance) -> None:
    worse = evaluate(balexnet, WORSE).objective
    runs = [
        judged(balexnet, Status.OPTIMAL, BEST, OPTIMUM_J * (1 + 5e-7), OPTIMUM_J * (1 + 5e-7)),
        judged(balexnet, Status.FEASIBLE, WORSE, worse, OPTIMUM_J * 0.9),
        judged(balexnet, Status.NO_SOLUTION),
        judged(balexnet, Status.NO_SOLUTION, TOO_SLOW),
        judged(balexnet, Status.TIME_LIMIT, lower_bound=0.001),
        judged(balexnet, Status.UNSUPPORTED, reason="no"),
        judged(balexnet, Status.ERROR, reason="no"),
    ]
    assert contradictions(runs) == []
    assert contradictions([judged(balexnet, Status.INFEASIBLE), judged(balexnet, Status.NO_SOLUTION)]) == []


def test_a_run_knows_its_own_contradictions(balexnet: Instance) -> None:
    half = judged(balexnet, Status.FEASIBLE, BEST, OPTIMUM_J / 2)
    assert half.found
    assert half.contradictions == [f"mcp claims {OPTIMUM_J / 2!r}, the evaluator finds {half.objective!r}"]
    (late,) = judged(balexnet, Status.FEASIBLE, TOO_SLOW).contradictions
    assert "exceeds 0.005 s" in late
    (low,) = judged(balexnet, Status.TIME_LIMIT, BEST, OPTIMUM_J, 2 * OPTIMUM_J).contradictions
    assert "below the bound" in low
    (empty,) = judged(balexnet, Status.OPTIMAL).contradictions
    assert "gives no deployment" in empty
    honest = [
        judged(balexnet, Status.OPTIMAL, BEST, OPTIMUM_J, OPTIMUM_J),
        judged(balexnet, Status.INFEASIBLE),
        judged(balexnet, Status.NO_SOLUTION, TOO_SLOW),
        judge_deployment(balexnet, TOO_SLOW),
        judge_deployment(balexnet, BEST),
    ]
    assert [run.contradictions for run in honest] == [[]] * 5


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([(Status.FEASIBLE, BEST, OPTIMUM_J), (Status.TIME_LIMIT, None, None, 0.0214)], "below the bound"),
        ([(Status.OPTIMAL, BEST, OPTIMUM_J, 0.0214)], "below the bound"),
        ([(Status.OPTIMAL, BEST, OPTIMUM_J), (Status.OPTIMAL, WORSE, None)], "is optimal"),
        ([(Status.FEASIBLE, BEST, OPTIMUM_J), (Status.OPTIMAL, WORSE, None)], "is optimal"),
        ([(Status.INFEASIBLE,), (Status.FEASIBLE, BEST, OPTIMUM_J)], "says infeasible"),
        ([(Status.FEASIBLE, TOO_SLOW, None)], "exceeds 0.005 s"),
        ([(Status.TIME_LIMIT, TOO_SLOW, None)], "exceeds 0.005 s"),
        ([(Status.FEASIBLE, BEST, OPTIMUM_J * (1 + 3e-6))], "claims"),
        ([(Status.OPTIMAL, BEST, float("nan"))], "claims"),
        ([(Status.OPTIMAL,)], "gives no deployment"),
    ],
)
def test_every_contradiction_is_found(runs: list[Any], said: str, balexnet: Instance) -> None:
    found = contradictions([judged(balexnet, *fields) for fields in runs])
    assert len(found) == 1, found
    assert said in found[0]
