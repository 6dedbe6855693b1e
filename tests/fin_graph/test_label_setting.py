"""Label setting: equal to the mathematical program and to enumeration, honest on limits, k best."""

from __future__ import annotations

from itertools import pairwise
from time import process_time

import numpy as np
import psutil
import pytest
from pydantic import ValidationError

from finbench.fin_graph import label_setting
from finbench.fin_graph.label_setting import solve, supports
from finbench.fin_graph.options import LabelSettingOptions
from finbench.fin_graph.paths import label_search
from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.label_search import latency_energy_frontier
from finbench.models import exhaustive
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.milp import flow
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import equal_energy
from tests.few_and_many import few_and_many
from tests.models.enumeration import objectives_alone
from tests.random_instances import random_instance

NOISE = 1e-9


def same_answer(instance: Instance, *, milp: bool) -> bool:
    """Return whether there was an optimum to compare."""
    mine, truth = solve(instance), exhaustive.solve(instance)
    others = [truth, flow.solve(instance)] if milp else [truth]
    for other in others:
        assert mine.status is other.status
        if other.claimed_objective is not None:
            assert mine.claimed_objective is not None
            assert equal_energy(mine.claimed_objective, other.claimed_objective)
    if mine.deployment is None:
        assert mine.reason
        return False
    judgement = evaluate(instance, mine.deployment)
    assert judgement.feasible
    assert mine.claimed_objective == pytest.approx(judgement.objective, rel=NOISE, abs=0)
    assert mine.lower_bound == pytest.approx(mine.claimed_objective, rel=NOISE, abs=0)
    return True


@pytest.mark.parametrize("block", range(8))
def test_label_setting_equals_enumeration_and_the_milp(block: int) -> None:
    seeds = range(25 * block, 25 * (block + 1))
    assert sum(same_answer(random_instance(s, max_nodes=4, zeros=s % 3 == 0), milp=s % 2 == 0) for s in seeds) > 5


@pytest.mark.parametrize("block", few_and_many(range(20), 3))
def test_label_setting_equals_the_milp_on_thousands_of_instances(block: int) -> None:
    seeds = range(10_000 + 100 * block, 10_000 + 100 * (block + 1))
    assert sum(same_answer(random_instance(s, zeros=s % 3 == 0), milp=True) for s in seeds) > 20


def energies_of(result: Result) -> list[float]:
    """Energies of all deployments of a result, in its order."""
    if result.claimed_objective is None:
        return []
    return [result.claimed_objective, *(other["energy_j"] for other in result.info["runners_up"])]


def deployments_of(result: Result) -> list[Deployment]:
    """All deployments of a result, in its order."""
    assert result.deployment is not None
    others = (ApplicationDeployment.model_validate(other["deployment"]) for other in result.info["runners_up"])
    return [result.deployment, *(Deployment(deployments=(other,)) for other in others)]


@pytest.mark.parametrize("block", range(6))
def test_k_least_energies_are_those_of_enumeration(block: int) -> None:
    """The enumeration covers all accurate exits, placements and simple routes."""
    compared = beyond_the_earliest = 0
    for seed in range(60 * block, 60 * (block + 1)):
        instance = random_instance(seed, max_nodes=3, max_blocks=3, zeros=seed % 3 == 0)
        k = (2, 5, 30)[seed % 3]
        expected = objectives_alone(instance)[:k]
        result = solve(instance, LabelSettingOptions(k=k))
        assert energies_of(result) == pytest.approx(expected, rel=NOISE, abs=0), seed
        if not expected:
            assert result.status is Status.INFEASIBLE
            continue
        compared += 1
        deployments = deployments_of(result)
        for deployment, energy in zip(deployments, expected, strict=True):
            judgement = evaluate(instance, deployment)
            assert judgement.feasible
            assert judgement.objective == pytest.approx(energy, rel=NOISE, abs=0)
        assert len({one.model_dump_json() for one in deployments}) == len(expected)
        beyond_the_earliest += len({one.deployments[0].last_exit for one in deployments}) > 1
    assert compared > 20
    assert beyond_the_earliest > 3


def test_k_least_of_the_published_scenario_end_at_every_exit(balexnet: Instance) -> None:
    result = solve(balexnet.with_overrides(min_accuracy=0.5), LabelSettingOptions(k=50))
    assert len(energies_of(result)) == 24
    assert energies_of(result)[1:5] == pytest.approx([0.0155010, 0.0213955, 0.0214488, 0.0234877], abs=5e-8)
    assert {one.deployments[0].last_exit for one in deployments_of(result)} == {1, 2, 3}


def test_k_least_stopped_by_the_time_limit_is_never_worse_than_the_least(
    hard: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_search, "QUOTA", 1 << 12)
    least = solve(hard)
    begun = process_time()
    result = solve(hard, LabelSettingOptions(k=10_000), time_limit_s=0.5)
    assert process_time() - begun < 1.5  # of the processor: others may have it meanwhile
    assert result.status is Status.TIME_LIMIT
    assert result.claimed_objective == pytest.approx(least.claimed_objective, rel=NOISE, abs=0)
    assert result.lower_bound == pytest.approx(least.claimed_objective, rel=NOISE, abs=0)
    assert energies_of(result) == sorted(energies_of(result))


def test_frontier_holds_the_optimum_of_every_budget(balexnet: Instance) -> None:
    instances = [balexnet, *(random_instance(seed) for seed in range(40))]
    for instance in instances:
        problem = path_problem(instance, instance.applications[0])
        if problem is None:
            continue
        front = latency_energy_frontier(problem, Clock())
        assert front is not None
        optimum = solve(instance).claimed_objective
        assert (not front) == (optimum is None)
        if front:
            assert front[-1][1] == pytest.approx(optimum, rel=NOISE, abs=0)
            assert all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(front))
        for latency, energy in front:
            tightened = instance.with_overrides(max_latency_s=latency)
            assert solve(tightened).claimed_objective == pytest.approx(energy, rel=1e-8, abs=0)


def test_time_limit_returns_incumbent_and_proven_bound(hard: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    optimum = solve(hard)
    monkeypatch.setattr(label_search, "QUOTA", 16)
    result = solve(hard, time_limit_s=0.0)
    assert result.status is Status.TIME_LIMIT
    assert result.deployment is not None
    assert evaluate(hard, result.deployment).feasible
    assert result.lower_bound is not None
    assert result.claimed_objective is not None
    assert optimum.claimed_objective is not None
    assert 0 < result.lower_bound <= optimum.claimed_objective * (1 + NOISE)
    assert result.claimed_objective >= optimum.claimed_objective * (1 - NOISE)
    assert latency_energy_frontier_stops(hard)


@pytest.mark.parametrize("looks", [1, 2, 5, 20, 60, 150, 400])
def test_the_bound_holds_wherever_the_time_ends(hard: Instance, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
    optimum = solve(hard).claimed_objective
    assert optimum is not None

    class Expiring(Clock):
        """Expires at the given look at the time."""

        left = looks

        @property
        def expired(self) -> bool:
            self.left -= 1
            return self.left < 0

    monkeypatch.setattr(label_search, "QUOTA", 8)
    monkeypatch.setattr(label_setting, "Clock", Expiring)
    result = solve(hard)
    assert result.status is Status.TIME_LIMIT
    assert result.lower_bound is not None
    assert 0.5 * optimum < result.lower_bound <= optimum * (1 + NOISE)


def latency_energy_frontier_stops(instance: Instance) -> bool:
    problem = path_problem(instance, instance.applications[0])
    assert problem is not None
    return latency_energy_frontier(problem, Clock(0.0)) is None


def test_memory_that_would_not_hold_the_labels_is_foreseen(hard: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_search, "FIRST_CAPACITY", 8)
    assert solve(hard).status is Status.OPTIMAL, "pools grow"
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 1000}))
    monkeypatch.setattr("finbench.models.memory.UNASKED_BYTES", 0)
    result = solve(hard)
    assert result.status is Status.MEMORY_LIMIT
    assert result.deployment is not None
    assert result.lower_bound is not None
    assert result.reason is not None
    assert "GiB" in result.reason


@pytest.mark.parametrize("factor", [1e-9, 1e-3, 1e6])
def test_scaling_energies_changes_no_decision(factor: float) -> None:
    for seed in range(60):
        instance = random_instance(seed)
        nodes = tuple(n.model_copy(update={"power_w": n.power_w * factor}) for n in instance.network.nodes)
        links = tuple(
            link.model_copy(
                update={
                    "tx_energy_j_per_bit": link.tx_energy_j_per_bit * factor,
                    "rx_energy_j_per_bit": link.rx_energy_j_per_bit * factor,
                }
            )
            for link in instance.network.links
        )
        network = instance.network.model_copy(update={"nodes": nodes, "links": links})
        scaled = solve(instance.model_copy(update={"network": network}))
        plain = solve(instance)
        assert scaled.deployment == plain.deployment
        if plain.claimed_objective is not None:
            assert scaled.claimed_objective == pytest.approx(factor * plain.claimed_objective, rel=NOISE, abs=0)


def test_more_slack_never_costs_energy() -> None:
    for seed in range(80):
        instance = random_instance(seed)
        delta = instance.applications[0].max_latency_s
        energies = [solve(instance.with_overrides(max_latency_s=delta * f)).claimed_objective for f in (1, 1.3, 2, 10)]
        known = [np.inf if energy is None else energy for energy in energies]
        assert all(b <= a * (1 + NOISE) for a, b in pairwise(known))


def test_label_setting_refuses_k_below_one(balexnet: Instance) -> None:
    assert supports(balexnet) is None
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        LabelSettingOptions(k=0)
