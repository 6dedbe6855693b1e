"""Energy against carbon or money (eq. 31): every corner of the convex hull, and nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from finbench.benchmarks.families import generate
from finbench.benchmarks.judging.trade_off import TradeOff, trade_off, weighted_instance
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance, Objective
from finbench.models.io import InputError, load_instance
from tests.few_and_many import few_and_many
from tests.models.enumeration import decisions
from tests.random_instances import random_instance, random_shared_instance

Amounts = tuple[float, float]
OTHERS = (Objective.CARBON, Objective.MONEY)


def small(seed: int) -> Instance:
    """An instance of cheap transfers whose frugal nodes emit and cost more; an enumeration soon ends on it."""
    rng, data = np.random.default_rng(seed), random_instance(seed, max_nodes=3, max_blocks=4).model_dump()
    for node in data["network"]["nodes"]:
        per_op = node["power_w"] / node["compute_ops_per_s"] or 1e-12
        for field in ("carbon_g_per_j", "price_per_j"):
            node[field] = 1e-9 / per_op * float(10 ** rng.uniform(0, 1))
        node["price_per_busy_s"] = node["power_w"] * node["price_per_j"] * float(rng.uniform(0, 0.5))
    for link in data["network"]["links"]:
        link |= {name: 1e-2 * link[name] for name in ("tx_energy_j_per_bit", "rx_energy_j_per_bit")}
        link["bandwidth_bit_per_s"] *= 100
    best = max(exit_["accuracy"] for exit_ in data["dnns"][0]["exits"])
    for app in data["applications"]:
        app |= {"max_latency_s": 3 * app["max_latency_s"], "min_accuracy": best, "pinned": {}}
    return Instance.model_validate(data)


def every_amount(instance: Instance, other: Objective) -> list[Amounts]:
    """Energy and the other amount of all deployments that the evaluator passes."""
    found = []
    for decision in decisions(instance, instance.applications[0]):
        judged = evaluate(instance, Deployment(deployments=(decision,)))
        if judged.feasible:
            found.append((judged.applications[0].energy_j, judged.applications[0].cost(other)))
    return found


def hull(amounts: list[Amounts]) -> list[Amounts]:
    """The corners of the lower left convex hull by rising energy, by a scan along sorted points."""
    corners: list[Amounts] = []
    for x, y in sorted(set(amounts)):
        if corners and y >= corners[-1][1] * (1 - 1e-9):
            continue
        while len(corners) > 1 and _below(corners[-2], corners[-1], (x, y)):
            corners.pop()
        corners.append((x, y))
    return corners


def _below(one: Amounts, two: Amounts, three: Amounts) -> bool:
    """Whether `two` is not below the line from `one` to `three`."""
    (x1, y1), (x2, y2), (x3, y3) = one, two, three
    return (y2 - y1) * (x3 - x1) >= (y3 - y1) * (x2 - x1)


def assert_hull(found: TradeOff, truth: list[Amounts]) -> None:
    """Each corner is found or lies within the tolerance of what is found; each point is a corner."""
    mine = [(point.energy_j, point.other) for point in found.points]
    assert found.complete
    assert len(mine) <= len(truth)
    for point in mine:
        assert any(point == pytest.approx(corner, rel=1e-6, abs=1e-300) for corner in truth), point
    for x, y in truth:
        for (x1, y1), (x2, y2) in pairwise(mine):
            if x1 <= x <= x2:
                assert y >= y1 + (y2 - y1) * (x - x1) / (x2 - x1) - 1e-5 * y1
    if truth:
        assert mine[0] == pytest.approx(truth[0], rel=1e-6, abs=1e-300)
        assert mine[-1] == pytest.approx(truth[-1], rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("seed", few_and_many(range(60), 6))
def test_all_corners_are_found(seed: int, other: Objective) -> None:
    instance = small(seed)
    assert_hull(trade_off(instance, other), hull(every_amount(instance, other)))


def test_many_of_these_have_corners_between_the_ends() -> None:
    counts = [len(trade_off(small(seed), other).points) for seed in range(20) for other in OTHERS]
    assert sum(count > 2 for count in counts) >= 5


@pytest.mark.parametrize("other", OTHERS)
def test_a_weighted_sum_is_the_objective_of_its_instance(other: Objective) -> None:
    for seed in range(10):
        instance = small(seed)
        weighted = weighted_instance(instance, other, 2.0, 3.0)
        for decision in list(decisions(instance, instance.applications[0]))[:50]:
            deployment = Deployment(deployments=(decision,))
            was, now = evaluate(instance, deployment), evaluate(weighted, deployment)
            for before, after in zip(was.applications, now.applications, strict=True):
                assert after.money == pytest.approx(2 * before.energy_j + 3 * before.cost(other), rel=1e-12)


def test_time_that_is_up_is_told() -> None:
    drawn = generate("correlated", nodes=20, blocks=6, exits=1, seed=1)
    assert not trade_off(drawn, Objective.CARBON, time_limit_s=0.0).complete


def test_one_point_where_nothing_is_to_be_weighed() -> None:
    found = trade_off(load_instance("measured-camera"), Objective.CARBON)
    assert [point.other for point in found.points] == [0.0]


def test_other_instances_are_refused_in_one_line() -> None:
    with pytest.raises(InputError, match="trade-off: "):
        trade_off(random_shared_instance(0, penalties=False), Objective.MONEY)
    instance = load_instance("measured-camera")
    app = instance.applications[0].model_copy(update={"rejection_penalty_w": 1.0})
    with pytest.raises(InputError, match="may be turned away"):
        trade_off(instance.model_copy(update={"applications": (app,)}), Objective.CARBON)
