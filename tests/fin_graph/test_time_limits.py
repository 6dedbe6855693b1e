"""A time limit ends every method on graphs within a layer or a search, and it hands over what it has."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Literal

import pytest

from finbench.fin_graph import fin, larac, mcp, single_node
from finbench.fin_graph.options import FinOptions
from finbench.fin_graph.paths import kernel
from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.kernel import least_energy_replica_path
from finbench.fin_graph.stages import extended
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.result import LOAD, Clock, OutOfTime, Result, Status
from tests.random_instances import random_instance


class Expiring(Clock):
    """Expires at a given look at the time."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.left = looks

    @property
    def expired(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_loading_does_not_count() -> None:
    clock = Clock(0.1)
    with clock.phase(LOAD):
        start = perf_counter()
        while perf_counter() - start < 0.2:
            pass
    assert not clock.expired
    assert clock.elapsed_s < 0.1
    assert clock.times_s[LOAD] >= 0.2
    with pytest.raises(OutOfTime):
        Clock(0.0).check()


def test_a_pass_that_pauses_often_finds_the_same_path(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [path_problem(one, one.applications[0]) for one in map(random_instance, range(60))]
    whole = [problem and least_energy_replica_path(problem, 25) for problem in problems]
    monkeypatch.setattr(kernel, "QUOTA", 1)
    assert [problem and least_energy_replica_path(problem, 25) for problem in problems] == whole


def test_a_pass_stops_wherever_the_time_ends(hard: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = path_problem(hard, hard.applications[0])
    assert problem is not None
    monkeypatch.setattr(kernel, "QUOTA", 1)
    monkeypatch.setattr(kernel, "KEPT_ROWS_BYTES", 0)
    for looks in (0, 1, 5, 30, 60):
        found = least_energy_replica_path(problem, 50, clock=Expiring(looks))
        assert found.stopped
        assert found.layers == ()


@pytest.mark.parametrize("engine", ["arrays", "networkx"])
def test_fin_that_is_stopped_returns_the_path_of_the_dual(
    hard: Instance, monkeypatch: pytest.MonkeyPatch, engine: Literal["arrays", "networkx"]
) -> None:
    monkeypatch.setattr(kernel, "QUOTA", 1)
    result = fin.solve(hard, FinOptions(gamma=20, engine=engine), time_limit_s=0.0)
    assert result.status is Status.TIME_LIMIT
    assert result.deployment is not None
    judgement = evaluate(hard, result.deployment)
    assert judgement.feasible
    assert judgement.objective == pytest.approx(result.claimed_objective, rel=1e-9)


def test_certified_fin_that_is_stopped_returns_its_sandwich(hard: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "QUOTA", 1)
    result = fin.solve(hard, FinOptions(gamma=20, certify=0.0), time_limit_s=0.0)
    assert result.status is Status.TIME_LIMIT
    assert result.lower_bound is not None
    assert result.claimed_objective is not None
    assert result.lower_bound <= result.claimed_objective


def test_certified_fin_that_runs_out_of_memory_returns_its_sandwich(
    hard: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = path_problem(hard, hard.applications[0])
    assert problem is not None
    room = 2 * kernel.rows_bytes(problem, 80)
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": room}))
    monkeypatch.setattr("finbench.models.memory.UNASKED_BYTES", 0)
    result = fin.solve(hard, FinOptions(gamma=20, certify=0.0))
    assert result.status is Status.MEMORY_LIMIT
    assert [entry["gamma"] for entry in result.info["sandwich"]] == [20, 40, 80]
    assert result.deployment is not None
    assert result.lower_bound is not None


@pytest.mark.parametrize("solve", [larac.solve, mcp.solve, single_node.solve])
def test_the_baselines_stop_at_the_time_limit(
    hard: Instance, monkeypatch: pytest.MonkeyPatch, solve: Callable[..., Result]
) -> None:
    monkeypatch.setattr(extended, "LOOK_EVERY", 1)
    result = solve(hard, time_limit_s=0.0)
    assert result.status is Status.TIME_LIMIT
    assert result.deployment is None or evaluate(hard, result.deployment).feasible
