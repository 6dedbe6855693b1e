"""Methods of one path on applications with alternatives (eq. 29): one run is the best of the runs on each alone."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from finbench.benchmarks.methods import run_method
from finbench.fin_graph.certifying import certificate_of
from finbench.fin_graph.frontier import frontiers
from finbench.fin_graph.paths.support import reason_to_refuse
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.result import Result, Status
from finbench.models.verify.verdict import Ruling, verify
from tests.extended_instances import copied_alternatives, extended_instance
from tests.few_and_many import few_and_many
from tests.models.enumeration import objectives_alone

METHODS: list[tuple[str, dict[str, Any]]] = [
    ("label-setting", {}),
    ("fin", {"gamma": 20, "engine": "arrays"}),
    ("fin", {"gamma": 20, "engine": "networkx"}),
    ("mcp", {}),
    ("single-node", {}),
]
SEEDS = few_and_many(range(120), 16)


def drawn(seed: int) -> Instance | None:
    """An instance with alternatives that methods of one path take; None where the draw is none."""
    instance = extended_instance(seed, alternatives=True)
    return instance if reason_to_refuse(instance) is None else None


def alone(instance: Instance) -> list[Instance]:
    """The instance once for each alternative."""
    (app,) = instance.applications
    return [instance.model_copy(update={"applications": (choice,)}) for choice in app.choices]


def objective(result: Result) -> float:
    return inf if result.claimed_objective is None else result.claimed_objective


@pytest.mark.parametrize(("method", "options"), METHODS, ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_one_run_finds_the_best_of_the_runs_on_each(seed: int, method: str, options: dict[str, Any]) -> None:
    instance = drawn(seed)
    if instance is None:
        return
    result = run_method(instance, method, **options)
    single = [run_method(one, method, **options) for one in alone(instance)]
    assert objective(result) == pytest.approx(min(map(objective, single)), rel=1e-9)
    if result.deployment is not None:
        assert evaluate(instance, result.deployment).feasible
    else:
        assert result.status is Status.NO_SOLUTION or {one.status for one in single} == {Status.INFEASIBLE}


@pytest.mark.parametrize("seed", SEEDS)
def test_larac_and_certified_fin_bound_the_optimum_of_all_alternatives(seed: int) -> None:
    instance = drawn(seed)
    if instance is None:
        return
    optimum = objective(run_method(instance, "label-setting"))
    runs: list[tuple[str, dict[str, Any]]] = [("larac", {}), ("fin", {"certify": 0.0, "gamma": 3})]
    for method, options in runs:
        result = run_method(instance, method, **options)
        assert (result.status is Status.INFEASIBLE) == (optimum == inf)
        if optimum < inf:
            assert result.lower_bound is not None
            assert result.lower_bound <= optimum * (1 + 1e-9)
            assert objective(result) >= optimum * (1 - 1e-9)


@pytest.mark.parametrize("seed", few_and_many(range(60), 8))
def test_the_k_least_are_those_of_all_alternatives(seed: int) -> None:
    instance = drawn(seed)
    if instance is None or len(instance.network.nodes) > 3 or max(len(dnn.blocks) for dnn in instance.dnns) > 3:
        return
    result = run_method(instance, "label-setting", k=4)
    weight = instance.applications[0].weight
    found = [objective(result), *(weight * other["energy_j"] for other in result.info.get("runners_up", ()))]
    truth = objectives_alone(instance)
    assert found == pytest.approx(truth[:4] if truth else [inf], rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_frontier_of_each_alternative_holds_its_optimum(seed: int) -> None:
    instance = drawn(seed)
    if instance is None:
        return
    (app,) = instance.applications
    corners = [
        energy
        for one in frontiers(instance, app, gamma=10)
        if one.accuracy >= app.min_accuracy
        for budget, energy in one.exact or ()
        if budget <= app.max_latency_s
    ]
    optimum = objective(run_method(instance, "label-setting"))
    assert app.weight * min(corners, default=inf) == pytest.approx(optimum, rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_exact_checker_proves_the_optimum_over_all_alternatives(seed: int) -> None:
    instance = drawn(seed)
    if instance is None:
        return
    result = run_method(instance, "label-setting")
    found = verify(instance, result.deployment, certificate_of(instance, "label-setting", result))
    assert found.verdict is Ruling.PROVEN, found.sentence


def test_a_worse_alternative_is_not_proven_to_be_the_best() -> None:
    judged = 0
    for instance in filter(None, map(drawn, range(40))):
        best = run_method(instance, "label-setting")
        for other in (run_method(one, "label-setting") for one in alone(instance)):
            if other.deployment is not None and objective(other) > 1.01 * objective(best):
                found = verify(instance, other.deployment, certificate_of(instance, "label-setting", best))
                assert found.verdict is Ruling.NOT_PROVEN
                judged += 1
    assert judged > 5


def test_copies_leave_the_answers_of_all_methods_as_they_are() -> None:
    for seed in range(20):
        plain = extended_instance(seed)
        for method, options in METHODS:
            one, other = (run_method(each, method, **options) for each in (plain, copied_alternatives(plain)))
            assert one.status is other.status
            assert objective(one) == pytest.approx(objective(other), rel=1e-9)
