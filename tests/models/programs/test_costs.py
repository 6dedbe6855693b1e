"""Costs and loads as arrays against the evaluator's, for the same decisions."""

from __future__ import annotations

from collections import defaultdict

import pytest

from finbench.models import exhaustive
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Accounting, Instance, Link, Network
from finbench.models.io import load_instance
from finbench.models.programs.costs import costs_of
from finbench.models.programs.steps import deployment_of, objective_of, steps_of
from tests.random_instances import random_instance, random_shared_instance


@pytest.mark.parametrize("seed", range(60))
def test_energy_and_latency(seed: int) -> None:
    instance = random_instance(seed)
    deployment = exhaustive.solve(instance).deployment
    if deployment is not None:
        (costs,) = costs_of(instance)
        (steps,) = steps_of([costs], deployment)
        assert steps is not None
        (judged,) = evaluate(instance, deployment).applications
        assert steps.energy(costs) == pytest.approx(judged.energy_j, rel=1e-12)
        assert steps.latency(costs) == pytest.approx(judged.latency_s, rel=1e-12)
        assert deployment_of([costs], [steps]) == deployment


@pytest.mark.parametrize("seed", range(60))
def test_objective_of_levels_and_rejections(seed: int) -> None:
    instance = random_shared_instance(seed, levels=True, penalties=True)
    deployment = exhaustive.solve(instance).deployment
    if deployment is not None:
        all_costs = costs_of(instance)
        all_steps = steps_of(all_costs, deployment)
        judged = evaluate(instance, deployment)
        latencies = [s.latency(c) for c, s in zip(all_costs, all_steps, strict=True) if s is not None]
        assert objective_of(all_costs, all_steps) == pytest.approx(judged.objective, rel=1e-12)
        assert latencies == pytest.approx([app.latency_s for app in judged.applications], rel=1e-12)
        assert deployment_of(all_costs, all_steps) == deployment


def test_shares_that_do_not_keep_up_are_not_stable() -> None:
    """B-AlexNet's first block at a rate that takes 0.3 of the device."""
    base = load_instance("balexnet-cifar10")
    device = base.network.nodes[0].model_copy(update={"compute_shares": (0.2, 0.4)})
    network = base.network.model_copy(update={"nodes": (device, *base.network.nodes[1:])})
    rate = 0.3 * device.compute_ops_per_s / base.dnns[0].blocks[0].ops
    app = base.applications[0].model_copy(update={"rate_per_s": rate})
    (costs,) = costs_of(base.model_copy(update={"network": network, "applications": (app,)}))
    assert costs.network.sites == (("device", 0.2), ("device", 0.4), ("edge", 1.0), ("cloud", 1.0))
    assert costs.stable[0].tolist() == [False, True, True, True]
    assert costs.run_latency[0, 0] == pytest.approx(2 * costs.run_latency[0, 1])
    assert costs.run_energy[0, 0] == costs.run_energy[0, 1]


@pytest.mark.parametrize("placement", ["ddddd", "decce", "deeec", "ccccc", "dddec"])
def test_loads(placement: str) -> None:
    """Rates weighted by survival, whatever the accounting."""
    base = load_instance("balexnet-cifar10").with_overrides(accounting=Accounting.FULL_DEPTH)
    app = base.applications[0].model_copy(update={"rate_per_s": 30.0})
    back = Link(
        source="cloud", target="edge", bandwidth_bit_per_s=1e9, tx_energy_j_per_bit=0.0, rx_energy_j_per_bit=0.0
    )
    network = Network(name="both-ways", nodes=base.network.nodes, links=(*base.network.links, back))
    instance = Instance(name="loaded", network=network, dnns=base.dnns, applications=(app,))
    names = {"d": "device", "e": "edge", "c": "cloud"}
    decision = ApplicationDeployment(
        application=app.name, last_exit=3, placement=tuple(names[letter] for letter in placement)
    )
    deployment = Deployment(deployments=(decision,))
    (costs,) = costs_of(instance)
    (steps,) = steps_of([costs], deployment)
    assert steps is not None
    ends = {number: pair for pair, number in costs.network.link_number.items()}
    compute: defaultdict[str, float] = defaultdict(float)
    memory: defaultdict[str, float] = defaultdict(float)
    bandwidth: defaultdict[tuple[str, str], float] = defaultdict(float)
    for k, (node, route) in enumerate(zip(steps.placement, steps.routes, strict=True)):
        compute[costs.network.nodes[node]] += costs.compute_load[k]
        memory[costs.network.nodes[node]] += costs.memory_load[k]
        for link in route:
            bandwidth[ends[link]] += costs.link_load[k]
    loads = evaluate(instance, deployment).loads
    assert compute == pytest.approx(loads.compute_ops_per_s, rel=1e-12)
    assert memory == pytest.approx(loads.memory_bytes, rel=1e-12)
    assert bandwidth == pytest.approx(loads.bandwidth_bit_per_s, rel=1e-12)
