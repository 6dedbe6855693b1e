"""Stage 2: steps, the budget, and what rounding keeps."""

from __future__ import annotations

import networkx as nx
import pytest

from finbench.fin_graph.stages.extended import extended_graph
from finbench.fin_graph.stages.feasible import Rounding, feasible_graph, replica_step
from finbench.fin_graph.stages.labels import Replica
from finbench.models.instance import Instance
from tests.random_instances import random_instance

NOISE = 1e-9


def graph_of(instance: Instance, gamma: int, rounding: Rounding = "up") -> nx.DiGraph[Replica]:
    return feasible_graph(extended_graph(instance, instance.applications[0]), gamma, rounding=rounding)


@pytest.mark.parametrize(
    ("latency", "up", "down"),
    [
        (0.0, 0, 0),
        (0.05, 1, 0),
        (0.1, 1, 1),
        (0.1 + 1e-12, 1, 1),
        (0.1 - 1e-12, 1, 1),
        (0.101, 2, 1),
        (0.3, 3, 3),
        (1.0, 10, 10),
        (1.01, 11, 10),
        (1e9, 11, 11),
        (float("inf"), 11, 11),
    ],
)
def test_a_step_rounds_the_latency_up_or_down_to_replicas(latency: float, up: int, down: int) -> None:
    assert replica_step(latency, 1.0, 10, "up") == up
    assert replica_step(latency, 1.0, 10, "down") == down


@pytest.mark.parametrize("rounding", ["up", "down"])
def test_without_budget_only_what_takes_no_time_fits(rounding: Rounding) -> None:
    assert replica_step(0.0, 0.0, 10, rounding) == 0
    assert replica_step(1e-300, 0.0, 10, rounding) == 11
    assert replica_step(1.0, 5e-324, 10, rounding) == 11


def test_gamma_below_one_is_refused(balexnet: Instance) -> None:
    with pytest.raises(ValueError, match="gamma = 0: must be at least 1"):
        graph_of(balexnet, 0)


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("gamma", [1, 3, 12])
@pytest.mark.parametrize("block", range(5))
def test_no_path_exceeds_the_budget(block: int, gamma: int, zeros: bool) -> None:
    """The longest real latency of any path into replica k is at most k/γ of the budget."""
    for seed in range(12 * block, 12 * (block + 1)):
        graph = graph_of(random_instance(seed, max_nodes=4, zeros=zeros), gamma)
        budget = graph.graph["max_latency_s"]
        for replica, latency in _longest_latencies(graph).items():
            assert latency <= budget * (replica[2] / gamma + NOISE)
            assert replica[2] <= gamma


def _longest_latencies(graph: nx.DiGraph[Replica]) -> dict[Replica, float]:
    """Longest path from the source to every replica; replicas on a common cycle (of no latency) count as one."""
    condensed = nx.condensation(graph)
    inner = nx.get_node_attributes(condensed, "members")
    component: dict[Replica, int] = condensed.graph["mapping"]
    longest = dict.fromkeys(condensed, 0.0)
    for c in nx.topological_sort(condensed):
        for a in inner[c]:
            for b, data in graph.adj[a].items():
                latency = data["latency_s"]
                if component[b] == c:
                    assert latency <= NOISE * graph.graph["max_latency_s"]
                else:
                    longest[component[b]] = max(longest[component[b]], longest[c] + latency)
    return {replica: longest[c] for replica, c in component.items()}


@pytest.mark.parametrize("seed", range(40))
def test_edges_keep_their_costs_and_take_their_steps(seed: int) -> None:
    instance = random_instance(seed, max_nodes=4, zeros=seed % 2 == 1)
    extended = extended_graph(instance, instance.applications[0])
    for rounding in ("up", "down"):
        graph = feasible_graph(extended, 9, rounding=rounding)
        for a, b, data in graph.edges(data=True):
            assert data == extended.edges[a[:2], b[:2]]
            share = 9 * data["latency_s"] / graph.graph["max_latency_s"]
            excess = b[2] - a[2] - share
            assert (-NOISE <= excess < 1) if rounding == "up" else (-1 < excess <= NOISE)
            assert b[2] <= 9


@pytest.mark.parametrize("seed", range(40))
def test_every_edge_that_fits_exists(seed: int) -> None:
    instance = random_instance(seed, max_nodes=4)
    extended = extended_graph(instance, instance.applications[0])
    graph = feasible_graph(extended, 7)
    for replica in graph:
        fitting = {
            target
            for target, data in extended.adj[replica[:2]].items()
            if replica[2] + replica_step(data["latency_s"], graph.graph["max_latency_s"], 7, "up") <= 7
        }
        assert {(i, name) for i, name, _ in graph.adj[replica]} == fitting
    assert nx.descendants(graph, graph.graph["source"]) | {graph.graph["source"]} == set(graph)


def test_rounding_down_may_close_cycles() -> None:
    """Nothing may assume that the graph has no cycle: here links of little latency go back and forth for free."""
    graphs = [graph_of(random_instance(seed, max_nodes=4), 2, "down") for seed in range(20)]
    assert any(not nx.is_directed_acyclic_graph(graph) for graph in graphs)


def test_ends_are_the_reached_replicas_of_accepted_ends(balexnet: Instance) -> None:
    graph = graph_of(balexnet.with_overrides(min_accuracy=0.7, max_latency_s=0.007), 10)
    ends = graph.graph["ends"]
    assert ends
    assert ends == {replica: {3: 2, 5: 3}[replica[0]] for replica in graph if replica[0] in (3, 5)}
