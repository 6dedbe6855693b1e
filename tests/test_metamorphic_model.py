"""Instances written in another way, and changed where the optimum's change is known."""

from __future__ import annotations

from typing import Any

import pytest

from finbench.benchmarks.methods import run_method
from finbench.models import exhaustive
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance, LatencyKind
from finbench.models.milp import flow
from finbench.models.result import Status
from tests.extended_instances import copied_alternatives, extended_instance, extended_shared_instance
from tests.few_and_many import few_and_many
from tests.random_instances import random_instance, random_shared_instance

SEEDS = few_and_many(range(100), 6)


def optima(instance: Instance) -> list[float | None]:
    """Optima by all that search this kind of instance exactly."""
    results = [exhaustive.solve(instance), flow.solve(instance), run_method(instance, "label-setting")]
    done = [result for result in results if result.status is not Status.UNSUPPORTED]
    assert {result.status for result in done} <= {Status.OPTIMAL, Status.INFEASIBLE}
    return [result.claimed_objective for result in done]


def assert_same_optimum(one: Instance, other: Instance) -> None:
    truth = exhaustive.solve(one).claimed_objective
    for found in optima(other):
        assert found == (None if truth is None else pytest.approx(truth, rel=1e-9))


def both_kinds(seed: int) -> list[Instance]:
    return [
        random_instance(seed, max_nodes=4, max_blocks=4),
        random_shared_instance(seed, levels=seed % 2 == 1, penalties=seed % 4 > 1),
    ]


@pytest.mark.parametrize("with_energy", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_measurements_that_say_what_the_rates_say_change_nothing(seed: int, with_energy: bool) -> None:
    for instance in both_kinds(seed):
        assert_same_optimum(instance, measured_as_by_rates(instance, with_energy))


@pytest.mark.parametrize("seed", SEEDS)
def test_alternatives_that_are_copies_change_nothing(seed: int) -> None:
    for instance in both_kinds(seed):
        assert_same_optimum(instance, copied_alternatives(instance))


def measured_as_by_rates(instance: Instance, with_energy: bool) -> Instance:
    """Every node a device of its own, every block measured at o/C and P/C · o; no node has a rate."""
    data = instance.model_dump()
    for node in data["network"]["nodes"]:
        rate, node["compute_ops_per_s"], node["device"] = node["compute_ops_per_s"], None, node["name"]
        for dnn in data["dnns"]:
            dnn.setdefault("measured", {})[node["name"]] = {
                str(i): _measured(block["ops"] / rate, node["power_w"], with_energy)
                for i, block in enumerate(dnn["blocks"], start=1)
            }
    return Instance.model_validate(data)


def _measured(time: float, power: float, with_energy: bool) -> dict[str, Any]:
    return {"time_s": time, "energy_j": power * time if with_energy else None}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_transit_node_in_the_middle_of_a_free_link_changes_nothing(seed: int) -> None:
    for instance in (extended_instance(seed), extended_shared_instance(seed)):
        data = instance.model_dump()
        links = list(data["network"]["links"])
        if links and len(data["network"]["nodes"]) < 4:
            link = links.pop(seed % len(links))
            free = {
                "tx_energy_j_per_bit": 0.0,
                "rx_energy_j_per_bit": 0.0,
                "delay_s": 0.0,
                "bandwidth_bit_per_s": 1e300,
            }
            links += [
                {**link, "target": "router", "rx_energy_j_per_bit": 0.0},  # the receiver pays where it was paid before
                {
                    **free,
                    "source": "router",
                    "target": link["target"],
                    "rx_energy_j_per_bit": link["rx_energy_j_per_bit"],
                },
            ]
            router = {"name": "router", "compute_ops_per_s": None, "power_w": 0.0}
            data["network"] |= {"nodes": [*data["network"]["nodes"], router], "links": links}
            assert_same_optimum(instance, Instance.model_validate(data))


@pytest.mark.parametrize("seed", SEEDS)
def test_twice_as_many_executions_at_twice_the_time_load_a_node_the_same_and_slow_it(seed: int) -> None:
    instance = random_shared_instance(seed, levels=seed % 2 == 1, penalties=True)
    data = instance.model_dump()
    for node in data["network"]["nodes"]:
        node["parallel"] = 2
        node["compute_ops_per_s"] /= 2
        node["power_w"] /= 2
    slowed = Instance.model_validate(data)
    deployment = exhaustive.solve(instance).deployment
    if deployment is not None:
        before, after = evaluate(instance, deployment), evaluate(slowed, deployment)
        assert after.objective == pytest.approx(before.objective, rel=1e-12)
        assert after.loads.reserved_share == before.loads.reserved_share
        for name, load in before.loads.executions.items():
            assert after.loads.executions[name] == pytest.approx(2 * load, rel=1e-12)
        for one, other in zip(before.applications, after.applications, strict=True):
            assert other.latency_s > one.latency_s
    patient = [{**app, "max_latency_s": 1e9} for app in data["applications"]]
    assert_same_optimum(
        Instance.model_validate({**instance.model_dump(), "applications": patient}),
        Instance.model_validate({**data, "applications": patient}),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_all_samples_in_time_is_full_depth_where_every_block_is_reached(seed: int) -> None:
    for instance in both_kinds(seed):
        if all(share > 1e-9 for dnn in instance.dnns for share in dnn.survival):
            deep = instance.with_overrides(latency_kind=LatencyKind.FULL_DEPTH)
            assert_same_optimum(deep, deep.with_overrides(latency_kind=LatencyKind.QUANTILE, latency_quantile=1.0))


@pytest.mark.parametrize("seed", SEEDS)
def test_money_at_a_price_of_1_for_every_joule_is_energy(seed: int) -> None:
    for instance in (extended_instance(seed), extended_shared_instance(seed)):
        data = instance.model_dump()
        for node in data["network"]["nodes"]:
            node |= {"price_per_j": 1.0, "price_per_busy_s": 0.0}
        energy = Instance.model_validate({**data, "objective": "energy"})
        money = Instance.model_validate({**data, "objective": "money"})
        assert_same_optimum(energy, money)
        deployment = exhaustive.solve(money).deployment
        if deployment is not None:
            for costs in evaluate(energy, deployment).applications:
                assert costs.money == pytest.approx(costs.energy_j, rel=1e-12)
