"""Plans under disturbances, and the command that causes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.robustness.disturbances import Disturbance, DisturbanceKind
from finbench.benchmarks.robustness.stress import disturbances, stress
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Device, Instance, MeasuredRun
from tests.random_instances import random_shared_instance

RATES, NODE, LINK = DisturbanceKind.RATES, DisturbanceKind.NODE, DisturbanceKind.LINK
NODES, LINKS, EVERYTHING = DisturbanceKind.NODES, DisturbanceKind.LINKS, DisturbanceKind.EVERYTHING


@pytest.fixture(scope="module")
def balexnet() -> Instance:
    return fb.load("balexnet-cifar10")


@pytest.fixture(scope="module")
def plan(balexnet: Instance) -> Deployment:
    found = fb.solve(balexnet, "label-setting").deployment
    assert found is not None
    return found


def test_a_slower_node_takes_longer_and_more_energy_and_a_slower_link_longer(
    balexnet: Instance, plan: Deployment
) -> None:
    (before,) = evaluate(balexnet, plan).applications
    (node,) = evaluate(Disturbance(NODE, "device", 0.5).applied(balexnet), plan).applications
    (link,) = evaluate(Disturbance(LINK, "device->cloud", 0.5).applied(balexnet), plan).applications
    assert node.compute_energy_j > 1.5 * before.compute_energy_j
    assert node.transfer_energy_j == before.transfer_energy_j
    assert node.latency_s > 1.5 * before.latency_s
    assert link.energy_j == before.energy_j
    assert link.latency_s > before.latency_s


def test_what_was_measured_grows_with_a_slower_node_alone(balexnet: Instance) -> None:
    name = balexnet.dnns[0].name
    device = Device(name="board", measured={name: {"1": MeasuredRun(time_s=1.0, energy_j=2.0)}})
    nodes = tuple(
        one.model_copy(update={"device": "board"}) if one.name != "cloud" else one for one in balexnet.network.nodes
    )
    network = balexnet.network.model_copy(update={"nodes": nodes})
    measured = balexnet.model_copy(update={"devices": (device,), "network": network})
    after = Disturbance(NODE, "device", 0.5).applied(measured)
    slower, same = (after.network.node_by_name[one] for one in ("device", "edge"))
    assert after.measurements(after.dnns[0], slower)[1] == MeasuredRun(time_s=2.0, energy_j=4.0)
    assert after.measurements(after.dnns[0], same)[1] == MeasuredRun(time_s=1.0, energy_j=2.0)


def test_what_fails_is_gone_and_where_samples_arise_nothing_fails(balexnet: Instance, plan: Deployment) -> None:
    chosen = disturbances(balexnet, plan)
    assert [str(one) for one in chosen if one.fails] == ["link device->cloud fails", "node cloud fails"]
    without = Disturbance(NODE, "cloud", 1.0).applied(balexnet)
    assert "cloud" not in without.network.node_by_name
    assert not any("cloud" in pair for pair in without.network.link_by_pair)


def test_a_new_plan_is_the_optimum_of_the_disturbed_system(balexnet: Instance, plan: Deployment) -> None:
    found = stress(balexnet, plan, method="label-setting")
    for one in found.results:
        after = one.disturbance.applied(balexnet)
        assert one.replanned == pytest.approx(fb.solve(after, "milp-flow").objective, rel=1e-9)
        assert one.kept is None or one.kept == pytest.approx(evaluate(after, plan).objective)
        assert one.holds == evaluate(after, plan).feasible
    assert found.planned == pytest.approx(0.0213954574, rel=1e-6)
    assert {one.holds for one in found.results} == {True, False}


@pytest.mark.parametrize("seed", [2, 3, 5, 6, 8, 9])
def test_shared_systems_are_disturbed_part_by_part(seed: int) -> None:
    instance = random_shared_instance(seed, penalties=True)
    deployment = fb.solve(instance, "greedy").deployment
    if deployment is None or not deployment.deployments:
        pytest.skip("nobody is served")
    found = stress(instance, deployment, method="exhaustive")
    assert [one.disturbance.kind for one in found.results[:6]] == [RATES] * 6
    for one in found.results:
        if one.holds and one.replanned is not None and one.kept is not None:
            assert one.replanned <= one.kept * (1 + 1e-6), "the optimum is no worse than a plan that holds"


def test_a_node_that_blocks_are_pinned_to_leaves_nothing_to_plan(balexnet: Instance, plan: Deployment) -> None:
    app_ = balexnet.applications[0].model_copy(update={"pinned": {"5": "cloud"}})
    pinned = balexnet.model_copy(update={"applications": (app_,)})
    found = fb.solve(pinned, "label-setting").deployment
    if found is None:
        pytest.skip("the pin leaves no plan")
    (one,) = stress(pinned, found, [Disturbance(NODE, "cloud", 1.0)]).results
    assert (one.broken, one.replanned, one.outcome) == ((app_.name,), None, "nothing to plan")


def called(*arguments: object) -> tuple[int, str]:
    came = CliRunner().invoke(app, list(map(str, arguments)))
    return came.exit_code, came.output


def test_the_command_prints_draws_and_tells_programs(balexnet: Instance, plan: Deployment, tmp_path: Path) -> None:
    file, picture = tmp_path / "plan.json", tmp_path / "stress.svg"
    fb.save(plan, file)
    code, text = called("stress", "balexnet-cifar10", file, "--method", "label-setting", "-o", picture)
    assert code == 0
    assert "15 of 20 break nothing, 5 are mended by a new plan, 0 by none" in text
    assert picture.stat().st_size > 5000
    code, text = called("stress", "balexnet-cifar10", file, "--severities", "0.5", "--json")
    assert code == 0
    assert len(json.loads(text)["disturbances"]) == 8
    code, text = called("stress", "balexnet-cifar10", file, "--severities", "0.5,2")
    assert (code, text.count("\n")) == (2, 1)


def changed(instance: Instance, seed: int, part: float) -> Instance:
    """A system whose rates are up to a part higher or lower, and each of whose nodes and links up to it slower."""
    rng = np.random.default_rng(seed)
    apps = tuple(
        app.model_copy(update={"rate_per_s": app.weight * (1 + rng.uniform(-part, part))})
        for app in instance.applications
    )
    nodes = tuple(
        node.model_copy(update={"compute_ops_per_s": (node.compute_ops_per_s or 1.0) * (1 - rng.uniform(0, part))})
        for node in instance.network.nodes
    )
    links = tuple(
        link.model_copy(update={"bandwidth_bit_per_s": link.bandwidth_bit_per_s * (1 - rng.uniform(0, part))})
        for link in instance.network.links
    )
    network = instance.network.model_copy(update={"nodes": nodes, "links": links})
    return instance.model_copy(update={"applications": apps, "network": network})


@pytest.mark.parametrize("seed", [2, 3, 5, 6, 8, 9])
def test_all_at_once_is_the_worst_of_its_set(seed: int) -> None:
    """No system of the set has a higher latency or load; one corner of the set is the disturbance itself."""
    instance = random_shared_instance(seed, penalties=True)
    deployment = fb.solve(instance, "greedy").deployment
    if deployment is None or not deployment.deployments:
        pytest.skip("nobody is served")
    corner = evaluate(Disturbance(EVERYTHING, "", 0.3).applied(instance), deployment)
    latest = {one.application: one.latency_s for one in corner.applications}
    for draw in range(40):
        judged = evaluate(changed(instance, draw, 0.3), deployment)
        assert all(one.latency_s <= latest[one.application] * (1 + 1e-9) for one in judged.applications)
        for name, load in judged.loads.executions.items():
            assert load <= corner.loads.executions[name] * (1 + 1e-9)
        for pair, bits in judged.loads.bandwidth_bit_per_s.items():
            assert bits <= corner.loads.bandwidth_bit_per_s[pair] * (1 + 1e-9)
        assert not judged.violations or corner.violations


def test_all_nodes_and_all_links_are_slower_together(balexnet: Instance, plan: Deployment) -> None:
    (before,), (nodes,), (links,) = (
        evaluate(one, plan).applications
        for one in (
            balexnet,
            Disturbance(NODES, "", 0.5).applied(balexnet),
            Disturbance(LINKS, "", 0.5).applied(balexnet),
        )
    )
    assert nodes.compute_energy_j == pytest.approx(2 * before.compute_energy_j)
    assert (nodes.transfer_energy_j, links.energy_j) == (before.transfer_energy_j, before.energy_j)
    assert nodes.latency_s > before.latency_s
    assert links.latency_s > before.latency_s


def test_lower_rates_break_nothing_and_cost_less() -> None:
    instance = random_shared_instance(3, penalties=True)
    deployment = fb.solve(instance, "greedy").deployment
    assert deployment is not None
    (found,) = stress(instance, deployment, [Disturbance(RATES, "", -0.5)]).results
    assert str(found.disturbance) == "rates -50 %"
    assert found.holds
    assert found.kept is not None
    assert found.kept < (evaluate(instance, deployment).objective or 0.0)
