"""The system's arrays against the evaluator: powers, loads, room, prices, levels."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.benchmarks.families import generate_shared
from finbench.fin_graph.joint.system import Group, SharedSystem, Usage, capacity_of, joint_deployment, resource_name
from finbench.fin_graph.paths.arrays import Floats
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.shortest import cheapest_path, costs_to_go
from finbench.models.evaluate import evaluate
from finbench.models.instance import Application, Instance, Network
from finbench.models.loads import loads_of, uses
from finbench.models.step_costs import step_costs
from tests.fin_graph.joint.conftest import Desk
from tests.models.enumeration import shared_instance

SEEDS = range(60)


def cheapest(group: Group, prices: Floats | None = None, room: Floats | None = None) -> Usage | None:
    problem = group.problem(prices, room)
    path = None if problem is None else cheapest_path(problem, costs_to_go(problem.edges, 1.0, 0.0))
    return None if path is None else group.usage(path.layers, path.nodes)


def with_levels(instance: Instance, shares: tuple[float, ...]) -> Instance:
    nodes = tuple(
        node.model_copy(update={"compute_shares": shares} if k % 2 == 0 else {})
        for k, node in enumerate(instance.network.nodes)
    )
    network = Network(name="levels", nodes=nodes, links=instance.network.links)
    return Instance(**{**{f: getattr(instance, f) for f in Instance.model_fields}, "network": network})


@pytest.mark.parametrize("levels", [(1.0,), (0.25, 0.5, 1.0)])
@pytest.mark.parametrize("seed", SEEDS)
def test_usages_say_what_the_evaluator_says(seed: int, levels: tuple[float, ...]) -> None:
    instance = with_levels(shared_instance(seed, applications=3), levels)
    system = SharedSystem.of(instance)
    usages = [cheapest(group) for group in system.groups]
    if any(usage is None for usage in usages):
        return
    served = [(group, [usage]) for group, usage in zip(system.groups, usages, strict=True) if usage is not None]
    judged = evaluate(instance, joint_deployment(served))
    assert judged.objective == pytest.approx(sum(usage.power for _, (usage,) in served), rel=1e-12)
    taken = np.zeros(system.resources)
    for _, (usage,) in served:
        usage.take(taken, -1)
    expected = {
        (use.resource.value, use.subject): use.load
        for use in uses(instance, judged.loads)
        if use.load > 0 and not (use.resource == "compute" and instance.network.node_by_name[use.subject].reserves)
    }
    network = instance.network
    found = {resource_name(network, r): taken[r] * capacity_of(network, r) for r in np.flatnonzero(taken).tolist()}
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_prices_are_paid_for_what_is_used(seed: int) -> None:
    instance = with_levels(shared_instance(seed, applications=1), (0.5, 1.0))
    group, rng = SharedSystem.of(instance).groups[0], np.random.default_rng(seed)
    free = cheapest(group)
    prices = rng.uniform(0, 1, SharedSystem.of(instance).resources) * (free.power if free is not None else 1.0)
    problem = group.problem(prices)
    path = None if problem is None else cheapest_path(problem, costs_to_go(problem.edges, 1.0, 0.0))
    if problem is None or path is None:
        assert free is None
        return
    usage = group.usage(path.layers, path.nodes)
    assert usage.cost(prices) == pytest.approx(path.energy, rel=1e-12)
    assert free is not None
    assert usage.cost(prices) <= free.cost(prices) * (1 + 1e-12)
    assert free.power <= usage.power * (1 + 1e-12)
    unpowered = group.problem(prices, with_power=False)
    assert unpowered is not None
    frugal = cheapest_path(unpowered, costs_to_go(unpowered.edges, 1.0, 0.0))
    assert frugal is not None
    least = group.usage(frugal.layers, frugal.nodes)
    assert frugal.energy == pytest.approx(least.cost(prices) - least.power, rel=1e-9, abs=1e-12 * least.power)
    assert frugal.energy <= (usage.cost(prices) - usage.power) * (1 + 1e-9) + 1e-12 * usage.power


@pytest.mark.parametrize("seed", SEEDS)
def test_what_has_no_room_is_not_used(seed: int) -> None:
    instance = shared_instance(seed, applications=1)
    system = SharedSystem.of(instance)
    group, room = system.groups[0], system.empty_room()
    before = 0.0
    for _ in range(6):
        usage = cheapest(group, room=room)
        if usage is None or not len(usage.resources):
            return
        assert usage.power >= before * (1 - 1e-12)
        before = usage.power
        room[usage.resources[int(np.argmax(usage.fractions))]] = 0.0


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_without_room_on_links_everything_stays_at_the_source(seed: int) -> None:
    instance = shared_instance(seed, applications=1)
    system = SharedSystem.of(instance)
    room = system.empty_room()
    room[2 * len(instance.network.nodes) :] = 0.0
    usage = cheapest(system.groups[0], room=room)
    if usage is not None:
        assert set(usage.deployment.placement) == {instance.applications[0].source}


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_demands_and_the_most_follow_their_formulas(seed: int) -> None:
    """Every block at every node, every transfer on every link, each over the whole of it."""
    instance = shared_instance(seed, applications=1)
    (app,), (dnn,), network = instance.applications, instance.dnns, instance.network
    (group,) = SharedSystem.of(instance, forgiving=True).groups
    if group.depth == 0:
        assert not group.most().any()
        return
    blocks, count = dnn.blocks[: group.depth], len(network.nodes)
    compute = [
        [app.weight * s * b.ops / (n.compute_ops_per_s or np.inf) for n in network.nodes]
        for s, b in zip(dnn.survival, blocks, strict=False)
    ]
    memory = [[b.parameter_bytes / (n.memory_bytes or np.inf) for n in network.nodes] for b in blocks]
    bits = sum(app.weight * dnn.survival[i] * dnn.transfer_bits(i + 1) for i in range(group.depth))
    links = [bits / link.bandwidth_bit_per_s for link in network.links]
    for found, expected in zip(group.demands, (compute, memory), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(group.most(), [*np.sum(compute, axis=0), *np.sum(memory, axis=0), *links], rtol=1e-12)
    for resource in range(2 * count):
        table = group.demands[resource // count]
        assert group.taken(resource)[:, resource % count].tolist() == table[:, resource % count].tolist()
        assert not np.delete(group.taken(resource), resource % count, axis=1).any()
    last = group.depth
    for first in range(last):
        together = np.sum([compute[first:last], memory[first:last]], axis=1).ravel()
        for part, fit in ((1.001, True), (0.999, False)):
            assert group.fits_together(first, last, np.append(part * together, links)).tolist() == [
                fit or not (compute_load or memory_load) for compute_load, memory_load in together.reshape(2, -1).T
            ]


def test_a_block_that_asks_for_more_than_a_whole_node_runs_nowhere(desk: Desk) -> None:
    asks = desk({"rate_per_s": 10.0 * (1 + 1e-5)})
    assert cheapest(SharedSystem.of(asks).groups[0]) is None
    assert cheapest(SharedSystem.of(asks, forgiving=True).groups[0]) is not None
    assert cheapest(SharedSystem.of(desk({"rate_per_s": 10.0})).groups[0]) is not None


def test_groups_hold_those_that_differ_in_name_alone() -> None:
    instance = shared_instance(3, applications=2)
    first, second = instance.applications
    apps: list[Application] = []
    for k in range(3):
        apps += [first.model_copy(update={"name": f"a{k}"}), second.model_copy(update={"name": f"b{k}"})]
    apps.append(first.model_copy(update={"name": "c", "rate_per_s": 2 * first.weight}))
    fields = {f: getattr(instance, f) for f in Instance.model_fields}
    system = SharedSystem.of(Instance(**{**fields, "applications": tuple(apps)}))
    assert [group.members for group in system.groups] == [("a0", "a1", "a2"), ("b0", "b1", "b2"), ("c",)]


def test_a_level_runs_at_its_share_and_reserves_it() -> None:
    """Everything at half the rate takes twice the time, the same energy, and half of the node for each block."""
    instance = shared_instance(4, applications=1, max_nodes=1)
    half = with_levels(instance, (0.5,))
    (whole,), (halved,) = SharedSystem.of(instance).groups, SharedSystem.of(half).groups
    one, two = whole.problem(), halved.problem()
    assert one is not None
    assert two is not None
    plain, slow = lagrangian_dual(one).incumbent, lagrangian_dual(two).incumbent
    if slow is None:
        slow = cheapest_path(two, costs_to_go(two.edges, 1.0, 0.0))
    assert plain is not None
    assert slow is not None
    assert slow.latency == pytest.approx(2 * plain.latency)
    assert slow.energy == pytest.approx(plain.energy)
    usage = halved.usage(slow.layers, slow.nodes)
    assert usage.deployment.shares == (0.5,) * len(usage.deployment.placement)
    app = half.applications[0]
    assert loads_of([(app, list(step_costs(half, app, usage.deployment)))]).reserved_share == {
        "n0": 0.5 * len(usage.deployment.placement)
    }


@pytest.mark.parametrize("levels", [(1.0,), (0.25, 0.5, 1.0)])
def test_what_cannot_be_reached_changes_no_path(levels: tuple[float, ...]) -> None:
    smaller = 0
    campus = generate_shared("campus", nodes=24, applications=8, load=0.7, seed=3)
    for instance in (with_levels(one, levels) for one in (campus, shared_instance(5, applications=3))):
        whole, reachable = SharedSystem.of(instance), SharedSystem.of(instance, reachable=True)
        prices = np.random.default_rng(1).uniform(0, 100, whole.resources)
        for group, small in zip(whole.groups, reachable.groups, strict=True):
            smaller += len(small.topology.node_of_vertex) < len(group.topology.node_of_vertex)
            one, other = cheapest(group, prices), cheapest(small, prices)
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                assert (one.power, one.deployment) == (other.power, other.deployment)
                assert one.resources.tolist() == other.resources.tolist()
                assert one.fractions.tolist() == other.fractions.tolist()
    assert smaller >= 8
