"""A time limit ends a program's building and its hand-over as well as the solver."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import Any

import pytest

from finbench.models import exhaustive, result
from finbench.models.instance import Instance
from finbench.models.milp import assignment, flow
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.result import Clock, OutOfTime, Result, Status
from tests.random_instances import random_instance

SOLVES: dict[str, Callable[..., Result]] = {
    "flow": lambda instance, **limit: flow.solve(instance, MilpFlowOptions(strengthen=False), **limit),
    "assignment": assignment.solve,
}


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count every look at the clock; the limit has passed after as many looks as the list's number says."""
    left = [10**9]

    def expired(_: Clock) -> bool:
        left[0] -= 1
        return left[0] < 0

    monkeypatch.setattr(Clock, "expired", property(expired))
    monkeypatch.setattr(result, "LOOK_EVERY", 1)
    return left


def one_for(name: str) -> Instance:
    """Return an instance that the method supports, with a deployment, and not the smallest."""
    drawn = (random_instance(seed) for seed in range(200))
    return next(
        one
        for one in drawn
        if len(one.network.nodes) > 3
        and exhaustive.solve(one).deployment is not None
        and (name != "assignment" or not assignment.supports(one))
    )


@pytest.mark.parametrize("name", SOLVES)
def test_wherever_the_time_ends_the_run_ends_with_a_bound(name: str, looks: list[int]) -> None:
    instance = one_for(name)
    before = looks[0]
    truth = SOLVES[name](instance)
    assert truth.claimed_objective is not None
    needed = before - looks[0]
    assert needed > 40, "variables, rows and the hand-over look at the clock one by one"
    reasons = set()
    for most in range(0, needed, max(1, needed // 40)):
        looks[0] = most
        stopped = SOLVES[name](instance)
        assert stopped.status in (Status.TIME_LIMIT, Status.OPTIMAL), most
        assert stopped.lower_bound is not None
        assert stopped.lower_bound <= truth.claimed_objective * (1 + 1e-9)
        reasons.add(stopped.reason)
    assert {f"the time limit passed while the program was {done}" for done in ("built", "handed over")} <= reasons


@pytest.mark.slow
def test_a_program_that_is_too_large_for_its_limit_is_given_up_soon() -> None:
    from finbench.benchmarks.families import generate

    instance = generate("tiered", nodes=800, blocks=20, exits=3, seed=1)
    start = process_time()
    stopped = flow.solve(instance, MilpFlowOptions(strengthen=False), time_limit_s=0.3)
    assert stopped.status is Status.TIME_LIMIT
    assert stopped.reason == "the time limit passed while the program was built"
    assert process_time() - start < 1.3, "without looks at the clock it takes several seconds"


def test_what_is_watched_is_handed_on_whole_or_not_at_all() -> None:
    items: Any = range(10_000)
    assert list(Clock().watch(items)) == list(items)
    with pytest.raises(OutOfTime):
        next(Clock(0.0).watch(items))
