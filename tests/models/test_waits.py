"""A time before every run at a node (`wait_s`, eq. 2): in latencies alone, and the same in every method."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from finbench.benchmarks.methods import run_method
from finbench.fin_graph.certifying import certificate_of
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import load_instance
from finbench.models.verify.verdict import Ruling, verify
from tests.models.enumeration import least_objective, objectives_alone
from tests.random_instances import random_instance, random_shared_instance

EXACT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("label-setting", {}),
    ("exhaustive", {}),
    ("milp-flow", {}),
    ("milp-flow", {"strengthen": False}),
)
HEURISTIC: tuple[tuple[str, dict[str, Any]], ...] = (
    ("fin", {"gamma": 200}),
    ("fin", {"gamma": 20, "engine": "networkx"}),
    ("larac", {}),
    ("single-node", {}),
)


def waiting(instance: Instance, seed: int) -> Instance:
    """The instance with random waits at about half of its nodes, up to a quarter of the largest target."""
    rng = np.random.default_rng(seed)
    most = max(app.max_latency_s for app in instance.applications) / 4
    nodes = tuple(
        node.model_copy(update={"wait_s": float(rng.choice([0.0, rng.uniform(0, most)]))})
        for node in instance.network.nodes
    )
    return instance.model_copy(update={"network": instance.network.model_copy(update={"nodes": nodes})})


def test_a_wait_adds_to_the_latency_of_every_run_and_to_nothing_else() -> None:
    instance = load_instance("blenet-mnist")
    found = run_method(instance, "label-setting").deployment
    assert found is not None
    nodes = tuple(node.model_copy(update={"wait_s": 1e-3}) for node in instance.network.nodes)
    slow = instance.model_copy(update={"network": instance.network.model_copy(update={"nodes": nodes})})
    (before,), (after,) = evaluate(instance, found).applications, evaluate(slow, found).applications
    weights = instance.latency_weights(instance.applications[0])[: len(found.deployments[0].placement)]
    assert after.latency_s == pytest.approx(before.latency_s + 1e-3 * sum(weights), rel=1e-12)
    assert after.energy_j == before.energy_j
    assert evaluate(slow, found).loads == evaluate(instance, found).loads
    assert instance.content_hash != slow.content_hash


@pytest.mark.parametrize("seed", [pytest.param(s, marks=[pytest.mark.slow] if s > 5 else []) for s in range(16)])
def test_methods_agree_with_enumeration_where_nodes_wait(seed: int) -> None:
    instance = waiting(random_instance(seed, max_nodes=3, max_blocks=3), seed)
    best = next(iter(objectives_alone(instance)), None)
    for method, options in (*EXACT, *HEURISTIC):
        found = run_method(instance, method, **options).deployment
        if (method, options) in EXACT:
            assert (found is None) == (best is None), method
        if found is not None:
            judged = evaluate(instance, found)
            assert judged.feasible, (method, judged.violations)
            assert best is not None
            assert judged.objective is not None
            assert judged.objective == pytest.approx(best, rel=1e-6) or method not in dict(EXACT), method
            assert judged.objective >= best * (1 - 1e-6), method


@pytest.mark.parametrize("seed", [pytest.param(s, marks=[pytest.mark.slow] if s > 1 else []) for s in range(8)])
def test_shared_systems_agree_with_enumeration_where_nodes_wait(seed: int) -> None:
    instance = waiting(random_shared_instance(seed, penalties=True, levels=seed % 2 == 0), seed)
    best = least_objective(instance)
    for method in ("milp-flow", "column-generation", "fin"):
        result = run_method(instance, method, time_limit_s=20)
        assert (result.deployment is None) == (best is None) or method == "fin"
        if result.deployment is not None:
            judged = evaluate(instance, result.deployment)
            assert judged.feasible, (method, judged.violations)
            assert judged.objective == pytest.approx(best, rel=1e-6) or method != "milp-flow"
        if result.lower_bound is not None and best is not None:
            assert result.lower_bound <= best * (1 + 1e-6)


def test_some_optima_change_with_the_waits() -> None:
    changed = Counter(
        objectives_alone(instance)[:1] != objectives_alone(waiting(instance, seed))[:1]
        for seed in range(30)
        if (instance := random_instance(seed, max_nodes=3, max_blocks=3))
    )
    assert changed[True] >= 3


def test_the_exact_checker_counts_waits() -> None:
    proven = 0
    for seed in range(40):
        instance = waiting(random_instance(seed, max_nodes=3, max_blocks=3), seed)
        result = run_method(instance, "label-setting")
        certificate = certificate_of(instance, "label-setting", result)
        if result.deployment is None or certificate is None:
            continue
        assert verify(instance, result.deployment, certificate).verdict is Ruling.PROVEN
        proven += 1
    assert proven > 15


def test_the_exact_checker_refutes_what_waits_make_late() -> None:
    instance = load_instance("blenet-mnist")
    found = run_method(instance, "label-setting").deployment
    assert found is not None
    assert verify(instance, found).verdict is not Ruling.REFUTED
    nodes = tuple(node.model_copy(update={"wait_s": 1.0}) for node in instance.network.nodes)
    slow = instance.model_copy(update={"network": instance.network.model_copy(update={"nodes": nodes})})
    assert verify(slow, found).verdict is Ruling.REFUTED
