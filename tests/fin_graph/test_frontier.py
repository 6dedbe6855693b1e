"""The energy-latency-accuracy frontier."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import inf, nan

import pytest

from finbench.fin_graph.fin import solve as fin
from finbench.fin_graph.frontier import frontiers
from finbench.fin_graph.label_setting import solve as label_setting
from finbench.fin_graph.options import FinOptions
from finbench.fin_graph.paths import label_search
from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Network, Node
from finbench.models.tolerances import rounded_up
from tests.random_instances import random_instance


def test_balexnet_has_three_exits_and_fins_corners_lie_above_the_exact(balexnet: Instance) -> None:
    found = frontiers(balexnet, balexnet.applications[0], gamma=200)
    assert [one.last_exit for one in found] == [1, 2, 3]
    for one in found:
        assert one.exact is not None
        for budget, energy in one.fin:
            least = min(e for latency, e in one.exact if latency <= budget)
            assert energy >= least * (1 - 1e-9)
        assert one.fin[-1][1] == pytest.approx(one.exact[-1][1], rel=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_every_corner_is_what_the_methods_find_at_that_budget(seed: int) -> None:
    instance = random_instance(seed)
    app = instance.applications[0]
    horizon, gamma = app.max_latency_s, 40
    for one in frontiers(instance, app, gamma=gamma, horizon_s=horizon):
        asked = instance.with_overrides(min_accuracy=one.accuracy)
        shallower = [e for e in instance.dnn_of(app).exits[: one.last_exit - 1] if e.accuracy >= one.accuracy]
        if shallower:
            continue
        if one.fin:
            assert fin(asked, FinOptions(gamma=gamma, engine="arrays")).claimed_objective == pytest.approx(
                one.fin[-1][1], rel=1e-9
            )
        assert one.exact
        assert label_setting(asked).claimed_objective == pytest.approx(one.exact[-1][1], rel=1e-9)


def test_time_limit_leaves_fins_frontier(balexnet: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_search, "QUOTA", 1)
    whole = frontiers(balexnet, balexnet.applications[0], gamma=50)
    late = frontiers(balexnet, balexnet.applications[0], gamma=50, time_limit_s=0.0)
    assert all(one.exact is not None for one in whole)
    assert [replace(one, exact=None) for one in whole] == list(late)


@pytest.mark.parametrize("zeros", [False, True])
def test_every_energy_has_one_corner(zeros: bool) -> None:
    for seed in range(60):
        instance = random_instance(seed, zeros=zeros)
        for one in frontiers(instance, instance.applications[0], gamma=30):
            assert one.exact is not None
            for corners in (one.fin, one.exact):
                assert all(a[0] < b[0] and b[1] < a[1] * (1 - 1e-9) for a, b in pairwise(corners)), seed


def test_two_ways_of_the_same_energy_are_one_corner() -> None:
    """Sums of the same energies in another order differ in the last digits; the quicker way is the corner."""
    slow, quick = 0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1
    assert slow != quick
    nodes = tuple(
        Node(name=name, compute_ops_per_s=speed, power_w=energy * speed)
        for name, speed, energy in (("a", 10.0, quick), ("b", 5.0, min(slow, quick) * (1 - 1e-15)))
    )
    links = (Link(source="a", target="b", bandwidth_bit_per_s=1e9, tx_energy_j_per_bit=0.0, rx_energy_j_per_bit=0.0),)
    exit_ = Exit(after_block=1, exit_fraction=1.0, accuracy=0.9)
    dnn = DNN(name="dnn", input_bits=8.0, blocks=(Block(ops=1.0, output_bits=8.0),), exits=(exit_,))
    app = Application(name="app", dnn="dnn", source="a", max_latency_s=1.0, min_accuracy=0.5)
    network = Network(name="net", nodes=nodes, links=links)
    instance = Instance(name="flat", network=network, dnns=(dnn,), applications=(app,))
    (found,) = frontiers(instance, app, gamma=100)
    assert found.exact is not None
    assert [budget for budget, _ in found.exact] == [pytest.approx(0.1)]
    assert len(found.fin) == 1


@pytest.mark.parametrize("horizon", [-1.0, nan, inf])
def test_a_horizon_that_is_no_budget_is_refused(balexnet: Instance, horizon: float) -> None:
    with pytest.raises(ValueError, match="horizon_s"):
        frontiers(balexnet, balexnet.applications[0], gamma=10, horizon_s=horizon)


def test_what_a_budget_as_shown_gives_costs_no_more_than_its_corner(balexnet: Instance) -> None:
    assert rounded_up(0.00369372551, 7) == 0.003693726
    assert rounded_up(0.0036937261, 7) == 0.003693727
    assert rounded_up(0.25, 3) == 0.25
    for one in frontiers(balexnet, balexnet.applications[0], gamma=50):
        if one.last_exit < 3:
            continue
        for budget, energy in one.exact or ():
            asked = balexnet.with_overrides(max_latency_s=rounded_up(budget, 4), min_accuracy=one.accuracy)
            found = label_setting(asked).claimed_objective
            assert found is not None
            assert found <= energy * (1 + 1e-9)
