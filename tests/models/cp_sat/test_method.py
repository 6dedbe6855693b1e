"""CP-SAT against enumeration and label setting; limits, gaps, trajectories, and what happens without OR-Tools."""

from __future__ import annotations

import pytest

from fin_graph import label_setting
from models import exhaustive
from models.cp_sat import method
from models.evaluate import equal_energy, evaluate
from models.instance import Instance
from models.io import load_instance, shipped
from models.result import Result
from tests.models.cp_sat.conftest import needs_ortools
from tests.models.enumeration import shared_instance
from tests.random_instances import random_instance

pytestmark = needs_ortools


def assert_agrees(instance: Instance, result: Result, truth: Result) -> None:
    assert result.status is truth.status, result.reason
    if truth.claimed_objective is None:
        assert result.deployment is None
        return
    assert result.claimed_objective is not None
    assert result.lower_bound is not None
    assert result.deployment is not None
    judged = evaluate(instance, result.deployment)
    assert judged.violations == ()
    assert judged.objective == pytest.approx(result.claimed_objective, rel=1e-9)
    assert equal_energy(result.claimed_objective, truth.claimed_objective)
    assert result.lower_bound <= result.claimed_objective
    assert result.claimed_objective - result.lower_bound <= 1e-9 * result.claimed_objective


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("strengthen", [True, False])
@pytest.mark.parametrize("seed", range(60))
def test_arbitrary_networks(seed: int, strengthen: bool) -> None:
    instance = random_instance(seed)
    result, truth = method.solve(instance, strengthen=strengthen), exhaustive.solve(instance)
    assert_agrees(instance, result, truth)
    assert_agrees(instance, label_setting.solve(instance), truth)


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("seed", range(100, 160))
def test_zeros_and_ties(seed: int) -> None:
    instance = random_instance(seed, zeros=True)
    truth = exhaustive.solve(instance)
    assert_agrees(instance, method.solve(instance, strengthen=seed % 2 == 0), truth)
    assert_agrees(instance, label_setting.solve(instance), truth)


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("seed", range(60))
def test_shared_systems(seed: int) -> None:
    instance = shared_instance(seed, applications=1 + seed % 3, max_nodes=2 + seed % 2)
    assert_agrees(instance, method.solve(instance, strengthen=seed % 2 == 0), exhaustive.solve(instance))


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("name", sorted(shipped("instances")))
def test_published_instances(name: str) -> None:
    instance = load_instance(name)
    assert_agrees(instance, method.solve(instance), label_setting.solve(instance))
