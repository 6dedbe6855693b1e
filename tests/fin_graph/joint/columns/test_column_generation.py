"""Column generation against the mixed-integer program, and what must not change its answers."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest

from finbench.fin_graph.joint.columns import column_generation
from finbench.fin_graph.joint.columns.column_generation import solve
from finbench.fin_graph.joint.columns.incumbent import Incumbent
from finbench.fin_graph.joint.columns.restricted import Whole, whole_master
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance, Network
from finbench.models.milp import flow
from finbench.models.result import Clock, Result, Status
from tests.few_and_many import slow
from tests.random_instances import random_shared_instance

LONGEST = 18
SEEDS = [slow(seed) if seed == LONGEST else seed for seed in range(0, 100, 3)]
LIMIT_S = 300.0
"""Never met: all these instances are solved."""


def instance_of(seed: int) -> Instance:
    return random_shared_instance(
        seed, max_applications=6, max_nodes=6, max_blocks=4, levels=seed % 4 == 3, penalties=seed % 4 == 2
    )


def assert_solved(seed: int, ours: Result) -> None:
    """Assert that the result is optimal or infeasible, and rightly so."""
    exact = flow.solve(instance_of(seed), time_limit_s=LIMIT_S)
    assert ours.status is exact.status
    assert exact.status in (Status.OPTIMAL, Status.INFEASIBLE)
    if exact.status is Status.INFEASIBLE:
        assert ours.deployment is None
        return
    assert ours.deployment is not None
    judged = evaluate(instance_of(seed), ours.deployment)
    assert judged.feasible, judged.violations
    assert judged.objective == pytest.approx(ours.claimed_objective, rel=1e-9)
    assert ours.claimed_objective == pytest.approx(exact.claimed_objective, rel=1e-6)
    assert ours.lower_bound == pytest.approx(exact.claimed_objective, rel=1e-6)
    assert ours.lower_bound is not None
    assert exact.claimed_objective is not None
    assert ours.lower_bound <= exact.claimed_objective * (1 + 1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_small_instances_are_solved_as_by_the_exact_program(seed: int) -> None:
    assert_solved(seed, solve(instance_of(seed), time_limit_s=LIMIT_S))


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_lists_prove_the_optimum_from_a_poor_incumbent(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without improvement the incumbent is poor at first, and the proof finds the optimum all the same."""

    def only_proofs(*args: Any, limit_s: float, **options: Any) -> Whole:
        """Solve the master in whole numbers where it is to prove something, which no part of the time limits."""
        return whole_master(*args, limit_s=limit_s, **options) if limit_s == inf else Whole(None, -inf)

    monkeypatch.setattr(Incumbent, "improve", lambda *_: None)
    monkeypatch.setattr(column_generation, "whole_master", only_proofs)
    assert_solved(seed, solve(instance_of(seed), time_limit_s=LIMIT_S))


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
    if one.status is Status.OPTIMAL:
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
    if one.claimed_objective is not None:
        assert two.claimed_objective == pytest.approx(one.claimed_objective * factor, rel=1e-7)


class RelaxationOnly(Clock):
    """A clock whose limit passes when the relaxation is solved."""

    @property
    def remaining_s(self) -> float | None:
        return 0.0 if self.expired else super().remaining_s

    @property
    def expired(self) -> bool:
        return "relaxation" in self.times_s or super().expired


def test_time_ends_with_incumbent_and_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is left after the relaxation: the incumbent and the bound are returned."""
    instance = random_shared_instance(4, max_applications=6, max_nodes=6, max_blocks=5)
    monkeypatch.setattr(column_generation, "Clock", RelaxationOnly)
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
        result = solve(instance, time_limit_s=LIMIT_S)
        assert result.status in (Status.OPTIMAL, Status.INFEASIBLE)
        if result.deployment is not None:
            assert set(result.info["rejected"]) == set(result.deployment.rejected)
            assert all(result.info["rejected"].values())
            rejected += len(result.deployment.rejected)
    assert rejected > 5
