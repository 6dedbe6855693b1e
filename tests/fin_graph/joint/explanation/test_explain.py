"""Explanations: what they call missing is missing, and what they call sufficient suffices."""

from __future__ import annotations

from itertools import pairwise, product
from math import inf

import numpy as np
import pytest

from finbench.fin_graph.joint.explanation.explain import Explanation, explain
from finbench.fin_graph.joint.system import SharedSystem, resource_name
from finbench.models.instance import Instance, Network
from finbench.models.loads import loads_of, uses
from finbench.models.milp import flow
from finbench.models.result import Status
from finbench.models.step_costs import step_costs
from tests.fin_graph.joint.conftest import Desk
from tests.models.enumeration import decisions
from tests.random_instances import random_shared_instance


def crowded(seed: int) -> Instance:
    """Applications that are each quick enough anywhere, on too little of everything."""
    instance = random_shared_instance(seed, max_applications=3, max_nodes=3, max_blocks=2)
    shrunk = grown(instance, {}, 0.5)
    apps = tuple(app.model_copy(update={"max_latency_s": 1e6 * app.max_latency_s}) for app in shrunk.applications)
    return shrunk.model_copy(update={"applications": apps})


def grown(instance: Instance, factors: dict[tuple[str, str], float], otherwise: float = 1.0) -> Instance:
    """Capacities times factors; powers grow with rates, so that energies stay."""

    def factor(kind: str, subject: str) -> float:
        return factors.get((kind, subject), otherwise)

    nodes = tuple(
        node.model_copy(
            update={
                "compute_ops_per_s": (node.compute_ops_per_s or 0.0) * factor("compute", node.name),
                "power_w": node.power_w * factor("compute", node.name),
                "memory_bytes": None if node.memory_bytes is None else node.memory_bytes * factor("memory", node.name),
            }
        )
        for node in instance.network.nodes
    )
    links = tuple(
        link.model_copy(
            update={
                "bandwidth_bit_per_s": link.bandwidth_bit_per_s * factor("bandwidth", f"{link.source}->{link.target}")
            }
        )
        for link in instance.network.links
    )
    return instance.model_copy(update={"network": Network(name="grown", nodes=nodes, links=links)})


def least_factor(instance: Instance) -> float:
    """Return the smallest maximum utilisation over all combinations of deployments."""
    best, found = inf, []
    for app in instance.applications:
        options = []
        for decision in decisions(instance, app):
            hops = {(link.source, link.target) for link in instance.network.links}
            routes = decision.routes_from(app.source)
            exact = decision.last_exit == next(
                f for f, e in enumerate(instance.dnn_of(app).exits, 1) if e.accuracy >= app.min_accuracy
            )
            pinned = all(app.pins.get(i, name) == name for i, name in enumerate(decision.placement, 1))
            linked = all(pair in hops for route in routes for pair in pairwise(route))
            if exact and pinned and linked:
                options.append((app, list(step_costs(instance, app, decision))))
        found.append(options)
    for served in product(*found):
        fullest = max((use.utilisation for use in uses(instance, loads_of(served))), default=0.0)
        best = min(best, fullest)
    return best


def feasible(instance: Instance) -> bool:
    return flow.solve(instance).status is Status.OPTIMAL


def explanations() -> dict[int, tuple[Instance, Explanation]]:
    found = {}
    for seed in range(40):
        instance = crowded(seed)
        explanation = explain(instance, time_limit_s=20)
        if explanation.factor is not None:
            found[seed] = instance, explanation
    return found


@pytest.fixture(scope="module")
def overloaded() -> dict[int, tuple[Instance, Explanation]]:
    found = explanations()
    assert len(found) >= 8
    return found


def test_the_factor_is_the_least(overloaded: dict[int, tuple[Instance, Explanation]]) -> None:
    for seed, (instance, explanation) in overloaded.items():
        assert explanation.factor is not None
        assert explanation.factor.value == pytest.approx(least_factor(instance), rel=1e-6), seed
        assert explanation.factor.lower_bound == pytest.approx(explanation.factor.value, rel=1e-6), seed


def test_growing_by_the_factor_suffices_and_by_less_does_not(
    overloaded: dict[int, tuple[Instance, Explanation]],
) -> None:
    for seed, (instance, explanation) in overloaded.items():
        assert explanation.factor is not None
        assert feasible(grown(instance, {}, explanation.factor.value * (1 + 1e-5))), seed
        assert not feasible(grown(instance, {}, explanation.factor.value * (1 - 1e-3))), seed


def test_the_fix_suffices_and_every_bit_of_it_is_needed(
    overloaded: dict[int, tuple[Instance, Explanation]],
) -> None:
    for seed, (instance, explanation) in overloaded.items():
        assert explanation.fix is not None
        factors = {(need.resource, need.subject): 1 + need.missing / need.capacity for need in explanation.needs}
        assert feasible(grown(instance, {key: f * (1 + 1e-5) for key, f in factors.items()})), seed
        assert sum(factors.values()) - len(factors) == pytest.approx(explanation.fix.value, rel=1e-5)
        for key, factor in factors.items():
            assert not feasible(grown(instance, {**factors, key: factor - 1e-2 * (factor - 1)})), (seed, key)


def hasty(seed: int) -> Instance:
    """Applications that want their answers sooner than most deployments give them, on capacities without end."""
    instance = random_shared_instance(seed, max_applications=3, max_nodes=4)
    factor = float(10 ** np.random.default_rng(seed).uniform(-3, 0))
    apps = tuple(
        app.model_copy(
            update={
                "max_latency_s": factor * app.max_latency_s,
                "rate_per_s": 1e-9,
                "min_accuracy": max(exit_.accuracy for exit_ in instance.dnn_of(app).exits),
            }
        )
        for app in instance.applications
    )
    nodes = tuple(node.model_copy(update={"memory_bytes": None}) for node in instance.network.nodes)
    network = Network(name="hasty", nodes=nodes, links=instance.network.links)
    return instance.model_copy(update={"network": network, "applications": apps})


def test_obstacles_say_what_would_do() -> None:
    seen = {"max_latency_s": 0, "min_accuracy": 0}
    for seed in range(40):
        instance = hasty(seed)
        for obstacle in explain(instance, time_limit_s=10).obstacles:
            app = next(app for app in instance.applications if app.name == obstacle.application)
            targets = {"max_latency_s": obstacle.least_latency_s, "min_accuracy": obstacle.most_accuracy}
            for field, value in targets.items():
                if value is not None:
                    for target, works in ((value, True), (_stricter(field, value), False)):
                        other = instance.model_copy(update={"applications": (app.model_copy(update={field: target}),)})
                        assert feasible(other) is works, (seed, field)
                    seen[field] += 1
    assert min(seen.values()) >= 3, seen


def without_memory(seed: int) -> Instance:
    """Applications with parameters, on some nodes that have no memory at all."""
    instance, rng = (
        random_shared_instance(seed, max_applications=3, max_nodes=3, max_blocks=2),
        np.random.default_rng(seed),
    )
    nodes = tuple(
        node.model_copy(update={"memory_bytes": 0.0 if rng.random() < 0.8 else None}) for node in instance.network.nodes
    )
    apps = tuple(app.model_copy(update={"max_latency_s": 1e6 * app.max_latency_s}) for app in instance.applications)
    network = Network(name="without-memory", nodes=nodes, links=instance.network.links)
    return instance.model_copy(update={"network": network, "applications": apps})


def test_a_memory_of_nothing_is_named_and_giving_it_what_is_missing_suffices() -> None:
    named = 0
    for seed in range(40):
        instance = without_memory(seed)
        explanation = explain(instance, time_limit_s=10)
        if explanation.fits:
            continue
        assert all("memory" not in obstacle.reason for obstacle in explanation.obstacles)
        missing = {need.subject: need.missing for need in explanation.needs if need.resource == "memory"}
        if not missing:
            continue
        assert all(need.relative is None for need in explanation.needs if need.resource == "memory")
        others = {(n.resource, n.subject): 1 + n.missing / n.capacity for n in explanation.needs if n.capacity > 0}
        for factor, works in ((1 + 1e-5, True), (1 - 1e-2, False)):
            assert feasible(grown(_with_memory(instance, missing, factor), others, 1 + 1e-5)) is works, (seed, factor)
        named += 1
    assert named >= 10


def _with_memory(instance: Instance, bytes_of: dict[str, float], factor: float) -> Instance:
    nodes = tuple(
        node.model_copy(update={"memory_bytes": bytes_of[node.name] * factor} if node.name in bytes_of else {})
        for node in instance.network.nodes
    )
    return instance.model_copy(update={"network": Network(name="given", nodes=nodes, links=instance.network.links)})


def test_a_share_that_cannot_keep_up_is_named_as_the_obstacle(desk: Desk) -> None:
    """No growth helps where blocks come faster than any share runs them: paths and latencies are not the cause."""
    instance = desk({"rate_per_s": 9.0})
    nodes = tuple(node.model_copy(update={"compute_shares": (0.2, 0.5)}) for node in instance.network.nodes)
    slow = instance.model_copy(update={"network": Network(name="slow", nodes=nodes, links=instance.network.links)})
    (obstacle,) = explain(slow).obstacles
    assert obstacle.least_latency_s is None
    assert "keeps up" in obstacle.reason


def _stricter(field: str, value: float) -> float:
    return value * (1 - 1e-4) if field == "max_latency_s" else min(1.0, value + 1e-4)


def test_prices_are_per_unit() -> None:
    seen = 0
    for seed in range(20):
        instance = random_shared_instance(seed, max_applications=5, max_nodes=4, levels=True)
        explanation = explain(instance, time_limit_s=10)
        names = {resource_name(instance.network, r) for r in range(SharedSystem.of(instance).resources)}
        for price in explanation.prices:
            assert (price.resource, price.subject) in names
            assert price.price * price.capacity == pytest.approx(price.price_w)
            assert price.unit == {"compute": "W/execution", "bandwidth": "J/bit", "memory": "W/byte"}.get(
                price.resource, "W for the whole"
            )
            seen += 1
    assert seen > 5
