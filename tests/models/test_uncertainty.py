"""The worst that deviating exit shares and rates can do to a deployment."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import load_instance
from finbench.models.uncertainty import Contribution, Uncertainty, largest, worst_case
from tests.deviations import vertices, with_own_dnns, worst_by_enumeration
from tests.models.enumeration import decisions
from tests.random_instances import random_instance, random_shared_instance


def some_deployments(instance: Instance, seed: int, count: int = 4) -> list[Deployment]:
    """Deployments that can be carried out, drawn from all."""
    draw, found = np.random.default_rng(seed), []
    ways = [list(decisions(instance, app)) for app in instance.applications]
    for _ in range(200):
        drawn = Deployment(deployments=tuple(way[int(draw.integers(len(way)))] for way in ways))
        if evaluate(instance, drawn).objective is not None:
            found.append(drawn)
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("budget", [0, 1, 2, 9])
def test_the_largest_sum_is_that_of_the_worst_choice(budget: int) -> None:
    draw = np.random.default_rng(budget)
    for _ in range(50):
        parts = [
            Contribution(
                draw.uniform(0, 2), tuple(draw.uniform(0, 1, int(draw.integers(0, 4)))), float(draw.choice([0, 0.5]))
            )
            for _ in range(int(draw.integers(1, 4)))
        ]
        data = [(h, e) for h, part in enumerate(parts) for e in range(-1, len(part.gains))]
        worst = max(
            sum(
                (1 + part.growth * ((h, -1) in chosen))
                * (part.base + sum(gain for e, gain in enumerate(part.gains) if (h, e) in chosen))
                for h, part in enumerate(parts)
            )
            for count in range(min(budget, len(data)) + 1)
            for chosen in map(set, combinations(data, count))
        )
        assert largest(parts, budget) == pytest.approx(worst, rel=1e-12)


def test_a_deployment_is_at_worst_what_the_worst_vertex_says() -> None:
    broken = judged = 0
    for seed, (budget, deviation) in product(range(20), [(1, 0.5), (2, 0.2)]):
        made = (
            random_shared_instance(seed, max_blocks=2, levels=True)
            if seed % 2
            else random_instance(seed, max_nodes=3, max_blocks=4)
        )
        if seed % 8 == 0:
            made = made.with_overrides(latency_quantile=0.6)
        instance, uncertainty = with_own_dnns(made), Uncertainty(budget, deviation)
        every = list(vertices(instance, uncertainty))
        for deployment in some_deployments(instance, seed):
            found = worst_case(instance, deployment, uncertainty)
            expected = worst_by_enumeration(every, deployment)
            judged, broken = judged + 1, broken + (expected is None)
            assert (expected is None) == bool(found.violations)
            if expected is not None:
                assert found.objective == pytest.approx(expected, rel=1e-9)
    assert judged > 60
    assert 10 < broken < judged - 10


def test_without_a_budget_the_worst_is_the_plan_itself() -> None:
    instance = load_instance("balexnet-cifar10")
    for deployment in some_deployments(instance, 1):
        judged = evaluate(instance, deployment)
        found = worst_case(instance, deployment, Uncertainty(0, 1.0))
        assert found.objective == pytest.approx(judged.objective, rel=1e-12)
        assert found.violations == judged.violations
