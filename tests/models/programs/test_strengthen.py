"""Reductions are sound, checked against every feasible deployment, and do remove something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from finbench.benchmarks.families import generate
from finbench.models import exhaustive
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.exhaustive import Enumeration
from finbench.models.instance import Instance
from finbench.models.milp import flow
from finbench.models.programs.costs import Costs, costs_of
from finbench.models.programs.steps import Steps, steps_of
from finbench.models.programs.strengthen import (
    Kept,
    earliest_accurate_exit,
    improved,
    least_cost,
    least_energy,
    within_energy,
    within_latency,
    worth_serving,
)
from finbench.models.result import Clock
from tests.random_instances import of_applications, random_instance, random_shared_instance


def feasible_to(instance: Instance, costs: Costs, last_exit: int) -> list[Steps]:
    """All feasible deployments to one exit over undominated routes."""
    found = []
    for _, exit_, path in Enumeration(instance, Clock()).feasible(0):
        if exit_ == last_exit:
            decision = ApplicationDeployment(
                application=instance.applications[0].name,
                last_exit=exit_,
                placement=tuple(choice.node for choice in path),
                routes=tuple(choice.route for choice in path),
                shares=tuple(choice.share for choice in path),
            )
            found += [steps for steps in steps_of([costs], Deployment(deployments=(decision,))) if steps is not None]
    return found


def uses_only(steps: Steps, kept: Kept) -> bool:
    return all(
        kept.run[k, node] and all(kept.send[k, link] for link in route)
        for k, (node, route) in enumerate(zip(steps.placement, steps.routes, strict=True))
    )


SEEDS = range(150)


def case(seed: int, *, levels: bool = False) -> tuple[Instance, Costs, Kept | None, list[Steps]]:
    if levels:
        shared = random_shared_instance(seed, levels=True)
        instance = of_applications(shared, shared.applications[:1])
    else:
        instance = random_instance(seed, max_nodes=4, max_blocks=4, zeros=seed % 3 == 0)
    (costs,) = costs_of(instance)
    last_exit = earliest_accurate_exit(costs)
    found = [] if last_exit is None else feasible_to(instance, costs, last_exit)
    return instance, costs, within_latency(costs), found


CASES = [(seed, False) for seed in SEEDS] + [(seed, True) for seed in range(60)]


@pytest.mark.parametrize(("seed", "levels"), CASES)
def test_every_feasible_deployment_survives_the_latency_bound(seed: int, levels: bool) -> None:
    _, _, kept, found = case(seed, levels=levels)
    assert (kept is None) == (not found)
    assert kept is None or all(uses_only(steps, kept) for steps in found)


@pytest.mark.parametrize(("seed", "levels"), CASES)
def test_every_deployment_as_good_as_the_incumbent_survives_the_energy_bounds(seed: int, levels: bool) -> None:
    _, costs, kept, found = case(seed, levels=levels)
    if kept is None:
        return
    rng = np.random.default_rng(seed)
    incumbent = found[int(rng.integers(len(found)))]
    (reduced,) = within_energy([costs], [kept], [incumbent])
    as_good = [steps for steps in found if steps.energy(costs) <= incumbent.energy(costs)]
    assert all(uses_only(steps, reduced) for steps in as_good)
    assert not (reduced.run & ~kept.run).any()
    assert not (reduced.send & ~kept.send).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_least_energy_is_the_least_over_all_paths(seed: int) -> None:
    instance, costs, _, _ = case(seed)
    loose = instance.with_overrides(max_latency_s=1e9)
    (costs,) = costs_of(loose)
    kept, optimum = within_latency(costs), exhaustive.solve(loose).claimed_objective
    if kept is None:
        assert optimum is None
    else:
        assert least_energy(costs, kept) == pytest.approx(optimum, rel=1e-12)


def rejectable(seed: int, penalty: float) -> Costs:
    (costs,) = costs_of(random_instance(seed))
    return replace(costs, app=costs.app.model_copy(update={"rate_per_s": 1.0, "rejection_penalty_w": penalty}))


@pytest.mark.parametrize("seed", range(40))
def test_only_what_is_worth_its_energy_is_kept(seed: int) -> None:
    (costs,) = costs_of(random_instance(seed))
    kept = within_latency(costs)
    must, free, dear = worth_serving(costs), worth_serving(rejectable(seed, 0.0)), worth_serving(rejectable(seed, 1e9))
    assert (must is None) == (kept is None)
    assert free is not None
    assert dear is not None
    assert free.exits == ()
    assert not free.run.size
    assert not free.send.size
    assert bool(dear.exits) == (kept is not None)
    assert least_cost(rejectable(seed, 0.0), free) == 0
    assert least_cost(rejectable(seed, 1e9), dear) == (1e9 if kept is None else least_energy(costs, kept))


def test_a_start_that_serves_what_is_better_rejected_is_improved() -> None:
    _, costs, _, found = next(case(seed) for seed in SEEDS if seed % 3 and case(seed)[3])
    start = found[0]
    assert start.energy(costs) > 0
    assert improved(costs, start) == start
    for factor, served in ((0.999, False), (1.0, True)):
        penalty = factor * start.energy(costs)
        app = costs.app.model_copy(update={"rate_per_s": 1.0, "rejection_penalty_w": penalty})
        assert (improved(replace(costs, app=app), start) is not None) == served
    assert improved(costs, None) is None


def test_the_bounds_remove_a_good_part() -> None:
    """Over many instances: what latency leaves of all variables, and what energy leaves of that."""
    total = after_latency = after_energy = 0
    for seed in SEEDS:
        _, costs, kept, found = case(seed)
        if kept is not None:
            best = min(found, key=lambda steps: steps.energy(costs))
            (reduced,) = within_energy([costs], [kept], [best])
            total += costs.run_energy.size + costs.send_energy.size
            after_latency += int(kept.run.sum() + kept.send.sum())
            after_energy += int(reduced.run.sum() + reduced.send.sum())
    assert after_latency < 0.6 * total
    assert after_energy < 0.5 * after_latency


def test_the_lagrangian_bound_removes_what_energy_alone_cannot() -> None:
    """Energies and latencies that pull apart, and an incumbent that is optimal: a quarter goes."""
    instance = generate("correlated", nodes=10, blocks=6, exits=1, seed=3)
    all_costs, best = costs_of(instance), flow.solve(instance).deployment
    kept = within_latency(all_costs[0])
    assert kept is not None
    assert best is not None
    (reduced,) = within_energy(all_costs, [kept], steps_of(all_costs, best))
    assert kept.run.all()
    assert kept.send.all()
    assert int(reduced.run.sum() + reduced.send.sum()) <= 0.76 * (kept.run.size + kept.send.size)


@pytest.mark.parametrize("seed", SEEDS[:30])
@pytest.mark.parametrize("rate", [1e-3, 1e3])
def test_what_energy_removes_is_the_same_at_any_rate(seed: int, rate: float) -> None:
    _, costs, kept, found = case(seed)
    if kept is not None:
        rated = replace(costs, app=costs.app.model_copy(update={"rate_per_s": rate}))
        start = [found[0]]
        (one,), (two,) = within_energy([costs], [kept], start), within_energy([rated], [kept], start)
        assert (one.run == two.run).all()
        assert (one.send == two.send).all()
