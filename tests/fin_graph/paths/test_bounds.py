"""Bounds and certificates: LB ≤ optimum ≤ UB, always; the sandwich closes."""

from __future__ import annotations

import itertools
from math import inf
from time import process_time

import pytest

from finbench.fin_graph import fin, larac
from finbench.fin_graph.label_setting import solve as label_setting
from finbench.fin_graph.options import FinOptions
from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.bounds import lagrangian_dual, meets, round_down_bound
from finbench.fin_graph.paths.shortest import (
    cheapest_path,
    costs_to_go,
    energies_and_latencies_to_go,
    least_energy_path,
    least_latency_path,
    path_costs,
)
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.result import Status
from tests.random_instances import random_instance

NOISE = 1e-9
SEEDS = range(300)


def instance_of(seed: int) -> Instance:
    return random_instance(seed, zeros=seed % 2 == 0)


def test_dual_and_round_down_stay_below_the_optimum_and_the_incumbent_above() -> None:
    solved = 0
    for seed in SEEDS:
        instance = instance_of(seed)
        problem = path_problem(instance, instance.applications[0])
        optimum = label_setting(instance).claimed_objective
        if problem is None:
            assert optimum is None
            continue
        dual = lagrangian_dual(problem)
        if optimum is None:
            assert dual.incumbent is None
            assert dual.lower_bound == inf
            continue
        solved += 1
        assert dual.incumbent is not None
        assert meets(dual.incumbent.latency, problem.max_latency_s)
        assert dual.lower_bound <= optimum * (1 + NOISE)
        assert dual.incumbent.energy >= optimum * (1 - NOISE)
        bounds = [round_down_bound(problem, gamma) for gamma in (5, 10, 20, 40, 80)]
        assert max(bounds) <= optimum * (1 + NOISE)
        assert all(b >= a * (1 - NOISE) for a, b in itertools.pairwise(bounds)), "monotone in doubling"
    assert solved > 100


def test_doubling_gamma_never_raises_fins_energy() -> None:
    """A step of size δ/γ splits into two: ⌈2γt/δ⌉ ≤ 2⌈γt/δ⌉, so every path that fitted still fits."""
    for seed in SEEDS:
        instance = instance_of(seed)
        if fin.supports(instance) is not None:
            continue
        energies = [
            inf
            if (claimed := fin.solve(instance, FinOptions(gamma=gamma, engine="arrays")).claimed_objective) is None
            else claimed
            for gamma in (3, 6, 12, 24)
        ]
        assert all(b <= a * (1 + NOISE) for a, b in itertools.pairwise(energies))


@pytest.mark.parametrize("tolerance", [0.0, 0.05])
def test_certified_fin_returns_a_valid_sandwich(tolerance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finbench.models.result.perf_counter", process_time)  # whatever else the machine does
    closed = 0
    for seed in range(150):
        instance = instance_of(seed)
        result = fin.solve(instance, FinOptions(gamma=4, certify=tolerance), time_limit_s=0.2)
        optimum = label_setting(instance)
        if optimum.status is Status.INFEASIBLE:
            assert result.status is Status.INFEASIBLE
            continue
        assert result.deployment is not None
        assert result.lower_bound is not None
        assert result.claimed_objective is not None
        assert optimum.claimed_objective is not None
        assert result.lower_bound <= optimum.claimed_objective * (1 + NOISE)
        assert optimum.claimed_objective <= result.claimed_objective * (1 + NOISE)
        judgement = evaluate(instance, result.deployment)
        assert judgement.feasible
        assert judgement.objective == pytest.approx(result.claimed_objective, rel=NOISE, abs=0)
        if result.status is not Status.TIME_LIMIT:
            closed += 1
            assert result.claimed_objective - result.lower_bound <= max(tolerance, NOISE) * result.lower_bound
        history = result.info["sandwich"]
        assert [entry["gamma"] for entry in history] == [4 * 2**k for k in range(len(history))]
    assert closed > 60


def test_larac_is_feasible_with_its_bound() -> None:
    for seed in SEEDS:
        instance = instance_of(seed)
        result, optimum = larac.solve(instance), label_setting(instance)
        assert (result.status is Status.INFEASIBLE) == (optimum.status is Status.INFEASIBLE)
        if result.deployment is None:
            assert result.reason
            continue
        assert evaluate(instance, result.deployment).feasible
        assert result.lower_bound is not None
        assert optimum.claimed_objective is not None
        assert result.lower_bound <= optimum.claimed_objective * (1 + NOISE)


def test_no_multiplier_gives_a_better_bound_than_the_dual() -> None:
    """θ(μ) is concave, so multipliers around the best one, and 0, decide."""
    decided = 0
    for seed in SEEDS:
        instance = instance_of(seed)
        problem = path_problem(instance, instance.applications[0])
        if problem is None or (dual := lagrangian_dual(problem)).lower_bound == inf:
            continue
        decided += dual.multiplier > 0
        for factor in (0.0, 0.5, 0.9, 0.99, 1.0, 1.01, 1.1, 2.0):
            mu = factor * dual.multiplier
            least = float(costs_to_go(problem.edges, 1.0, mu).cost[0, problem.source])
            assert least - mu * problem.max_latency_s <= dual.lower_bound + NOISE * least
    assert decided > 10


def test_costs_to_go_are_attained_by_their_paths() -> None:
    for seed in SEEDS:
        instance = instance_of(seed)
        problem = path_problem(instance, instance.applications[0])
        if problem is None:
            continue
        for weights in ((1.0, 0.0), (0.0, 1.0), (1.0, 0.5)):
            to_go = costs_to_go(problem.edges, *weights)
            path = cheapest_path(problem, to_go)
            if path is None:
                continue
            cost = weights[0] * path.energy + weights[1] * path.latency
            assert cost == pytest.approx(to_go.cost[0, problem.source], rel=NOISE, abs=1e-300)
            energy, latency = energies_and_latencies_to_go(problem.edges, to_go.next_link)
            assert energy[0, problem.source] == pytest.approx(path.energy, rel=NOISE, abs=1e-300)
            assert latency[0, problem.source] == pytest.approx(path.latency, rel=NOISE, abs=1e-300)
            assert path_costs(problem, path.layers, path.nodes) == (path.energy, path.latency)
        cheap, quick = least_energy_path(problem), least_latency_path(problem)
        if cheap is not None and quick is not None:
            assert cheap.energy <= quick.energy * (1 + NOISE)
            assert quick.latency <= cheap.latency * (1 + NOISE)
