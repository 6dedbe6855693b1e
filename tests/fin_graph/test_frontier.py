"""The energy-latency-accuracy frontier."""

from __future__ import annotations

from dataclasses import replace

import pytest

from finbench.fin_graph.fin import solve as fin
from finbench.fin_graph.frontier import frontiers
from finbench.fin_graph.label_setting import solve as label_setting
from finbench.fin_graph.options import FinOptions
from finbench.fin_graph.paths import label_search
from finbench.models.instance import Instance
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
