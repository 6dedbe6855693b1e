"""Column generation against the mixed-integer program, and what must not change its answers."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.fin_graph.joint.columns import column_generation
from finbench.fin_graph.joint.columns.column_generation import solve
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance, Network
from finbench.models.milp import flow
from finbench.models.result import Result, Status
from finbench.models.tolerances import equal_energy
from tests.random_instances import random_shared_instance

SEEDS = range(0, 100, 3)


def instance_of(seed: int) -> Instance:
    return random_shared_instance(
        seed, max_applications=6, max_nodes=6, max_blocks=4, levels=seed % 4 == 3, penalties=seed % 4 == 2
    )


@pytest.fixture(scope="module")
def found() -> dict[int, tuple[Result, Result]]:
    """Both methods' results on every seed."""
    return {
        seed: (solve(instance_of(seed), time_limit_s=20), flow.solve(instance_of(seed), time_limit_s=20))
        for seed in SEEDS
    }


def test_bound_optimum_and_deployment_stand_in_order(found: dict[int, tuple[Result, Result]]) -> None:
    compared = 0
    for seed, (ours, exact) in found.items():
        if exact.status is not Status.OPTIMAL:
            continue
        assert ours.lower_bound is not None, seed
        assert exact.claimed_objective is not None, seed
        assert ours.lower_bound <= exact.claimed_objective * (1 + 1e-7), seed
        if ours.deployment is not None:
            judged = evaluate(instance_of(seed), ours.deployment)
            assert judged.feasible, (seed, judged.violations)
            assert judged.objective is not None
            assert judged.objective == pytest.approx(ours.claimed_objective, rel=1e-9), seed
            assert judged.objective >= exact.claimed_objective * (1 - 1e-6), seed
            compared += 1
    assert compared >= 20


def test_nearly_all_small_instances_are_solved(found: dict[int, tuple[Result, Result]]) -> None:
    """At least 95 in 100 as well as by the exact program; whatever is called optimal or infeasible is."""
    same = 0
    for seed, (ours, exact) in found.items():
        if ours.status in (Status.OPTIMAL, Status.INFEASIBLE):
            assert ours.status is exact.status, seed
        if exact.claimed_objective is None:
            same += ours.claimed_objective is None
        elif ours.claimed_objective is not None:
            same += equal_energy(ours.claimed_objective, exact.claimed_objective)
    assert same >= 0.95 * len(found)
    proven = sum(ours.status in (Status.OPTIMAL, Status.INFEASIBLE) for ours, _ in found.values())
    assert proven >= 0.9 * len(found)


def test_lists_prove_whatever_the_incumbent(
    monkeypatch: pytest.MonkeyPatch, found: dict[int, tuple[Result, Result]]
) -> None:
    """Without improvement the incumbent is poor at first, and the proof finds the optimum all the same."""
    monkeypatch.setattr(column_generation._ColumnRun, "_improve", lambda *_: None)
    monkeypatch.setattr(column_generation._ColumnRun, "_solve_whole", lambda *_: None)
    proven = listed = 0
    for seed in range(0, 60, 3):
        result, (_, exact) = solve(instance_of(seed), time_limit_s=3), found[seed]
        listed += "listing" in result.times_s
        if result.status in (Status.OPTIMAL, Status.INFEASIBLE):
            assert result.status is exact.status, seed
            proven += 1
        if result.status is Status.OPTIMAL:
            assert result.claimed_objective == pytest.approx(exact.claimed_objective, rel=1e-6), seed
    assert proven >= 18
    assert listed >= 8


@pytest.mark.parametrize("seed", range(12))
def test_the_order_of_applications_and_nodes_changes_nothing(seed: int) -> None:
    instance, rng = random_shared_instance(seed, max_applications=4, max_nodes=4), np.random.default_rng(seed)
    network = instance.network
    nodes = tuple(network.nodes[k] for k in rng.permutation(len(network.nodes)))
    links = tuple(network.links[k] for k in rng.permutation(len(network.links)))
    apps = tuple(instance.applications[k] for k in rng.permutation(len(instance.applications)))
    fields = {field: getattr(instance, field) for field in Instance.model_fields}
    other = Instance(**{**fields, "network": Network(name="other", nodes=nodes, links=links), "applications": apps})
    one, two = solve(instance), solve(other)
    assert one.status is two.status
    assert one.status in (Status.OPTIMAL, Status.INFEASIBLE)
    assert (one.claimed_objective is None) is (two.claimed_objective is None)
    if one.claimed_objective is not None:
        assert one.claimed_objective == pytest.approx(two.claimed_objective, rel=1e-7)


@pytest.mark.parametrize("seed", range(12))
def test_the_unit_of_energy_changes_nothing(seed: int) -> None:
    instance = random_shared_instance(seed, max_applications=4, max_nodes=4)
    network, factor = instance.network, 1e-6
    nodes = tuple(node.model_copy(update={"power_w": node.power_w * factor}) for node in network.nodes)
    energies = ("tx_energy_j_per_bit", "rx_energy_j_per_bit")
    links = tuple(
        link.model_copy(update={name: getattr(link, name) * factor for name in energies}) for link in network.links
    )
    small = instance.model_copy(update={"network": Network(name="small", nodes=nodes, links=links)})
    one, two = solve(instance), solve(small)
    assert one.status is two.status
    assert one.status in (Status.OPTIMAL, Status.INFEASIBLE)
    assert (one.claimed_objective is None) is (two.claimed_objective is None)
    if one.claimed_objective is not None:
        assert two.claimed_objective == pytest.approx(one.claimed_objective * factor, rel=1e-7)


def test_time_ends_with_incumbent_and_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing left after the relaxation: what is in hand is returned."""
    instance = random_shared_instance(4, max_applications=6, max_nodes=6, max_blocks=5)

    def expire(run: column_generation._ColumnRun, prove: bool) -> None:
        run._clock._limit = 0.0

    monkeypatch.setattr(column_generation._ColumnRun, "finish", expire)
    result = solve(instance, time_limit_s=60)
    assert result.status is Status.TIME_LIMIT
    assert result.deployment is not None
    assert evaluate(instance, result.deployment).feasible
    assert result.lower_bound is not None
    assert result.claimed_objective is not None
    assert 0 < result.lower_bound < result.claimed_objective


def test_no_time_at_all_still_gives_a_bound() -> None:
    result = solve(random_shared_instance(4, max_applications=6, max_nodes=6, max_blocks=5), time_limit_s=0.0)
    assert result.status is Status.TIME_LIMIT
    assert result.lower_bound is not None
    assert result.lower_bound > 0


def test_the_trajectory_closes_in() -> None:
    result = solve(random_shared_instance(0, max_applications=6, max_nodes=6, max_blocks=5))
    times, incumbents, bounds = zip(*result.info["trajectory"], strict=True)
    assert list(times) == sorted(times)
    assert list(bounds) == sorted(bounds)
    known = [value for value in incumbents if value is not None]
    assert known == sorted(known, reverse=True)
    assert known[-1] == result.claimed_objective


def test_rejections_have_reasons() -> None:
    rejected = 0
    for seed in range(20):
        instance = random_shared_instance(seed, max_applications=5, max_nodes=4, penalties=True)
        result = solve(instance, time_limit_s=20)
        if result.deployment is not None:
            assert set(result.info["rejected"]) == set(result.deployment.rejected)
            assert all(result.info["rejected"].values())
            rejected += len(result.deployment.rejected)
    assert rejected > 5
