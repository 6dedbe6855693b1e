"""Costs and loads as arrays against the evaluator's, for the same decisions."""

from __future__ import annotations

from collections import defaultdict
from math import inf

import pytest

from finbench.models import exhaustive
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import DNN, Accounting, Application, Block, Exit, Instance, Link, Network, Node
from finbench.models.io import load_instance
from finbench.models.programs.costs import Capacities, costs_of
from finbench.models.programs.steps import deployment_of, objective_of, steps_of
from tests.random_instances import random_instance, random_shared_instance


@pytest.mark.parametrize("seed", range(60))
def test_energy_and_latency_agree_with_the_evaluator(seed: int) -> None:
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
def test_the_objective_with_levels_and_rejections_agrees_with_the_evaluator(seed: int) -> None:
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


def test_rows_that_cannot_bind_have_no_capacity() -> None:
    """Two applications of two blocks, 10 op each and 3 byte: 4 blocks, 12 byte, and op/s by rate."""

    def capacities(rate: float | None, **node: object) -> Capacities:
        nodes = (
            Node(name="n", compute_ops_per_s=100.0, power_w=1.0).model_copy(update=node),
            Node(name="m", compute_ops_per_s=1e9, power_w=1.0),
        )
        ends = {"source": "n", "target": "m", "tx_energy_j_per_bit": 0.0, "rx_energy_j_per_bit": 0.0}
        blocks = tuple(Block(ops=10.0, output_bits=7.0, parameter_bytes=3.0) for _ in range(2))
        dnn = DNN(
            name="d", input_bits=5.0, blocks=blocks, exits=(Exit(after_block=2, exit_fraction=1.0, accuracy=1.0),)
        )
        apps = tuple(
            Application(name=name, dnn="d", source="n", rate_per_s=rate, max_latency_s=9.0, min_accuracy=0.0)
            for name in ("a", "b")[: 1 if rate is None else 2]
        )
        network = Network(name="pair", nodes=nodes, links=(Link.model_validate({**ends, "bandwidth_bit_per_s": 24.0}),))
        instance = Instance(name="i", network=network, dnns=(dnn,), applications=apps)
        assert costs_of(instance)[0].network.site_labels == (
            (("n", 0.25), ("n", 0.5), ("m", 1.0)) if node.get("compute_shares") == (0.25, 0.5) else (("n",), ("m",))
        )
        return Capacities.of(network, costs_of(instance))

    assert capacities(2.5).compute.tolist() == [inf, inf]
    assert capacities(2.6).compute.tolist() == [1.0, inf]
    assert capacities(1.0).bandwidth.tolist() == [inf]
    assert capacities(1.1).bandwidth.tolist() == [24.0]
    assert capacities(1.0, memory_bytes=12.0).memory.tolist() == [inf, inf]
    assert capacities(1.0, memory_bytes=11.0).memory.tolist() == [11.0, inf]
    assert capacities(1.0).reservation.tolist() == [inf, inf]
    assert capacities(9.0, compute_shares=(0.25, 0.5)).reservation.tolist() == [1.0, inf]
    assert capacities(9.0, compute_shares=(0.25, 0.5)).compute.tolist() == [inf, inf]
    assert capacities(None, compute_shares=(0.25, 0.5)).reservation.tolist() == [inf, inf]
    assert capacities(None, compute_ops_per_s=1.0).compute.tolist() == [inf, inf]


def test_shares_that_do_not_keep_up_are_not_stable() -> None:
    """B-AlexNet's first block at a rate that takes 0.3 of the device."""
    base = load_instance("balexnet-cifar10")
    device = base.network.nodes[0].model_copy(update={"compute_shares": (0.2, 0.4)})
    network = base.network.model_copy(update={"nodes": (device, *base.network.nodes[1:])})
    rate = 0.3 * (device.compute_ops_per_s or 0.0) / base.dnns[0].blocks[0].ops
    app = base.applications[0].model_copy(update={"rate_per_s": rate})
    (costs,) = costs_of(base.model_copy(update={"network": network, "applications": (app,)}))
    assert costs.network.sites == (("device", 0.2), ("device", 0.4), ("edge", 1.0), ("cloud", 1.0))
    assert costs.stable[0].tolist() == [False, True, True, True]
    assert costs.run_latency[0, 0] == pytest.approx(2 * costs.run_latency[0, 1])
    assert costs.run_energy[0, 0] == costs.run_energy[0, 1]


@pytest.mark.parametrize("placement", ["ddddd", "decce", "deeec", "ccccc", "dddec"])
def test_loads_are_rates_weighted_by_survival(placement: str) -> None:
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
        compute[costs.network.nodes[node]] += costs.compute_load[k, node]
        memory[costs.network.nodes[node]] += costs.memory_load[k]
        for link in route:
            bandwidth[ends[link]] += costs.link_load[k]
    loads = evaluate(instance, deployment).loads
    assert compute == pytest.approx(loads.executions, rel=1e-12)
    assert memory == pytest.approx(loads.memory_bytes, rel=1e-12)
    assert bandwidth == pytest.approx(loads.bandwidth_bit_per_s, rel=1e-12)
