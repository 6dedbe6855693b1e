"""Where blocks fit and may run (eqs. 27, 28), and the latency of a share of all samples (eq. 30), by hand."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import Evaluation, ViolationKind, evaluate
from finbench.models.instance import Instance
from finbench.models.nowhere import block_without_node
from tests.models.bad_inputs import SOUND


def instance_with(*, edge: dict[str, Any], block: dict[str, Any], app: dict[str, Any], **fields: Any) -> Instance:
    """`SOUND` with other fields of the edge, of the second block, of the application and of itself."""
    data = copy.deepcopy(SOUND) | fields
    data["network"]["nodes"][1] |= edge
    data["dnns"][0]["blocks"][1] |= block
    data["applications"][0] |= app
    return Instance.model_validate(data)


def split(instance: Instance) -> Evaluation:
    decision = ApplicationDeployment(application="app", last_exit=2, placement=("device", "edge"))
    return evaluate(instance, Deployment(deployments=(decision,)))


@pytest.mark.parametrize(("working", "fits"), [(70.0, True), (70.0 + 5e-5, True), (70.1, False)])
def test_parameters_and_working_memory_fit_together(working: float, fits: bool) -> None:
    block = {"parameter_bytes": 30.0, "working_bytes": working}
    evaluation = split(instance_with(edge={"memory_bytes": 100.0}, block=block, app={}))
    assert evaluation.feasible == fits
    assert evaluation.loads.memory_bytes["edge"] == 30
    if not fits:
        (violation,) = evaluation.violations
        assert (violation.kind, violation.value, violation.limit) == (ViolationKind.FIT, 30 + working, 100.0)


@pytest.mark.parametrize(
    ("allowed", "feasible"),
    [
        ({"2": ["edge"]}, True),
        ({"2": ["cloud"]}, True),
        ({"2": ["device"]}, False),
        ({"all": ["device"]}, False),
        ({"all": ["device", "cloud"]}, True),
        ({"all": ["device", "cloud"], "2": ["device"]}, False),
        ({"1": ["device"]}, True),
    ],
    ids=str,
)
def test_a_block_runs_only_where_every_list_lets_it(allowed: dict[str, list[str]], feasible: bool) -> None:
    instance = instance_with(edge={"tier": "cloud"}, block={}, app={"allowed": allowed})
    evaluation = split(instance)
    assert [violation.kind for violation in evaluation.violations] == ([] if feasible else [ViolationKind.PERMISSION])
    assert evaluation.objective is not None


def test_what_keeps_a_block_off_every_node_is_named() -> None:
    block, app = {"parameter_bytes": 1.0, "working_bytes": 9.0}, {"allowed": {"2": ["edge"]}}
    instance = instance_with(edge={"memory_bytes": 5.0}, block=block, app=app)
    words = "block 2 can run at no node (not allowed: 1, too little memory: 1)"
    assert block_without_node(instance, instance.applications[0]) == words


@pytest.mark.parametrize(("quantile", "blocks"), [(0.1, 1), (0.6, 1), (0.6001, 2), (0.99, 2), (1.0, 2)])
def test_blocks_count_that_more_than_the_rest_of_all_samples_reach(quantile: float, blocks: int) -> None:
    """0.6 of all samples leave after the first block."""
    instance = instance_with(edge={}, block={}, app={}, latency_kind="quantile", latency_quantile=quantile)
    first, second = 1e6 / 1e9, 1000 / 1e9 + 1e6 / 1e10
    assert split(instance).applications[0].latency_s == pytest.approx([first, first + second][blocks - 1], rel=1e-12)


def test_carbon_and_money_are_counted_where_energy_is_spent() -> None:
    """Computing at both nodes, sending at the device, receiving at the edge; 0.4 of all samples reach block 2."""
    edge = {"carbon_g_per_j": 3.0, "price_per_j": 5.0, "price_per_busy_s": 7.0}
    device = {**SOUND["network"]["nodes"][0], "carbon_g_per_j": 11.0}
    data = instance_with(edge=edge, block={}, app={"rate_per_s": 10.0}).model_dump()
    data["network"]["nodes"] = (device, data["network"]["nodes"][1])
    at_device, at_edge = 5 * 1e6 / 1e9 + 0.4 * 1000 * 1e-9, 0.4 * (50 * 1e6 / 1e10 + 1000 * 1e-9)
    carbon, money = 11 * at_device + 3 * at_edge, 5 * at_edge + 7 * 0.4 * 1e6 / 1e10
    energy = at_device + at_edge
    for kind, unit, cost in (
        ("energy", "W", energy),
        ("carbon", "g/s", carbon),
        ("money", "money/s", money),
    ):
        instance = Instance.model_validate({**data, "objective": kind})
        evaluation = split(instance)
        (costs,) = evaluation.applications
        assert (costs.energy_j, costs.carbon_g, costs.money) == pytest.approx((energy, carbon, money))
        assert evaluation.objective == pytest.approx(10 * cost, rel=1e-12)
        assert sum(evaluation.tiers.values()) == pytest.approx(10 * cost, rel=1e-12)
        assert instance.objective_unit == unit
