"""Every solver that is installed gives HiGHS' answers; one that is not is refused with the command that installs it."""

from __future__ import annotations

from importlib import metadata
from itertools import pairwise
from time import perf_counter

import pytest
from _pytest.mark import ParameterSet

from finbench.benchmarks.families import generate
from finbench.benchmarks.methods import run_method
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import load_instance, shipped
from finbench.models.milp import assignment, flow
from finbench.models.milp.options import MilpFlowOptions, MilpOptions
from finbench.models.milp.solvers.interface import Limits
from finbench.models.milp.solvers.registry import SOLVERS, SolverName, reason_not_to_use
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import equal_energy
from tests.few_and_many import few_and_many
from tests.models.enumeration import shared_instance
from tests.models.milp.solvers.test_highs import knapsack
from tests.random_instances import random_instance

PUBLISHED = sorted(shipped("instances"))
TELLING: tuple[SolverName, ...] = ("highs", "scip", "gurobi")
"""Those that tell incumbent and bound while they run."""
OTHERS = [name for name in SOLVERS if name != "highs"]


def installed(names: list[str]) -> list[ParameterSet]:
    """Parameters of a test; a solver that is not there is skipped with the reason."""
    reasons = {name: reason_not_to_use(name) for name in names}
    return [pytest.param(n, marks=pytest.mark.skipif(bool(why), reason=why or "")) for n, why in reasons.items()]


def assert_same(instance: Instance, result: Result, truth: Result) -> None:
    assert result.status is truth.status, result.reason
    if truth.claimed_objective is None:
        assert result.deployment is None
        return
    assert result.deployment is not None
    judged = evaluate(instance, result.deployment)
    assert judged.violations == ()
    assert judged.objective is not None
    assert equal_energy(judged.objective, truth.claimed_objective)
    assert result.lower_bound is not None
    assert equal_energy(result.lower_bound, truth.claimed_objective)


@pytest.mark.parametrize("solver", installed(OTHERS))
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_solver_finds_the_optima_of_published_instances(name: str, solver: SolverName) -> None:
    instance = load_instance(name)
    truth = flow.solve(instance)
    assert_same(instance, flow.solve(instance, MilpFlowOptions(solver=solver)), truth)
    assert_same(instance, flow.solve(instance, MilpFlowOptions(strengthen=False, solver=solver)), truth)
    if assignment.supports(instance, MilpOptions(solver=solver)) is None:
        assert_same(instance, assignment.solve(instance, MilpOptions(solver=solver)), truth)


@pytest.mark.parametrize("solver", installed(OTHERS))
@pytest.mark.parametrize("seed", few_and_many(range(40), 12))
def test_every_solver_finds_the_optima_of_random_instances(seed: int, solver: SolverName) -> None:
    instance = random_instance(seed, zeros=seed % 4 == 3, direct_only=seed % 4 == 0)
    truth = flow.solve(instance, MilpFlowOptions(strengthen=False))
    assert_same(instance, flow.solve(instance, MilpFlowOptions(strengthen=False, solver=solver)), truth)
    if assignment.supports(instance, MilpOptions(solver=solver)) is None:
        assert_same(instance, assignment.solve(instance, MilpOptions(solver=solver)), truth)


def test_random_instances_are_feasible_and_infeasible() -> None:
    states = {flow.solve(random_instance(seed)).status for seed in range(40)}
    assert states == {Status.OPTIMAL, Status.INFEASIBLE}


@pytest.mark.parametrize("solver", installed(OTHERS))
@pytest.mark.parametrize("seed", [2, 5, 8, 11])
def test_every_solver_finds_the_optima_of_shared_systems(seed: int, solver: SolverName) -> None:
    instance = shared_instance(seed, applications=3, max_nodes=3)
    assert_same(instance, flow.solve(instance, MilpFlowOptions(solver=solver)), flow.solve(instance))


@pytest.mark.parametrize("solver", installed(OTHERS))
def test_warm_start_changes_no_optimum(solver: SolverName) -> None:
    instance = load_instance("balexnet-cifar10")
    truth = flow.solve(instance)
    for strengthen in (True, False):
        warm = flow.solve(instance, MilpFlowOptions(strengthen=strengthen, solver=solver), start=truth.deployment)
        assert_same(instance, warm, truth)


@pytest.fixture(scope="module")
def hard() -> Instance:
    """Thousands of columns and a second's work at least: what a limit is for."""
    return generate("correlated", nodes=30, blocks=12, exits=3, seed=1)


@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
def test_time_limit_is_wall_clock_and_leaves_a_sound_bound(solver: SolverName, hard: Instance) -> None:
    start = perf_counter()
    result = flow.solve(hard, MilpFlowOptions(solver=solver), time_limit_s=1.0)
    if result.status is Status.UNSUPPORTED:
        pytest.skip(f"the size is refused: {result.reason}")
    assert perf_counter() - start < 15.0  # a busy machine hands over slowly
    assert result.status is Status.TIME_LIMIT, result.reason
    assert result.lower_bound is not None
    if result.deployment is not None:
        judged = evaluate(hard, result.deployment)
        assert judged.violations == ()
        assert result.claimed_objective is not None
        assert result.lower_bound <= result.claimed_objective
    assert flow.solve(hard, MilpFlowOptions(solver=solver), time_limit_s=0.0).status is Status.TIME_LIMIT


@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
def test_gap_is_kept_and_bound_is_sound(solver: SolverName) -> None:
    instance = generate("correlated", nodes=10, blocks=6, exits=2, seed=3)
    optimum = flow.solve(instance).claimed_objective
    assert optimum is not None
    result = flow.solve(instance, MilpFlowOptions(solver=solver, mip_gap=0.05))
    if result.status is Status.UNSUPPORTED:
        pytest.skip(f"the size is refused: {result.reason}")
    assert result.status in (Status.FEASIBLE, Status.OPTIMAL), result.reason
    assert result.lower_bound is not None
    assert result.claimed_objective is not None
    assert result.lower_bound <= optimum * (1 + 1e-6)
    assert optimum <= result.claimed_objective * (1 + 1e-6)
    assert result.claimed_objective - result.lower_bound <= 0.05 * result.claimed_objective * (1 + 1e-6)


@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
@pytest.mark.parametrize("seed", [3, 4])
def test_incumbent_and_bound_close_in_over_time(solver: SolverName, seed: int) -> None:
    instance = generate("correlated", nodes=10, blocks=6, exits=2, seed=seed)
    start = perf_counter()
    result = flow.solve(instance, MilpFlowOptions(solver=solver))
    elapsed_s, optimum = perf_counter() - start, result.claimed_objective
    if solver not in TELLING or result.status is Status.UNSUPPORTED:
        assert "trajectory" not in result.info
        return
    assert optimum is not None
    points = result.info["trajectory"]
    assert len(points) > 2
    assert points[-1][1:] == (optimum, result.lower_bound)
    assert points[0][0] >= result.times_s["build"]
    assert points[-1][0] <= elapsed_s
    for (before, worse, looser), (after, better, tighter) in pairwise(points):
        assert (before, worse, looser) != (after, better, tighter)
        assert before <= after
        assert worse is None or (better is not None and better <= worse * (1 + 1e-9))
        assert looser is None or (tighter is not None and tighter >= looser * (1 - 1e-9))
    for _, energy, bound in points:
        assert energy is None or energy >= optimum * (1 - 1e-6)
        assert bound is None or bound <= optimum * (1 + 1e-6)


@pytest.mark.parametrize("solver", installed(list(TELLING)))
def test_the_objective_over_time_has_the_unit_of_the_instance(solver: SolverName) -> None:
    instance = load_instance("balexnet-cifar10")
    result = flow.solve(instance, MilpFlowOptions(strengthen=False, solver=solver))
    energies = [energy for _, energy, _ in result.info["trajectory"]]
    assert len(energies) > 1
    assert energies[-1] == pytest.approx(0.021395457435390206)
    assert all(energy is None or 0.0213 < energy < 0.2 for energy in energies)


@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
def test_hands_the_columns_of_a_small_program_back(solver: SolverName) -> None:
    clock = Clock(60.0)
    answer = SOLVERS[solver].function()(knapsack(), Limits(threads=2, seed=3), clock)
    assert answer.status is Status.OPTIMAL
    assert answer.objective == pytest.approx(-5)
    assert answer.bound == pytest.approx(-5)
    ((variable, value),) = answer.values or ()
    assert (variable.index(), round(value)) == ("c", 1)
    assert set(clock.times_s) == {"handover", "solve"}
    assert answer.info["solver"].split()[1][0].isdigit()


@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
def test_proves_infeasibility(solver: SolverName) -> None:
    answer = SOLVERS[solver].function()(knapsack(-1.0), Limits(), Clock())
    assert answer.status is Status.INFEASIBLE, answer.reason
    assert answer.values is None


@pytest.mark.parametrize("solver", installed(["gurobi", "cplex", "xpress"]))
def test_a_size_beyond_the_licence_is_refused_with_the_counts(solver: SolverName, hard: Instance) -> None:
    result = flow.solve(hard, MilpFlowOptions(solver=solver))
    if result.status is not Status.UNSUPPORTED:
        pytest.skip("a licence is here")
    assert "columns and" in (result.reason or "")
    assert str(result.info["variables"]) in (result.reason or "")


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_absent_solver_is_refused_with_the_command(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    monkeypatch.setattr("shutil.which", lambda _: None)
    for method in ("milp-flow", "milp-assignment"):
        result = run_method(load_instance("balexnet-cifar10"), method, solver=solver)
        assert result.status is Status.UNSUPPORTED
        assert result.reason == f"the solver {solver} is not installed: {SOLVERS[solver].install}"


def test_every_extra_is_declared() -> None:
    extras = metadata.metadata("finbench").get_all("Provides-Extra") or []
    wanted = {s.install.split("[")[1].rstrip("]'") for s in SOLVERS.values() if "[" in s.install}
    assert wanted <= set(extras)
    assert len(wanted) == 4
