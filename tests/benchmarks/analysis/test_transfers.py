"""What transfers take of latency and energy is measured on deployments, and said where it is next to nothing."""

from __future__ import annotations

import pytest

from finbench.benchmarks.analysis.transfers import (
    TransferPart,
    against_computing,
    links_of,
    part,
    parts_of,
    transfer_share,
)
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.step_costs import step_costs
from tests.benchmarks.conftest import BEST, TOO_SLOW, placed


def test_parts_are_those_of_the_evaluator(balexnet: Instance) -> None:
    (found,) = parts_of(balexnet, BEST)
    (costs,) = evaluate(balexnet, BEST).applications
    assert found.energy == pytest.approx(costs.transfer_energy_j / costs.energy_j, rel=1e-12)
    steps = step_costs(balexnet, balexnet.applications[0], BEST.deployments[0])
    assert found.latency == pytest.approx(sum(step.transfer_s for step in steps) / costs.latency_s, rel=1e-12)
    assert found.moves


def test_a_deployment_on_one_node_moves_nothing(balexnet: Instance) -> None:
    assert parts_of(balexnet, TOO_SLOW) == [TransferPart(0.0, 0.0, False)]
    assert transfer_share(parts_of(balexnet, TOO_SLOW)).sentence("links of 1 bit/s").startswith("None of 1 deployments")


def test_medians_are_over_deployments_that_send_something() -> None:
    share = transfer_share([TransferPart(0.0, 0.0, False), TransferPart(0.2, 0.4, True), TransferPart(0.6, 0.8, True)])
    assert (share.deployments, share.moving) == (3, 2)
    assert (share.latency, share.most_latency, share.energy) == pytest.approx((0.4, 0.6, 0.6))
    assert not share.hardly_counts
    assert "slow" not in share.sentence("links")
    assert part(0.0, 0.0, 0.0, 0.0, moves=False) == TransferPart(0.0, 0.0, False)


def test_published_links_are_so_fast_that_it_is_said(balexnet: Instance) -> None:
    share = transfer_share(parts_of(balexnet, placed("device", "device", "device", "edge", "edge")))
    said = share.sentence(links_of([balexnet]))
    assert said.startswith("1 of 1 deployments send something over links of 560 Gbit/s to 4.5 Tbit/s")
    assert said.endswith("so that these results say little about networks whose links are slow.")
    assert "a sample crosses the slowest in 44 ns" in against_computing(balexnet)
