"""Everything on one node: an enumeration of nodes and routes agrees."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Literal

import networkx as nx
import pytest
from pydantic import ValidationError

from finbench.fin_graph.options import SingleNodeOptions
from finbench.fin_graph.single_node import solve, supports
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.result import Status
from tests.random_instances import random_instance


def best_by_enumeration(instance: Instance, names: list[str]) -> float | None:
    """Least energy over nodes, exits and every combination of simple routes."""
    app = instance.applications[0]
    links = nx.DiGraph(list(instance.network.link_by_pair))
    links.add_nodes_from(instance.network.node_by_name)
    best = None
    for name, (f, exit_) in product(names, enumerate(instance.dnn_of(app).exits, start=1)):
        placement = tuple(app.pins.get(i, name) for i in range(1, exit_.after_block + 1))
        options = [
            [()] if a == b else [tuple(route) for route in nx.all_simple_paths(links, a, b)]
            for a, b in pairwise((app.source, *placement))
        ]
        for routes in product(*options):
            decision = ApplicationDeployment(application=app.name, last_exit=f, placement=placement, routes=routes)
            judged = evaluate(instance, Deployment(deployments=(decision,)))
            if judged.feasible and judged.objective is not None:
                best = judged.objective if best is None else min(best, judged.objective)
    return best


@pytest.mark.parametrize("node", ["best", "source"])
@pytest.mark.parametrize("block", range(10))
def test_single_node_costs_no_less_than_enumeration_and_equals_it_where_latency_is_slack(
    block: int, node: Literal["best", "source"]
) -> None:
    """It finds a deployment whenever a single node suffices; it is the best where least-energy routes are in time."""
    for seed in range(20 * block, 20 * (block + 1)):
        instance = random_instance(seed, max_nodes=4, max_blocks=4, zeros=seed % 2 == 1)
        names = [instance.applications[0].source] if node == "source" else list(instance.network.node_by_name)
        best, result = best_by_enumeration(instance, names), solve(instance, SingleNodeOptions(node=node))
        if best is None:
            assert result.status in (Status.NO_SOLUTION, Status.INFEASIBLE)
            assert result.deployment is None
            continue
        assert result.status is Status.FEASIBLE
        assert result.deployment is not None
        judged = evaluate(instance, result.deployment)
        assert judged.feasible
        assert judged.objective == pytest.approx(result.claimed_objective, rel=1e-12, abs=0)
        assert judged.objective is not None
        assert judged.objective >= best * (1 - 1e-9)
        roomy = instance.with_overrides(max_latency_s=1e3)
        assert solve(roomy, SingleNodeOptions(node=node)).claimed_objective == pytest.approx(
            best_by_enumeration(roomy, names), rel=1e-9
        )


def test_single_node_takes_the_cheapest_node_in_time_on_the_published_scenario(balexnet: Instance) -> None:
    """The pinned first block stays on the device; the rest goes to the cheapest node that is in time."""
    for budget, best, source in ((0.0025, "cloud", None), (0.007, "device", "device")):
        instance = balexnet.with_overrides(max_latency_s=budget, min_accuracy=0.8)
        nodes: tuple[tuple[Literal["best", "source"], str | None], ...] = (("best", best), ("source", source))
        for node, expected in nodes:
            result = solve(instance, SingleNodeOptions(node=node))
            if expected is None:
                assert result.status is Status.NO_SOLUTION
                continue
            assert result.deployment is not None
            assert result.deployment.deployments[0].placement == ("device", *[expected] * 4)


def test_least_latency_routes_where_least_energy_routes_are_late() -> None:
    """device → edge → cloud is cheap and slow, device → cloud dear and quick."""
    instance = random_instance(0, max_nodes=1).model_copy()
    node = instance.network.nodes[0].model_copy(update={"compute_ops_per_s": 1e9, "power_w": 1.0})
    nodes = tuple(node.model_copy(update={"name": name}) for name in ("device", "edge", "cloud"))
    fields = {"bandwidth_bit_per_s": 1e9, "rx_energy_j_per_bit": 0.0}
    network = type(instance.network).model_validate(
        {
            "name": "detour",
            "nodes": nodes,
            "links": [
                {"source": "device", "target": "edge", "tx_energy_j_per_bit": 1e-9, "delay_s": 1.0, **fields},
                {"source": "edge", "target": "cloud", "tx_energy_j_per_bit": 1e-9, "delay_s": 1.0, **fields},
                {"source": "device", "target": "cloud", "tx_energy_j_per_bit": 5e-9, **fields},
            ],
        }
    )
    blocks = len(instance.dnns[0].blocks)
    app = instance.applications[0].model_copy(
        update={"source": "device", "pinned": {str(i): "cloud" for i in range(1, blocks + 1)}, "min_accuracy": 0.0}
    )
    slow = instance.model_copy(update={"network": network, "applications": (app,)})
    for budget, route in ((10.0, ("device", "edge", "cloud")), (1.5, ("device", "cloud"))):
        result = solve(slow.with_overrides(max_latency_s=budget))
        assert result.deployment is not None
        assert result.deployment.deployments[0].routes_from("device")[0] == route


def test_an_accuracy_that_no_exit_reaches_is_infeasible(balexnet: Instance) -> None:
    result = solve(balexnet.with_overrides(min_accuracy=0.99))
    assert result.status is Status.INFEASIBLE
    assert result.reason == "no exit is accurate enough"


def test_a_time_limit_ends_the_search(balexnet: Instance) -> None:
    assert solve(balexnet, time_limit_s=0.0).status is Status.TIME_LIMIT


def test_an_unknown_value_of_the_node_option_is_refused(balexnet: Instance) -> None:
    assert supports(balexnet) is None
    assert supports(balexnet, SingleNodeOptions(node="source")) is None
    with pytest.raises(ValidationError, match="'best' or 'source'"):
        SingleNodeOptions.model_validate({"node": "moon"})
