"""Savings by faster parts and looser targets, against a fresh solve of the changed instance by another exact method."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from finbench.fin_graph.joint.explanation.enablers import GREATEST
from finbench.fin_graph.joint.explanation.explain import Explanation, explain
from finbench.fin_graph.joint.explanation.upgrades import FACTORS, Saving
from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.shortest import least_energy_path, least_latency_path
from finbench.models import exhaustive
from finbench.models.instance import Instance
from finbench.models.milp import flow
from finbench.models.result import Result, Status
from finbench.models.tolerances import equal_energy
from tests.few_and_many import few_and_many
from tests.random_instances import random_instance, random_shared_instance


def changed(instance: Instance, factors: dict[str, float]) -> Instance:
    """The instance, written anew, with nodes (by name) and links (`n->m`) faster by factors at equal energy."""
    document = instance.model_dump(mode="json")
    for node in document["network"]["nodes"]:
        node["compute_ops_per_s"] *= factors.get(node["name"], 1.0)
        node["power_w"] *= factors.get(node["name"], 1.0)
    for link in document["network"]["links"]:
        link["bandwidth_bit_per_s"] *= factors.get(f"{link['source']}->{link['target']}", 1.0)
    return Instance.model_validate(document)


def solved(instance: Instance, seed: int = 1) -> Result:
    """A proven answer, by enumeration, of every tenth seed by the flow program."""
    result = flow.solve(instance) if seed % 10 == 0 else exhaustive.solve(instance)
    assert result.status in (Status.OPTIMAL, Status.INFEASIBLE)
    return result


def least(instance: Instance, seed: int) -> float:
    found = solved(instance, seed).claimed_objective
    assert found is not None
    return found


def assert_exact(told: Saving, before: float, after: float, where: object) -> None:
    """What is told is what the other method finds, and zero where nothing is saved."""
    assert abs(before - told.saving - after) <= 1e-6 * before, (where, told, before - after)
    assert told.saving == 0 or told.saving > 1e-6 * before, where
    assert told.at_most >= told.saving, where
    assert told.at_most - told.saving <= 1e-6 * before, (where, "is exact")


def traded(instance: Instance, seed: int) -> Instance:
    """The instance with nodes whose energy per operation is a constant minus their time: everything is a trade-off."""
    nodes = []
    for node, time in zip(instance.network.nodes, np.random.default_rng(seed).uniform(1, 10, 99) * 1e-10, strict=False):
        rates = {"compute_ops_per_s": float(1 / time), "power_w": float((11e-10 - time) / time)}
        nodes.append(node.model_copy(update=rates))
    network = instance.network.model_copy(update={"nodes": tuple(nodes)})
    return instance.model_copy(update={"network": network})


def small(seed: int) -> Instance:
    """A small instance whose target lies between the least latency and that of the least energy, if they differ."""
    instance = random_instance(seed, max_nodes=3, max_blocks=4, zeros=seed % 4 == 0, direct_only=seed % 4 > 1)
    instance = traded(instance, seed) if seed % 4 > 1 else instance
    (app,) = instance.applications
    problem = path_problem(instance, app)
    quick, cheap = (None, None) if problem is None else (least_latency_path(problem), least_energy_path(problem))
    if quick is None or cheap is None:
        return instance
    between = float(np.random.default_rng(seed).uniform(0.05, 1.05))
    return instance.with_overrides(max_latency_s=quick.latency + between * (cheap.latency - quick.latency))


@pytest.fixture(scope="module", params=few_and_many((5, 0, 1, 2, 3, 4, 6, 7, 8, 9), 1))
def explained(request: pytest.FixtureRequest) -> list[tuple[int, Instance, Explanation]]:
    """Thirty instances with their explanations, of three hundred in all."""
    seeds = range(30 * request.param, 30 * (request.param + 1))
    return [(seed, small(seed), explain(small(seed))) for seed in seeds]


def test_every_saving_by_a_faster_part_is_that_of_a_fresh_solve(
    explained: list[tuple[int, Instance, Explanation]],
) -> None:
    seen: Counter[bool] = Counter()
    for seed, instance, explanation in explained:
        if not explanation.fits:
            assert explanation.upgrades.ranked == ()
            continue
        network, before = instance.network, least(instance, seed)
        subjects = [*(node.name for node in network.nodes), *(f"{a.source}->{a.target}" for a in network.links)]
        assert sorted(upgrade.subject for upgrade in explanation.upgrades.ranked) == sorted(subjects)
        assert explanation.upgrades.left_out == ()
        for upgrade in explanation.upgrades.ranked:
            assert tuple(saving.factor for saving in upgrade.savings) == FACTORS
            for saving in upgrade.savings:
                after = least(changed(instance, {upgrade.subject: saving.factor}), seed)
                assert_exact(saving, before, after, (seed, upgrade.subject))
                seen[saving.saving > 0] += 1
    assert min(seen[True], seen[False]) >= 3, seen


def test_every_saving_by_a_looser_target_is_that_of_a_fresh_solve(
    explained: list[tuple[int, Instance, Explanation]],
) -> None:
    seen: Counter[str] = Counter()
    for seed, instance, explanation in explained:
        if explanation.relief is None:
            continue
        (app,), before = instance.applications, least(instance, seed)
        for saving in explanation.relief.latency:
            looser = instance.with_overrides(max_latency_s=app.max_latency_s * saving.factor)
            assert_exact(saving, before, least(looser, seed), (seed, "latency"))
            seen["latency"] += saving.saving > 0
        for step in explanation.relief.exits:
            lower = instance.with_overrides(min_accuracy=min(step.min_accuracy, app.min_accuracy))
            assert_exact(Saving(1.0, step.saving, step.at_most), before, least(lower, seed), (seed, "accuracy"))
            seen["exit"] += step.saving > 0
    assert min(seen["latency"], seen["exit"]) >= 1, seen


def test_a_price_of_zero_says_that_no_looser_target_saves(
    explained: list[tuple[int, Instance, Explanation]],
) -> None:
    for _, instance, explanation in explained:
        if explanation.relief is None or explanation.relief.latency_price != 0:
            continue
        assert all(saving.saving == 0 for saving in explanation.relief.latency), instance.name


def test_the_best_upgrade_comes_first(explained: list[tuple[int, Instance, Explanation]]) -> None:
    for _, _, explanation in explained:
        most = [upgrade.most for upgrade in explanation.upgrades.ranked]
        assert most == sorted(most, reverse=True)
        for upgrade in explanation.upgrades.ranked:
            savings = [saving.saving for saving in upgrade.savings]
            assert savings == sorted(savings), "a greater factor saves no less"


def hasty(seed: int) -> Instance:
    """An instance whose latency target is mostly out of reach."""
    instance = random_instance(seed, max_nodes=4, max_blocks=4)
    (app,) = instance.applications
    return instance.with_overrides(max_latency_s=app.max_latency_s / (3 + seed % 17), min_accuracy=0.0)


@pytest.mark.parametrize("batch", few_and_many(range(10), 1))
def test_the_least_factor_makes_it_feasible_and_less_does_not(batch: int) -> None:
    seen: Counter[int] = Counter()
    for seed in range(30 * batch, 30 * (batch + 1)):
        instance, explanation = hasty(seed), explain(hasty(seed))
        if explanation.fits or explanation.enablers is None:
            continue
        subjects = [*(node.name for node in instance.network.nodes)]
        subjects += [f"{a.source}->{a.target}" for a in instance.network.links]
        named = {tuple(part.subject for part in one.parts): one.factor for one in explanation.enablers.found}
        singles = {parts for parts in named if len(parts) == 1}
        for parts, factor in named.items():
            for times, fits in ((1 + 1e-5, True), (1 - 1e-4, False)):
                other = changed(instance, dict.fromkeys(parts, factor * times))
                assert (solved(other, seed).status is Status.OPTIMAL) is fits, (seed, parts, factor, times)
            seen[len(parts)] += 1
        for subject in subjects:
            if (subject,) not in singles:
                assert solved(changed(instance, {subject: 0.999 * GREATEST}), seed).status is Status.INFEASIBLE, (
                    seed,
                    subject,
                )
                seen[0] += 1
        if not singles:
            for pair in combinations(subjects, 2):
                fits = solved(changed(instance, dict.fromkeys(pair, 0.999 * GREATEST)), seed).status is Status.OPTIMAL
                assert fits is (pair in named or pair[::-1] in named), (seed, pair)
    assert min(seen[0], seen[1]) >= 3, seen


def test_the_published_device_saves_a_fifth_where_it_is_twice_as_fast(balexnet: Instance) -> None:
    explanation = explain(balexnet)
    best = explanation.upgrades.ranked[0]
    assert (best.kind, best.subject) == ("node", "device")
    assert best.savings[-1].saving == pytest.approx(0.199 * 0.0213955, rel=1e-2)
    assert all(upgrade.most == 0 for upgrade in explanation.upgrades.ranked[1:])


def test_parts_that_time_left_out_are_named(balexnet: Instance) -> None:
    explanation = explain(balexnet, time_limit_s=0.0)
    if explanation.fits:
        subjects = {upgrade.subject for upgrade in explanation.upgrades.ranked} | set(explanation.upgrades.left_out)
        assert len(subjects) == 6
        assert "device" in explanation.upgrades.left_out


@pytest.mark.parametrize("batch", few_and_many(range(36), 1))
def test_savings_on_a_shared_system_are_found_and_bounded(batch: int) -> None:
    for seed in range(2 * batch, 2 * (batch + 1)):
        instance = random_shared_instance(seed, levels=seed % 4 == 0, penalties=seed % 2 == 0)
        explanation = explain(instance, time_limit_s=60)
        before = explanation.result.claimed_objective
        if before is None:
            continue
        assert explanation.upgrades.left_out == ()
        for upgrade in explanation.upgrades.ranked:
            for saving in upgrade.savings:
                after = flow.solve(changed(instance, {upgrade.subject: saving.factor})).claimed_objective
                assert after is not None
                assert saving.saving <= before - after + 1e-6 * before, "what is found is no more than there is"
                assert saving.at_most >= before - after - 2e-6 * before, (seed, upgrade)
                if saving.saving > 0:
                    assert equal_energy(before - saving.saving, after), (seed, upgrade)


@pytest.mark.slow
def test_one_part_that_lets_several_applications_meet_their_targets_is_named() -> None:
    seen: Counter[bool] = Counter()
    for seed in range(12):
        instance = random_shared_instance(seed, max_nodes=3, max_blocks=2)
        apps = tuple(
            app.model_copy(update={"max_latency_s": app.max_latency_s / (4 + 9 * (seed % 3)), "rate_per_s": 1e-9})
            for app in instance.applications
        )
        nodes = tuple(node.model_copy(update={"memory_bytes": None}) for node in instance.network.nodes)
        network = instance.network.model_copy(update={"nodes": nodes})
        hurried = instance.model_copy(update={"applications": apps, "network": network})
        explanation = explain(hurried, time_limit_s=20)
        if explanation.fits or explanation.enablers is None:
            continue
        for one in explanation.enablers.found:
            parts = [part.subject for part in one.parts]
            for times, fits in ((1 + 1e-5, True), (1 - 1e-4, False)):
                other = changed(hurried, dict.fromkeys(parts, one.factor * times))
                assert (flow.solve(other).status is Status.OPTIMAL) is fits, (seed, one)
            seen[len(explanation.obstacles) > 1] += 1
    assert min(seen[True], seen[False]) >= 1, seen
