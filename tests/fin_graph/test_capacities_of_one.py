"""One application whose own capacities bind: exact methods agree, heuristics fit or say that nothing was found."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from finbench.benchmarks.methods import run_method
from finbench.benchmarks.upkeep.microcontroller import DEVICE_MEMORY, NODES, microcontroller_instance, resnet50
from finbench.fin_graph import label_setting
from finbench.fin_graph.options import LabelSettingOptions
from finbench.models import exhaustive
from finbench.models.cp_sat import method as cp_sat
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.loads import loads_of, uses
from finbench.models.milp import flow
from finbench.models.result import Result, Status
from finbench.models.step_costs import step_costs
from tests.few_and_many import few_and_many
from tests.loaded_instances import loaded_instance, uncapacitated
from tests.models.enumeration import objectives_alone

NOISE = 1e-9
SEEDS = range(30)
HEURISTICS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("fin", {}),
    ("fin", {"certify": 0.0}),
    ("fin", {"engine": "networkx"}),
    ("larac", {}),
    ("mcp", {}),
    ("single-node", {}),
)


@cache
def small(seed: int, *, extras: bool = False) -> Instance:
    return loaded_instance(seed, max_blocks=4, extras=extras)


@cache
def exact(seed: int, *, extras: bool = False) -> Result:
    return exhaustive.solve(small(seed, extras=extras))


def assert_same_optimum(one: Result, other: Result) -> None:
    assert one.status is other.status
    if one.claimed_objective is not None:
        assert other.claimed_objective == pytest.approx(one.claimed_objective, rel=NOISE, abs=0)


def test_a_good_part_of_the_optima_without_capacities_overload_something() -> None:
    served = overloaded = carried = 0
    for seed in range(100):
        instance = loaded_instance(seed)
        result = label_setting.solve(instance)
        free = label_setting.solve(uncapacitated(instance)).deployment
        if result.deployment is None or free is None:
            continue
        served += 1
        carried += bool(result.info.get("critical"))
        overloaded += not evaluate(instance, free).feasible
    assert served > 60
    assert overloaded > 0.3 * served
    assert carried > 0.2 * served


def test_every_kind_of_resource_is_critical_somewhere_and_some_are_exactly_full() -> None:
    results = [label_setting.solve(loaded_instance(seed)) for seed in range(100)]
    kinds = {name.split()[0] for result in results for name in result.info.get("critical", ())}
    assert kinds == {"memory", "compute", "bandwidth"}
    full = 0
    for seed, result in enumerate(results):
        if result.deployment is not None:
            instance = loaded_instance(seed)
            app, decision = instance.applications[0], result.deployment.deployments[0]
            loads = loads_of([(app, list(step_costs(instance, app, decision)))])
            full += any(use.utilisation == 1 for use in uses(instance, loads))
    assert full > 10


@pytest.mark.parametrize("block", few_and_many(range(7), 1))
@pytest.mark.parametrize("extras", [False, True])
def test_label_setting_equals_enumeration(block: int, extras: bool) -> None:
    for seed in range(30 * block, 30 * block + 30):
        result = label_setting.solve(small(seed, extras=extras))
        assert_same_optimum(exact(seed, extras=extras), result)
        if result.deployment is not None:
            assert evaluate(small(seed, extras=extras), result.deployment).feasible


@pytest.mark.slow
def test_label_setting_equals_the_programs() -> None:
    for seed in range(100, 125):
        instance = loaded_instance(seed, extras=seed % 2 == 0)
        result = label_setting.solve(instance)
        for other in (flow.solve(instance), cp_sat.solve(instance)):
            assert other.status is result.status
            if result.claimed_objective is not None:
                assert other.claimed_objective == pytest.approx(result.claimed_objective, rel=1e-6, abs=0)


@pytest.mark.parametrize("method", HEURISTICS, ids=str)
def test_heuristics_fit_and_their_bounds_hold(method: tuple[str, dict[str, Any]]) -> None:
    name, options = method
    found = served = 0
    for seed, extras in ((seed, seed % 3 == 0) for seed in SEEDS):
        instance, optimum = small(seed, extras=extras), exact(seed, extras=extras).claimed_objective
        result = run_method(instance, name, **options)
        if result.status is Status.INFEASIBLE:
            assert optimum is None
        if optimum is None:
            assert result.deployment is None
            continue
        served += 1
        if result.lower_bound is not None:
            assert result.lower_bound <= optimum * (1 + NOISE)
        if result.deployment is None:
            assert result.status is Status.NO_SOLUTION
            assert result.reason
            continue
        found += 1
        assert evaluate(instance, result.deployment).feasible
        assert result.claimed_objective is not None
        assert result.claimed_objective >= optimum * (1 - NOISE)
        if result.status is Status.OPTIMAL:
            assert result.claimed_objective == pytest.approx(optimum, rel=NOISE, abs=0)
    assert found > (0.5 if name == "single-node" else 0.8) * served


@pytest.mark.parametrize("k", [3, 20])
def test_the_k_least_that_fit_are_those_of_enumeration(k: int) -> None:
    several = 0
    for seed in range(60):
        instance = loaded_instance(seed, max_nodes=3, max_blocks=3)
        objectives = objectives_alone(instance)[:k]
        result = label_setting.solve(instance, LabelSettingOptions(k=k))
        if result.claimed_objective is None:
            assert not objectives
            continue
        weight = instance.applications[0].weight
        energies = [result.claimed_objective, *(weight * one["energy_j"] for one in result.info["runners_up"])]
        assert energies == pytest.approx(objectives, rel=NOISE, abs=0)
        for one in result.info["runners_up"]:
            decision = Deployment.model_validate({"deployments": [one["deployment"]]}, strict=False)
            assert evaluate(instance, decision).feasible
        several += len(energies) == k and bool(result.info.get("critical"))
    assert several > 3


def test_a_time_limit_leaves_a_valid_bound_and_at_most_a_deployment_that_fits() -> None:
    for seed in range(10):
        instance = microcontroller_instance(seed)
        optimum = label_setting.solve(instance).claimed_objective
        assert optimum is not None
        for limit in (0.0, 1e-3):
            result = label_setting.solve(instance, time_limit_s=limit)
            assert result.status in (Status.TIME_LIMIT, Status.OPTIMAL)
            assert result.lower_bound is not None
            assert 0 < result.lower_bound <= optimum * (1 + NOISE)
            if result.deployment is not None:
                assert evaluate(instance, result.deployment).feasible


def test_the_microcontroller_holds_the_stem_and_the_split_is_that_of_resnet_50() -> None:
    dnn = resnet50()
    assert len(dnn.blocks) == 18
    assert sum(block.parameter_bytes for block in dnn.blocks) == pytest.approx(25.61e6, rel=1e-4)
    assert sum(block.ops for block in dnn.blocks) / 2 == pytest.approx(4089.2e6, rel=1e-4)
    instance = microcontroller_instance(0)
    assert len(instance.network.nodes) == NODES
    assert instance.network.node_by_name["microcontroller"].memory_bytes == DEVICE_MEMORY == 0.5e6


@pytest.mark.slow
def test_label_setting_equals_milp_flow_from_a_microcontroller() -> None:
    carried = 0
    for seed in range(3):
        instance = microcontroller_instance(seed)
        result, program = label_setting.solve(instance), flow.solve(instance)
        assert (result.status, program.status) == (Status.OPTIMAL, Status.OPTIMAL)
        assert result.claimed_objective == pytest.approx(program.claimed_objective, rel=1e-6, abs=0)
        carried += len(result.info["critical"])
    assert carried > 0


def test_a_block_too_large_for_every_node_is_named(balexnet: Instance) -> None:
    data = balexnet.model_dump()
    for node in data["network"]["nodes"]:
        node["memory_bytes"] = 1.0
    for block in data["dnns"][0]["blocks"]:
        block["parameter_bytes"] = 2.0
    for name in ("label-setting", "larac", "mcp", "single-node"):
        result = run_method(Instance.model_validate(data), name)
        assert result.status is Status.INFEASIBLE
        assert "block 1 alone asks every node" in str(result.reason)


def test_a_tier_that_bears_the_name_of_a_node_forbids_nothing_else() -> None:
    """Repair forbids nodes by name, and a name of a tier would stand for others."""
    seeds = [seed for seed in SEEDS if exact(seed).deployment is not None]
    for seed in seeds:
        data = small(seed).model_dump()
        for node in data["network"]["nodes"]:
            node["tier"] = data["network"]["nodes"][0]["name"]
        result = run_method(Instance.model_validate(data), "mcp")
        assert result.deployment == run_method(small(seed), "mcp").deployment
