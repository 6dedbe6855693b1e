"""Improvement keeps what fits, never costs more, and finds what one exchange brings."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.fin_graph.joint.fin.alone import everyone_alone
from finbench.fin_graph.joint.fin.improvement import improve
from finbench.fin_graph.joint.fin.insertion import insert_all, ordered
from finbench.fin_graph.joint.fin.occupancy import Occupancy
from finbench.fin_graph.joint.fin.resolution import Resolution
from finbench.fin_graph.joint.system import SharedSystem, joint_deployment
from finbench.models.evaluate import evaluate
from finbench.models.result import Clock
from tests.fin_graph.joint.conftest import Desk
from tests.random_instances import random_shared_instance


def inserted(system: SharedSystem, order: list[int]) -> Occupancy:
    occupancy = Occupancy(system, 1.0)
    insert_all(occupancy, order, np.zeros(system.resources), Resolution(50), Clock())
    return occupancy


@pytest.mark.parametrize("seed", range(30))
def test_it_never_costs_more(seed: int) -> None:
    instance = random_shared_instance(
        seed, max_applications=6, max_nodes=6, max_blocks=4, levels=seed % 3 == 0, penalties=True
    )
    system = SharedSystem.of(instance)
    before = inserted(system, list(range(len(system.groups))))
    watched: list[float] = []
    served = improve(system, before.served(), clock=Clock(), steps=Resolution(50), moves=60, watch=watched.append)
    after = Occupancy.of(system, served, 1.0)
    assert after.left_out <= before.left_out
    if after.left_out == before.left_out:
        assert after.objective <= before.objective * (1 + 1e-12)
    if not after.left_out:
        judged = evaluate(instance, joint_deployment(served))
        assert judged.violations == ()
        assert judged.objective == pytest.approx(after.objective)
        assert watched == sorted(watched, reverse=True)


def test_two_exchange_their_nodes(desk: Desk) -> None:
    """Whoever comes first takes the server; it should be the one with the higher rate."""
    instance = desk({"rate_per_s": 4.0}, {"rate_per_s": 8.0})
    system = SharedSystem.of(instance)
    before = inserted(system, [0, 1])
    assert before.objective == pytest.approx(4 * 1 + 8 * 100)
    served = improve(system, before.served(), clock=Clock(), moves=50)
    assert Occupancy.of(system, served, 1.0).objective == pytest.approx(4 * 100 + 8 * 1)


def test_improvement_makes_room_for_an_application_that_was_left_out(desk: Desk) -> None:
    """The one that needs the server's room is tight: the others must make way."""
    instance = desk({"rate_per_s": 6.0}, {"rate_per_s": 9.0, "pinned": {"1": "server"}})
    system = SharedSystem.of(instance)
    before = inserted(system, [0, 1])
    assert before.left_out == 1
    after = Occupancy.of(system, improve(system, before.served(), clock=Clock(), moves=50), 1.0)
    assert after.left_out == 0


def test_an_occupancy_comes_back_to_where_it_was() -> None:
    instance = random_shared_instance(7, max_applications=6, max_nodes=5, max_blocks=4)
    system = SharedSystem.of(instance)
    occupancy = inserted(system, ordered(system, everyone_alone(system, Resolution(50), Clock()), "largest"))
    lots, room, cost = dict(occupancy.lots), occupancy.room.copy(), occupancy.cost
    users = [occupancy.users(resource) for resource in range(system.resources)]
    before = occupancy.snapshot()
    for number in list(occupancy.lots):
        lot = occupancy.lots[number]
        occupancy.remove(number, lot.times)
        if number % 2:
            occupancy.serve(lot.group, lot.usage, 1)
    occupancy.restore(before)
    assert occupancy.lots == lots
    assert np.array_equal(occupancy.room, room)
    assert occupancy.cost == cost
    assert [sorted(occupancy.users(resource)) for resource in range(system.resources)] == [sorted(one) for one in users]
