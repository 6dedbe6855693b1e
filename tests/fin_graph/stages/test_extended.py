"""Stage 1: size, edge costs, pins, ends, and what a path says."""

from __future__ import annotations

import networkx as nx
import pytest

from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.stages.extended import (
    Vertex,
    accepted_exits,
    deployment_of_path,
    extended_graph,
    extended_graph_size,
    path_costs,
    path_of_deployment,
)
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from tests.random_instances import of_applications, random_instance


def graph_of(instance: Instance) -> nx.DiGraph[Vertex]:
    return extended_graph(instance, instance.applications[0])


@pytest.mark.parametrize("seed", range(80))
def test_the_size_formula_counts_vertices_and_edges(seed: int) -> None:
    instance = random_instance(seed, zeros=seed % 2 == 1)
    graph = graph_of(instance)
    size = graph.number_of_nodes(), graph.number_of_edges()
    assert extended_graph_size(instance, instance.applications[0]) == size


@pytest.mark.parametrize("seed", range(40))
def test_arrays_count_the_edges_of_the_graph_without_pins(seed: int) -> None:
    instance = random_instance(seed)
    app = instance.applications[0].model_copy(update={"pinned": {}})
    free = of_applications(instance, (app,))
    problem, graph = path_problem(free, app), graph_of(free)
    if problem is None:
        assert not graph.number_of_edges()
        return
    assert problem.depth <= max(i for i, _ in graph)
    in_reach = sum(j <= problem.depth and i < problem.depth for (i, _), (j, _) in graph.edges)
    assert problem.arcs == in_reach


def test_the_size_formula_holds_on_the_published_scenario(balexnet: Instance) -> None:
    """3 nodes, 3 links, 5 blocks; only one run edge and no link leads to the pin of block 1."""
    assert extended_graph_size(balexnet, balexnet.applications[0]) == (18, 1 + 4 * (3 + 3) + 5 * 3)


def test_without_an_accurate_exit_the_graph_has_no_ends(balexnet: Instance) -> None:
    graph = graph_of(balexnet.with_overrides(min_accuracy=0.99))
    assert graph.graph["ends"] == {}
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (3, 0)


def test_depth_and_ends_follow_the_accepted_exits(balexnet: Instance) -> None:
    instance = balexnet.with_overrides(min_accuracy=0.7)
    graph = graph_of(instance)
    assert {(i, f) for (i, _), f in graph.graph["ends"].items()} == {(3, 2), (5, 3)}
    assert list(accepted_exits(instance, instance.applications[0])) == [2, 3]


@pytest.mark.parametrize("seed", range(80))
def test_pinned_blocks_run_only_where_they_are_pinned(seed: int) -> None:
    instance = random_instance(seed)
    pins = instance.applications[0].pins
    for (i, _), (j, name), data in graph_of(instance).edges(data=True):
        assert j - i == (0 if data["kind"] == "relay" else 1)
        assert data["kind"] == "relay" or pins.get(j, name) == name


@pytest.mark.parametrize("seed", range(80))
def test_a_path_costs_what_the_judge_says(seed: int) -> None:
    """Least-latency paths to every end: energy, latency and structure agree with `evaluate`."""
    instance = random_instance(seed, zeros=seed % 3 == 0)
    app, graph = instance.applications[0], graph_of(instance)
    for vertices in nx.single_source_dijkstra_path(graph, graph.graph["source"], weight="latency_s").values():
        if vertices[-1] not in graph.graph["ends"]:
            continue
        decision = deployment_of_path(instance, app, vertices)
        costs = path_costs(graph, path_of_deployment(app, decision))
        judged = evaluate(instance, Deployment(deployments=(decision,)))
        assert {violation.kind.value for violation in judged.violations} <= {"latency"}
        assert judged.energy_j == pytest.approx(costs[0], rel=1e-12, abs=0)
        assert judged.applications[0].latency_s == pytest.approx(costs[1], rel=1e-12, abs=0)


def test_hops_become_routes_and_what_feeds_nothing_is_dropped(balexnet: Instance) -> None:
    app = balexnet.applications[0]
    path = [(0, "device"), (1, "device"), (1, "edge"), (2, "cloud"), (3, "cloud"), (3, "edge"), (3, "device")]
    decision = deployment_of_path(balexnet, app, path)
    assert decision.last_exit == 2
    assert decision.placement == ("device", "cloud", "cloud")
    assert decision.routes == ((), ("device", "edge", "cloud"), ())
    assert path_of_deployment(app, decision) == path[:5]


def test_a_way_out_and_back_is_no_part_of_a_route(balexnet: Instance) -> None:
    path = [
        (0, "device"),
        (0, "edge"),
        (0, "device"),
        (1, "device"),
        (1, "edge"),
        (1, "cloud"),
        (1, "edge"),
        (2, "edge"),
    ]
    decision = deployment_of_path(balexnet, balexnet.applications[0], [*path, (3, "edge")])
    assert decision.routes == ((), ("device", "edge"), ())
