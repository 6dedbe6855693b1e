"""Rejections: their reasons against the truth, where they come from and what they cost."""

from __future__ import annotations

import re
from typing import Any

import pytest

from finbench.models import exhaustive
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Network, Node
from finbench.models.milp import assignment, flow
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.milp.solvers.highs import solve_with_highs
from finbench.models.milp.solvers.interface import Limits, SolverAnswer
from finbench.models.milp.solvers.standard_form import StandardForm
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import equal_energy
from tests.few_and_many import few_and_many
from tests.random_instances import of_applications, random_shared_instance

TARGETS = ("no exit is accurate enough", "no path meets its latency target and pins, even alone")
CAPACITY = "no path that meets its targets fits the capacities, even alone"


def alone(instance: Instance, app: Application) -> float | None:
    """What it costs to serve one application that has the system to itself."""
    must = app.model_copy(update={"rejection_penalty_w": None})
    return exhaustive.solve(of_applications(instance, (must,))).claimed_objective


def assert_true(instance: Instance, app: Application, reason: str) -> None:
    """The reason is what the enumeration says."""
    cost, penalty = alone(instance, app), app.rejection_penalty_w
    assert penalty is not None
    if cost is None:
        # Where even a path without targets or capacities is dearer, that may be the reason given.
        assert reason in (*TARGETS, CAPACITY) or reason.startswith("cheaper to reject")
    elif penalty <= cost:
        said, least = amounts(reason, r"cheaper to reject than to serve alone: penalty (\S+) W, least energy (\S+) W")
        assert said == pytest.approx(penalty, rel=1e-5)
        assert penalty <= least * (1 + 1e-5) <= cost * (1 + 2e-5)
    else:
        words = r"the capacities leave no cheaper room: (\S+) W alone, at least (\S+) W more beside the others"
        assert amounts(reason, words) == pytest.approx((cost, penalty - cost), rel=1e-5)


def amounts(reason: str, words: str) -> tuple[float, ...]:
    found = re.fullmatch(words, reason)
    assert found is not None, reason
    return tuple(map(float, found.groups()))


def seen(solve: Any, *, count: int, **offers: Any) -> set[str]:
    """Check every reason on `count` instances, and return the kinds of reason that occurred."""
    kinds = set()
    for seed in range(count):
        instance = random_shared_instance(seed, penalties=True, **offers)
        result: Result = solve(instance)
        reasons = result.info.get("rejected", {})
        assert set(reasons) == set(result.deployment.rejected if result.deployment else ())
        assert ("explain" in result.times_s) == bool(reasons)
        for app in instance.applications:
            if app.name in reasons:
                assert_true(instance, app, reasons[app.name])
                kinds.add(reasons[app.name].split(":")[0])
    return kinds


def test_every_reason_is_true() -> None:
    common = {CAPACITY, "cheaper to reject than to serve alone", "the capacities leave no cheaper room"}
    assert common | {TARGETS[1]} <= seen(flow.solve, count=60, max_applications=4, levels=True)
    assert common <= seen(lambda i: flow.solve(i, MilpFlowOptions(strengthen=False)), count=60, levels=False)
    assert common <= seen(assignment.solve, count=40, direct_only=True)


def of_one(**changes: Any) -> tuple[Instance, str]:
    """A single application that may be rejected, changed, and the reason why it is."""
    base = random_shared_instance(1, direct_only=True)
    app = base.applications[0].model_copy(update={"rejection_penalty_w": 1e3, "pinned": {}, **changes})
    instance = of_applications(base, (app,))
    result = flow.solve(instance)
    assert result.status is Status.OPTIMAL
    assert result.claimed_objective == app.rejection_penalty_w
    return instance, result.info["rejected"][app.name]


def test_every_kind_of_rejection_has_its_reason() -> None:
    assert of_one(min_accuracy=1.0)[1] == TARGETS[0]
    assert of_one(max_latency_s=0.0)[1] == TARGETS[1]
    assert of_one(rate_per_s=1e9, rejection_penalty_w=1e9)[1] == CAPACITY
    assert of_one(rejection_penalty_w=0.0)[1].startswith("cheaper to reject than to serve alone: penalty 0 W")


def crowded() -> Instance:
    """An instance that rejects an application although it would be worth serving alone."""
    for seed in range(100):
        instance = random_shared_instance(seed, penalties=True)
        if any("no cheaper room" in reason for reason in flow.solve(instance).info.get("rejected", {}).values()):
            return instance
    raise AssertionError("no such instance")


def test_nothing_is_claimed_without_proof() -> None:
    """An incumbent with a gap, and then one with no time left to explain it."""
    instance, calls = crowded(), 0

    def unproven(model: Any, limits: Limits, clock: Clock) -> SolverAnswer:
        nonlocal calls
        calls += 1
        honest = solve_with_highs(model, limits, clock)
        return SolverAnswer(Status.TIME_LIMIT, honest.objective, 0.0, values=honest.values) if calls == 1 else honest

    (reason,) = {
        r for r in flow.solve(instance, solver_function=unproven).info["rejected"].values() if "not proven" in r
    }
    assert reason.startswith("not proven: alone it would cost ")

    def never(model: Any, limits: Limits, clock: Clock) -> SolverAnswer:
        honest = solve_with_highs(model, limits, clock)
        return SolverAnswer(Status.TIME_LIMIT, honest.objective, 0.0, values=honest.values)

    reasons = flow.solve(instance, solver_function=never).info["rejected"].values()
    assert any("the time limit passed before it was known" in reason for reason in reasons)


def starting(model: Any, limits: Limits, clock: Clock) -> SolverAnswer:
    """HiGHS, once the start is seen to keep every row."""
    form = StandardForm.of(model)
    assert not limits.warm_start or form.violation(form.start) < 1e-9
    return solve_with_highs(model, limits, clock)


@pytest.mark.parametrize("strengthen", [True, False])
@pytest.mark.parametrize("seed", few_and_many(range(40), 12))
def test_a_start_that_rejects_all_it_may_leaves_the_optimum(seed: int, strengthen: bool) -> None:
    instance = random_shared_instance(seed, levels=seed % 2 == 0, penalties=True)
    must = tuple(app for app in instance.applications if app.rejection_penalty_w is None)
    rest = exhaustive.solve(of_applications(instance, must)).deployment if must else None
    if must and rest is None:
        return
    names = tuple(app.name for app in instance.applications if app not in must)
    start = Deployment(deployments=rest.deployments if rest else (), rejected=names)
    assert evaluate(instance, start).feasible
    result = flow.solve(instance, MilpFlowOptions(strengthen=strengthen), start=start, solver_function=starting)
    truth = exhaustive.solve(instance)
    assert result.info["warm_start"] == "used"
    assert result.status is Status.OPTIMAL
    assert result.claimed_objective is not None
    assert truth.claimed_objective is not None
    assert equal_energy(result.claimed_objective, truth.claimed_objective)
    late = flow.solve(instance, MilpFlowOptions(strengthen=strengthen), start=start, time_limit_s=0.0)
    assert late.status is Status.TIME_LIMIT
    assert late.deployment is not None
    assert set(late.info.get("rejected", {})) == set(late.deployment.rejected)
    assert not any("alone it would cost" in reason for reason in late.info.get("rejected", {}).values())
    assert evaluate(instance, late.deployment).objective == pytest.approx(late.claimed_objective)


def test_starts_that_break_a_new_constraint_are_not_used() -> None:
    instance = random_shared_instance(0, levels=True)
    nobody = Deployment(deployments=(), rejected=tuple(app.name for app in instance.applications))
    assert "admission (23)" in flow.solve(instance, start=nobody).info["warm_start"]


@pytest.mark.parametrize(
    ("rate", "shares", "said"),
    [
        (1.0, (0.1, 0.1), "used"),
        (1.0, (0.1, 0.9), "used"),
        (1.0, (0.9, 0.9), "reservation (21)"),
        (0.5e9, (0.1, 0.9), "stability (22)"),
        (0.5e9, (0.9, 0.1), "used"),
    ],
)
def test_starts_keep_to_reservations_and_stability(rate: float, shares: tuple[float, ...], said: str) -> None:
    """Two blocks, the first twenty times the second, on one node of 10^10 operations per second."""
    node = Node(name="n", compute_ops_per_s=1e10, power_w=1.0, compute_shares=(0.1, 0.9))
    blocks = (Block(ops=10.0, output_bits=1.0), Block(ops=0.5, output_bits=1.0))
    exits = (Exit(after_block=2, exit_fraction=1.0, accuracy=1.0),)
    instance = Instance(
        name="one node",
        network=Network(name="n", nodes=(node,)),
        dnns=(DNN(name="d", input_bits=1.0, blocks=blocks, exits=exits),),
        applications=(
            Application(name="a", dnn="d", source="n", rate_per_s=rate, max_latency_s=1.0, min_accuracy=0.5),
        ),
    )
    decision = ApplicationDeployment(application="a", last_exit=1, placement=("n", "n"), shares=shares)
    result = flow.solve(instance, start=Deployment(deployments=(decision,)))
    assert said in result.info["warm_start"]
    assert evaluate(instance, Deployment(deployments=(decision,))).feasible == (said == "used")
    assert result.status is Status.OPTIMAL


@pytest.mark.parametrize(
    ("node", "pinned", "said"),
    [
        ({"memory_bytes": 3.0}, {}, "memory (12)"),
        ({"memory_bytes": 4.0}, {}, "used"),
        ({}, {"2": "m"}, "pins (10)"),
        ({}, {"2": "n"}, "used"),
    ],
)
def test_starts_keep_to_memory_and_pins(node: dict[str, Any], pinned: dict[str, str], said: str) -> None:
    """Two blocks of 2 byte on one node of two."""
    n, m = (Node(name=name, compute_ops_per_s=1e10, power_w=1.0, memory_bytes=4.0) for name in ("n", "m"))
    blocks = tuple(Block(ops=1.0, output_bits=1.0, parameter_bytes=2.0) for _ in range(2))
    dnn = DNN(name="d", input_bits=1.0, blocks=blocks, exits=(Exit(after_block=2, exit_fraction=1.0, accuracy=1.0),))
    app = Application(name="a", dnn="d", source="n", rate_per_s=1.0, max_latency_s=1.0, min_accuracy=0.5, pinned=pinned)
    link = Link(source="n", target="m", bandwidth_bit_per_s=1e9, tx_energy_j_per_bit=0.0, rx_energy_j_per_bit=0.0)
    network = Network(name="pair", nodes=(n.model_copy(update=node), m), links=(link,))
    instance = Instance(name="pair", network=network, dnns=(dnn,), applications=(app,))
    start = Deployment(deployments=(ApplicationDeployment(application="a", last_exit=1, placement=("n", "n")),))
    assert said in flow.solve(instance, start=start).info["warm_start"]
    assert evaluate(instance, start).feasible == (said == "used")


def test_an_instance_in_which_all_must_be_rejected_is_no_infeasible_one() -> None:
    base = random_shared_instance(3)
    apps = tuple(a.model_copy(update={"max_latency_s": 0.0, "rejection_penalty_w": 2.0}) for a in base.applications)
    instance = of_applications(base, apps)
    for result in (
        flow.solve(instance),
        flow.solve(instance, MilpFlowOptions(strengthen=False)),
        exhaustive.solve(instance),
    ):
        assert result.status is Status.OPTIMAL
        assert result.claimed_objective == 2.0 * len(apps)
        assert result.deployment is not None
        assert result.deployment.rejected == tuple(app.name for app in apps)


def test_a_penalty_beyond_a_solvers_tolerances_claims_nothing_wrong() -> None:
    """HiGHS fails at such a penalty now and then; asked again it does not, or the error says why."""
    doubted = 0
    for seed in range(40):
        base = random_shared_instance(seed, max_applications=5, max_nodes=5)
        apps = tuple(app.model_copy(update={"rejection_penalty_w": 1e12}) for app in base.applications)
        result, without = flow.solve(of_applications(base, apps)), flow.solve(base)
        if result.status is Status.ERROR:
            assert "times the least objective: lower it, or leave it out" in (result.reason or "")
        elif without.claimed_objective is not None:
            assert result.claimed_objective == pytest.approx(without.claimed_objective, rel=1e-6)
        doubted += "asked_again" in result.info
    assert doubted


def test_an_error_names_a_penalty_beyond_a_solvers_tolerances() -> None:
    def failing(model: Any, limits: Limits, clock: Clock) -> SolverAnswer:
        return SolverAnswer(Status.ERROR, reason="failed")

    base = random_shared_instance(0)
    apps = tuple(app.model_copy(update={"rejection_penalty_w": 1e12}) for app in base.applications)
    assert flow.solve(base, solver_function=failing).reason == "failed"
    reason = flow.solve(of_applications(base, apps), solver_function=failing).reason or ""
    assert reason.startswith("failed; application '")
    assert "times the least objective: lower it, or leave it out" in reason


@pytest.mark.parametrize("strengthen", [True, False])
@pytest.mark.parametrize("seed", range(30))
def test_the_bound_before_any_solver_counts_rejections(seed: int, strengthen: bool) -> None:
    instance = random_shared_instance(seed, levels=seed % 2 == 0, penalties=True)
    late, optimum = (
        flow.solve(instance, MilpFlowOptions(strengthen=strengthen), time_limit_s=0.0),
        exhaustive.solve(instance),
    )
    if optimum.claimed_objective is not None:
        assert late.status is Status.TIME_LIMIT
        assert late.lower_bound is not None
        assert 0 < late.lower_bound <= optimum.claimed_objective * (1 + 1e-9)
