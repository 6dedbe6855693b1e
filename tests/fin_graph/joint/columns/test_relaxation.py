"""The relaxation and its bound against explicit enumeration, and against itself under other circumstances."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.optimize import linprog

from finbench.fin_graph.joint.columns.master import Aim
from finbench.fin_graph.joint.columns.relaxation import Relaxation
from finbench.fin_graph.joint.system import SharedSystem, resource_name
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.deployment import Deployment
from finbench.models.evaluate import ViolationKind, evaluate
from finbench.models.instance import Application, Instance
from finbench.models.loads import Resource, uses
from finbench.models.result import Clock
from tests.models.enumeration import decisions
from tests.random_instances import random_shared_instance

SEEDS = range(40)


def relaxed(instance: Instance, **options: object) -> Relaxation | None:
    """Return the solved relaxation, or None where an application cannot be served or not all of them at once."""
    relaxation = Relaxation(SharedSystem.of(instance), Clock(), **options)  # type: ignore[arg-type]
    if relaxation.unservable:
        return None
    for _ in range(5):
        found = relaxation.solve()
        assert found is not None
        assert relaxation.closed(found)
        if not found.overload.any():
            return relaxation
        relaxation.master.dearer()
    return None


def columns(instance: Instance, app: Application, system: SharedSystem) -> Iterator[tuple[float, Floats]]:
    """Return power and resource fractions of every deployment that meets the application's own constraints."""
    number = {resource_name(instance.network, r): r for r in range(system.resources)}
    alone = instance.model_copy(update={"applications": (app,)})
    for decision in decisions(instance, app):
        judged = evaluate(alone, Deployment(deployments=(decision,)))
        if any(v.kind is not ViolationKind.BANDWIDTH for v in judged.violations) or judged.objective is None:
            continue
        taken = np.zeros(system.resources)
        for use in uses(instance, judged.loads):
            reserves = (
                use.subject in instance.network.node_by_name and instance.network.node_by_name[use.subject].reserves
            )
            if not (use.resource is Resource.COMPUTE and reserves):
                taken[number[use.resource.value, use.subject]] = use.utilisation
        yield judged.objective, taken


def explicit_relaxation(instance: Instance) -> float | None:
    """The relaxation's optimum over all columns, by another solver."""
    system, costs, takes, owners = SharedSystem.of(instance), list[float](), list[Floats](), list[int]()
    for h, app in enumerate(instance.applications):
        for power, taken in columns(instance, app, system):
            # A transfer that alone exceeds its link is no edge of the layered graph.
            costs.append(power)
            takes.append(taken)
            owners.append(h)
        if app.rejection_penalty_w is not None:
            costs.append(app.rejection_penalty_w)
            takes.append(np.zeros(system.resources))
            owners.append(h)
    count = len(instance.applications)
    if set(owners) != set(range(count)):
        return None
    serve = (np.arange(count)[:, None] == np.array(owners)).astype(float)
    found = linprog(costs, np.array(takes).T, system.empty_room(), serve, np.ones(count))
    return None if found.status != 0 or found.fun is None else float(found.fun)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_the_relaxation_over_all_deployments(seed: int) -> None:
    instance = random_shared_instance(
        seed, max_nodes=3, max_blocks=2, direct_only=True, levels=seed % 2 == 1, penalties=seed % 3 == 1
    )
    relaxation, expected = relaxed(instance), explicit_relaxation(instance)
    if relaxation is None or expected is None:
        assert relaxation is None
        assert expected is None
    else:
        assert relaxation.bound.value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_smoothing_changes_no_bound(seed: int) -> None:
    instance = random_shared_instance(seed, max_applications=6, max_nodes=6, max_blocks=5, penalties=seed % 2 == 1)
    one, two = relaxed(instance), relaxed(instance, smoothing=False)
    if one is None or two is None:
        assert one is two
    else:
        # Deployments that alone overload a node are left out where they are met: each may have met others.
        assert one.bound.value == pytest.approx(two.bound.value, rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_bound_on_the_way_is_one(seed: int) -> None:
    """Stopped after any number of iterations, the bound is at most the relaxation's value."""
    instance = random_shared_instance(seed, max_applications=6, max_nodes=6, max_blocks=5)
    whole = relaxed(instance, whole=False)
    if whole is None:
        return
    for iterations in range(1, 4):
        some = Relaxation(SharedSystem.of(instance), Clock(), whole=False)
        some.solve(stop=lambda _, some=some, most=iterations: some.iterations >= most)  # type: ignore[misc]
        assert some.bound.safe <= whole.bound.value * (1 + 1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_prices_are_what_more_room_saves(seed: int) -> None:
    """−d bound / d b_r lies between the differences to both sides."""
    instance = random_shared_instance(seed, max_applications=5, max_nodes=4, max_blocks=4)
    base = relaxed(instance, whole=False)
    if base is None:
        return
    for r in np.argsort(-base.bound.prices)[:2]:
        values = []
        for change in (-1e-4, 1e-4):
            room = base.system.empty_room()
            room[r] += change
            other = relaxed(instance, room=room, whole=False)
            if other is None:
                return
            values.append(other.bound.value)
        noise = 1e-3 * max(base.bound.prices[r], 1e-6 * base.bound.value)
        saved_by_more, lost_by_less = (base.bound.value - values[1]) / 1e-4, (values[0] - base.bound.value) / 1e-4
        assert saved_by_more - noise <= base.bound.prices[r] <= lost_by_less + noise


@pytest.mark.parametrize("seed", SEEDS)
def test_a_group_costs_what_its_members_cost_one_by_one(seed: int) -> None:
    instance = random_shared_instance(seed, max_applications=3, max_nodes=4, max_blocks=3, penalties=seed % 2 == 1)
    apps = tuple(
        app.model_copy(update={"name": f"{app.name}.{k}", "rate_per_s": app.weight / 3})
        for app in instance.applications
        for k in range(3)
    )
    # The members of the second are told apart by targets that differ by less than can matter.
    apart = tuple(
        app.model_copy(update={"max_latency_s": app.max_latency_s * (1 + k * 1e-12)}) for k, app in enumerate(apps)
    )
    one, two = (relaxed(instance.model_copy(update={"applications": some})) for some in (apps, apart))
    if one is None or two is None:
        assert one is two
    else:
        assert len(one.system.groups) < len(two.system.groups)
        assert one.bound.value == pytest.approx(two.bound.value, rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_overload_that_must_be_is_proven(seed: int) -> None:
    """Where the explicit program has no solution, neither has the relaxation, and the other way round."""
    instance = random_shared_instance(seed + 200, max_nodes=3, max_blocks=2, direct_only=True)
    relaxation = Relaxation(SharedSystem.of(instance), Clock())
    if relaxation.unservable:
        return
    found = relaxation.solve(Aim.OVERLOAD)
    assert found is not None
    assert relaxation.closed(found) or found.value < 1e-9
    assert (explicit_relaxation(instance) is None) == (relaxation.bound.value > 1e-8)
