"""MCP: honest about its targets, blind to energy."""

from __future__ import annotations

import networkx as nx
import pytest

from finbench.fin_graph.mcp import solve
from finbench.fin_graph.stages.extended import extended_graph
from finbench.fin_graph.stages.inference import fin_three_stages
from finbench.models.evaluate import evaluate
from finbench.models.instance import Accounting, Instance
from finbench.models.result import Status
from tests.random_instances import random_instance


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("block", range(10))
def test_feasible_whenever_it_says_so(block: int, zeros: bool) -> None:
    for seed in range(30 * block, 30 * (block + 1)):
        instance = random_instance(seed, zeros=zeros)
        result = solve(instance)
        if result.status is Status.FEASIBLE:
            assert result.deployment is not None
            judged = evaluate(instance, result.deployment)
            assert judged.feasible
            assert judged.objective == pytest.approx(result.claimed_objective, rel=1e-12, abs=0)
        else:
            assert result.status in (Status.NO_SOLUTION, Status.INFEASIBLE)
            assert result.deployment is None
            assert result.reason


@pytest.mark.parametrize("seed", range(150))
def test_infeasible_only_where_no_end_can_be_reached(seed: int) -> None:
    instance = random_instance(seed)
    graph = extended_graph(instance, instance.applications[0])
    reached = {graph.graph["source"], *nx.descendants(graph, graph.graph["source"])}
    proven = not reached & graph.graph["ends"].keys()
    assert (solve(instance).status is Status.INFEASIBLE) == proven


@pytest.mark.parametrize("seed", range(150))
def test_its_path_has_the_least_weight(seed: int) -> None:
    """Latency share plus accuracy margin, against an exhaustive look at every end."""
    instance = random_instance(seed)
    app, result = instance.applications[0], solve(instance)
    if result.deployment is None:
        return
    graph = extended_graph(instance, app)
    exits = instance.dnn_of(app).exits
    quickest = nx.single_source_dijkstra_path_length(graph, graph.graph["source"], weight="latency_s")
    least = min(
        quickest[end] / app.max_latency_s + app.min_accuracy / exits[f - 1].accuracy
        for end, f in graph.graph["ends"].items()
        if end in quickest
    )
    costs = evaluate(instance, result.deployment).applications[0]
    assert costs.latency_s / app.max_latency_s + app.min_accuracy / costs.accuracy == pytest.approx(least, rel=1e-9)


@pytest.mark.parametrize(
    ("accounting", "energy"), [(Accounting.FULL_DEPTH, 0.1395037435823), (Accounting.EXPECTED, 0.0455107658343)]
)
def test_mcp_hurries_to_the_cloud_on_the_published_scenario(
    balexnet: Instance, accounting: Accounting, energy: float
) -> None:
    """MCP hurries to the cloud whatever the budget: that is the published configuration of least latency, 2.2156 ms."""
    for budget in (0.0023, 0.005, 0.015):
        instance = balexnet.with_overrides(max_latency_s=budget, min_accuracy=0.8, accounting=accounting)
        result = solve(instance)
        assert result.status is Status.FEASIBLE
        assert result.deployment is not None
        assert result.deployment.deployments[0].placement == ("device", *["cloud"] * 4)
        assert result.claimed_objective == pytest.approx(energy, rel=1e-9)
        assert (fin_three_stages(instance, instance.applications[0], 1000).energy_j or 0) <= energy * (1 + 1e-9)


def test_targets_that_mcp_cannot_meet_are_reported_with_a_reason(balexnet: Instance) -> None:
    for budget, accuracy, status, reason in (
        (0.005, 0.99, Status.INFEASIBLE, "accurate"),
        (0.001, 0.8, Status.NO_SOLUTION, "target is 0.001 s"),
        (0.0, 0.8, Status.NO_SOLUTION, "target is 0 s"),
    ):
        result = solve(balexnet.with_overrides(max_latency_s=budget, min_accuracy=accuracy))
        assert result.status is status
        assert result.reason is not None
        assert reason in result.reason


def test_an_exit_of_accuracy_zero_satisfies_a_target_of_zero(balexnet: Instance) -> None:
    """α = α_f = 0: an exit without accuracy is accurate enough and weighs nothing."""
    dnn = balexnet.dnns[0]
    exits = tuple(exit_.model_copy(update={"accuracy": 0.0}) for exit_ in dnn.exits)
    useless = balexnet.model_copy(update={"dnns": (dnn.model_copy(update={"exits": exits}),)})
    result = solve(useless.with_overrides(min_accuracy=0.0, max_latency_s=0.01))
    assert result.status is Status.FEASIBLE
    assert result.deployment is not None
    assert result.deployment.deployments[0].last_exit == 1


def test_a_budget_of_zero_selects_the_path_of_no_latency() -> None:
    """δ = 0: a direct link with a delay, and a detour without one."""
    node = {"compute_ops_per_s": 1e9, "power_w": 1.0}
    link = {"bandwidth_bit_per_s": 1e9, "tx_energy_j_per_bit": 1e-9, "rx_energy_j_per_bit": 1e-9}
    instance = Instance.model_validate(
        {
            "name": "detour",
            "network": {
                "name": "triangle",
                "nodes": [{"name": name, **node} for name in "abc"],
                "links": [
                    {"source": "a", "target": "b", "delay_s": 1.0, **link},
                    {"source": "a", "target": "c", **link},
                    {"source": "c", "target": "b", **link},
                ],
            },
            "dnns": [
                {
                    "name": "dnn",
                    "input_bits": 0.0,
                    "blocks": [{"ops": 0.0, "output_bits": 0.0}],
                    "exits": [{"after_block": 1, "exit_fraction": 1.0, "accuracy": 0.9}],
                }
            ],
            "applications": [
                {
                    "name": "app",
                    "dnn": "dnn",
                    "source": "a",
                    "max_latency_s": 0.0,
                    "min_accuracy": 0.5,
                    "pinned": {"1": "b"},
                }
            ],
        }
    )
    result = solve(instance)
    assert result.status is Status.FEASIBLE
    assert result.deployment is not None
    assert result.deployment.deployments[0].routes == (("a", "c", "b"),)


def test_a_time_limit_ends_the_search(balexnet: Instance) -> None:
    result = solve(balexnet, time_limit_s=0.0)
    assert result.status is Status.TIME_LIMIT
    assert result.deployment is None
