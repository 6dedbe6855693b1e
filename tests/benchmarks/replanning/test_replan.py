"""Plans anew where moving costs: against enumeration, at both ends of the costs, over rising horizons."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from finbench.benchmarks.methods import run_method
from finbench.benchmarks.replanning.replan import Replan, replan
from finbench.fin_graph.paths.support import may_bind
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import InputError, load_instance
from finbench.models.moving import Migration, Movers
from finbench.models.result import Status
from tests.models.enumeration import decisions
from tests.random_instances import random_instance, random_shared_instance


def with_parameters(instance: Instance, seed: int) -> Instance:
    """The instance with parameters of some bytes in every block."""
    draw = np.random.default_rng(seed)
    dnns = [
        dnn.model_copy(
            update={
                "blocks": tuple(
                    block.model_copy(update={"parameter_bytes": float(draw.uniform(1e2, 1e5))}) for block in dnn.blocks
                )
            }
        )
        for dnn in instance.dnns
    ]
    nodes = [node.model_copy(update={"memory_bytes": None}) for node in instance.network.nodes]
    network = instance.network.model_copy(update={"nodes": tuple(nodes)})
    return instance.model_copy(update={"dnns": tuple(dnns), "network": network})


def feasible_deployments(instance: Instance) -> list[Deployment]:
    ways = []
    for app in instance.applications:
        alone = instance.model_copy(update={"applications": (app,)})
        sound = [one for one in decisions(instance, app) if evaluate(alone, Deployment(deployments=(one,))).feasible]
        ways.append(sound)
    made = (Deployment(deployments=tuple(chosen)) for chosen in product(*ways))
    return [one for one in made if evaluate(instance, one).feasible]


def total(instance: Instance, movers: Movers, horizon: float, deployment: Deployment) -> float:
    """Running and moving (37), from the evaluator and a sum over moves."""
    objective = evaluate(instance, deployment).objective
    assert objective is not None
    return horizon * objective + sum(move.cost for move in movers.moves(deployment))


def drawn(seed: int) -> tuple[Instance, list[Deployment]]:
    if seed % 2:
        made = random_shared_instance(seed, max_applications=2, max_nodes=2, max_blocks=2)
    else:
        made = random_instance(seed, max_nodes=3, max_blocks=2).with_overrides(max_latency_s=0.1)
        (app,) = made.applications
        if seed % 4:
            made = made.model_copy(update={"applications": (app.model_copy(update={"rate_per_s": 2.0}),)})
    instance = with_parameters(made, seed)
    return instance, feasible_deployments(instance)


def assert_is_the_least(seed: int) -> int:
    """Hold a new plan against the enumeration, by every method that can; return how many blocks it moves."""
    instance, every = drawn(seed)
    if not every or len(every) > 1000:
        return -1
    draw = np.random.default_rng(seed)
    dearest = sorted(every, key=lambda one: -(evaluate(instance, one).objective or 0.0))
    old = dearest[int(draw.integers(min(3, len(every))))]
    nodes = [node.name for node in instance.network.nodes]
    repository = str(draw.choice(nodes)) if draw.random() < 0.3 else None
    running = evaluate(instance, old).objective or 1.0
    fixed = float(draw.choice([0.0, 0.01]))
    migration = Migration(repository=repository, fixed_cost_per_block=fixed, cost_per_s=float(draw.choice([0.0, 0.01])))
    movers = Movers(instance, old, migration)
    horizon = float(10 ** draw.uniform(-2, 4)) / max(running, 1e-9) * 0.1
    least = min(total(instance, movers, horizon, one) for one in every)
    moved = 0
    for method in ("milp-flow", "label-setting") if len(instance.applications) == 1 else ("milp-flow",):
        found = replan(instance, old, migration, horizon=horizon, method=method)
        assert found.result.status is Status.OPTIMAL, (seed, method, found.result.reason)
        assert found.contradiction is None, (seed, method, found.contradiction)
        assert found.total == pytest.approx(least, rel=2e-6), (seed, method)
        moved = len(found.moves)
    return moved


def test_a_new_plan_is_the_least_of_an_enumeration() -> None:
    moved = [assert_is_the_least(seed) for seed in range(22)]
    assert sum(count > 0 for count in moved) >= 2
    assert sum(count == 0 for count in moved) >= 3


@pytest.mark.slow
def test_new_plans_are_the_least_on_many_instances() -> None:
    moved = [assert_is_the_least(seed) for seed in range(100, 200)]
    assert sum(count > 0 for count in moved) >= 8
    assert sum(count == 0 for count in moved) >= 15


METHODS = ("milp-flow", "label-setting")


def camera() -> tuple[Instance, Deployment]:
    """A shipped instance with parameters, and a plan that is not its best."""
    instance = with_parameters(load_instance("balexnet-cifar10"), 1)
    old = run_method(instance, "single-node").deployment
    assert old is not None
    return instance, old


@pytest.mark.parametrize("method", METHODS)
def test_where_moving_is_free_the_plan_is_the_optimum(method: str) -> None:
    instance, old = camera()
    links = [
        link.model_copy(update={"tx_energy_j_per_bit": 0.0, "rx_energy_j_per_bit": 0.0})
        for link in instance.network.links
    ]
    free = instance.model_copy(update={"network": instance.network.model_copy(update={"links": tuple(links)})})
    found = replan(free, old, Migration(), horizon=1.0, method=method)
    best = run_method(free, "label-setting").claimed_objective
    assert found.moving == 0.0
    assert found.after == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_where_moving_costs_more_than_it_can_save_everything_stays(method: str) -> None:
    instance, old = camera()
    found = replan(instance, old, Migration(fixed_cost_per_block=1e6), horizon=1.0, method=method)
    assert found.moves == ()
    assert found.after == pytest.approx(found.before, rel=1e-6)
    assert found.pays_back_after is None


@pytest.mark.parametrize("method", METHODS)
def test_a_longer_horizon_never_runs_dearer_and_never_moves_cheaper(method: str) -> None:
    instance, old = camera()
    horizons = [10.0**k for k in range(-1, 7)]
    found: list[Replan] = [
        replan(instance, old, Migration(fixed_cost_per_block=1.0), horizon=one, method=method) for one in horizons
    ]
    running = [one.after or 0.0 for one in found]
    assert all(two <= one * (1 + 1e-6) for one, two in pairwise(running))
    assert all(one.moving <= two.moving * (1 + 1e-6) for one, two in pairwise(found))
    assert not found[0].moves
    assert found[-1].moves
    assert found[-1].pays_back_after is not None
    assert found[-1].pays_back_after <= horizons[-1]


def test_parameters_travel_the_route_of_least_energy_from_where_they_are() -> None:
    instance, old = camera()
    (app,) = instance.applications
    first = old.deployments[0].placement[0]
    other = next(node.name for node in instance.network.nodes if node.name != first)
    stays, moves = (Movers(instance, old, Migration()).move(app, 1, name) for name in (first, other))
    assert stays is None
    assert moves is not None
    assert (moves.origin, moves.route[0], moves.route[-1]) == (first, first, other)
    stored = Movers(instance, old, Migration(repository=other)).move(app, 1, other)
    assert stored is not None
    assert (stored.route, stored.cost) == ((), 0.0)


def test_of_two_routes_parameters_take_that_of_least_energy() -> None:
    instance, old = camera()
    names = [node.name for node in instance.network.nodes]
    first, last, between = old.deployments[0].placement[0], "cloud", "edge"
    ends = {(first, last): 1e-6, (first, between): 1e-9, (between, last): 1e-9}
    links = [
        link.model_copy(update={"tx_energy_j_per_bit": ends[link.source, link.target], "rx_energy_j_per_bit": 0.0})
        for link in instance.network.links
    ]
    assert {*names} == {first, last, between}
    changed = instance.model_copy(update={"network": instance.network.model_copy(update={"links": tuple(links)})})
    move = Movers(changed, old, Migration()).move(changed.applications[0], 1, last)
    assert move is not None
    assert move.route == (first, between, last)
    assert move.energy_j == pytest.approx(8 * move.parameter_bytes * 2e-9)


def test_a_single_application_whose_capacities_bind_is_replanned_by_labels_as_by_the_program() -> None:
    found = []
    for seed in range(8):
        shared = with_parameters(random_shared_instance(seed, max_nodes=3), seed)
        app = shared.applications[0].model_copy(update={"rejection_penalty_w": None, "max_latency_s": 1.0})
        crowded = app.model_copy(update={"rate_per_s": 4 * app.weight})
        instance = shared.model_copy(update={"applications": (crowded,)})
        every = feasible_deployments(instance)
        if not every or not may_bind(instance):
            continue
        old = max(every, key=lambda one: evaluate(instance, one).objective or 0.0)
        for horizon in (1e-4, 1e-3, 1e-2, 0.1, 1.0):
            plans = [
                replan(instance, old, Migration(fixed_cost_per_block=0.1), horizon=horizon, method=m) for m in METHODS
            ]
            assert plans[0].total == pytest.approx(plans[1].total, rel=2e-6), (seed, horizon)
            found.append(len(plans[0].moves))
    assert 0 in found
    assert max(found) > 0


def test_what_cannot_be_is_refused() -> None:
    instance, old = camera()
    with pytest.raises(ValueError, match="horizon"):
        replan(instance, old, Migration(), horizon=0.0)
    with pytest.raises(ValueError, match="repository"):
        replan(instance, old, Migration(repository="nowhere"), horizon=1.0)
    with pytest.raises(InputError, match="weighs no moves"):
        replan(instance, old, Migration(), horizon=1.0, method="fin")
