"""Instance families: reproducible, well-formed, neither trivial nor infeasible, and what their names say."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise, product

import numpy as np
import pytest

from finbench.benchmarks.families import FAMILIES, GENERATION, generate
from finbench.fin_graph.label_setting import solve
from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.shortest import least_energy_path, least_latency_path
from finbench.models.instance import Instance
from finbench.models.io import dump_instance, load_instance, write_text
from finbench.models.result import Status

SIZES = {"tiered": (25, 6, 3), "mesh": (30, 6, 2), "dense": (8, 5, 2), "correlated": (8, 5, 1), "deep": (8, 50, 3)}


def made(family: str, seed: int, tightness: float = 0.5) -> Instance:
    nodes, blocks, exits = SIZES[family]
    return generate(family, nodes=nodes, blocks=blocks, exits=exits, seed=seed, tightness=tightness)


def test_every_family_has_a_size_here() -> None:
    assert set(SIZES) == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_parameters_give_the_same_bytes_and_another_seed_another_instance(family: str) -> None:
    assert dump_instance(made(family, 1)) == dump_instance(made(family, 1))
    assert made(family, 1).content_hash != made(family, 2).content_hash


def test_another_process_writes_the_same_bytes() -> None:
    program = (
        "from tests.benchmarks.families.test_families import SIZES, made\n"
        "from finbench.models.io import dump_instance\n"
        "import hashlib\n"
        "print(hashlib.sha256(''.join(dump_instance(made(f, 3)) for f in SIZES).encode()).hexdigest())"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_instances_are_neither_trivial_nor_infeasible(family: str) -> None:
    for seed, tightness in product(range(6), (0.05, 0.5, 0.95, 1.0)):
        instance = made(family, seed, tightness)
        result, problem = solve(instance), path_problem(instance, instance.applications[0])
        assert result.status is Status.OPTIMAL
        assert problem is not None
        cheapest, quickest = least_energy_path(problem), least_latency_path(problem)
        assert cheapest is not None
        assert quickest is not None
        assert result.claimed_objective is not None
        assert quickest.latency <= problem.max_latency_s
        if tightness < 1:
            assert cheapest.latency > problem.max_latency_s
            assert result.claimed_objective > cheapest.energy
        else:
            assert result.claimed_objective == pytest.approx(cheapest.energy, rel=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_instances_have_their_size_and_name_and_come_back_from_a_file(
    family: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    instance = made(family, 0)
    nodes, blocks, exits = SIZES[family]
    assert len(instance.network.nodes) == nodes
    assert len(instance.dnns[0].blocks) == blocks
    assert len(instance.dnns[0].exits) == exits
    sizes = f"--nodes {nodes} --blocks {blocks} --exits {exits} --seed 0"
    assert instance.name == f"{family}-n{nodes}-l{blocks}-e{exits}-t0.5-s0"
    assert instance.provenance == f"finbench generate {family} {sizes} --tightness 0.5 (generation {GENERATION})"
    file = tmp_path_factory.mktemp("families") / "instance.json"
    write_text(file, dump_instance(instance))
    assert load_instance(file) == instance


@pytest.mark.parametrize("family", ["tiered", "mesh"])
def test_large_instances_are_neither_trivial_nor_infeasible(family: str) -> None:
    instance = generate(family, nodes=1000, blocks=8, exits=3, seed=1, tightness=0.3)
    result, problem = solve(instance), path_problem(instance, instance.applications[0])
    assert result.status is Status.OPTIMAL
    assert problem is not None
    cheapest = least_energy_path(problem)
    assert cheapest is not None
    assert result.claimed_objective is not None
    assert result.claimed_objective > cheapest.energy


@pytest.mark.parametrize("family", FAMILIES)
def test_tightness_sets_the_target_between_the_two_latencies(family: str) -> None:
    for seed, tightness in product(range(3), (0.1, 0.5, 1.0)):
        instance = made(family, seed, tightness)
        problem = path_problem(instance, instance.applications[0])
        assert problem is not None
        quickest, cheapest = least_latency_path(problem), least_energy_path(problem)
        assert quickest is not None
        assert cheapest is not None
        exact = (1 - tightness) * quickest.latency + tightness * cheapest.latency
        assert exact * (1 - 1e-12) <= problem.max_latency_s <= exact * (1 + 1.1e-5), "rounded up to six digits"


@pytest.mark.parametrize("family", FAMILIES)
def test_looser_targets_cost_no_more_energy(family: str) -> None:
    for seed in range(3):
        energies = [solve(made(family, seed, t)).claimed_objective for t in (0.1, 0.3, 0.6, 1.0)]
        assert all(looser <= tighter * (1 + 1e-9) for tighter, looser in pairwise(energies))  # type: ignore[operator]
        assert energies[-1] < energies[0]  # type: ignore[operator]


def test_close_tightnesses_have_names_of_their_own() -> None:
    assert made("tiered", 0, 0.1234567).name != made("tiered", 0, 0.1234568).name
    assert dump_instance(made("tiered", 0, 1)) == dump_instance(made("tiered", 0, 1.0))


@pytest.mark.parametrize("family", FAMILIES)
def test_only_the_last_exit_is_accurate_enough(family: str) -> None:
    instance = made(family, 0)
    *earlier, last = [exit_.accuracy for exit_ in instance.dnns[0].exits]
    assert all(accuracy < instance.applications[0].min_accuracy for accuracy in earlier)
    assert last >= instance.applications[0].min_accuracy


def test_tiered_optima_mix_the_tiers() -> None:
    used = []
    for seed in range(20):
        instance = generate("tiered", nodes=30, blocks=8, exits=3, seed=seed, tightness=0.2)
        deployment = solve(instance).deployment
        assert deployment is not None
        used.append({instance.network.node_by_name[name].tier for name in deployment.deployments[0].placement})
    assert sum("cloud" in tiers for tiers in used) >= 3
    assert sum("edge" in tiers for tiers in used) >= 10


@pytest.mark.parametrize("nodes", [25, 200])  # one cloud server, four of them
def test_tiers_are_linked_upward_and_sideways_only(nodes: int) -> None:
    instance = generate("tiered", nodes=nodes, blocks=6, exits=3, seed=4)
    height = {"mobile": 0, "edge": 1, "cloud": 2}
    tier = {node.name: height[node.tier] for node in instance.network.nodes}
    steps = [tier[link.target] - tier[link.source] for link in instance.network.links]
    assert set(steps) == {0, 1, 2}
    assert set(tier.values()) == {0, 1, 2}
    assert instance.applications[0].pinned == {"1": "mobile0"}


@pytest.mark.parametrize("nodes", [2, 3, 4])
def test_the_smallest_tiered_networks_have_an_optimum(nodes: int) -> None:
    assert solve(generate("tiered", nodes=nodes, blocks=3, exits=1, seed=0)).status is Status.OPTIMAL


def test_correlated_costs_pull_apart_and_dense_ones_do_not() -> None:
    def correlation(family: str) -> float:
        links = generate(family, nodes=30, blocks=3, exits=1, seed=0).network.links
        times = [1 / link.bandwidth_bit_per_s for link in links]
        return float(np.corrcoef(times, [link.tx_energy_j_per_bit for link in links])[0, 1])

    assert correlation("correlated") < -0.99
    assert abs(correlation("dense")) < 0.2


def test_correlated_fronts_explode_and_dense_ones_do_not() -> None:
    def labels(family: str) -> list[int]:
        made_up = [generate(family, nodes=50, blocks=10, exits=1, seed=seed) for seed in range(3)]
        return [int(solve(instance).info["labels"]) for instance in made_up]

    assert min(labels("correlated")) > 20_000
    assert max(labels("dense")) < 2_000


def test_meshes_link_about_six_neighbours_both_ways() -> None:
    network = generate("mesh", nodes=500, blocks=3, exits=1, seed=0).network
    assert 5.5 < len(network.links) / len(network.nodes) < 6.5
    assert all((link.target, link.source) in network.link_by_pair for link in network.links)


def test_meshes_need_several_hops() -> None:
    hops = []
    for seed in range(8):
        deployment = solve(generate("mesh", nodes=60, blocks=6, exits=1, seed=seed)).deployment
        assert deployment is not None
        hops.append(max(len(route) - 1 for route in deployment.deployments[0].routes or ()))
    assert max(hops) >= 3


def test_large_networks_are_not_complete() -> None:
    links = len(generate("dense", nodes=300, blocks=3, exits=1, seed=0).network.links)
    assert 300 * 30 < links < 300 * 42
    assert len(generate("tiered", nodes=1000, blocks=3, exits=1, seed=0).network.links) < 6.5 * 1000


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"family": "nonsense"}, "family = 'nonsense'"),
        ({"nodes": 1}, "nodes = 1: must be at least 2"),
        ({"nodes": 10**9}, "nodes = 1000000000: must be at most"),
        ({"blocks": 0}, "blocks = 0"),
        ({"family": "deep", "blocks": 49}, "between 50 and 200"),
        ({"exits": 0}, "exits = 0"),
        ({"exits": 7}, "exits = 7: must be between 1 and the number of blocks"),
        ({"seed": -1}, "seed = -1"),
        ({"tightness": 0.0}, "tightness = 0.0: must be in (0, 1]"),
        ({"tightness": 1.1}, "tightness = 1.1"),
    ],
)
def test_parameters_out_of_range_are_refused(change: dict[str, object], rule: str) -> None:
    parameters = {"family": "tiered", "nodes": 5, "blocks": 4, "exits": 2, "seed": 0, "tightness": 0.5, **change}
    with pytest.raises(ValueError, match=r".*") as error:
        generate(**parameters)  # type: ignore[arg-type]
    assert rule in str(error.value)
