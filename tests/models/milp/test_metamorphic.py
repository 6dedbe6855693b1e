"""What must hold between the optima of related instances, whatever these optima are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from finbench.models.instance import Instance
from finbench.models.milp import flow
from finbench.models.result import Status
from finbench.models.tolerances import equal_energy
from tests.few_and_many import few_and_many
from tests.random_instances import of_applications, random_shared_instance

SEEDS = few_and_many(range(40), 12)
TOLERANCE = 1 + 1e-6


def optimum(instance: Instance) -> float:
    """The optimal objective, infinite where the instance is infeasible."""
    result = flow.solve(instance)
    assert result.status in (Status.OPTIMAL, Status.INFEASIBLE), result.reason
    return np.inf if result.claimed_objective is None else result.claimed_objective


def case(seed: int) -> Instance:
    """Levels and penalties in all four combinations."""
    return random_shared_instance(seed, max_applications=4, levels=seed % 2 == 0, penalties=seed % 4 < 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_order_and_names_change_no_optimum(seed: int) -> None:
    rng, data = np.random.default_rng(seed), case(seed).model_dump()
    names = {node["name"]: f"place {k}" for k, node in enumerate(reversed(data["network"]["nodes"]))}
    for node in data["network"]["nodes"]:
        node["name"] = names[node["name"]]
    for link in data["network"]["links"]:
        link |= {end: names[link[end]] for end in ("source", "target")}
    for h, app in enumerate(data["applications"]):
        pinned = {block: names[node] for block, node in app["pinned"].items()}
        app |= {"name": f"user {h}", "source": names[app["source"]], "pinned": pinned}
    for part, field in ((data["network"], "nodes"), (data["network"], "links"), (data, "applications")):
        part[field] = [part[field][k] for k in rng.permutation(len(part[field]))]
    one, two = optimum(case(seed)), optimum(Instance.model_validate(data))
    assert one == two or equal_energy(one, two)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_application_less_is_never_dearer(seed: int) -> None:
    instance = case(seed)
    whole = optimum(instance)
    for h in range(len(instance.applications)):
        rest = instance.applications[:h] + instance.applications[h + 1 :]
        assert optimum(of_applications(instance, rest)) <= whole * TOLERANCE


@pytest.mark.parametrize("seed", SEEDS)
def test_with_slack_capacities_every_application_has_its_own_optimum(seed: int) -> None:
    """Rates a million times lower load nothing, and divide every power by a million."""
    data = random_shared_instance(seed, max_applications=4, penalties=seed % 2 == 0).model_dump()
    for node in data["network"]["nodes"]:
        node["memory_bytes"] = None
    for app in data["applications"]:
        app["rate_per_s"] /= 1e6
        if app["rejection_penalty_w"] is not None:
            app["rejection_penalty_w"] /= 1e6
    slack = Instance.model_validate(data)
    single = sum(optimum(of_applications(slack, (app,))) for app in slack.applications)
    assert single == optimum(slack) or equal_energy(single, optimum(slack))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_longer_menu_is_never_dearer(seed: int) -> None:
    instance = random_shared_instance(seed, levels=True, penalties=seed % 2 == 0)
    data = instance.model_dump()
    for node in data["network"]["nodes"]:
        if node["compute_shares"] != (1.0,):
            node["compute_shares"] = sorted({*node["compute_shares"], 0.15, 0.7, 1.0})
    assert optimum(Instance.model_validate(data)) <= optimum(instance) * TOLERANCE


@pytest.mark.parametrize("seed", SEEDS)
def test_a_higher_penalty_costs_at_most_what_it_is_higher(seed: int) -> None:
    """OPT(ψ) ≤ OPT(ψ + Δ) ≤ OPT(ψ) + Δ, and no penalty at all is the highest."""
    instance = random_shared_instance(seed, levels=seed % 2 == 0, penalties=True)
    first, *rest = instance.applications
    now = optimum(instance)
    penalty = first.rejection_penalty_w

    def with_penalty(value: Any) -> float:
        changed = first.model_copy(update={"rejection_penalty_w": value})
        return optimum(of_applications(instance, (changed, *rest)))

    if penalty is None:
        assert with_penalty(1.0) <= now * TOLERANCE
    else:
        higher = with_penalty(3 * penalty)
        assert now <= higher * TOLERANCE
        assert higher <= (now + 2 * penalty) * TOLERANCE
        assert higher <= with_penalty(None) * TOLERANCE
