"""The frontier of one application whose capacities bind: its corners are what the exact methods find at each budget."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest

from finbench.fin_graph import label_setting
from finbench.fin_graph.fin import solve as fin
from finbench.fin_graph.frontier import ExitFrontier, frontiers
from finbench.fin_graph.options import FinOptions
from finbench.fin_graph.paths.support import may_bind
from finbench.models.instance import Instance
from tests.few_and_many import few_and_many
from tests.loaded_instances import loaded_instance, uncapacitated

NOISE = 1e-9
GAMMA = 40


def asked(instance: Instance, one: ExitFrontier, budget: float) -> Instance:
    """The instance with its application held to one exit of one DNN, and to a budget."""
    (app,) = instance.applications
    choice = next(choice for choice in app.choices if choice.named_dnn == one.dnn)
    dnn = instance.dnn_of(choice)
    only = dnn.model_copy(update={"exits": tuple(e.model_copy(update={"accuracy": 0.0}) for e in dnn.exits)})
    exits = list(only.exits)
    exits[one.last_exit - 1] = exits[one.last_exit - 1].model_copy(update={"accuracy": 1.0})
    only = only.model_copy(update={"exits": tuple(exits)})
    hurried = choice.model_copy(update={"max_latency_s": budget, "min_accuracy": 0.5})
    dnns = tuple(only if each.name == dnn.name else each for each in instance.dnns)
    return instance.model_copy(update={"dnns": dnns, "applications": (hurried,)})


def least(instance: Instance, one: ExitFrontier, budget: float) -> float:
    found = label_setting.solve(asked(instance, one, budget)).claimed_objective
    return inf if found is None else found / instance.applications[0].weight


@pytest.mark.parametrize("batch", few_and_many(range(6), 1))
@pytest.mark.parametrize("extras", [False, True])
def test_every_corner_is_the_least_energy_at_its_budget_and_no_corner_is_missing(batch: int, extras: bool) -> None:
    bound, several = 0, 0
    for seed in range(20 * batch, 20 * batch + 20):
        instance = loaded_instance(seed, max_blocks=4, extras=extras)
        if not may_bind(instance):
            continue
        for one in frontiers(instance, instance.applications[0], gamma=GAMMA):
            assert one.exact is not None
            assert all(a[0] < b[0] and b[1] < a[1] * (1 - NOISE) for a, b in pairwise(one.exact))
            for number, (budget, energy) in enumerate(one.exact):
                assert least(instance, one, budget) == pytest.approx(energy, rel=NOISE), (seed, budget)
                little_less = budget * (1 - 1e-5)
                less = least(instance, one, little_less)
                assert less > energy * (1 + NOISE) or budget == 0
                before = min((e for latency, e in one.exact[:number] if latency <= little_less), default=inf)
                assert less <= before * (1 + NOISE)
            for budget, energy in one.fin:
                assert energy >= min(e for latency, e in one.exact if latency <= budget * (1 + NOISE)) * (1 - NOISE)
            several += len(one.exact) > 1
            bound += _capacities_tell(instance, one)
    assert several > 1
    assert bound >= 1


def _capacities_tell(instance: Instance, one: ExitFrontier) -> bool:
    """Whether some corner would cost less if there were no capacities."""
    free = uncapacitated(instance)
    return any(least(free, one, budget) < energy * (1 - 1e-6) for budget, energy in one.exact or ())


def test_fins_last_corner_is_what_fin_finds_where_its_path_fits() -> None:
    seen = 0
    for seed in range(40):
        instance = loaded_instance(seed, max_blocks=4)
        if not may_bind(instance):
            continue
        for one in frontiers(instance, instance.applications[0], gamma=GAMMA):
            assert one.exact is not None
            if not one.fin:
                continue
            budget, energy = one.fin[-1]
            found = fin(asked(instance, one, budget), FinOptions(gamma=GAMMA)).claimed_objective
            assert found is not None
            seen += energy <= found / instance.applications[0].weight * (1 + 1e-6)
    assert seen > 30


def test_a_limit_leaves_no_exact_corners_that_are_not_all_there() -> None:
    instance = next(one for one in map(loaded_instance, range(50)) if may_bind(one))
    for one in frontiers(instance, instance.applications[0], gamma=GAMMA, horizon_s=1e3, time_limit_s=0.0):
        assert one.exact is None or one.exact == ()
