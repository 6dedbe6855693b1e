"""Label setting against uncertain data: exact where one deviation is the worst for every path, else refused."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.fin_graph.one_worst import NOT_ADDITIVE, solve_robust
from finbench.models.milp import robust
from finbench.models.result import Status
from finbench.models.uncertainty import Uncertainty, worst_case
from tests.random_instances import random_instance


def test_label_setting_finds_the_least_worst_or_refuses() -> None:
    ends = []
    for seed in range(24):
        draw = np.random.default_rng(seed)
        instance = random_instance(seed, max_nodes=3, max_blocks=6, max_exits=5)
        if seed % 3:  # far into the DNN
            best = max(one.accuracy for one in instance.dnns[0].exits)
            instance = instance.with_overrides(min_accuracy=best, max_latency_s=1.0)
        (app,) = instance.applications
        if seed % 2:
            instance = instance.model_copy(update={"applications": (app.model_copy(update={"rate_per_s": 3.0}),)})
        uncertainty = Uncertainty(int(draw.integers(0, 4)), float(draw.choice([0.1, 0.6])))
        found = solve_robust(instance, uncertainty)
        ends.append(found.status)
        if found.status is Status.UNSUPPORTED:
            assert found.reason == NOT_ADDITIVE
            continue
        exact = robust.solve_robust(instance, uncertainty)
        assert found.status is exact.status, seed
        if found.deployment is not None:
            assert found.claimed_objective == pytest.approx(exact.claimed_objective, rel=2e-6), seed
            worst = worst_case(instance, found.deployment, uncertainty)
            assert worst.violations == ()
            assert worst.objective == pytest.approx(found.claimed_objective, rel=1e-9)
    assert ends.count(Status.OPTIMAL) >= 6
    assert ends.count(Status.UNSUPPORTED) >= 1
