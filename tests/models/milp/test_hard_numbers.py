"""Numbers that solvers err on: every solver gives the right value, or says that it has none.

Each case made a solver call a deployment optimal that is not, prove a feasible instance infeasible, or fail. The right
values are those of an enumeration in exact fractions.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from finbench.benchmarks.methods import run_method
from finbench.models import exhaustive
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import load_instance
from finbench.models.milp import assignment, flow
from finbench.models.milp.doubt import Knowledge
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.milp.solvers import cbc
from finbench.models.milp.solvers.executable import Spoken
from finbench.models.milp.solvers.highs import solve_with_highs
from finbench.models.milp.solvers.interface import Limits, SolveProgram, SolverAnswer
from finbench.models.milp.solvers.registry import SOLVERS, SolverName
from finbench.models.programs.costs import Capacities, costs_of
from finbench.models.programs.known import known_deployment
from finbench.models.programs.steps import deployment_of
from finbench.models.result import LONGEST_S, Clock, Result, Status
from finbench.models.tolerances import equal_energy
from tests.models.enumeration import shared_instance
from tests.models.milp.solvers.test_highs import knapsack
from tests.models.milp.solvers.test_solvers import installed
from tests.random_instances import random_instance, random_shared_instance

CASES = Path(__file__).parents[1] / "cases"

RIGHT = {
    "bound-above": 0.0023343333333333332,
    "wide-range": 1000000.0010010002,
    "huge-bandwidth": 0.012,
    "wide-powers": 0.05210310521,
    "cbc-plain-false-infeasible": 0.0,
    "highs-plain-false-infeasible": 0.0,
    "highs-plain-not-optimal": 0.0,
    "xpress-plain-false-infeasible": 0.0,
    "glpk-not-optimal": 5e-10,
    "glpk-row": 1.2854471934,
}
"""The optimum of each file in `tests/models/cases`."""


def case(name: str) -> Instance:
    return load_instance(CASES / f"{name}.json")


def assert_right(instance: Instance, result: Result, right: float) -> None:
    assert result.status is Status.OPTIMAL, result.reason
    assert result.deployment is not None
    judged = evaluate(instance, result.deployment)
    assert judged.feasible
    assert judged.objective == pytest.approx(right, rel=1e-6, abs=0)
    assert result.lower_bound == pytest.approx(right, rel=1e-6, abs=0)


def test_every_case_has_its_right_value() -> None:
    assert {path.stem for path in CASES.iterdir()} == RIGHT.keys()


@pytest.mark.parametrize("name", RIGHT)
def test_enumeration_gives_the_right_value(name: str) -> None:
    assert_right(case(name), exhaustive.solve(case(name)), RIGHT[name])


@pytest.mark.parametrize("strengthen", [True, False])
@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
@pytest.mark.parametrize("name", RIGHT)
def test_every_solver_gives_the_right_value(name: str, solver: SolverName, strengthen: bool) -> None:
    result = flow.solve(case(name), MilpFlowOptions(solver=solver, strengthen=strengthen))
    assert_right(case(name), result, RIGHT[name])


def test_a_start_beside_an_application_of_far_greater_power_stays() -> None:
    result = run_method(case("wide-powers"), "milp-flow", warm_start="fin")
    assert result.info["warm_start"] == {"method": "fin", "status": "optimal", "use": "used"}
    assert_right(case("wide-powers"), result, RIGHT["wide-powers"])


@pytest.mark.parametrize("seed", range(40))
def test_a_start_stays_whatever_the_rates(seed: int) -> None:
    base = random_shared_instance(seed, levels=seed % 2 == 0)
    rates = [app.rate_per_s * 10.0 ** (-4 * h) for h, app in enumerate(base.applications) if app.rate_per_s]
    apps = tuple(a.model_copy(update={"rate_per_s": r}) for a, r in zip(base.applications, rates, strict=True))
    instance = base.model_copy(update={"applications": apps})
    truth = exhaustive.solve(instance)
    if truth.deployment is None:
        return
    result = flow.solve(instance, start=truth.deployment)
    assert result.info["warm_start"] == "used"
    assert result.status is Status.OPTIMAL
    assert truth.claimed_objective is not None
    assert result.claimed_objective == pytest.approx(truth.claimed_objective, rel=1e-6)


@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
def test_coefficients_that_no_solver_keeps_are_dropped_and_counted(solver: SolverName) -> None:
    instance = load_instance("blenet-mnist").with_overrides(max_latency_s=1000.0)
    result = flow.solve(instance, MilpFlowOptions(solver=solver))
    assert_right(instance, result, 9.404509090909091e-05)
    assert result.info["coefficients_dropped"] == {"eq8_latency": 2}


@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
def test_a_time_limit_of_decades_leaves_the_optimum(solver: SolverName) -> None:
    result = flow.solve(case("glpk-row"), MilpFlowOptions(solver=solver), time_limit_s=1e9)
    assert_right(case("glpk-row"), result, RIGHT["glpk-row"])
    assert Clock(1e300).remaining_s == LONGEST_S


# What is known without a solver.


@pytest.mark.parametrize("seed", range(100))
def test_the_deployment_known_without_a_solver_is_feasible_and_often_there(seed: int) -> None:
    instance = random_instance(seed, zeros=seed % 3 == 0) if seed % 2 else random_shared_instance(seed, penalties=True)
    all_costs = costs_of(instance)
    known = known_deployment(all_costs, Capacities.of(instance.network, all_costs))
    optimum = exhaustive.solve(instance)
    if known is None:
        assert optimum.deployment is None or len(instance.applications) > 1
        return
    judged = evaluate(instance, deployment_of(all_costs, known))
    assert judged.violations == ()
    assert judged.objective is not None
    assert optimum.claimed_objective is not None
    assert judged.objective >= optimum.claimed_objective * (1 - 1e-9)


def at_first(answer: SolverAnswer) -> tuple[SolveProgram, list[Limits]]:
    """Return a solver that gives `answer` first and the truth afterwards, and the list of limits it was called with."""
    asked: list[Limits] = []

    def solve(model: Any, limits: Limits, clock: Clock) -> SolverAnswer:
        asked.append(limits)
        return answer if len(asked) == 1 else solve_with_highs(model, limits, clock)

    return solve, asked


FALSE = {
    "infeasible": SolverAnswer(Status.INFEASIBLE, reason="liar: infeasible"),
    "failed": SolverAnswer(Status.ERROR, reason="liar: failed"),
    "bound": SolverAnswer(Status.TIME_LIMIT, bound=1e9, reason="liar: time limit"),
    "optimum": SolverAnswer(Status.OPTIMAL, objective=1e9, bound=1e9, reason="liar: optimal"),
}


@pytest.mark.parametrize("answer", FALSE.values(), ids=FALSE)
def test_a_false_answer_is_asked_again_carefully(answer: SolverAnswer) -> None:
    instance = load_instance("balexnet-cifar10")
    right = flow.solve(instance).claimed_objective
    assert right is not None
    for method in (flow, assignment):
        solve, asked = at_first(answer)
        result = method.solve(instance, solver_function=solve)
        assert_right(instance, result, right)
        assert [limits.careful for limits in asked] == [False, True]
        assert result.info["asked_again"].startswith("liar")


def congested() -> list[tuple[Instance, Result]]:
    """Return systems in which everyone's own path breaks a capacity, although a deployment is known; with optima."""
    found = []
    for seed in range(30):
        instance = random_shared_instance(seed, levels=seed % 2 == 0, penalties=seed % 3 == 0)
        all_costs = costs_of(instance)
        capacities = Capacities.of(instance.network, all_costs)
        knowledge = Knowledge(all_costs, capacities)
        if known_deployment(all_costs, capacities) is None and knowledge.deployment is not None:
            found.append((instance, exhaustive.solve(instance)))
            assert knowledge.objective >= (found[-1][1].claimed_objective or 0.0) * (1 - 1e-9)
            judged = evaluate(instance, deployment_of(all_costs, knowledge.deployment))
            assert judged.violations == ()
    return found


def test_a_false_answer_is_asked_again_where_capacities_bind() -> None:
    cases = congested()
    assert len(cases) >= 4
    for instance, truth in cases:
        assert truth.claimed_objective is not None
        for name, answer in FALSE.items():
            solve, asked = at_first(answer)
            result = flow.solve(instance, solver_function=solve)
            assert_right(instance, result, truth.claimed_objective)
            assert [limits.careful for limits in asked[:2]] == [False, True], name


def test_an_optimum_below_every_deployment_is_not_believed() -> None:
    answer = SolverAnswer(Status.OPTIMAL, objective=0.5, bound=0.5, reason="liar: optimal")
    solve, asked = at_first(answer)
    result = flow.solve(load_instance("balexnet-cifar10"), solver_function=solve)
    assert result.status is Status.OPTIMAL
    assert [limits.careful for limits in asked] == [False, True]
    assert "but no deployment is below" in result.info["asked_again"]


@pytest.mark.parametrize("answer", FALSE.values(), ids=FALSE)
def test_a_false_answer_twice_is_an_error(answer: SolverAnswer) -> None:
    instance = load_instance("balexnet-cifar10")
    for method in (flow, assignment):
        result = method.solve(instance, solver_function=lambda *_: answer)
        assert result.status is Status.ERROR
        assert (result.reason or "").startswith("liar")
        assert result.deployment is None
        assert result.lower_bound is None


@pytest.mark.parametrize("seed", range(20))
def test_where_nothing_is_known_infeasible_is_believed(seed: int) -> None:
    instance = shared_instance(seed)
    result = flow.solve(instance)
    assert result.status is exhaustive.solve(instance).status
    assert "asked_again" not in result.info


def test_cbcs_infeasible_at_the_time_limit_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Spoken("", "Integer infeasible - objective value 3.6\n", False)

    def speak(_: object, clock: Clock, *__: object) -> Spoken:
        while seconds == 0.01 and not clock.expired:
            pass
        return said

    monkeypatch.setattr(cbc, "run_on_file", speak)
    for seconds, status in ((0.01, Status.TIME_LIMIT), (60.0, Status.INFEASIBLE)):
        answer = cbc.solve_with_cbc(knapsack(), Limits(), Clock(seconds))
        assert answer.status is status
        assert (answer.reason or "").startswith("CBC: Integer infeasible")


@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
def test_a_careful_solver_still_solves(solver: SolverName) -> None:
    answer = SOLVERS[solver].function()(knapsack(), replace(Limits(), careful=True), Clock())
    assert answer.status is Status.OPTIMAL
    assert answer.objective is not None
    assert equal_energy(answer.objective, -5.0)


@pytest.mark.parametrize("solver", installed(["scip"]))
def test_scip_refuses_numbers_that_are_infinite_to_it(solver: SolverName) -> None:
    model = knapsack()
    model.value.expr += 1e21 * model.x["a"]
    answer = SOLVERS[solver].function()(model, Limits(), Clock())
    assert answer.status is Status.ERROR
    assert "SCIP takes numbers below 1e+20 only, and the scaled program has one of 1e+21" in (answer.reason or "")


@pytest.mark.parametrize("strengthen", [True, False])
@pytest.mark.parametrize("solver", installed(list(SOLVERS)))
@pytest.mark.parametrize("power", [1e40, 1e250])
def test_the_optimum_survives_energies_beyond_the_range_of_solvers_and_floats(
    power: float, solver: SolverName, strengthen: bool
) -> None:
    """One node costs 1e-60 J at least, the other far more: the scaled program has an infinite coefficient."""
    base = case("huge-bandwidth")
    cheap, dear = base.network.nodes[0], base.network.nodes[1]
    nodes = (cheap.model_copy(update={"power_w": 1e-60}), dear.model_copy(update={"power_w": power}))
    links = tuple(link.model_copy(update={"tx_energy_j_per_bit": 1e-70}) for link in base.network.links)
    network = base.network.model_copy(update={"nodes": nodes, "links": links})
    patient = base.applications[0].model_copy(update={"max_latency_s": 10.0})
    instance = base.model_copy(update={"network": network, "applications": (patient,)})
    right = exhaustive.solve(instance)
    assert right.claimed_objective is not None
    assert right.claimed_objective < 1e-50
    result = flow.solve(instance, MilpFlowOptions(solver=solver, strengthen=strengthen))
    assert_right(instance, result, right.claimed_objective)
