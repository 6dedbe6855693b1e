"""The published scenario for many users: slices divide exactly, each user has a device, power is counted as said."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from finbench.benchmarks.analysis.claims_of_many import SAVING_OF_MANY
from finbench.benchmarks.families import generate_shared
from finbench.benchmarks.methods import run_method
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance, Node
from finbench.models.io import dump_instance, load_instance
from finbench.models.result import Status

SCENARIOS = {"balexnet": "balexnet-cifar10", "bresnet": "bresnet-cifar10", "blenet": "blenet-mnist"}


def made(users: int, family: str = "published-many", load: float = 0.05, **more: object) -> Instance:
    sizes = {"nodes": 3 * users + 6, "applications": 3 * users, "load": load, "seed": 1, **more}
    return generate_shared(family, **sizes)  # type: ignore[arg-type]


def slices(instance: Instance) -> list[tuple[Node, Node]]:
    """Every slice of the instance, and the node of the shipped scenario that it is."""
    found = []
    for node in instance.network.nodes:
        tier, _, kind = node.name.partition("-")
        if tier != "device":
            found.append((node, load_instance(SCENARIOS[kind]).network.node_by_name[tier]))
    return found


def j_per_operation(node: Node) -> float:
    assert node.compute_ops_per_s
    return node.power_w / node.compute_ops_per_s


def test_equal_parameters_give_equal_bytes() -> None:
    assert dump_instance(made(4, load=0.3)) == dump_instance(made(4, load=0.3))
    assert dump_instance(made(4)) == dump_instance(made(4, seed=2)).replace("--seed 2", "--seed 1").replace(
        "-s2", "-s1"
    )


@pytest.mark.parametrize("users", [1, 2, 7, 100])
def test_slices_are_divided_among_their_users_and_nothing_is_lost(users: int) -> None:
    found = slices(made(users))
    assert len(found) == 6
    for part, whole in found:
        assert part.parallel == users
        assert part.compute_ops_per_s is not None
        assert part.parallel * part.compute_ops_per_s == pytest.approx(whole.compute_ops_per_s, rel=1e-15)


@pytest.mark.parametrize("users", [1, 10])
def test_power_is_the_whole_nodes_or_divided_too(users: int) -> None:
    for part, whole in slices(made(users)):
        assert j_per_operation(part) == pytest.approx(users * j_per_operation(whole))
    for part, whole in slices(made(users, "published-many-divided")):
        assert j_per_operation(part) == pytest.approx(j_per_operation(whole))


def test_one_user_of_each_has_the_published_optimum() -> None:
    joint = run_method(made(1), "milp-flow")
    instance = made(1)
    alone = [run_method(load_instance(name), "label-setting").claimed_objective or 0.0 for name in SCENARIOS.values()]
    powers = [app.weight * energy for app, energy in zip(instance.applications, alone, strict=True)]
    assert joint.status is Status.OPTIMAL
    assert joint.claimed_objective == pytest.approx(sum(powers), rel=1e-6)


def test_each_user_has_a_device_whose_time_the_first_block_takes_to_the_load() -> None:
    instance = made(5, load=0.3)
    sources = Counter(app.source for app in instance.applications)
    assert set(sources.values()) == {1}
    assert sum(node.name.startswith("device") for node in instance.network.nodes) == len(sources) == 15
    for app in instance.applications:
        rate = instance.network.node_by_name[app.source].compute_ops_per_s
        assert rate is not None
        assert app.weight * instance.dnn_of(app).blocks[0].ops / rate == pytest.approx(0.3, rel=1e-5)
        assert app.pins == {1: app.source}


def test_users_of_fewer_devices_share_them_to_the_same_load() -> None:
    instance = generate_shared("published-many", nodes=9, applications=12, load=0.4, seed=0)
    for device in ("device-balexnet-1", "device-bresnet-1", "device-blenet-1"):
        users = [app for app in instance.applications if app.source == device]
        taken = sum(app.weight * instance.dnn_of(app).blocks[0].ops / 11e9 for app in users)
        assert len(users) == 4
        assert taken == pytest.approx(0.4, rel=1e-5)


@pytest.mark.parametrize("method", ["fin", "mcp", "greedy", "column-generation"])
def test_what_methods_find_keeps_every_capacity(method: str) -> None:
    instance = made(10, load=0.3, tightness=1.0)
    result = run_method(instance, method, time_limit_s=20)
    assert result.deployment is not None
    assert evaluate(instance, result.deployment).violations == ()
    operations: defaultdict[str, float] = defaultdict(float)
    apps = {app.name: app for app in instance.applications}
    for decision in result.deployment.deployments:
        app = apps[decision.application]
        dnn = instance.dnn_of(app)
        for block, survival, node in zip(dnn.blocks, dnn.survival, decision.placement, strict=False):
            operations[node] += app.weight * survival * block.ops
    assert not all(name.startswith("device") for name in operations)
    for part, whole in slices(instance):
        assert operations[part.name] <= (whole.compute_ops_per_s or 0.0) * (1 + 1e-6)
    assert all(operations[app.source] <= 11e9 * (1 + 1e-6) for app in instance.applications)


def test_many_users_have_no_deployment_at_the_published_targets_and_one_at_their_own() -> None:
    assert run_method(made(20), "column-generation", time_limit_s=20).status is Status.INFEASIBLE
    assert run_method(made(20, tightness=1.0), "column-generation", time_limit_s=20).status is Status.OPTIMAL


def test_a_menu_of_shares_divides_the_edge_by_reservations_instead() -> None:
    instance = made(4, shares=(0.25, 0.5, 1.0), tightness=1.0)
    edges = [(part, whole) for part, whole in slices(instance) if part.name.startswith("edge")]
    assert all(part.compute_ops_per_s == whole.compute_ops_per_s for part, whole in edges)
    assert {part.compute_shares for part, _ in edges} == {(0.25, 0.5, 1.0)}
    result = run_method(instance, "fin", time_limit_s=20)
    assert result.deployment is not None
    assert evaluate(instance, result.deployment).violations == ()


def test_whoever_may_be_rejected_pays_a_multiple_of_the_least_power() -> None:
    instance = made(2, penalty=5.0)
    least = run_method(made(2, tightness=1.0), "column-generation").claimed_objective
    penalties = [app.rejection_penalty_w or 0.0 for app in instance.applications]
    assert sum(penalties) == pytest.approx(5 * (least or 0.0), rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "users", "passed"), [("", 30, False), ("", 50, True), ("-divided", 50, False)], ids=str
)
def test_the_saving_over_mcp_passes_the_journals_figure_where_the_page_says(
    family: str, users: int, passed: bool
) -> None:
    """On docs/many-users.md: from 50 users of each on, and only where a part of a slice draws the whole power."""
    instance = made(users, f"published-many{family}", tightness=1.0)
    fin, mcp = (run_method(instance, method).claimed_objective for method in ("fin", "mcp"))
    assert fin is not None
    assert mcp is not None
    assert (1 - fin / mcp > SAVING_OF_MANY) == passed
