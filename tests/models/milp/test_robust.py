"""The worst objective of robust plans is the least there is, and they hold at every vertex."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np
import pytest

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Accounting, Application, Instance
from finbench.models.milp.flow import solve
from finbench.models.milp.robust import solve_robust
from finbench.models.result import Status
from finbench.models.uncertainty import Uncertainty, worst_case
from tests.deviations import vertices, with_own_dnns, worst_by_enumeration
from tests.models.enumeration import decisions
from tests.random_instances import random_instance, random_shared_instance

MOST_DEPLOYMENTS = 400


def drawn(seed: int) -> tuple[Instance, Uncertainty]:
    draw = np.random.default_rng(seed)
    if seed % 3:
        made = random_shared_instance(
            seed,
            max_applications=2,
            max_nodes=1 + seed % 3,
            max_blocks=4 - seed % 3,
            levels=seed % 2 == 0,
            penalties=seed % 5 == 0,
        )
    else:
        made = random_instance(seed, max_nodes=3, max_blocks=4)
        if draw.random() < 0.3:
            made = made.with_overrides(latency_quantile=float(draw.uniform(0.3, 1)))
    return with_own_dnns(made), Uncertainty(int(draw.integers(0, 5)), float(draw.choice([0.05, 0.3, 0.8])))


def candidates(instance: Instance, app: Application) -> list[ApplicationDeployment | str]:
    """Deployments that hold for the application alone as planned, and its name for its rejection."""
    alone = instance.model_copy(update={"applications": (app,)})
    sound = [one for one in decisions(instance, app) if evaluate(alone, Deployment(deployments=(one,))).feasible]
    return [*sound, app.name] if app.rejection_penalty_w is not None else list(sound)


def all_deployments(instance: Instance) -> Iterator[Deployment]:
    for chosen in product(*(candidates(instance, app) for app in instance.applications)):
        served = tuple(one for one in chosen if not isinstance(one, str))
        yield Deployment(deployments=served, rejected=tuple(one for one in chosen if isinstance(one, str)))


def assert_is_the_least_worst(seed: int) -> str:
    """Hold a robust plan against the enumeration of deployments and vertices; return how it ended."""
    instance, uncertainty = drawn(seed)
    every = list(vertices(instance, uncertainty))
    deployments = list(all_deployments(instance))
    if len(deployments) > MOST_DEPLOYMENTS:
        return "too many"
    worsts = [worst for one in deployments if (worst := worst_by_enumeration(every, one)) is not None]
    result = solve_robust(instance, uncertainty)
    if not worsts:
        assert result.status is Status.INFEASIBLE, seed
        return "infeasible"
    assert result.status is Status.OPTIMAL, (seed, result.reason)
    assert result.claimed_objective == pytest.approx(min(worsts), rel=2e-6), seed
    assert result.deployment is not None
    assert worst_by_enumeration(every, result.deployment) == pytest.approx(min(worsts), rel=2e-6), seed
    return "optimal"


def test_robust_plans_are_the_least_of_an_enumeration_of_deployments_and_vertices() -> None:
    ends = [assert_is_the_least_worst(seed) for seed in range(18)]
    assert ends.count("optimal") >= 6


def test_no_more_deviate_than_the_budget_allows() -> None:
    tried = 0
    for seed in range(60):
        made = random_instance(seed, max_nodes=2, max_blocks=5, max_exits=5)
        exits = made.dnns[0].exits
        if len(exits) < 4 or tried == 6:
            continue
        target = max(one.accuracy for one in exits)
        instance = made.with_overrides(accounting=Accounting.EXPECTED, min_accuracy=target, max_latency_s=1.0)
        for budget in (1, 2):
            every = list(vertices(instance, Uncertainty(budget, 0.9)))
            worsts = [worst_by_enumeration(every, one) for one in all_deployments(instance)]
            found = solve_robust(instance, Uncertainty(budget, 0.9)).claimed_objective
            assert found == pytest.approx(min(worst for worst in worsts if worst is not None), rel=2e-6)
        tried += 1
    assert tried == 6


@pytest.mark.slow
def test_robust_plans_are_the_least_on_many_instances() -> None:
    ends = [assert_is_the_least_worst(seed) for seed in range(100, 170)]
    assert ends.count("optimal") >= 25
    assert ends.count("infeasible") >= 8


@pytest.mark.parametrize("seed", range(4))
def test_without_a_budget_the_plan_is_the_plain_optimum(seed: int) -> None:
    instance = random_shared_instance(seed)
    plain, robust = solve(instance), solve_robust(instance, Uncertainty(0, 1.0))
    assert robust.status is plain.status
    if plain.claimed_objective is not None:
        assert robust.claimed_objective == pytest.approx(plain.claimed_objective, rel=1e-6)


def test_a_larger_budget_never_costs_less_and_all_deviations_cost_most() -> None:
    instance = random_shared_instance(2, max_applications=3)
    found = [solve_robust(instance, Uncertainty(budget, 0.2)).claimed_objective for budget in (0, 1, 2, 4, 99)]
    costs = [cost for cost in found if cost is not None]
    assert len(costs) >= 2
    assert all(one <= two * (1 + 1e-6) for one, two in pairwise(costs))


def test_alternatives_deviate_each_by_its_own_shares() -> None:
    base = random_instance(6, max_nodes=3)
    (app,), (dnn,) = base.applications, base.dnns
    other = dnn.model_copy(update={"name": "other", "input_bits": dnn.input_bits / 2})
    several = app.model_copy(update={"dnn": None, "dnns": (dnn.name, "other")})
    instance = base.model_copy(update={"dnns": (dnn, other), "applications": (several,)})
    uncertainty = Uncertainty(1, 0.5)
    worsts = [
        found.objective
        for one in all_deployments(instance)
        if not (found := worst_case(instance, one, uncertainty)).violations and found.objective is not None
    ]
    result = solve_robust(instance, uncertainty)
    assert worsts
    assert result.claimed_objective == pytest.approx(min(worsts), rel=2e-6)
