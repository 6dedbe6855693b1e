"""The first-come greedy: splits once, keeps within what is left, moves nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest

from finbench.fin_graph.joint import greedy
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.milp.flow import solve as milp_flow
from finbench.models.result import Status
from tests.fin_graph.joint.conftest import Desk
from tests.random_instances import random_instance, random_shared_instance


@pytest.mark.parametrize("penalties", [False, True])
@pytest.mark.parametrize("levels", [False, True])
def test_what_it_returns_exceeds_nothing_and_splits_once(levels: bool, penalties: bool) -> None:
    served = 0
    for seed in range(100):
        instance = random_shared_instance(
            seed, max_applications=6, max_nodes=6, max_blocks=4, levels=levels, penalties=penalties
        )
        result = greedy.solve(instance)
        assert (result.deployment is None) == (result.status is Status.NO_SOLUTION)
        if result.deployment is None:
            continue
        served += 1
        judged = evaluate(instance, result.deployment)
        assert judged.violations == ()
        assert judged.objective == pytest.approx(result.claimed_objective, rel=1e-9)
        assert set(judged.rejected) == set(result.info["rejected"])
        for decision in result.deployment.deployments:
            source = next(app.source for app in instance.applications if app.name == decision.application)
            stops = (source, *decision.placement)
            assert sum(a != b for a, b in pairwise(stops)) <= 1
    assert served > 40


def test_it_is_no_better_than_the_optimum() -> None:
    for seed in range(12):
        instance = random_shared_instance(seed, penalties=True)
        found, truth = greedy.solve(instance), milp_flow(instance)
        if found.claimed_objective is not None:
            assert truth.claimed_objective is not None
            assert found.claimed_objective >= truth.claimed_objective * (1 - 1e-6)


def test_the_first_application_is_served_first(desk: Desk) -> None:
    one = greedy.solve(desk({"rate_per_s": 4.0}, {"rate_per_s": 8.0}))
    two = greedy.solve(desk({"rate_per_s": 8.0}, {"rate_per_s": 4.0}))
    assert one.claimed_objective == pytest.approx(4 * 1 + 8 * 100)
    assert two.claimed_objective == pytest.approx(8 * 1 + 4 * 100)


def test_it_rejects_who_costs_more_than_the_penalty(desk: Desk) -> None:
    result = greedy.solve(desk({"rejection_penalty_w": 9.0}, {"rejection_penalty_w": 100.0}))
    assert result.claimed_objective == pytest.approx(6.0 + 100.0)
    assert list(result.info["rejected"]) == ["app1"]


def test_no_room_is_no_solution(desk: Desk) -> None:
    result = greedy.solve(desk({}, {}, {}))
    assert result.status is Status.NO_SOLUTION
    assert "application 'app2'" in str(result.reason)
    assert greedy.solve(desk({}), time_limit_s=0.0).status is Status.TIME_LIMIT


def test_greedy_serves_one_application_without_a_rate() -> None:
    found = 0
    for seed in range(30):
        instance: Instance = random_instance(seed)
        result = greedy.solve(instance)
        if result.deployment is not None:
            found += 1
            assert evaluate(instance, result.deployment).feasible
    assert found > 5
