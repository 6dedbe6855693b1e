"""Plans with headroom against enumeration, and what a method's answer becomes."""

from __future__ import annotations

from itertools import product

import pytest

import finbench as fb
from finbench.benchmarks.planning.headroom import solve_with_headroom, stretch, with_headroom
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance, Link
from finbench.models.io import InputError
from finbench.models.loads import Resource, uses
from finbench.models.result import Status
from tests.models.enumeration import decisions
from tests.random_instances import random_shared_instance

UTILISATION = 0.6


def test_the_stretch_is_that_of_a_queue_with_fixed_services() -> None:
    assert stretch(0.5) == 1.5
    assert stretch(0.9) == pytest.approx(5.5)


def without_delays(instance: Instance) -> Instance:
    links = tuple(Link(**{**link.model_dump(), "delay_s": 0.0}) for link in instance.network.links)
    return instance.model_copy(update={"network": instance.network.model_copy(update={"links": links})})


def leaves_headroom(instance: Instance, deployment: Deployment) -> bool:
    """Whether a deployment keeps every rule, its loads within ρ and its stretched latency within δ."""
    judged = evaluate(instance, deployment)
    if not judged.feasible:
        return False
    timed = {Resource.COMPUTE, Resource.BANDWIDTH}
    full = [use for use in uses(instance, judged.loads) if use.resource in timed]
    served = {one.application: one.latency_s for one in evaluate(without_delays(instance), deployment).applications}
    targets = {app.name: app.max_latency_s for app in instance.applications}
    stretched = {
        one.application: one.latency_s + (stretch(UTILISATION) - 1) * served[one.application]
        for one in judged.applications
    }
    return all(use.utilisation <= UTILISATION * (1 + 1e-6) for use in full) and all(
        latency <= targets[name] * (1 + 1e-6) for name, latency in stretched.items()
    )


def least_with_headroom(instance: Instance) -> float | None:
    found = []
    for chosen in product(*([*decisions(instance, app), app.name] for app in instance.applications)):
        served = tuple(one for one in chosen if isinstance(one, ApplicationDeployment))
        rejected = tuple(one for one in chosen if isinstance(one, str))
        deployment = Deployment(deployments=served, rejected=rejected)
        if leaves_headroom(instance, deployment):
            found.append(evaluate(instance, deployment).objective)
    return min(one for one in found if one is not None) if found else None


@pytest.mark.parametrize("seed", [pytest.param(s, marks=[pytest.mark.slow] if s > 3 else []) for s in range(14)])
def test_the_optimum_with_headroom_is_the_cheapest_plan_that_leaves_it(seed: int) -> None:
    instance = random_shared_instance(seed, max_applications=2, max_nodes=2, max_blocks=2, penalties=True)
    best = least_with_headroom(instance)
    result = solve_with_headroom(instance, UTILISATION, "milp-flow")
    if result.deployment is None:
        assert best is None
        assert result.status is Status.NO_SOLUTION
        return
    assert result.status is Status.FEASIBLE
    assert result.lower_bound is None
    assert result.claimed_objective == pytest.approx(best, rel=1e-6)


def test_headroom_costs_and_energies_of_an_inference_stay() -> None:
    instance = random_shared_instance(3, penalties=True)
    found = fb.solve(with_headroom(instance, 0.6), "milp-flow")
    assert found.deployment is not None
    inside, outside = (evaluate(each, found.deployment) for each in (with_headroom(instance, 0.6), instance))
    for one, other in zip(inside.applications, outside.applications, strict=True):
        assert one.energy_j == pytest.approx(other.energy_j, rel=1e-12)
    assert outside.objective == pytest.approx((inside.objective or 0) * stretch(0.6) * 0.6, rel=1e-12)


def test_measured_runs_take_longer_at_the_same_energy() -> None:
    instance = fb.load("measured-camera")
    rated = instance.model_copy(
        update={"applications": tuple(app.model_copy(update={"rate_per_s": 1e-3}) for app in instance.applications)}
    )
    found = fb.solve(rated, "label-setting").deployment
    assert found is not None
    before, after = evaluate(rated, found).applications[0], evaluate(with_headroom(rated, 0.5), found).applications[0]
    assert after.energy_j == pytest.approx(before.energy_j, rel=1e-12)
    assert after.latency_s > 1.2 * before.latency_s


@pytest.mark.parametrize("utilisation", [0.0, 1.0, -0.5, float("nan")])
def test_a_headroom_outside_its_range_is_refused(utilisation: float) -> None:
    with pytest.raises(InputError, match="headroom"):
        with_headroom(random_shared_instance(1), utilisation)


def test_without_rates_nobody_waits() -> None:
    with pytest.raises(InputError, match="rate_per_s"):
        with_headroom(fb.load("blenet-mnist"), 0.5)
