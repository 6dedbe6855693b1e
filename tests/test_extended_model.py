"""Every method on instances that use what version 2 of the file format added."""

from __future__ import annotations

from typing import Any

import pytest

from finbench.benchmarks.methods import run_method
from finbench.models import exhaustive
from finbench.models.cp_sat import method
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.milp import assignment, flow
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.milp.solvers.registry import SOLVERS, SolverName, reason_not_to_use
from finbench.models.options import ReducedProgramOptions
from finbench.models.result import Result, Status
from finbench.models.tolerances import FLOAT_NOISE, equal_energy
from tests.extended_instances import FIELDS, extended_instance, extended_shared_instance
from tests.few_and_many import few_and_many
from tests.models.cp_sat.conftest import one_process, worker

__all__ = ["one_process", "worker"]

ALONE = ("fin", "larac", "mcp", "single-node")
SHARING = ("fin", "greedy")
OPTIONS: dict[str, dict[str, Any]] = {"fin": {"gamma": 50}}


def assert_optimal(instance: Instance, result: Result, truth: Result) -> None:
    """The truth's status and objective, and a deployment that the evaluator passes at that objective."""
    assert result.status is truth.status, result.reason
    if truth.claimed_objective is None:
        assert result.reason
        return
    assert result.claimed_objective is not None
    assert equal_energy(result.claimed_objective, truth.claimed_objective)
    assert_true(instance, result)


def assert_true(instance: Instance, result: Result) -> float | None:
    """What a method hands over passes the evaluator at the claimed objective, which is returned."""
    if result.deployment is None:
        return None
    judged = evaluate(instance, result.deployment)
    assert judged.violations == ()
    assert judged.objective == pytest.approx(result.claimed_objective, rel=1e-9, abs=1e-300)
    return judged.objective


def assert_exact_methods_agree(instance: Instance) -> Result:
    truth = exhaustive.solve(instance)
    assert truth.status in (Status.OPTIMAL, Status.INFEASIBLE)
    assert_true(instance, truth)
    for options in (MilpFlowOptions(), MilpFlowOptions(strengthen=False)):
        assert_optimal(instance, flow.solve(instance, options), truth)
    if assignment.supports(instance) is None:
        assert_optimal(instance, assignment.solve(instance), truth)
    if method.version() is not None:
        strengthen = len(instance.network.links) % 2 == 0
        assert_optimal(instance, method.solve(instance, ReducedProgramOptions(strengthen=strengthen)), truth)
    return truth


def assert_between(instance: Instance, truth: Result, names: tuple[str, ...]) -> None:
    """Bounds lie at or below the optimum, heuristics at or above it; nobody finds what there is not."""
    optimum = truth.claimed_objective
    for name in names:
        result = run_method(instance, name, **OPTIONS.get(name, {}))
        found = assert_true(instance, result)
        assert result.status is not Status.ERROR
        if result.status is Status.UNSUPPORTED:
            continue
        if optimum is None:
            assert found is None
            continue
        assert result.status is not Status.INFEASIBLE, result.reason
        assert found is None or found >= optimum * (1 - FLOAT_NOISE)
        assert result.lower_bound is None or result.lower_bound <= optimum * (1 + FLOAT_NOISE)


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("seed", few_and_many(range(800), 12))
def test_all_methods_agree_on_one_application(seed: int) -> None:
    instance = extended_instance(seed, direct_only=seed % 4 == 3, alternatives=seed % 2 == 1)
    truth = assert_exact_methods_agree(instance)
    labels = run_method(instance, "label-setting")
    if labels.status is not Status.UNSUPPORTED:
        assert_optimal(instance, labels, truth)
    assert_between(instance, truth, (*ALONE, "column-generation"))


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("seed", few_and_many(range(800), 12))
def test_all_methods_agree_on_applications_that_share_a_system(seed: int) -> None:
    instance = extended_shared_instance(seed, direct_only=seed % 4 == 3, alternatives=seed % 8 > 3)
    truth = assert_exact_methods_agree(instance)
    assert_between(instance, truth, (*(SHARING if seed % 3 else ("greedy",)), "column-generation"))


@pytest.mark.slow
@pytest.mark.parametrize("solver", [name for name in SOLVERS if name != "highs"])
def test_other_solvers_agree(solver: SolverName) -> None:
    if (reason := reason_not_to_use(solver)) is not None:
        pytest.skip(reason)
    for seed in range(15):
        for draw in (extended_instance, extended_shared_instance):
            instance = draw(seed)
            truth = exhaustive.solve(instance)
            for strengthen in (True, False):
                options = MilpFlowOptions(solver=solver, strengthen=strengthen)
                assert_optimal(instance, flow.solve(instance, options), truth)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIELDS)
def test_every_field_decides_in_a_good_part_of_the_instances(name: str) -> None:
    """Without the field the optimum is another one, or there is none."""
    decided = 0
    for seed in range(30):
        for draw in (extended_instance, extended_shared_instance):
            with_field, plain = (exhaustive.solve(draw(seed, only=only)).claimed_objective for only in (name, ""))
            same = with_field is plain or (with_field and plain and equal_energy(with_field, plain))
            decided += not same
    assert decided >= 12
