"""What a deployment is made of, counted again by hand from blocks, rates and routes."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from finbench.benchmarks.families import generate_shared
from finbench.benchmarks.judging.judged import judge
from finbench.benchmarks.methods import run_method
from finbench.benchmarks.rows.plan_columns import NO_TIER, plan_columns
from finbench.benchmarks.rows.row import result_columns
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import load_instance
from tests.random_instances import random_shared_instance


def recounted(instance: Instance, deployment: Deployment) -> tuple[dict[str, float], float]:
    """Executions by tier, and the energy of transfers."""
    tiers: defaultdict[str, float] = defaultdict(float)
    links = {(link.source, link.target): link for link in instance.network.links}
    sent = 0.0
    for decision in deployment.deployments:
        app = next(one for one in instance.applications if one.name == decision.application)
        (dnn,) = (one for one in instance.dnns if one.name == app.dnn)
        for i, name in enumerate(decision.placement):
            reach = 1 - sum(exit_.exit_fraction for exit_ in dnn.exits if exit_.after_block <= i)
            tiers[instance.network.node_by_name[name].tier or NO_TIER] += (app.rate_per_s or 1.0) * reach
            bits = dnn.input_bits if i == 0 else dnn.blocks[i - 1].output_bits
            counted = reach if instance.accounting.value == "expected" else 1.0
            for pair in pairwise(decision.routes[i] if decision.routes else ()):
                per_bit = links[pair].tx_energy_j_per_bit + links[pair].rx_energy_j_per_bit
                sent += (app.rate_per_s or 1.0) * counted * bits * per_bit
    return dict(tiers), sent


def test_parts_are_those_of_a_recount_and_add_up_to_the_objective() -> None:
    looked_at = 0
    for seed in range(40):
        instance = random_shared_instance(seed, max_applications=5, max_nodes=5, max_blocks=4, penalties=True)
        result = run_method(instance, "greedy")
        if result.deployment is None:
            continue
        looked_at += 1
        plan, judged = plan_columns(instance, result.deployment), evaluate(instance, result.deployment)
        tiers, sent = recounted(instance, result.deployment)
        assert plan["executions"] == pytest.approx(tiers, abs=1e-9)
        assert plan["transfer"] == pytest.approx(sent)
        assert judged.objective is not None
        assert plan["compute"] + plan["transfer"] + judged.penalty_w == pytest.approx(judged.objective)
        assert sum(plan["last_exits"].values()) == len(result.deployment.deployments)
    assert looked_at > 25


def test_a_single_application_counts_one_inference() -> None:
    instance = load_instance("balexnet-cifar10")
    nodes = ("device", "device", "edge", "edge", "cloud")
    routes = ((), (), ("device", "edge"), (), ("edge", "cloud"))
    decision = ApplicationDeployment(application=instance.name, last_exit=3, placement=nodes, routes=routes)
    plan = plan_columns(instance, Deployment(deployments=(decision,)))
    assert plan["executions"] == pytest.approx({"mobile": 1.344, "edge": 0.436, "cloud": 0.092})
    assert plan["last_exits"] == {"3": 1}


def test_a_row_of_a_run_says_what_its_deployment_is_made_of_and_one_without_says_nothing() -> None:
    instance = generate_shared("published-many", nodes=9, applications=3, load=0.05, seed=1)
    row = result_columns(judge(instance, "fin", {}, run_method(instance, "fin")), 1.0)
    assert row["plan"]["compute"] + row["plan"]["transfer"] == pytest.approx(row["objective"])
    crowded = generate_shared("published-many", nodes=66, applications=60, load=0.05, seed=1)
    assert result_columns(judge(crowded, "mcp", {}, run_method(crowded, "mcp")), 1.0)["plan"] is None
