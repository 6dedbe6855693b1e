"""A choice among known ways fits, costs no more than the one before, and is the best on small systems."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from finbench.benchmarks.families import generate_shared
from finbench.fin_graph.joint.fin.everyone import Everyone
from finbench.fin_graph.joint.fin.exchange import exchanged
from finbench.fin_graph.joint.fin.occupancy import Occupancy
from finbench.fin_graph.joint.system import SharedSystem, Usage
from finbench.models.result import Clock


def known_ways(system: SharedSystem, seed: int) -> list[list[Usage]]:
    everyone, rng = Everyone(system, system.empty_room()), np.random.default_rng(seed)
    for scale in (0.0, 3.0, 10.0, 30.0):
        everyone.search(scale * rng.random(system.resources))
    return everyone.ways()


def cheapest_of_all(system: SharedSystem, ways: list[list[Usage]]) -> float:
    """Try every choice of one way, or none, for every member."""
    least = np.inf
    units = [(group.penalty or 0.0, usages) for group, usages in zip(system.groups, ways, strict=True)]
    members = [unit for unit, group in zip(units, system.groups, strict=True) for _ in group.members]
    for chosen in product(*([None, *usages] for _, usages in members)):
        room = system.empty_room()
        for usage in chosen:
            if usage is not None:
                usage.take(room)
        if room.min() >= -1e-9:
            cost = (
                refusal if usage is None else usage.power for (refusal, _), usage in zip(members, chosen, strict=True)
            )
            least = min(least, sum(cost))
    return least


@pytest.mark.parametrize("seed", range(6))
def test_the_best_choice_is_found_on_a_small_system(seed: int) -> None:
    instance = generate_shared("campus", nodes=6, applications=4, load=1.3, seed=seed, penalty=5.0)
    system = SharedSystem.of(instance, reachable=True)
    ways = known_ways(system, seed)
    before = Occupancy(system, 1.0)
    scale = before.objective / 20
    found = exchanged(before, ways, np.zeros(system.resources), scale, 50_000, np.random.default_rng(seed), Clock())
    assert found.objective == pytest.approx(cheapest_of_all(system, ways), rel=1e-9)
    assert found.room.min() >= -1e-9


def test_a_choice_is_never_dearer_than_before() -> None:
    instance = generate_shared("campus", nodes=20, applications=60, load=1.2, seed=1, penalty=5.0)
    system, random = SharedSystem.of(instance, reachable=True), np.random.default_rng(1)
    occupancy, ways = Occupancy(system, 1.0), known_ways(system, 1)
    for proposals in (0, 100, 10_000, 1000, 0):
        found = exchanged(occupancy, ways, np.zeros(system.resources), 10.0, proposals, random, Clock())
        assert found.objective <= occupancy.objective * (1 + 1e-12)
        assert found.cost == pytest.approx(found.objective, rel=1e-9)
        assert found.room.min() >= -1e-9
        occupancy = found
    assert occupancy.objective < 0.8 * Occupancy(system, 1.0).objective
