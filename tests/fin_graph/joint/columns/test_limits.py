"""Column generation under limits of any length: it ends in time, and hands over its bound and what it has."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

from finbench.benchmarks.families import generate_shared
from finbench.fin_graph import fin
from finbench.fin_graph.joint.columns import column_generation
from finbench.fin_graph.joint.columns.pricing import load_pricing
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.result import Result, Status

RUNS = 60
"""Limits drawn for each system."""

LATEST_S = 1.0
"""How much later than its limit a method may end [s]; a tenth of the limit where that is more."""


def campus(nodes: int, applications: int, load: float, seed: int) -> Instance:
    return generate_shared("campus", nodes=nodes, applications=applications, load=load, seed=seed)


SYSTEMS = {
    "one application, no penalty, about a thousand links": (300, 1, 0.2, 1),
    "the same, drawn anew": (300, 1, 0.2, 3),
    "applications that compete": (40, 20, 0.9, 1),
}


def limits(seed: int) -> list[float]:
    return [0.0, *(10 ** np.random.default_rng(seed).uniform(-3, -0.3, RUNS)).tolist()]


def judged(instance: Instance, result: Result) -> None:
    """Assert that a result is whole: a bound, and a deployment that holds or a status that says why there is none."""
    assert result.status in (Status.OPTIMAL, Status.FEASIBLE, Status.TIME_LIMIT)
    assert result.lower_bound is not None
    assert result.lower_bound >= 0
    if result.deployment is None:
        assert result.status is Status.TIME_LIMIT
        assert result.reason
        return
    assert result.claimed_objective is not None
    assert evaluate(instance, result.deployment).feasible
    assert result.lower_bound <= result.claimed_objective


@pytest.mark.parametrize("name", SYSTEMS)
def test_any_limit_ends_with_a_bound(name: str) -> None:
    load_pricing()
    instance = campus(*SYSTEMS[name])
    best = column_generation.solve(instance, time_limit_s=5.0)
    assert best.claimed_objective is not None
    bounds, deployments = 0, 0
    for k, limit in enumerate(limits(7)):
        begun = perf_counter()
        result = column_generation.solve(instance, time_limit_s=limit, seed=k)
        assert perf_counter() - begun <= limit + max(LATEST_S, 0.1 * limit)
        judged(instance, result)
        assert result.lower_bound is not None
        assert result.lower_bound <= best.claimed_objective * (1 + 1e-9)
        bounds += result.lower_bound > 0
        deployments += result.deployment is not None
    assert bounds == RUNS + 1
    assert deployments > 0


def test_fin_for_many_ends_in_time_with_what_it_has() -> None:
    load_pricing()
    instance = campus(40, 20, 0.9, 1)
    deployments = 0
    for k, limit in enumerate(limits(8)[:30]):
        begun = perf_counter()
        result = fin.solve(instance, time_limit_s=limit, seed=k)
        assert perf_counter() - begun <= limit + max(LATEST_S, 0.1 * limit)
        judged(instance, result)
        deployments += result.deployment is not None
    assert deployments > 0
