"""The master in whole numbers: its memory is limited, and what it says then still holds."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from finbench.benchmarks.families import generate_shared
from finbench.fin_graph.joint.columns import restricted
from finbench.fin_graph.joint.columns.relaxation import Relaxation
from finbench.fin_graph.joint.system import SharedSystem
from finbench.models.result import Clock
from tests.fin_graph.joint.conftest import Desk


def test_a_search_that_takes_too_much_ends_with_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    system = SharedSystem.of(generate_shared("campus", nodes=30, applications=40, load=0.8, seed=2))
    relaxation = Relaxation(system, Clock())
    relaxation.solve()
    master = relaxation.master

    def solved() -> restricted.Whole:
        room, clock = relaxation.room, Clock()
        return restricted.whole_master(
            system, master.columns, master.rows, room, master.scale, clock, seed=0, limit_s=10.0
        )

    free = solved()
    monkeypatch.setattr(restricted, "MOST_BYTES", -(2**50))
    ended = solved()
    assert free.served is not None
    power = sum(usage.power for _, usages in free.served for usage in usages)
    assert ended.bound <= power * (1 + 1e-9)
    assert ended.bound < free.bound, "it went on to the end"


@pytest.mark.parametrize(("over", "fits"), [(0.0, True), (5e-7, True), (2e-6, False)])
def test_it_holds_the_room_that_every_method_holds(desk: Desk, over: float, fits: bool) -> None:
    """Two users fill a server but for a part of the tolerance, or exceed it by more."""
    users = ({"rate_per_s": 5.0 * (1 + over), "pinned": {"1": "server"}, "max_latency_s": 1.0 + k} for k in range(2))
    system = SharedSystem.of(desk(*users))
    relaxation = Relaxation(system, Clock())
    master, rows = relaxation.master, np.arange(system.resources, dtype=np.int32)
    found = restricted.whole_master(
        system, master.columns, rows, relaxation.room, master.scale, Clock(), seed=0, limit_s=10.0
    )
    assert (found.served is not None) is fits
    assert (found.bound == inf) is not fits


def test_without_a_column_for_everybody_there_is_no_solution(desk: Desk) -> None:
    """A short list may hold nothing at all; whoever may be rejected needs no column."""
    for penalty, solvable in ((None, False), (3.0, True)):
        system = SharedSystem.of(desk({"rejection_penalty_w": penalty}))
        room, rows = system.empty_room(), np.zeros(0, np.int32)
        found = restricted.whole_master(system, [], rows, room, 1.0, Clock(), seed=0, limit_s=10.0)
        assert (found.served is not None) is solvable
        assert found.bound == (pytest.approx(3.0) if solvable else inf)
