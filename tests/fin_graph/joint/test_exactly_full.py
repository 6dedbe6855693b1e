"""Where a capacity is exactly full, bounds are bounds, and `optimal` and `infeasible` are claimed only where true."""

from __future__ import annotations

import pytest

from finbench.fin_graph import fin
from finbench.fin_graph.joint.columns import column_generation
from finbench.fin_graph.options import FinOptions
from finbench.models import exhaustive
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.result import Result, Status
from tests.few_and_many import few_and_many
from tests.fin_graph.joint.exactly_full import exactly_full

SEEDS = range(240)


def checked(instance: Instance, truth: Result, found: Result) -> None:
    """Assert that a result claims nothing that complete enumeration refutes."""
    if found.deployment is not None:
        assert evaluate(instance, found.deployment).feasible
    if truth.claimed_objective is None:
        assert truth.status is Status.INFEASIBLE
        assert found.deployment is None
        return
    assert found.status is not Status.INFEASIBLE, found.reason
    assert found.lower_bound is not None
    assert found.lower_bound <= truth.claimed_objective * (1 + 1e-9)
    if found.status is Status.OPTIMAL:
        assert found.claimed_objective == pytest.approx(truth.claimed_objective, rel=1e-8)


@pytest.mark.parametrize("block", few_and_many(range(8), 2))
def test_no_claim_is_refuted_by_complete_enumeration(block: int) -> None:
    endings = dict.fromkeys(Status, 0)
    for seed in SEEDS[block::8]:
        instance = exactly_full(seed)
        truth = exhaustive.solve(instance)
        priced = column_generation.solve(instance)
        checked(instance, truth, priced)
        checked(instance, truth, fin.solve(instance, FinOptions(effort=0.1)))
        assert priced.status is truth.status, (seed, priced.reason)
        endings[truth.status] += 1
    assert endings[Status.OPTIMAL] >= 20
    assert endings[Status.OPTIMAL] + endings[Status.INFEASIBLE] == len(SEEDS) / 8


def test_fin_is_close_to_the_optimum_where_something_is_full() -> None:
    """The camera's only cheap path is one that rounding up to steps loses."""
    apart = []
    for seed in range(4, 84, 8):
        instance = exactly_full(seed)
        truth, found = exhaustive.solve(instance), fin.solve(instance)
        if truth.claimed_objective is not None and found.claimed_objective is not None:
            apart.append(found.claimed_objective / truth.claimed_objective - 1)
    assert len(apart) >= 8
    assert max(apart) <= 1e-6
