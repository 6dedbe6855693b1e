"""Inputs that methods, commands or files once erred on, each with its right value.

The right values come from an enumeration in plain Python or exact fractions, or from several exact methods that agree.
Solvers' own hard cases stand in `tests/models/cases`.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.families import generate
from finbench.benchmarks.judging.comparison import compare_methods
from finbench.benchmarks.methods import METHODS, run_method
from finbench.fin_graph.frontier import frontiers
from finbench.fin_graph.joint.explanation.explain import explain
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import InputError, load_deployment, load_instance
from finbench.models.milp.export import program_text
from finbench.models.milp.solvers.model_file import LONGEST_NAME, Format
from finbench.models.milp.solvers.registry import SOLVERS, SolverName
from finbench.models.result import Result, Status
from tests.models.milp.solvers.test_solvers import installed

CASES = Path(__file__).with_name("cases")

EXACT = ("milp-flow", "milp-assignment", "cp-sat", "label-setting", "exhaustive", "column-generation")

OPTIMA = {
    "memory-full": 0.900000001,
    "compute-full": 3.4,
    "row-tolerance-9e-7": 0.060000054,
    "row-tolerance-2e-9": 0.06000000012,
    "accuracy-sum": 0.01,
    "accuracy-target-sum": 0.06,
    "k-best-later-exit": 0.01,
    "without-a-rate": 10.0,
    "long-names": 0.01,
}


def case(name: str) -> Instance:
    return load_instance(CASES / f"{name}.json")


def assert_optimal(instance: Instance, result: Result, right: float) -> None:
    assert result.status is Status.OPTIMAL, result.reason
    assert result.deployment is not None
    judged = evaluate(instance, result.deployment)
    assert judged.feasible
    assert judged.objective == pytest.approx(right, rel=1e-8)


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("name", OPTIMA)
def test_every_exact_method_gives_the_right_value(name: str, method: str) -> None:
    result = run_method(case(name), method)
    if result.status is Status.UNSUPPORTED:
        pytest.skip(result.reason or "")
    assert_optimal(case(name), result, OPTIMA[name])


@pytest.mark.parametrize("name", OPTIMA)
def test_no_two_methods_contradict_each_other(name: str) -> None:
    methods = [(method, {"gamma": 100} if method == "fin" else {}) for method in METHODS if method != "cp-sat"]
    comparison = compare_methods(case(name), methods)
    assert comparison.contradictions == []


@pytest.mark.parametrize("strengthen", [True, False])
@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
@pytest.mark.parametrize("name", ["row-tolerance-9e-7", "row-tolerance-2e-9"])
def test_every_solver_takes_a_row_that_is_met_within_the_one_tolerance(
    name: str, solver: SolverName, strengthen: bool
) -> None:
    assert_optimal(case(name), run_method(case(name), "milp-flow", solver=solver, strengthen=strengthen), OPTIMA[name])


@pytest.mark.parametrize("solver", installed(["cbc"]))
@pytest.mark.parametrize("limit_s", [0.02, 0.05, 0.1])
def test_a_solver_at_its_limit_proves_nothing(solver: SolverName, limit_s: float) -> None:
    instance = generate("correlated", nodes=12, blocks=8, exits=3, seed=0, tightness=0.5)
    result = run_method(instance, "milp-flow", solver=solver, time_limit_s=limit_s)
    assert result.status is not Status.INFEASIBLE
    if result.lower_bound is not None:
        assert result.lower_bound <= 0.7264027840 * (1 + 1e-9)


def test_the_second_best_may_end_at_a_later_exit() -> None:
    instance = case("k-best-later-exit")
    result = run_method(instance, "label-setting", k=3)
    second, third = result.info["runners_up"]
    assert second["energy_j"] == pytest.approx(0.0125)
    assert third["energy_j"] > second["energy_j"]
    (listed,) = load_deployment(CASES / "k-best-later-exit.second.json").deployments
    assert ApplicationDeployment.model_validate(second["deployment"]) == listed


def test_the_k_best_at_a_limit_hold_the_best_and_what_else_was_met() -> None:
    instance = generate("mesh", nodes=60, blocks=12, exits=3, seed=2, tightness=0.5)
    best = run_method(instance, "label-setting")
    begun = process_time()
    result = run_method(instance, "label-setting", k=5, time_limit_s=0.3)
    assert process_time() - begun < 1.3
    assert result.claimed_objective == best.claimed_objective
    assert len(result.info["runners_up"]) == 4
    for other in result.info["runners_up"]:
        decision = ApplicationDeployment.model_validate(other["deployment"])
        judged = evaluate(instance, Deployment(deployments=(decision,)))
        assert judged.feasible
        assert judged.objective == pytest.approx(other["energy_j"], rel=1e-9)
        assert best.claimed_objective is not None
        assert other["energy_j"] >= best.claimed_objective * (1 - 1e-9)


def test_a_certificate_that_once_took_all_memory_closes_at_once() -> None:
    assert_optimal(case("certify-memory"), run_method(case("certify-memory"), "fin", certify=0.0), 12.225839620045997)
    assert_optimal(case("certify-memory"), run_method(case("certify-memory"), "milp-flow"), 12.225839620045997)


def test_an_energy_is_one_corner_of_the_frontier() -> None:
    instance = case("frontier-flat-corner")
    for one in frontiers(instance, instance.applications[0], gamma=200):
        assert one.exact is not None
        for corners in (one.exact, one.fin):
            assert all(later[1] < earlier[1] * (1 - 1e-9) for earlier, later in pairwise(corners))


def test_missing_memory_is_what_is_missing() -> None:
    explanation = explain(case("explain-zero-memory"), time_limit_s=10)
    assert not explanation.fits
    assert explanation.obstacles == ()
    assert "memory" in {need.resource for need in explanation.needs}


@pytest.mark.parametrize("file_format", ["mps", "lp"])
def test_long_names_are_cut_with_a_map(file_format: Format) -> None:
    written = program_text(case("long-names"), "milp-flow", file_format, strengthen=False)
    assert written.long_names
    words = {word for line in written.text.splitlines()[1:] for word in line.split()}
    assert max(map(len, words)) <= LONGEST_NAME[file_format] + 1


def test_an_application_without_a_rate_loads_nothing_and_one_of_rate_1_does() -> None:
    result = run_method(case("rate-one"), "exhaustive")
    assert result.status is Status.INFEASIBLE
    for method in ("milp-flow", "milp-assignment", "column-generation", "fin"):
        assert run_method(case("rate-one"), method).status is Status.INFEASIBLE


@pytest.mark.parametrize(("name", "what"), [("ops-1e308", "energy"), ("latency-1e308", "latency")])
def test_numbers_beyond_floating_point_are_refused_in_one_line(name: str, what: str) -> None:
    with pytest.raises(InputError, match=rf"application 'app': {what}: could exceed 1\.8e\+308"):
        case(name)
    came = CliRunner().invoke(app, ["solve", str(CASES / f"{name}.json"), "--json"])
    assert (came.exit_code, came.stdout, came.stderr.count("\n")) == (2, "", 1)
