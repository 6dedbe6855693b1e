"""Rounding along the path: never above rounding edge by edge, never below the optimum, feasible, as the stages."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from finbench.fin_graph.fin import solve
from finbench.fin_graph.label_setting import solve as label_setting
from finbench.fin_graph.options import FinOptions
from finbench.fin_graph.paths import kernel
from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.kernel import least_energies, least_energy_replica_path, rows_bytes
from finbench.fin_graph.stages.inference import fin_three_stages
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Network, Node
from finbench.models.result import Clock, Status
from tests.few_and_many import few_and_many, slow
from tests.random_instances import random_instance

NOISE = 1e-9
GAMMAS = (1, 2, 5, 13, 60)


def instance_of(seed: int, blocks: int = 6) -> Instance:
    return random_instance(seed, max_nodes=4 + seed % 6, max_blocks=blocks, zeros=seed % 2 == 0)


def problem_of(instance: Instance) -> PathProblem | None:
    return path_problem(instance, instance.applications[0])


@pytest.mark.parametrize("seeds", [range(300), slow(range(300, 3000))])
def test_it_lies_between_the_optimum_and_rounding_edge_by_edge_and_is_feasible(seeds: range) -> None:
    """Feasible by the evaluator, and of the energy that it claims."""
    better = 0
    for seed in seeds:
        instance = instance_of(seed)
        problem = problem_of(instance)
        optimum = label_setting(instance).claimed_objective
        for gamma in GAMMAS if problem is not None else ():
            assert problem is not None
            edge_by_edge = least_energy_replica_path(problem, gamma)
            found = least_energy_replica_path(problem, gamma, how="cumulative")
            assert found.energy <= edge_by_edge.energy * (1 + 1e-12)
            better += found.energy < edge_by_edge.energy * (1 - 1e-6)
            if found.layers:
                assert optimum is not None
                assert found.energy >= optimum * (1 - NOISE)
                chosen = Deployment(deployments=(problem.deployment(found.layers, found.nodes),))
                judgement = evaluate(instance, chosen)
                assert judgement.feasible
                assert judgement.objective == pytest.approx(found.energy, rel=NOISE, abs=0)
    assert better > len(seeds) / 3


@pytest.mark.parametrize("block", few_and_many(range(12), 2))
def test_arrays_find_the_energy_of_the_three_stages(block: int) -> None:
    for seed in range(60 * block, 60 * (block + 1)):
        instance = instance_of(seed, 4)
        problem = problem_of(instance)
        for gamma in (1, 2, 9, 1 + seed % 40) if problem is not None else ():
            assert problem is not None
            stages = fin_three_stages(instance, instance.applications[0], gamma, rounding="cumulative")
            expected = inf if stages.energy_j is None else stages.energy_j
            found = least_energy_replica_path(problem, gamma, how="cumulative")
            assert found.energy == pytest.approx(expected, rel=NOISE, abs=0), (seed, gamma)


def chain(latencies: list[float], budget: float) -> Instance:
    """Two nodes in a row: blocks take these times at a, and less energy at b, which is slower by half."""
    nodes = (
        Node(name="a", compute_ops_per_s=1.0, power_w=2.0),
        Node(name="b", compute_ops_per_s=2 / 3, power_w=0.1),
    )
    link = Link(source="a", target="b", bandwidth_bit_per_s=1e30, tx_energy_j_per_bit=0.0, rx_energy_j_per_bit=0.0)
    dnn = DNN(
        name="dnn",
        input_bits=1.0,
        blocks=tuple(Block(ops=t, output_bits=1.0) for t in latencies),
        exits=(Exit(after_block=len(latencies), exit_fraction=1.0, accuracy=1.0),),
    )
    app = Application(name="app", dnn="dnn", source="a", max_latency_s=budget, min_accuracy=0.0)
    network = Network(name="net", nodes=nodes, links=(link,))
    return Instance(name="chain", network=network, dnns=(dnn,), applications=(app,))


@pytest.mark.parametrize("blocks", [3, 7, 10, 49])
def test_latencies_on_the_borders_of_replicas_fit_exactly(blocks: int) -> None:
    """Every block takes one step, but for float noise: the whole budget is used, up to the last step."""
    for part in (0.1, 1 / 3, 0.7, 1 / 49):
        problem = problem_of(chain([part] * blocks, part * blocks))
        assert problem is not None
        for how in ("up", "cumulative"):
            assert least_energy_replica_path(problem, blocks, how=how).energy == pytest.approx(2 * part * blocks)


def test_many_short_edges_fit_where_rounding_each_up_finds_nothing() -> None:
    problem = problem_of(chain([0.1] * 10, 1.2))
    assert problem is not None
    assert least_energy_replica_path(problem, 5).energy == inf
    assert least_energy_replica_path(problem, 5, how="cumulative").energy < inf


def test_of_equal_energies_the_smaller_latency_wins() -> None:
    """Two ways to node d cost the same energy; only the quicker leaves time for the cheap node behind it."""
    nodes = tuple(
        Node(name=name, compute_ops_per_s=1.0, power_w=power)
        for name, power in (("a", 1.0), ("slow", 9.0), ("quick", 9.0), ("d", 1.0))
    )
    cost = {"tx_energy_j_per_bit": 0.0, "rx_energy_j_per_bit": 0.0, "bandwidth_bit_per_s": 1e30}
    ways = [("a", "slow", 0.9), ("slow", "d", 0.0), ("a", "quick", 0.6), ("quick", "d", 0.0)]
    for order in (ways, ways[::-1]):
        links = tuple(Link(source=s, target=t, delay_s=delay, **cost) for s, t, delay in order)
        dnn = DNN(
            name="dnn",
            input_bits=1.0,
            blocks=(Block(ops=0.3, output_bits=1.0), Block(ops=0.3, output_bits=1.0)),
            exits=(Exit(after_block=2, exit_fraction=1.0, accuracy=1.0),),
        )
        app = Application(
            name="app", dnn="dnn", source="a", max_latency_s=1.25, min_accuracy=0.0, pinned={"1": "d", "2": "d"}
        )
        network = Network(name="net", nodes=nodes, links=links)
        instance = Instance(name="tie", network=network, dnns=(dnn,), applications=(app,))
        problem = problem_of(instance)
        assert problem is not None
        found = least_energy_replica_path(problem, 1, how="cumulative")
        assert found.energy == pytest.approx(0.6)
        stages = fin_three_stages(instance, app, 1, rounding="cumulative")
        assert stages.energy_j == pytest.approx(0.6)


def test_checkpoints_and_pauses_give_the_same_path(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [problem for problem in map(problem_of, map(instance_of, range(80))) if problem is not None]
    kept = [least_energy_replica_path(problem, 20, how="cumulative") for problem in problems]
    assert sum(len(path.layers) > 3 for path in kept) > 20
    monkeypatch.setattr(kernel, "KEPT_ROWS_BYTES", 0)
    monkeypatch.setattr(kernel, "QUOTA", 30)
    for problem, path in zip(problems, kept, strict=True):
        again = least_energy_replica_path(problem, 20, how="cumulative")
        assert (again.energy, again.layers, again.nodes) == (path.energy, path.layers, path.nodes)


def test_true_latencies_take_as_much_memory_as_energies_and_the_labels_of_a_layer_are_listed() -> None:
    problem = next(problem for problem in map(problem_of, map(instance_of, range(80))) if problem is not None)
    places = len(problem.node_names) * 21
    assert rows_bytes(problem, 20, "cumulative") == 2 * rows_bytes(problem, 20) - places + 16 * places


def test_least_energies_are_never_above_those_of_rounding_edge_by_edge() -> None:
    for problem in map(problem_of, map(instance_of, range(100))):
        if problem is not None:
            along = least_energies(problem, 15, how="cumulative")
            assert (along <= least_energies(problem, 15) * (1 + 1e-12)).all()
            assert along[-1, -1] == least_energy_replica_path(problem, 15, how="cumulative").energy


def test_the_option_reaches_both_engines_certificate_and_band() -> None:
    found = 0
    for seed in range(40):
        instance = instance_of(seed, 4)
        arrays = solve(instance, FinOptions(gamma=4, rounding="cumulative", engine="arrays"))
        networkx = solve(instance, FinOptions(gamma=4, rounding="cumulative", engine="networkx"))
        assert arrays.status is networkx.status
        if arrays.claimed_objective is not None:
            assert networkx.claimed_objective == pytest.approx(arrays.claimed_objective, rel=NOISE)
            banded = solve(instance, FinOptions(gamma=4, rounding="cumulative", band=1)).claimed_objective
            assert banded is not None
            assert banded >= arrays.claimed_objective * (1 - NOISE)
            plain = solve(instance, FinOptions(gamma=4, engine="arrays")).claimed_objective
            found += plain is None or plain > arrays.claimed_objective * (1 + 1e-6)
        certified = solve(instance, FinOptions(gamma=4, rounding="cumulative", certify=0.0))
        assert certified.status in (Status.OPTIMAL, Status.INFEASIBLE)
        optimum = label_setting(instance).claimed_objective
        assert optimum is None or certified.claimed_objective == pytest.approx(optimum, rel=NOISE)
    assert found > 5


def test_links_without_room_are_as_if_they_were_not_there() -> None:
    """Energies are those without the links, and no label of infinite energy has a latency."""
    found = 0
    for seed in range(150):
        instance = instance_of(seed)
        problem = problem_of(instance)
        if problem is None or not instance.network.links:
            continue
        edges, nodes = problem.edges, problem.node_names
        full = np.arange(len(edges.link_source)) % 3 == seed % 3
        room = np.where(full, 0.0, inf)
        crowded = replace(problem, edges=edges._replace(load_bits=np.ones(problem.depth), link_room=room))
        pairs = {(nodes[edges.link_source[a]], nodes[edges.link_target[a]]) for a in np.flatnonzero(full)}
        left = tuple(link for link in instance.network.links if (link.source, link.target) not in pairs)
        without = instance.model_copy(update={"network": instance.network.model_copy(update={"links": left})})
        other = problem_of(without)
        assert other is not None
        for gamma in (1, 9, 40):
            least = least_energy_replica_path(crowded, gamma, how="cumulative").energy
            assert least == least_energy_replica_path(other, gamma, how="cumulative").energy
            found += least < inf
            rows = kernel.rows_from_source(crowded, gamma, problem.depth, how="cumulative")
            kernel.fill_rows(crowded, rows, 0, "cumulative", Clock())
            assert (np.isfinite(rows[:, 0]) == np.isfinite(rows[:, 1])).all()
    assert found > 50
