"""The master in whole numbers: its memory is limited, and what it says then still holds."""

from __future__ import annotations

import pytest

from finbench.benchmarks.families import generate_shared
from finbench.fin_graph.joint.columns import restricted
from finbench.fin_graph.joint.columns.relaxation import Relaxation
from finbench.fin_graph.joint.system import System
from finbench.models.result import Clock


def test_a_search_that_takes_too_much_ends_with_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System.of(generate_shared("campus", nodes=30, applications=40, load=0.8, seed=2))
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
