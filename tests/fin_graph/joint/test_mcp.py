"""MCP for many: everyone's multi-constrained path on what is left, whatever energy it takes."""

from __future__ import annotations

import pytest

from finbench.benchmarks.families import generate_shared
from finbench.benchmarks.methods import run_method
from finbench.fin_graph.joint.mcp import solve_many
from finbench.fin_graph.mcp import solve
from finbench.models.evaluate import Evaluation, evaluate
from finbench.models.instance import Instance
from finbench.models.milp.flow import solve as milp_flow
from finbench.models.result import Result, Status
from tests.fin_graph.joint.conftest import Desk
from tests.random_instances import random_instance, random_shared_instance


def judged(instance: Instance, result: Result) -> Evaluation:
    assert result.deployment is not None
    return evaluate(instance, result.deployment)


@pytest.mark.parametrize("penalties", [False, True])
@pytest.mark.parametrize("levels", [False, True])
def test_what_it_returns_exceeds_nothing(levels: bool, penalties: bool) -> None:
    served = 0
    for seed in range(100):
        instance = random_shared_instance(
            seed, max_applications=6, max_nodes=6, max_blocks=4, levels=levels, penalties=penalties
        )
        result = solve(instance)
        assert (result.deployment is None) == (result.status is Status.NO_SOLUTION)
        if result.deployment is not None:
            served += 1
            found = judged(instance, result)
            assert found.violations == ()
            assert found.objective == pytest.approx(result.claimed_objective, rel=1e-9)
            assert set(found.rejected) == set(result.info["rejected"])
    assert served > 40


def weight(instance: Instance, result: Result) -> float | None:
    """The share of the latency budget and of the accuracy margin that a deployment takes."""
    if result.deployment is None:
        return None
    app, costs = instance.applications[0], judged(instance, result).applications[0]
    return costs.latency_s / app.max_latency_s + app.min_accuracy / costs.accuracy


def test_who_is_alone_takes_the_path_of_mcp_for_one() -> None:
    found = 0
    for seed in range(150):
        instance = random_instance(seed)
        one, many = solve(instance), solve_many(instance)
        assert (one.deployment is None) == (many.deployment is None)
        found += one.deployment is not None
        if one.deployment is not None:
            assert weight(instance, many) == pytest.approx(weight(instance, one), rel=1e-9)
    assert found > 50


def test_users_with_room_each_take_the_path_that_they_would_take_alone() -> None:
    instance = generate_shared("published-many", nodes=15, applications=9, load=0.05, seed=1)
    result = solve(instance)
    assert result.deployment is not None
    for app, decision in zip(instance.applications, result.deployment.deployments, strict=True):
        alone = solve(instance.model_copy(update={"applications": (app,)}))
        assert alone.deployment is not None
        assert alone.deployment.deployments[0] == decision


def test_the_first_application_takes_the_quickest_place_and_the_next_what_is_left(desk: Desk) -> None:
    """The device is quicker by a transfer, and takes a hundred times the energy."""
    result = solve(desk({}, {}))
    assert result.deployment is not None
    assert [decision.placement for decision in result.deployment.deployments] == [("device",), ("server",)]
    assert result.claimed_objective == pytest.approx(6 * 100 + 6 * 1)


def test_who_finds_no_place_is_rejected_or_there_is_no_solution(desk: Desk) -> None:
    lost = solve(desk({}, {}, {}))
    assert lost.status is Status.NO_SOLUTION
    assert "application 'app2': no multi-constrained path" in str(lost.reason)
    paid = solve(desk({}, {}, {"rejection_penalty_w": 7.0}))
    assert paid.claimed_objective == pytest.approx(600 + 6 + 7)
    assert list(paid.info["rejected"]) == ["app2"]
    assert solve(desk({}, {}), time_limit_s=0.0).status is Status.TIME_LIMIT


def test_it_rejects_who_costs_more_than_the_penalty(desk: Desk) -> None:
    result = solve(desk({"rejection_penalty_w": 9.0}, {}))
    assert list(result.info["rejected"]) == ["app0"]
    assert result.claimed_objective == pytest.approx(9 + 600)


def test_it_is_no_better_than_the_optimum_and_often_worse() -> None:
    worse = 0
    for seed in range(12):
        instance = random_shared_instance(seed, penalties=True)
        found, truth = run_method(instance, "mcp"), milp_flow(instance)
        if found.claimed_objective is not None:
            assert truth.claimed_objective is not None
            assert found.claimed_objective >= truth.claimed_objective * (1 - 1e-6)
            worse += found.claimed_objective > truth.claimed_objective * (1 + 1e-3)
    assert worse > 2


@pytest.mark.parametrize("names", [("dnn", "heavy"), ("heavy", "dnn")])
def test_of_alternatives_the_path_of_least_power_is_served(desk: Desk, names: tuple[str, str]) -> None:
    """The heavy one takes half as many operations again, on the same place."""
    plain = desk({})
    (light,) = plain.dnns
    block = light.blocks[0].model_copy(update={"ops": 1.5})
    heavy = light.model_copy(update={"name": "heavy", "blocks": (block,)})
    app = plain.applications[0].model_copy(update={"dnn": None, "dnns": names})
    other = app.model_copy(update={"name": "other", "rate_per_s": 1.0})
    data = {field: getattr(plain, field) for field in Instance.model_fields}
    both = Instance(**{**data, "dnns": (light, heavy), "applications": (app, other)})
    result = solve(both)
    assert result.deployment is not None
    assert [decision.dnn for decision in result.deployment.deployments] == ["dnn", "dnn"]
    assert result.claimed_objective == pytest.approx(600 + 100)
    assert judged(both, result).feasible
