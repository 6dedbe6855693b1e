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
