"""Searches for all groups at once find what a search for each group finds, on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.benchmarks.families import generate_shared
from finbench.fin_graph.joint.columns.pricing import Pricer
from finbench.fin_graph.joint.fin.everyone import Everyone
from finbench.fin_graph.joint.system import SharedSystem
from finbench.fin_graph.paths.arrays import Floats
from tests.random_instances import random_shared_instance


def drawn_prices(system: SharedSystem, seed: int) -> list[Floats]:
    rng, size = np.random.default_rng(seed), system.resources
    return [scale * rng.uniform(0, 1, size) * (rng.random(size) < 0.5) for scale in (0.0, 0.1, 10.0, 1.0)]


def systems() -> list[SharedSystem]:
    drawn = [random_shared_instance(seed, levels=seed % 2 == 0, penalties=True) for seed in range(30)]
    drawn += [generate_shared("campus", nodes=20, applications=40, load=1.2, seed=3)]
    return [SharedSystem.of(instance, reachable=True) for instance in drawn]


@pytest.mark.parametrize("with_power", [True, False])
def test_all_at_once_find_what_each_finds(with_power: bool) -> None:
    found = 0
    for seed, system in enumerate(systems()):
        room = system.empty_room()
        everyone, pricer = Everyone(system, room), Pricer(system, room)
        for prices in drawn_prices(system, seed):
            for g, best in enumerate(everyone.search(prices, with_power=with_power)):
                priced = pricer.price(g, prices, with_power=with_power)
                assert best.bound == pytest.approx(priced.bound, rel=1e-9)
                assert best.cost == pytest.approx(priced.cost, rel=1e-9)
                if best.usage is not None and with_power:
                    assert best.usage.cost(prices) == pytest.approx(best.cost, rel=1e-9)
                    found += 1
    assert found >= 200 * with_power


def test_threads_change_nothing() -> None:
    instance = generate_shared("campus", nodes=80, applications=150, load=1.2, seed=4)
    system = SharedSystem.of(instance, reachable=True)
    room = system.empty_room()
    one, three = Everyone(system, room), Everyone(system, room, threads=3)
    assert len(system.groups) > 64  # more than one thread takes at once
    for prices in drawn_prices(system, 1):
        for best, other in zip(one.search(prices), three.search(prices), strict=True):
            assert (best.bound, best.cost) == (other.bound, other.cost)
            assert best.usage is not None
            assert other.usage is not None
            assert best.usage.deployment == other.usage.deployment


def test_every_way_that_is_known_fits() -> None:
    system = systems()[-1]
    everyone, room = Everyone(system), system.empty_room()
    for prices in drawn_prices(system, 1):
        everyone.search(prices)
    ways = [usage for usages in everyone.ways() for usage in usages]
    assert len(ways) > len(system.groups)
    assert all(usage.fits(room) for usage in ways)
