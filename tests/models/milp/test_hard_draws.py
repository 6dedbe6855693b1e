"""Draws of hard numbers: whatever an exact method claims of them, complete enumeration agrees."""

from __future__ import annotations

import pytest

from finbench.benchmarks.methods import Choice, run_method
from finbench.models import exhaustive
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.result import Result, Status
from tests.few_and_many import few_and_many
from tests.models.milp.hard_draws import DRAWS

METHODS: tuple[Choice, ...] = (
    ("milp-flow", {}),
    ("milp-flow", {"strengthen": False}),
    ("milp-assignment", {}),
    ("label-setting", {}),
    ("column-generation", {}),
)

BLOCKS, SEEDS = 8, 160


def assert_true(instance: Instance, truth: Result, found: Result) -> None:
    """Assert that enumeration refutes nothing of what a method claims."""
    if found.deployment is not None:
        judged = evaluate(instance, found.deployment)
        assert judged.violations == ()
        assert found.claimed_objective == pytest.approx(judged.objective, rel=1e-6)
    if truth.claimed_objective is None:
        assert found.status in (Status.INFEASIBLE, Status.NO_SOLUTION, Status.ERROR)
        return
    assert found.status is not Status.INFEASIBLE, found.reason
    if found.lower_bound is not None:
        assert found.lower_bound <= truth.claimed_objective * (1 + 1e-6)
    if found.status is Status.OPTIMAL:
        assert found.claimed_objective == pytest.approx(truth.claimed_objective, rel=1e-6, abs=0)


@pytest.mark.parametrize("block", few_and_many(range(BLOCKS), 1))
@pytest.mark.parametrize("kind", DRAWS)
def test_enumeration_refutes_no_claim(kind: str, block: int) -> None:
    optimal = infeasible = undecided = 0
    for seed in range(SEEDS)[block::BLOCKS]:
        instance = DRAWS[kind](seed)
        truth = exhaustive.solve(instance)
        infeasible += truth.claimed_objective is None
        for method, options in METHODS:
            found = run_method(instance, method, **options)
            if found.status is Status.UNSUPPORTED:
                continue
            try:
                assert_true(instance, truth, found)
            except AssertionError as error:
                raise AssertionError(f"{kind}, seed {seed}, {method} {options}: {error}") from None
            optimal += found.status is Status.OPTIMAL
            undecided += found.status in (Status.ERROR, Status.NO_SOLUTION, Status.FEASIBLE)
    assert optimal >= 20
    assert undecided <= optimal / 10
    assert infeasible <= 0.75 * SEEDS / BLOCKS
