"""Pricing and listing against every deployment there is."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from finbench.fin_graph.joint.columns.pricing import Pricer
from finbench.fin_graph.joint.system import SharedSystem, resource_name
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.loads import Resource, uses
from finbench.models.result import Clock
from tests.models.enumeration import decisions
from tests.random_instances import random_shared_instance

SEEDS = range(50)


def tight(seed: int) -> Instance:
    """Return an instance of one application and many nodes, with a tight latency target and small capacities."""
    instance, rng = random_shared_instance(seed, max_nodes=4, direct_only=True), np.random.default_rng(seed)
    app = instance.applications[0]
    app = app.model_copy(
        update={"max_latency_s": app.max_latency_s * 10 ** rng.uniform(-1, 0), "rate_per_s": app.weight * 3}
    )
    return instance.model_copy(update={"applications": (app,)})


def fitting(instance: Instance, system: SharedSystem) -> list[tuple[float, Floats]]:
    """Return power and resource fractions of every deployment that passes when the application is alone."""
    number = {resource_name(instance.network, r): r for r in range(system.resources)}
    found = []
    for decision in decisions(instance, instance.applications[0]):
        judged = evaluate(instance, Deployment(deployments=(decision,)))
        if judged.objective is None or not judged.feasible:
            continue
        taken = np.zeros(system.resources)
        for use in uses(instance, judged.loads):
            if use.resource is not Resource.RESERVATION:
                taken[number[use.resource.value, use.subject]] = use.utilisation
        found.append((judged.objective, taken))
    return found


@pytest.fixture(scope="module")
def cases() -> list[tuple[SharedSystem, list[tuple[float, Floats]], list[Floats]]]:
    """Return systems, each with all deployments that fit and with some prices."""
    found = []
    for seed in SEEDS:
        instance = tight(seed)
        system, rng = SharedSystem.of(instance), np.random.default_rng(seed)
        options = fitting(instance, system)
        scale = np.mean([power for power, _ in options]) if options else 1.0
        prices = [scale * rng.exponential(1, system.resources) * (rng.random(system.resources) < 0.5) for _ in range(8)]
        found.append((system, options, prices))
    assert sum(bool(options) for _, options, _ in found) >= 25
    return found


def test_the_price_bound_and_cost_enclose_the_cheapest_fitting_usage(
    cases: list[tuple[SharedSystem, list[tuple[float, Floats]], list[Floats]]],
) -> None:
    between = exact = 0
    for system, options, some in cases:
        pricer = Pricer(system, system.empty_room())
        for prices in some:
            least = min((power + float(prices @ taken) for power, taken in options), default=inf)
            priced = pricer.price(0, prices)
            if not options:
                continue
            assert priced.bound <= least * (1 + 1e-9)
            if priced.usage is not None and priced.usage.fits(system.empty_room()):
                assert priced.cost >= least * (1 - 1e-9)
            between += int(priced.bound < least * (1 - 1e-6))
            best = pricer.exact(0, prices, Clock())
            if best.usage is not None and best.usage.fits(system.empty_room()):
                assert best.cost == pytest.approx(least, rel=1e-9)
                exact += 1
    assert between >= 5
    assert exact >= 100


def test_a_list_holds_the_cheapest_at_any_prices(
    cases: list[tuple[SharedSystem, list[tuple[float, Floats]], list[Floats]]],
) -> None:
    for system, options, some in cases[:25]:
        pricer, nothing = Pricer(system, system.empty_room()), np.zeros(system.resources)
        if not options or not pricer.servable(0):
            continue
        rows = np.arange(system.resources, dtype=np.int32)
        usages = pricer.within(0, nothing, inf, rows)
        assert usages is not None
        for prices in some:
            least = min(power + float(prices @ taken) for power, taken in options)
            assert min(usage.cost(prices) for usage in usages) == pytest.approx(least, rel=1e-9)
            # Of few rows, more is listed than fits.
            few, limit = prices * (np.arange(system.resources) % 4 == 0), least * 1.2
            least = min(power + float(few @ taken) for power, taken in options)
            listed = pricer.within(0, few, limit, np.flatnonzero(few).astype(np.int32))
            assert listed is not None
            assert min(usage.cost(few) for usage in listed) <= least * (1 + 1e-9)
            assert all(usage.cost(few) < limit for usage in listed)


def test_a_list_keeps_what_is_quicker(hard: Instance) -> None:
    """Energies and latencies that pull apart: the cheapest of each node's ways is often too late in the end."""
    system = SharedSystem.of(hard)
    pricer, nothing = Pricer(system), np.zeros(system.resources)
    best = pricer.exact(0, nothing, Clock())
    usages = pricer.within(0, nothing, best.cost * (1 + 1e-6), np.zeros(0, np.int32))
    assert usages is not None
    assert min(usage.power for usage in usages) == pytest.approx(best.cost, rel=1e-12)
