"""Instances in the formats of others are read as chains of blocks, or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from typer.testing import CliRunner

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.imports.dnn_partitioning import PartitioningOptions, read_partitioning
from finbench.benchmarks.imports.operator_graphs import in_order, single_crossings
from finbench.benchmarks.imports.space4ai import read_space4ai
from finbench.models.instance import Instance
from finbench.models.io import InputError, InputWarning
from finbench.models.remarks import remarks

EXACT = ("label-setting", "milp-flow", "exhaustive")


@pytest.mark.parametrize("seed", range(40))
def test_at_a_single_crossing_one_output_alone_is_read_later(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 25))
    names = [int(each) for each in rng.permutation(count)]
    before: dict[int, list[int]] = {
        name: [names[j] for j in range(k) if k - j <= 3 and rng.random() < 0.5] for k, name in enumerate(names)
    }
    order = in_order(before)
    assert order is not None
    assert sorted(order) == sorted(before)
    place = {each: k for k, each in enumerate(order)}
    assert all(place[source] < place[each] for each, sources in before.items() for source in sources)
    crossing = {
        k: {source for each in order[k:] for source in before[each] if place[source] < k} for k in range(1, count)
    }
    found = single_crossings(order, before)
    assert found == {k: next(iter(each)) for k, each in crossing.items() if len(each) == 1}


def test_what_only_feeds_an_operator_comes_right_before_it() -> None:
    before = {"w1": [], "w2": [], "x": [], "a": ["x", "w1"], "b": ["a", "w2"], "side": ["a"]}
    order = in_order(before)
    assert order is not None
    assert order.index("w2") > order.index("a")
    assert single_crossings(order, before)[order.index("w2")] == "a"
    assert in_order({"a": ["b"], "b": ["a"]}) is None


def operator(number: int, cpu: float = 10.0, fast: float = 1.0, **more: Any) -> dict[str, Any]:
    own = {"id": number, "cpuLatency": cpu, "fpgaLatency": fast, "supportedOnFpga": 1, "isBackwardNode": False}
    return {**own, "size": 100.0, **more}


def edge(one: int, other: int, cost: float = 2.0) -> dict[str, Any]:
    return {"sourceId": one, "destId": other, "cost": cost, "size": 1.0}


def workload(**changes: Any) -> dict[str, Any]:
    """A chain 0-1-2-3 with a way round 1, and a weight that 3 reads."""
    plain = {
        "maxSizePerFPGA": 250.0,
        "maxFPGAs": 2,
        "maxCPUs": 8,
        "nodes": [operator(0), operator(1), operator(2, 20.0, 2.0), operator(3), operator(4, 0.0, 0.0)],
        "edges": [edge(0, 1), edge(0, 2), edge(1, 2, 3.0), edge(2, 3, 5.0), edge(4, 3, 1.0)],
    }
    return {**plain, **changes}


def read(tmp_path: Path, said: Any, **options: Any) -> Instance:
    path = tmp_path / "made.json"
    path.write_text(json.dumps(said))
    return read_partitioning(path, PartitioningOptions(**options))


def test_operators_become_blocks_between_single_crossings(tmp_path: Path) -> None:
    instance = read(tmp_path, workload())
    (dnn,) = instance.dnns
    assert [block.name for block in dnn.blocks] == ["node 0", "node 2", "node 3"]
    assert [block.parameter_bytes for block in dnn.blocks] == [100, 200, 200]
    assert [block.output_bits for block in dnn.blocks] == [2e6, 5e6, 0]  # 2 ms and 5 ms at 1 Gbit/s
    times = {device: [run.time_s for run in blocks.values()] for device, blocks in dnn.measured.items()}
    assert times == {"cpu": pytest.approx([0.01, 0.03, 0.01]), "accelerator": pytest.approx([0.001, 0.003, 0.001])}
    assert instance.applications[0].max_latency_s == pytest.approx(0.05, rel=1e-5)
    assert {(node.name, node.memory_bytes) for node in instance.network.nodes} == {
        ("cpu", None),
        ("accelerator 1", 250.0),
        ("accelerator 2", 250.0),
    }


def test_methods_agree_and_the_optimum_is_the_one_counted_by_hand(tmp_path: Path) -> None:
    # An accelerator of 250 bytes holds one block, of 100, 200 or 200. Least device time, and as quick as can be:
    # block 1 on one accelerator (1 ms, and 2 + 2 ms on its way), 2 on the other (3 ms, and 5 ms), 3 on the CPU (10 ms).
    instance = read(tmp_path, workload(), max_latency_s=0.023)
    for method in EXACT:
        solution = fb.solve(instance, method)
        assert (solution.status, solution.evaluation is not None) == ("optimal", True)
        assert solution.evaluation is not None
        assert solution.evaluation.objective == pytest.approx(0.014)
        assert solution.evaluation.applications[0].latency_s == pytest.approx(0.023)
    assert fb.solve(read(tmp_path, workload(), max_latency_s=0.0229), "milp-flow").status == "infeasible"


def test_a_colour_is_not_cut_and_an_unsupported_operator_stays_on_the_cpu(tmp_path: Path) -> None:
    nodes = [*workload()["nodes"][:2], operator(2, colorClass=7), operator(3, colorClass=7), operator(4, 0.0, 0.0)]
    assert len(read(tmp_path, workload(nodes=nodes)).dnns[0].blocks) == 2
    nodes = [operator(0), operator(1, supportedOnFpga=False), *workload()["nodes"][2:]]
    measured = read(tmp_path, workload(nodes=nodes)).dnns[0].measured
    assert list(measured["accelerator"]) == ["1", "3"]


def test_what_was_not_given_is_a_placeholder(tmp_path: Path) -> None:
    assert len(list(remarks(read(tmp_path, workload())))) == 2
    given = {"cpu_power_w": 95.0, "accelerator_power_w": 250.0, "max_latency_s": 1.0, "second": 1.0}
    instance = read(tmp_path, workload(), **given)
    assert list(remarks(instance)) == []
    assert {node.power_w for node in instance.network.nodes} == {95.0, 250.0}
    assert instance.dnns[0].measured["cpu"]["1"].time_s == 10.0


BAD_WORKLOADS = [
    (workload(nodes=[operator(0), operator(0)]), "node 0: id: stands twice"),
    (workload(nodes=[operator(0, isBackwardNode=True)], edges=[]), "isBackwardNode: a training workload"),
    (workload(edges=[edge(0, 9)]), "edge 0->9: 9: must be the id of a node"),
    (workload(edges=[edge(0, 1), edge(0, 2, 3.0)]), "edge 0->2: cost = 3: must be 2, as for other edges of node 0"),
    (workload(edges=[edge(0, 1), edge(1, 0)]), "edges: form a cycle"),
    (workload(edges=[edge(2, 2)]), "edges: form a cycle"),
    (workload(nodes=[]), "nodes"),
    (workload(nodes=[operator(0, cpu=-1.0)], edges=[]), "cpuLatency = -1.0: must be greater than or equal to 0"),
    (workload(maxFPGAs=10**9), "maxFPGAs = 1000000000"),
    ({"nodes": []}, "maxSizePerFPGA: required field is missing"),
    ([], "must hold a table"),
]


@pytest.mark.parametrize(("said", "rule"), BAD_WORKLOADS, ids=[rule for _, rule in BAD_WORKLOADS])
def test_a_bad_workload_is_refused_in_one_line(tmp_path: Path, said: Any, rule: str) -> None:
    path = tmp_path / "made.json"
    path.write_text(json.dumps(said))
    came = CliRunner().invoke(app, ["import", "dnn-partitioning", str(path), "-o", str(tmp_path / "o.toml")])
    assert (came.exit_code, came.stdout, came.stderr.count("\n")) == (2, "", 1)
    assert rule in came.stderr
    assert not (tmp_path / "o.toml").exists()


def test_blocks_take_as_long_as_all_operators_and_nothing_is_quicker_than_accelerators(tmp_path: Path) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        graph: Any = nx.gnp_random_graph(6, 0.4, seed=seed, directed=True)
        edges = [(a, b) for a, b in graph.edges if a < b]
        costs = rng.integers(1, 9, 6)
        nodes = [operator(k, float(rng.integers(5, 20)), float(rng.integers(1, 5))) for k in range(6)]
        said = workload(nodes=nodes, edges=[edge(a, b, float(costs[a])) for a, b in edges], maxSizePerFPGA=1e9)
        instance = read(tmp_path, said)
        solution = fb.solve(instance, "label-setting")
        assert solution.evaluation is not None
        runs = instance.dnns[0].measured
        assert sum(run.time_s for run in runs["cpu"].values()) == pytest.approx(
            1e-3 * sum(n["cpuLatency"] for n in nodes)
        )
        fast = 1e-3 * sum(n["fpgaLatency"] for n in nodes)
        assert solution.evaluation.objective >= fast - 1e-12


def test_a_written_instance_is_read_and_solved_from_the_command_line(tmp_path: Path) -> None:
    path, out = tmp_path / "made.json", tmp_path / "made.toml"
    path.write_text(json.dumps(workload()))
    came = CliRunner().invoke(app, ["import", "dnn-partitioning", str(path), "--max-latency", "26 ms", "-o", str(out)])
    assert came.exit_code == 0, came.output
    with pytest.warns(InputWarning):
        assert fb.solve(fb.load(out), "label-setting").status == "optimal"


def partition(memory: float, follower: str = "", **more: Any) -> dict[str, Any]:
    return {"memory": memory, "next": follower, "data_size": 1.0, **more}


def system(**changes: Any) -> dict[str, Any]:
    """Two components, the second whole or in two partitions, on a drone, a machine and a function."""
    plain: dict[str, Any] = {
        "Components": {
            "c1": {"s1": {"h1": partition(10, "c2", early_exit_probability=0.1)}},
            "c2": {
                "s1": {"h1": partition(50)},
                "s2": {"h2": partition(20, "h3"), "h3": partition(30, stop_probability=0.5)},
            },
        },
        "EdgeResources": {"near": {"Drone": {"number": 1, "cost": 3.6, "memory": 100}}},
        "CloudResources": {"far": {"VM": {"number": 3, "cost": 7.2, "memory": 500}}},
        "FaaSResources": {"functions": {"F": {"cost": 36.0, "memory": 50}}, "transition_cost": 0},
        "CompatibilityMatrix": {
            "c1": {"h1": ["Drone"]},
            "c2": {"h1": ["VM", "F"], "h2": ["Drone", "VM"], "h3": ["VM"]},
        },
        "DemandMatrix": {
            "c1": {"h1": {"Drone": 1.0}},
            "c2": {"h1": {"VM": 0.5, "F": [0.2, 0.3]}, "h2": {"Drone": 2.0, "VM": 0.3}, "h3": {"VM": 0.3}},
        },
        "Lambda": 0.2,
        "GlobalConstraints": {"p": {"components": ["c1", "c2"], "global_res_time": 4}},
        "NetworkTechnology": {
            "wifi": {"computationallayers": ["near", "far"], "AccessDelay": 0.1, "Bandwidth": 20},
            "lan": {"computationallayers": ["near", "far", "functions"], "AccessDelay": 0.0, "Bandwidth": 10},
        },
        "DirectedAcyclicGraph": {"c1": {"next": ["c2"], "transition_probability": [0.8]}},
    }
    return {**plain, **changes}


def of_space4ai(tmp_path: Path, said: Any, **options: Any) -> Instance:
    path = tmp_path / "system.json"
    path.write_text(json.dumps(said))
    return read_space4ai(path, **options)


def test_combinations_of_partitions_become_alternatives(tmp_path: Path) -> None:
    instance = of_space4ai(tmp_path, system())
    whole, split = instance.dnns
    assert instance.applications[0].dnns == (whole.name, split.name) == ("s1 s1", "s1 s2")
    assert [block.name for block in split.blocks] == ["c1/h1", "c2/h2", "c2/h3"]
    assert [block.parameter_bytes for block in split.blocks] == [10e6, 20e6, 30e6]
    assert [block.output_bits for block in split.blocks] == [8e6] * 3
    # Of all, 10 % stop within c1, and 20 % of the rest do not go on to c2: 28 % leave there.
    assert [exit_.exit_fraction for exit_ in split.exits] == pytest.approx([0.28, 0.72])
    assert [exit_.accuracy for exit_ in split.exits] == [0.0, 1.0]
    assert {name: {b: run.time_s for b, run in runs.items()} for name, runs in whole.measured.items()} == {
        "Drone": {"1": 1.0},
        "VM": {"2": 0.5},
        "F": {"2": 0.2},
    }
    vm = instance.network.node_by_name["VM"]
    assert (vm.parallel, vm.memory_bytes, vm.tier) == (3, 500e6, "far")
    assert vm.price_per_busy_s == pytest.approx(0.002)
    link = instance.network.link_by_pair["Drone", "VM"]
    assert (link.bandwidth_bit_per_s, link.delay_s) == (20e6, 0.1)
    assert instance.network.link_by_pair["Drone", "F"].bandwidth_bit_per_s == 10e6
    assert (instance.applications[0].max_latency_s, instance.applications[0].rate_per_s) == (4.0, 0.2)


def test_the_cheapest_alternative_is_the_one_counted_by_hand(tmp_path: Path) -> None:
    # c1 costs 1 s at 0.001/s. 72 % go on: on the VM 0.5 s at 0.002 (in two partitions 0.6 s), on F 0.2 s at 0.01. They
    # cross in 0.1 s + 8 Mbit at 20 Mbit/s.
    instance = of_space4ai(tmp_path, system(), max_latency_s=1 + 0.72 * (0.1 + 0.4 + 0.5) + 1e-9)
    for method in ("label-setting", "milp-flow"):
        solution = fb.solve(instance, method)
        assert solution.evaluation is not None
        assert solution.evaluation.objective == pytest.approx(0.2 * (0.001 + 0.72 * 0.001))
        assert solution.evaluation.applications[0].latency_s == pytest.approx(1.72)
        assert solution.deployment is not None
        assert solution.deployment.deployments[0].dnn == "s1 s1"


def test_times_may_be_of_another_unit(tmp_path: Path) -> None:
    slow, fast = of_space4ai(tmp_path, system()), of_space4ai(tmp_path, system(), second=1e-3)
    for one, other in zip(slow.network.links, fast.network.links, strict=True):
        assert 8e6 / other.bandwidth_bit_per_s + other.delay_s == pytest.approx(
            1e-3 * (8e6 / one.bandwidth_bit_per_s + one.delay_s)
        )
    assert fast.applications[0].max_latency_s == pytest.approx(4e-3)
    assert fast.applications[0].rate_per_s == pytest.approx(200)


def without(*path: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(json.dumps(system()))
    inner = said
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return said


BAD_SYSTEMS: list[tuple[Any, str]] = [
    (system(LocalConstraints={"c2": {"local_res_time": 10}}), "response time 10 of c2: a target is for all components"),
    (without("GlobalConstraints"), "give a target with --max-latency"),
    (system(DirectedAcyclicGraph={}), "must follow each other in one chain"),
    (system(DirectedAcyclicGraph={"c1": {"next": ["c2"]}, "c2": {"next": ["c1"]}}), "must follow each other"),
    (system(DirectedAcyclicGraph={"c1": {"next": ["c2", "c1"]}}), "next: 2 components: a chain has one"),
    (system(DirectedAcyclicGraph={"c1": {"next": ["c9"]}}), "'c9': must be a component"),
    (without("CompatibilityMatrix", "c2", "h3"), "c2': h3: is compatible with no resource"),
    (without("DemandMatrix", "c2", "h3"), "c2': h3: VM: the time is missing"),
    (without("CloudResources"), "'VM': must be a resource"),
    (without("Lambda"), "Lambda: required field is missing"),
    (system(Lambda=0), "Lambda = 0: must be greater than 0"),
    (system(Components={}), "Components"),
    (system(Components={"c1": {"s1": {}}}, DirectedAcyclicGraph={}), "response time 4 of c1, c2"),
]


@pytest.mark.parametrize(("said", "rule"), BAD_SYSTEMS, ids=[rule for _, rule in BAD_SYSTEMS])
def test_what_a_chain_cannot_say_is_refused_in_one_line(tmp_path: Path, said: Any, rule: str) -> None:
    path = tmp_path / "system.json"
    path.write_text(json.dumps(said))
    came = CliRunner().invoke(app, ["import", "space4ai", str(path), "-o", str(tmp_path / "o.toml")])
    assert (came.exit_code, came.stdout, came.stderr.count("\n")) == (2, "", 1)
    assert rule in came.stderr


def test_a_target_of_ones_own_takes_the_place_of_the_files(tmp_path: Path) -> None:
    said = system(LocalConstraints={"c2": {"local_res_time": 10}})
    assert of_space4ai(tmp_path, said, max_latency_s=3.0).applications[0].max_latency_s == 3.0


@pytest.mark.parametrize(
    ("command", "said", "option", "rule"),
    [
        ("dnn-partitioning", workload, ("--time-unit", "0 s"), "--time-unit: '0 s': must be greater than 0"),
        ("dnn-partitioning", workload, ("--cpu-power", "-1 W"), "--cpu-power: '-1 W': must be at least 0"),
        ("dnn-partitioning", workload, ("--link-energy", "1 W"), "--link-energy"),
        ("space4ai", system, ("--max-latency", "soon"), "--max-latency"),
    ],
)
def test_a_bad_option_is_refused_by_its_name(
    tmp_path: Path, command: str, said: Callable[[], Any], option: tuple[str, str], rule: str
) -> None:
    path = tmp_path / "made.json"
    path.write_text(json.dumps(said()))
    came = CliRunner().invoke(app, ["import", command, str(path), "-o", str(tmp_path / "o.toml"), *option])
    assert (came.exit_code, came.stderr.count("\n")) == (2, 1)
    assert rule in came.stderr


def test_every_operator_of_a_long_chain_is_a_block(tmp_path: Path) -> None:
    count = 1_000
    said = workload(nodes=[operator(k) for k in range(count)], edges=[edge(k, k + 1) for k in range(count - 1)])
    assert len(read(tmp_path, said).dnns[0].blocks) == count


NASTY: tuple[Any, ...] = (None, -1, 1e308, float("nan"), 10**40, "", "\x00x", "x" * 300, [], {}, [[]], True, {"": {}})


def paths(said: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value of a document."""
    inner = said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ()
    for step, each in inner:
        yield (*path, step)
        yield from paths(each, (*path, step))


def refusal(reader: Callable[..., Instance], tmp_path: Path, said: Any) -> str:
    """Return the line by which a file is refused, nothing where it is read."""
    try:
        reader(tmp_path, said)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("made", "reader"), [(workload, read), (system, of_space4ai)], ids=["operators", "components"])
def test_whatever_stands_in_a_file_is_read_or_refused_in_one_line(
    tmp_path: Path, made: Callable[[], Any], reader: Callable[..., Instance], step: int
) -> None:
    changes = [(path, value) for path in paths(made()) for value in NASTY][::step]
    lines = []
    for path, value in changes:
        said: Any = json.loads(json.dumps(made()))
        inner = said
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        lines.append(refusal(reader, tmp_path, said))
    assert all("\n" not in line and len(line) < 600 for line in lines)
    assert len([line for line in lines if line]) > len(changes) / 2
