"""The flow formulation's own ways: names, phases, limits, warm starts, extraction."""

from __future__ import annotations

from typing import Any

import pytest
from pyomo.core.base import Constraint, Objective

from finbench.models import exhaustive
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Accounting, Instance
from finbench.models.io import load_instance
from finbench.models.milp import assignment, flow
from finbench.models.milp.flow import path_without_cycles
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.milp.rows import least_objective
from finbench.models.milp.solvers.highs import solve_with_highs
from finbench.models.milp.solvers.interface import Limits, SolverAnswer
from finbench.models.programs.costs import Capacities, costs_of
from finbench.models.programs.strengthen import everything, within_latency
from finbench.models.result import Clock, Status
from finbench.models.tolerances import equal_energy
from tests.few_and_many import few_and_many
from tests.models.enumeration import shared_instance
from tests.models.worked_optima import published
from tests.random_instances import random_instance

FLOW_EQUATIONS = {3, 5, 6, 7, 8, 9, 10, 14}
ASSIGNMENT_EQUATIONS = {3, 5, 6, 8, 9, 10, 15, 16}


def equations(model: Any) -> dict[str, int]:
    """Number of rows by component name."""
    components = model.component_objects((Constraint, Objective), descend_into=True)
    return {component.local_name: len(component) for component in components}


def test_every_row_family_is_named_after_its_equation() -> None:
    instance = published(0.005, Accounting.EXPECTED)
    costs = costs_of(instance)
    capacities = Capacities.of(instance.network, costs)
    model, _, _ = flow.build(costs, [everything(part) for part in costs], capacities, Clock())
    assert {int(name.split("_")[0].removeprefix("eq")) for name in equations(model)} == FLOW_EQUATIONS
    model, _, _ = assignment.build(costs, capacities, Clock())
    assert {int(name.split("_")[0].removeprefix("eq")) for name in equations(model)} == ASSIGNMENT_EQUATIONS


def test_capacity_rows_exist_where_they_could_bind() -> None:
    names: set[str] = set()
    for seed in range(20):
        instance = shared_instance(seed)
        costs = costs_of(instance)
        capacities = Capacities.of(instance.network, costs)
        model, _, _ = flow.build(costs, [everything(part) for part in costs], capacities, Clock())
        names |= {name for name in equations(model) if name.startswith("eq1")}
    assert {"eq11_compute", "eq12_memory", "eq13_bandwidth"} <= names


def test_every_phase_is_timed_and_the_size_is_reported() -> None:
    result = flow.solve(published(0.005, Accounting.EXPECTED))
    assert set(result.times_s) == {"build", "strengthen", "handover", "solve", "extract"}
    assert result.info["variables"] + result.info["variables_removed"] == 5 * 3 + 5 * 3 + 3 * (1 + 3)
    assert result.info["variables_removed"] > 0
    assert result.info["solver"].startswith("HiGHS")
    assert result.info["rows"] > 0
    assert (
        flow.solve(published(0.005, Accounting.EXPECTED), MilpFlowOptions(strengthen=False)).info["variables_removed"]
        == 0
    )


def test_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    flow.solve(published(0.005, Accounting.EXPECTED))
    assert capfd.readouterr() == ("", "")


def test_the_flow_program_supports_shared_systems() -> None:
    assert flow.supports(shared_instance(0)) is None


def test_a_time_limit_of_zero_still_gives_a_bound() -> None:
    instance = random_instance(15)
    result = flow.solve(instance, time_limit_s=0.0)
    optimum = exhaustive.solve(instance).claimed_objective
    assert result.status is Status.TIME_LIMIT
    assert result.deployment is None
    assert result.lower_bound is not None
    assert optimum is not None
    assert 0 < result.lower_bound <= optimum
    assert "time limit" in (result.reason or "")


def test_time_limit_returns_the_warm_start() -> None:
    instance = random_instance(15)
    start = exhaustive.solve(instance).deployment
    result = flow.solve(instance, time_limit_s=0.0, start=start)
    assert result.status is Status.TIME_LIMIT
    assert result.deployment == start
    assert result.claimed_objective is not None
    assert result.lower_bound is not None
    assert result.lower_bound <= result.claimed_objective


@pytest.mark.parametrize("seed", few_and_many(range(60), 20))
def test_any_feasible_warm_start_leaves_the_optimum(seed: int) -> None:
    """Fixing against a poor incumbent, of a later exit or a detour, must keep the optimum."""
    instance = random_instance(seed, zeros=seed % 3 == 0)
    truth = exhaustive.solve(instance)
    for worse in _some_feasible(instance):
        result = flow.solve(instance, start=worse)
        assert result.info["warm_start"] == "used"
        assert result.status is Status.OPTIMAL
        assert truth.claimed_objective is not None
        assert result.claimed_objective is not None
        assert equal_energy(result.claimed_objective, truth.claimed_objective)


def _some_feasible(instance: Instance) -> list[Deployment]:
    """A few feasible deployments: the least-latency ones of every exit."""
    app, found = instance.applications[0], []
    for f, exit_ in enumerate(instance.dnn_of(app).exits, start=1):
        for node in instance.network.nodes:
            candidate = Deployment(
                deployments=(
                    ApplicationDeployment(
                        application=app.name, last_exit=f, placement=(node.name,) * exit_.after_block
                    ),
                )
            )
            if evaluate(instance, candidate).feasible:
                found.append(candidate)
    return found


def _published_deployment(placement: str, last_exit: int = 3) -> Deployment:
    names = {"d": "device", "e": "edge", "c": "cloud"}
    return Deployment(
        deployments=(
            ApplicationDeployment(
                application="balexnet-cifar10", last_exit=last_exit, placement=tuple(names[n] for n in placement)
            ),
        )
    )


@pytest.mark.parametrize(
    ("placement", "last_exit", "broken"),
    [
        ("ddddd", 3, "latency (8)"),
        ("ccccc", 3, "pins (10)"),
        ("d", 1, "accuracy (9)"),
        ("ddd", 3, "no path"),
        ("ddddd", 9, "no such exit"),
    ],
)
def test_a_warm_start_that_breaks_a_constraint_is_not_used(placement: str, last_exit: int, broken: str) -> None:
    instance = load_instance("balexnet-cifar10").with_overrides(max_latency_s=0.003)
    result = flow.solve(instance, start=_published_deployment(placement, last_exit))
    assert broken in result.info["warm_start"]
    assert result.status is Status.OPTIMAL
    assert result.claimed_objective == pytest.approx(0.02954, abs=5e-6)


def test_a_warm_start_that_overloads_the_system_is_not_used() -> None:
    base = load_instance("balexnet-cifar10").with_overrides(max_latency_s=1.0)
    app = base.applications[0].model_copy(update={"rate_per_s": 1000.0})
    instance = Instance(name="loaded", network=base.network, dnns=base.dnns, applications=(app,))
    result = flow.solve(instance, start=_published_deployment("ddddd"))
    assert "compute (11)" in result.info["warm_start"]
    assert result.claimed_objective == pytest.approx(exhaustive.solve(instance).claimed_objective)


def test_a_warm_start_of_unknown_names_is_an_error() -> None:
    stranger = Deployment(
        deployments=(ApplicationDeployment(application="balexnet-cifar10", last_exit=1, placement=("moon",)),)
    )
    with pytest.raises(KeyError, match="moon"):
        flow.solve(load_instance("balexnet-cifar10"), start=stranger)


def test_the_optimum_lies_between_bound_and_incumbent_at_a_gap() -> None:
    instance = random_instance(15)
    optimum = exhaustive.solve(instance).claimed_objective
    result = flow.solve(instance, MilpFlowOptions(mip_gap=0.5))
    assert result.status in (Status.OPTIMAL, Status.FEASIBLE)
    assert result.claimed_objective is not None
    assert result.lower_bound is not None
    assert optimum is not None
    assert result.lower_bound <= optimum * (1 + 1e-9) <= result.claimed_objective * (1 + 2e-9)


def test_a_route_that_is_read_from_flows_leaves_cycles_out() -> None:
    links = [("c", "d"), ("d", "c"), ("s", "a"), ("a", "x"), ("x", "a"), ("a", "t")]
    assert path_without_cycles(links, "s", "t") == ["s", "a", "t"]
    assert path_without_cycles(links, "s", "s") == ["s"]


def above_its_bound() -> Instance:
    """Return an instance whose optimum lies well above the bound that is known without a solver."""
    for instance in map(random_instance, range(200)):
        costs, optimum = costs_of(instance), exhaustive.solve(instance).claimed_objective
        kept = [within_latency(each) for each in costs]
        if optimum is not None and optimum > 1.1 * least_objective(costs, [each for each in kept if each is not None]):
            return instance
    raise AssertionError


@pytest.mark.parametrize(
    ("factor", "words", "hard"),
    [
        (0.99, "is not that of its solution", True),
        (0.99, "but no deployment is below", False),
        (1.01, "but a deployment of objective", False),
    ],
)
def test_a_solver_that_contradicts_itself_is_an_error(factor: float, words: str, hard: bool) -> None:
    instance = above_its_bound() if hard else published(0.005, Accounting.EXPECTED)

    def lying(model: Any, limits: Limits, clock: Clock) -> SolverAnswer:
        honest = solve_with_highs(model, limits, clock)
        return SolverAnswer(Status.OPTIMAL, (honest.objective or 0) * factor, honest.bound, values=honest.values)

    result = flow.solve(instance, solver_function=lying)
    assert result.status is Status.ERROR
    assert words in (result.reason or "")
    assert result.deployment is None


@pytest.mark.parametrize("bandwidth", [1.0, 1e3, 1e15])
def test_extreme_bandwidths_leave_the_optimum(bandwidth: float) -> None:
    base = published(0.007, Accounting.EXPECTED)
    links = tuple(link.model_copy(update={"bandwidth_bit_per_s": bandwidth}) for link in base.network.links)
    network = base.network.model_copy(update={"links": links})
    instance = base.model_copy(update={"network": network})
    truth = exhaustive.solve(instance)
    for strengthen in (True, False):
        result = flow.solve(instance, MilpFlowOptions(strengthen=strengthen))
        assert result.status is truth.status
        assert result.claimed_objective == pytest.approx(truth.claimed_objective, rel=1e-9)


def test_a_warm_start_whose_route_leads_elsewhere_is_not_used() -> None:
    instance = load_instance("balexnet-cifar10")
    start = _published_deployment("dddcc").deployments[0]
    for route in (("edge", "cloud"), ("device", "edge")):
        elsewhere = start.model_copy(update={"routes": ((), (), (), route, ())})
        result = flow.solve(instance, start=Deployment(deployments=(elsewhere,)))
        assert "no path" in result.info["warm_start"]
        assert result.status is Status.OPTIMAL
