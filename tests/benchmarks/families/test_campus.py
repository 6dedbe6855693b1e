"""The campus family: reproducible, feasible up to load 1, contested well before, overloaded beyond."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

from finbench.benchmarks.families import GENERATION, SHARED_FAMILIES, SharedSize, generate_shared
from finbench.benchmarks.families.balanced import Demand, NetworkArrays, balance, chain, totals
from finbench.benchmarks.families.campus import draw_with_balance
from finbench.benchmarks.families.service_dnns import published_dnns
from finbench.benchmarks.methods import run_method
from finbench.fin_graph.label_setting import solve as least_energy
from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.shortest import least_latency_path
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import Evaluation, evaluate
from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Network, Node
from finbench.models.io import dump_instance, load_instance, write_text
from finbench.models.loads import Resource, uses
from finbench.models.result import Status

SEEDS = range(8)
SMALL: dict[str, Any] = {"nodes": 20, "applications": 20}


def drawn(seed: int, load: float, nodes: int = 20, applications: int = 20) -> tuple[Instance, Deployment]:
    return draw_with_balance(np.random.default_rng(seed), SharedSize(nodes, applications, load))


def without_capacities(instance: Instance, app: Application) -> Instance:
    """The instance with this application alone, whose rate loads nothing, and all the memory there can be."""
    nodes = tuple(node.model_copy(update={"memory_bytes": None}) for node in instance.network.nodes)
    lone = app.model_copy(update={"rate_per_s": None, "rejection_penalty_w": None})
    network = instance.network.model_copy(update={"nodes": nodes})
    return instance.model_copy(update={"applications": (lone,), "network": network})


def alone(instance: Instance) -> Deployment:
    """The least-energy deployment of every application, as if it had the system for itself."""

    @cache
    def of(dnn: str, source: str, delta: float, alpha: float) -> ApplicationDeployment:
        app = next(
            app
            for app in instance.applications
            if (app.dnn, app.source, app.max_latency_s, app.min_accuracy) == (dnn, source, delta, alpha)
        )
        result = least_energy(without_capacities(instance, app))
        assert result.deployment is not None
        return result.deployment.deployments[0]

    return Deployment(
        deployments=tuple(
            of(app.dnn, app.source, app.max_latency_s, app.min_accuracy).model_copy(update={"application": app.name})
            for app in instance.applications
        )
    )


def fullest(instance: Instance, judged: Evaluation) -> float:
    """Fill of the fullest node or link, memory aside."""
    return max(use.utilisation for use in uses(instance, judged.loads) if use.resource is not Resource.MEMORY)


def group(app: Application) -> tuple[object, ...]:
    return (app.dnn, app.source, app.rate_per_s, app.max_latency_s, app.min_accuracy)


def test_the_same_parameters_give_the_same_bytes_in_another_process() -> None:
    program = (
        "from finbench.benchmarks.families import generate_shared\n"
        "from finbench.models.io import dump_instance\n"
        "print(dump_instance(generate_shared('campus', nodes=30, applications=40, load=0.7, seed=3)), end='')"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    here = generate_shared("campus", nodes=30, applications=40, load=0.7, seed=3)
    assert ran.stdout == dump_instance(here)
    assert here.content_hash != generate_shared("campus", nodes=30, applications=40, load=0.7, seed=4).content_hash


@pytest.mark.parametrize(("nodes", "applications"), [(3, 1), (4, 9), (20, 20), (90, 60)])
def test_instances_have_their_size_and_name_and_come_back_from_a_file(
    nodes: int, applications: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    instance = generate_shared("campus", nodes=nodes, applications=applications, load=0.7, seed=1, penalty=5)
    assert len(instance.network.nodes) == nodes
    assert len(instance.applications) == applications
    assert {node.tier for node in instance.network.nodes} == {"mobile", "edge", "cloud"}
    assert instance.name == f"campus-n{nodes}-a{applications}-u0.7-p5.0-s1"
    options = f"--nodes {nodes} --applications {applications} --load 0.7 --seed 1 --penalty 5.0"
    assert instance.provenance == f"finbench generate campus {options} (generation {GENERATION})"
    file = tmp_path_factory.mktemp("campus") / "instance.json"
    write_text(file, dump_instance(instance))
    assert load_instance(file) == instance


@pytest.mark.parametrize("load", [0.2, 1.0])
def test_the_balanced_deployment_fills_the_fullest_resource_to_the_load_and_fits(load: float) -> None:
    for seed, sizes in [*((seed, (20, 20)) for seed in SEEDS), (2, (4, 300)), (0, (200, 300))]:
        instance, balanced = drawn(seed, load, *sizes)
        judged = evaluate(instance, balanced)
        assert judged.violations == ()
        assert fullest(instance, judged) == pytest.approx(load, rel=2e-5)


@pytest.mark.parametrize("dnn", range(5))
def test_splits_cost_and_ask_what_the_evaluator_says(dnn: int) -> None:
    network = drawn(0, 0.7, 130)[0].network
    arrays, profile = NetworkArrays(network), published_dnns()[dnn]
    app = Application(
        name="a", dnn=profile.name, source=network.nodes[0].name, rate_per_s=2.0, max_latency_s=1.0, min_accuracy=0.0
    )
    instance = Instance(name="i", network=network, dnns=(profile,), applications=(app,))
    splits = arrays.splits(chain(profile, len(profile.exits)), 0)
    demand = Demand.of(splits, 1.0, 2.0)
    reached = {network.nodes[other].name[:5] for other in splits.others}
    assert reached == {"edge0", "edge1", "cloud"}, "its cluster, the next, the cloud"
    for k in range(len(splits.cuts)):
        judged = evaluate(instance, Deployment(deployments=(arrays.deployment("a", splits, k),)))
        assert judged.objective == pytest.approx(2.0 * splits.energy_j[k], rel=1e-12)
        assert judged.applications[0].latency_s == pytest.approx(splits.latency_s[k], rel=1e-12)
        paced, fixed = totals(arrays, [demand], [k])
        asked = {use.subject + use.resource: use.load for use in uses(instance, judged.loads)}
        n = len(network.nodes)
        for number, node in enumerate(network.nodes):
            executions = asked.get(node.name + Resource.COMPUTE, 0.0)
            assert node.compute_ops_per_s is not None
            assert paced[number] == pytest.approx(executions * node.compute_ops_per_s, rel=1e-12)
            if node.memory_bytes is not None:
                bytes_ = fixed[n + len(network.links) + number]
                assert bytes_ == pytest.approx(asked.get(node.name + Resource.MEMORY, 0.0), rel=1e-12)
        for number, (a, b) in enumerate(network.link_by_pair):
            load = asked.get(f"{a}->{b}" + Resource.BANDWIDTH, 0.0)
            assert paced[n + number] == pytest.approx(load, rel=1e-12)


def test_two_links_lead_only_where_one_does_not() -> None:
    network = drawn(0, 0.7, 130)[0].network
    ways = NetworkArrays(network).ways(0)
    ends = Counter(network.links[way[1] if way[1] < len(network.links) else way[0]].target for way in ways)
    assert ends == {**{f"edge0.{k}": 1 for k in range(3)}, **{f"edge1.{k}": 1 for k in range(3)}, "cloud0": 3}


def test_a_balance_evens_out_what_came_in_an_unlucky_order() -> None:
    device = Node(name="device", compute_ops_per_s=1.0, power_w=1.0)
    servers = [Node(name=name, compute_ops_per_s=1e3, power_w=1.0) for name in ("one", "other")]
    links = [
        Link(source="device", target=server.name, bandwidth_bit_per_s=1e6, tx_energy_j_per_bit=0, rx_energy_j_per_bit=0)
        for server in servers
    ]
    arrays = NetworkArrays(Network(name="small", nodes=(device, *servers), links=tuple(links)))
    blocks = (Block(ops=0, output_bits=1), Block(ops=10, output_bits=0))
    dnn = DNN(name="d", input_bits=1, blocks=blocks, exits=(Exit(after_block=2, exit_fraction=1, accuracy=1),))
    splits = arrays.splits(chain(dnn, 1), 0)
    demands = [Demand.of(splits, 1.0, rate) for rate in (10.0, 10.0, 20.0)]
    paced, _ = totals(arrays, demands, balance(arrays, demands))
    assert sorted(paced[1:3]) == [200.0, 200.0]


def test_beyond_load_1_nothing_but_capacities_is_broken() -> None:
    for seed in SEEDS:
        instance, balanced = drawn(seed, 1.2)
        kinds = {violation.kind.value for violation in evaluate(instance, balanced).violations}
        assert kinds <= {"compute", "bandwidth"}
        assert kinds


def test_least_energy_alone_crowds_the_system_as_the_load_grows() -> None:
    crowded = {}
    for load in (0.2, 0.7, 1.2):
        judged = [evaluate(instance, alone(instance)) for instance in (drawn(seed, load)[0] for seed in SEEDS)]
        crowded[load] = sum(not each.feasible for each in judged) / len(judged)
    assert crowded[0.2] <= 0.25
    assert 0.5 <= crowded[0.7] <= 1
    assert crowded[1.2] == 1


@pytest.mark.parametrize(("load", "feasible"), [(0.7, (8, 8)), (1.0, (8, 8)), (1.2, (0, 1))])
def test_exactly_the_loads_up_to_1_can_be_served(load: float, feasible: tuple[int, int]) -> None:
    statuses = [run_method(drawn(seed, load, 8, 6)[0], "milp-flow", time_limit_s=30).status for seed in SEEDS]
    assert set(statuses) <= {Status.OPTIMAL, Status.INFEASIBLE}
    assert feasible[0] <= statuses.count(Status.OPTIMAL) <= feasible[1]


def test_an_overloaded_system_is_served_by_rejecting() -> None:
    instance = generate_shared("campus", nodes=8, applications=6, load=1.5, seed=0, penalty=5)
    for app in instance.applications:
        assert app.rejection_penalty_w is not None
        patient = app.model_copy(update={"max_latency_s": 10.0})
        least = least_energy(without_capacities(instance, patient)).claimed_objective
        assert least is not None
        assert app.rejection_penalty_w >= 5 * app.weight * least * (1 - 1e-9), (
            "at least five times what it would cost alone"
        )


def test_equal_draws_differ_in_rates_alone() -> None:
    light, heavy = (generate_shared("campus", **SMALL, load=load, seed=2) for load in (0.2, 0.8))
    assert light.network == heavy.network
    for one, other in zip(light.applications, heavy.applications, strict=True):
        assert one.rate_per_s is not None
        assert other.rate_per_s == pytest.approx(4 * one.rate_per_s, rel=2e-5)
        assert one.model_copy(update={"rate_per_s": other.rate_per_s}) == other


def test_targets_can_be_met_and_need_more_than_the_first_block() -> None:
    for seed in SEEDS:
        instance = drawn(seed, 0.7)[0]
        for app in instance.applications:
            lone = instance.model_copy(update={"applications": (app,)})
            problem = path_problem(lone, app)
            assert problem is not None
            quickest = least_latency_path(problem)
            assert quickest is not None
            assert quickest.latency <= app.max_latency_s
            assert app.pinned == {"1": app.source}
            accuracies = [exit_.accuracy for exit_ in instance.dnn_of(app).exits]
            assert app.min_accuracy in accuracies[1:]


def test_devices_of_a_kind_are_equal_and_hold_groups_of_equal_applications() -> None:
    instance = generate_shared("campus", nodes=100, applications=200, load=0.7, seed=1)
    devices = [node for node in instance.network.nodes if node.tier == "mobile"]
    assert len({(node.compute_ops_per_s, node.power_w) for node in devices}) == 3
    groups = Counter(group(app) for app in instance.applications)
    assert 60 < len(groups) < 160
    assert max(groups.values()) >= 4


def test_wireless_links_lead_up_and_wired_ones_both_ways() -> None:
    network = generate_shared("campus", nodes=450, applications=10, load=0.7, seed=1).network
    tier = {node.name: node.tier for node in network.nodes}
    assert Counter(tier.values())["cloud"] == 2
    for source, target in network.link_by_pair:
        assert tier[target] != "mobile"
        if tier[source] != "mobile":
            assert (target, source) in network.link_by_pair


def test_memory_keeps_deep_networks_off_cameras() -> None:
    instance = drawn(0, 0.7, 100, 100)[0]
    cameras = [node for node in instance.network.nodes if node.name.startswith("camera")]
    heaviest = sum(block.parameter_bytes for block in instance.dnn_by_name["bresnet-cifar10"].blocks)
    assert any(node.memory_bytes is not None and node.memory_bytes < heaviest for node in cameras)
    assert all(node.memory_bytes for node in instance.network.nodes if node.tier == "edge")


def test_shares_are_offered_by_servers_alone() -> None:
    plain = generate_shared("campus", **SMALL, load=0.7, seed=1)
    shared = generate_shared("campus", **SMALL, load=0.7, seed=1, shares=(0.1, 0.25, 1.0))
    assert {node.tier for node in shared.network.nodes if node.reserves} == {"edge"}
    assert shared.applications == plain.applications
    assert shared.name == "campus-n20-a20-u0.7-r0.1,0.25,1-s1"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"family": "nonsense"}, "family = 'nonsense'"),
        ({"nodes": 2}, "nodes = 2: must be at least 3"),
        ({"nodes": 10**9}, "nodes = 1000000000: must be at most 10000"),
        ({"applications": 10**9}, "applications = 1000000000: must be at most 10000"),
        ({"applications": 0}, "applications = 0: must be at least 1"),
        ({"load": 0.0}, "load = 0.0: must be greater than 0"),
        ({"load": float("inf")}, "load = inf"),
        ({"seed": -1}, "seed = -1"),
        ({"penalty": 1.0}, "penalty = 1.0: must be greater than 1"),
        ({"shares": (0.5, 0.25)}, "shares = (0.5, 0.25): must increase within (0, 1]"),
        ({"shares": ()}, "shares = ()"),
        ({"shares": (1.5,)}, "shares = (1.5,)"),
        ({"shares": (0.0, 1.0)}, "shares = (0.0, 1.0)"),
    ],
)
def test_parameters_out_of_range_are_refused(change: dict[str, object], rule: str) -> None:
    parameters = {"family": "campus", "nodes": 5, "applications": 4, "load": 0.5, "seed": 0, **change}
    with pytest.raises(ValueError, match=r".*") as error:
        generate_shared(**parameters)  # type: ignore[arg-type]
    assert rule in str(error.value)


def test_the_registry_knows_it() -> None:
    assert list(SHARED_FAMILIES)[:3] == ["campus", "zoo", "melbourne"]
