"""The judge: published figures to 1e-9, every injected violation, and what names and units must not change."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pytest

from finbench.models import exhaustive
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import Evaluation, ViolationKind, evaluate
from finbench.models.instance import Accounting, Instance
from finbench.models.io import data_directory, load_instance
from finbench.models.tolerances import equal_energy, exceeds
from tests.random_instances import random_instance, random_shared_instance

BALEXNET = load_instance("balexnet-cifar10").with_overrides(accounting=Accounting.FULL_DEPTH)
CLOUD_RATE = BALEXNET.network.node_by_name["cloud"].compute_ops_per_s or 0.0
with (data_directory() / "reference" / "balexnet_published_configurations.csv").open() as stream:
    PUBLISHED = list(csv.DictReader(stream))


def deployment(**changes: Any) -> Deployment:
    """Device three times, then cloud: feasible at 5 ms and 80 %."""
    decision: dict[str, Any] = {
        "application": BALEXNET.applications[0].name,
        "last_exit": 3,
        "placement": ("device", "device", "device", "cloud", "cloud"),
        **changes,
    }
    return Deployment(deployments=(ApplicationDeployment(**decision),))


def kinds(evaluation: Evaluation) -> set[ViolationKind]:
    return {violation.kind for violation in evaluation.violations}


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["placement"].replace(" ", "-"))
def test_the_costs_of_published_configurations_are_reproduced(row: dict[str, str]) -> None:
    decision = deployment(placement=tuple(row["placement"].split()), last_exit=int(row["last_exit"]))
    costs = evaluate(BALEXNET, decision).applications[0]
    expected = {field: float(row[field]) for field in row if field not in ("placement", "last_exit")}
    found = {field: getattr(costs, field) for field in expected}
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-30)


def test_a_sound_deployment_has_no_violation() -> None:
    evaluation = evaluate(BALEXNET, deployment())
    assert evaluation.feasible
    assert evaluation.objective == evaluation.energy_j == pytest.approx(0.0856027665902, rel=1e-9)


DIRECT = ((), (), (), ("device", "cloud"), ())
INJECTED: list[tuple[str, dict[str, Any], set[ViolationKind]]] = [
    ("unknown application", {"application": "nobody"}, {ViolationKind.APPLICATION}),
    ("exit that does not exist", {"last_exit": 4}, {ViolationKind.EXIT}),
    ("too few blocks for the exit", {"placement": ("device", "device")}, {ViolationKind.PLACEMENT}),
    ("too many blocks for the exit", {"last_exit": 1}, {ViolationKind.PLACEMENT}),
    ("unknown node", {"placement": ("device",) * 4 + ("moon",)}, {ViolationKind.NODE, ViolationKind.LINK}),
    ("pin broken", {"placement": ("cloud",) * 5}, {ViolationKind.PIN}),
    ("no link downwards", {"placement": ("device", "cloud", "edge", "edge", "edge")}, {ViolationKind.LINK}),
    ("too few routes", {"routes": DIRECT[:4]}, {ViolationKind.ROUTE}),
    ("route missing", {"routes": ((),) * 5}, {ViolationKind.ROUTE}),
    ("route to the wrong node", {"routes": (*DIRECT[:3], ("device", "edge"), ())}, {ViolationKind.ROUTE}),
    ("route from the wrong node", {"routes": (*DIRECT[:3], ("edge", "cloud"), ())}, {ViolationKind.ROUTE}),
    (
        "route over a missing link",
        {"routes": (*DIRECT[:3], ("device", "cloud", "edge", "cloud"), ())},
        {ViolationKind.LINK},
    ),
    ("route through a node unknown", {"routes": (*DIRECT[:3], ("device", "x", "cloud"), ())}, {ViolationKind.LINK}),
    ("a loop that is no link", {"routes": (("device", "device"), *DIRECT[1:])}, {ViolationKind.LINK}),
    ("a stay at another node", {"routes": (("edge",), *DIRECT[1:])}, {ViolationKind.ROUTE}),
    ("exit below the accuracy", {"last_exit": 2, "placement": ("device",) * 3}, {ViolationKind.ACCURACY}),
    ("too slow", {"placement": ("device",) * 5}, {ViolationKind.LATENCY}),
]


@pytest.mark.parametrize(("changes", "expected"), [case[1:] for case in INJECTED], ids=[case[0] for case in INJECTED])
def test_every_injected_violation_is_found(changes: dict[str, Any], expected: set[ViolationKind]) -> None:
    evaluation = evaluate(BALEXNET, deployment(**changes))
    if "application" in changes:  # the unknown one, and the real one left without a deployment
        assert len(evaluation.violations) == 2
    assert kinds(evaluation) == expected
    structural = expected - {ViolationKind.PIN, ViolationKind.ACCURACY, ViolationKind.LATENCY}
    assert (evaluation.objective is None) == bool(structural)


def test_violations_name_subject_and_amount() -> None:
    late = evaluate(BALEXNET, deployment(placement=("device",) * 5)).violations[0]
    assert (late.subject, late.limit) == ("balexnet-cifar10", 0.005)
    assert late.excess == pytest.approx(0.0065636363636 - 0.005)
    assert evaluate(BALEXNET, deployment(last_exit=9)).violations[0].excess is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"last_exit": 4}, "last_exit = 4: DNN 'balexnet-cifar10' has 3 exits"),
        ({"last_exit": 1}, "placement names 5 nodes, exit 1 follows block 1"),
        ({"shares": (1.0,) * 4}, "shares lists 4 blocks, must be 5"),
        ({"shares": (1.0, 0.5, 1.0, 1.0, 1.0)}, "block 2 reserves 0.5 of node 'device', which offers 1"),
        ({"routes": DIRECT[:4]}, "routes lists 4 transfers, must be 5"),
        ({"placement": ("cloud",) * 5}, "block 1 is placed on 'cloud', pinned to 'device'"),
        ({"placement": ("device",) * 4 + ("moon",)}, "block 5 is placed on unknown node 'moon'"),
        ({"routes": ((),) * 5}, "route into block 4 must lead from 'device' to 'cloud'"),
        ({"routes": (("device", "device"), *DIRECT[1:])}, "route into block 1 uses 'device->device', which is no link"),
        ({"last_exit": 2, "placement": ("device",) * 3}, "accuracy 0.780485 is below 0.8"),
        ({"placement": ("device",) * 5}, "latency 0.00656364 s exceeds 0.005 s"),
    ],
)
def test_a_violation_says_what_and_where(changes: dict[str, Any], said: str) -> None:
    first = evaluate(BALEXNET, deployment(**changes)).violations[0]
    assert first.message == f"application '{BALEXNET.applications[0].name}': {said}"


@pytest.mark.parametrize(("factor", "feasible"), [(0.99, False), (1 - 1e-5, False), (1 - 1e-8, True), (1.0, True)])
def test_a_latency_is_met_within_its_tolerance(factor: float, feasible: bool) -> None:
    latency = evaluate(BALEXNET, deployment()).applications[0].latency_s
    assert evaluate(BALEXNET.with_overrides(max_latency_s=latency * factor), deployment()).feasible == feasible


@pytest.mark.parametrize(("excess", "feasible"), [(0.01, False), (1e-5, False), (1e-8, True), (0.0, True)])
def test_an_accuracy_is_met_within_its_tolerance(excess: float, feasible: bool) -> None:
    assert evaluate(BALEXNET.with_overrides(min_accuracy=0.8595 + excess), deployment()).feasible == feasible


def test_an_explicit_route_of_direct_links_costs_the_same() -> None:
    assert evaluate(BALEXNET, deployment(routes=DIRECT)) == evaluate(BALEXNET, deployment())
    stays = (("device",), *DIRECT[1:4], ("cloud",))
    assert evaluate(BALEXNET, deployment(routes=stays)) == evaluate(BALEXNET, deployment())


def test_a_relay_pays_for_both_links() -> None:
    relayed = evaluate(BALEXNET, deployment(routes=(*DIRECT[:3], ("device", "edge", "cloud"), ())))
    bits = 13 * 13 * 384 * 8
    assert relayed.feasible
    assert relayed.applications[0].transfer_energy_j == pytest.approx(bits * (30e-9 + 37e-9 + 37e-9 + 12.6e-9))


@pytest.mark.parametrize(("kind", "share"), [("full_depth", 1.0), ("expected", 0.092)])
def test_latency_counts_delay_and_survival(kind: str, share: float) -> None:
    data = BALEXNET.model_dump() | {"latency_kind": kind}
    without = evaluate(Instance.model_validate(data), deployment()).applications[0].latency_s
    for link in data["network"]["links"]:
        link["delay_s"] = 0.5 if link["target"] == "cloud" else 100.0
    delayed = evaluate(Instance.model_validate(data), deployment()).applications[0].latency_s
    assert delayed - without == pytest.approx(0.5 * share)


def test_repeated_and_missing_applications_are_violations() -> None:
    twice = Deployment(deployments=deployment().deployments * 2)
    assert [v.kind for v in evaluate(BALEXNET, twice).violations] == [ViolationKind.APPLICATION]
    both, decisions = two_applications(rates=(1.0, 1.0))
    lone = evaluate(both, Deployment(deployments=decisions[:1]))
    assert [v.subject for v in lone.violations] == ["other"]
    assert lone.objective is None


def two_applications(
    rates: tuple[float, float], **node_changes: Any
) -> tuple[Instance, tuple[ApplicationDeployment, ...]]:
    """Two users of B-AlexNet, both with the deployment from above."""
    data = BALEXNET.model_dump()
    for node in data["network"]["nodes"]:
        if node["name"] == "cloud":
            node.update(node_changes)
    app = data["applications"][0]
    data["applications"] = [app | {"rate_per_s": rates[0]}, app | {"rate_per_s": rates[1], "name": "other"}]
    for block in data["dnns"][0]["blocks"]:
        block["parameter_bytes"] = 100.0
    decision = deployment().deployments[0]
    return Instance.model_validate(data), (decision, decision.model_copy(update={"application": "other"}))


def test_objective_weighs_energy_by_rate() -> None:
    both, decisions = two_applications(rates=(2.0, 3.0))
    evaluation = evaluate(both, Deployment(deployments=decisions))
    each = evaluation.applications[0].energy_j
    assert evaluation.feasible
    assert evaluation.objective == pytest.approx(5 * each)
    assert evaluation.energy_j == pytest.approx(2 * each)


def test_compute_rows_count_survivors_of_every_application() -> None:
    share = BALEXNET.dnns[0].survival[3]
    on_device = 22.62e6 + BALEXNET.dnns[0].survival[1] * (6.711e6 + 10.145e6)
    on_cloud = share * (19.201e6 + 13.523e6)
    full = 11e9 / on_device / 2
    both, decisions = two_applications(rates=(full * 0.999, full * 1.0001))
    assert evaluate(both, Deployment(deployments=decisions)).feasible
    both, decisions = two_applications(rates=(full, full * 1.001))
    evaluation = evaluate(both, Deployment(deployments=decisions))
    assert [(v.kind, v.subject) for v in evaluation.violations] == [(ViolationKind.COMPUTE, "device")]
    assert evaluation.loads.executions["cloud"] == pytest.approx(on_cloud * 2.001 * full / CLOUD_RATE)


@pytest.mark.parametrize(("memory", "feasible"), [(399.0, False), (400.0, True)])
def test_memory_rows_count_every_copy(memory: float, feasible: bool) -> None:
    both, decisions = two_applications(rates=(1.0, 1.0), memory_bytes=memory)
    evaluation = evaluate(both, Deployment(deployments=decisions))
    assert kinds(evaluation) == (set() if feasible else {ViolationKind.MEMORY})


def test_bandwidth_rows_count_survivors() -> None:
    data = two_applications(rates=(1.0, 1.0))[0].model_dump()
    bits = BALEXNET.dnns[0].survival[3] * 13 * 13 * 384 * 8
    for factor, feasible in ((1.99, False), (2.0, True)):
        for link in data["network"]["links"]:
            link["bandwidth_bit_per_s"] = factor * bits if link["target"] == "cloud" else 1e12
        for app in data["applications"]:
            app["max_latency_s"] = 1e6
        evaluation = evaluate(Instance.model_validate(data), Deployment(deployments=two_applications((1.0, 1.0))[1]))
        assert kinds(evaluation) == (set() if feasible else {ViolationKind.BANDWIDTH})


def with_levels(shares: tuple[float, ...], **application: Any) -> Instance:
    """B-AlexNet with a menu of shares at the cloud."""
    data = BALEXNET.model_dump()
    for node in data["network"]["nodes"]:
        if node["name"] == "cloud":
            node["compute_shares"] = shares
    data["applications"][0].update({"rate_per_s": 1.0, **application})
    return Instance.model_validate(data)


def shared(*shares: float) -> Deployment:
    """The deployment from above with shares."""
    return deployment(shares=shares)


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_a_reserved_share_slows_its_block_and_no_energy_changes(share: float) -> None:
    before = evaluate(BALEXNET, deployment()).applications[0]
    after = evaluate(with_levels((0.25, 0.5, 1.0)), shared(1.0, 1.0, 1.0, share, 0.25))
    ops, rate = (
        [block.ops for block in BALEXNET.dnns[0].blocks],
        CLOUD_RATE,
    )
    slower = ops[3] / rate * (1 / share - 1) + ops[4] / rate * 3
    assert after.applications[0].latency_s == pytest.approx(before.latency_s + slower, rel=1e-12)
    assert after.applications[0].energy_j == before.energy_j


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((1.0, 1.0, 1.0, 0.25, 0.25), set()),
        ((1.0, 1.0, 1.0, 0.3, 0.25), {ViolationKind.SHARE}),
        ((0.25, 1.0, 1.0, 0.25, 0.25), {ViolationKind.SHARE}),
        ((1.0, 1.0, 1.0, 0.25), {ViolationKind.SHARE}),
        ((1.0, 1.0, 1.0, 0.75, 0.75), {ViolationKind.RESERVATION}),
        ((1.0, 1.0, 1.0, 0.25, 0.75), set()),
    ],
)
def test_shares_come_from_the_menu_and_fill_no_node_beyond_one(
    shares: tuple[float, ...], expected: set[ViolationKind]
) -> None:
    evaluation = evaluate(with_levels((0.25, 0.75)), shared(*shares))
    assert kinds(evaluation) == expected
    assert (evaluation.objective is None) == (ViolationKind.SHARE in expected)


def test_shares_left_out_are_one() -> None:
    assert kinds(evaluate(with_levels((0.25, 1.0)), deployment())) == {ViolationKind.RESERVATION}
    assert kinds(evaluate(with_levels((0.25,)), deployment())) == {ViolationKind.SHARE}


def test_a_reservation_names_the_node_and_the_amount() -> None:
    (broken,) = evaluate(with_levels((0.25, 0.75)), shared(1.0, 1.0, 1.0, 0.75, 0.75)).violations
    assert (broken.subject, broken.value, broken.limit) == ("cloud", 1.5, 1.0)
    assert "node 'cloud': reservation load 1.5 of its compute" in broken.message


@pytest.mark.parametrize(("factor", "feasible"), [(1.0, True), (1 + 1e-8, True), (1.001, False)])
def test_a_share_must_keep_up_with_its_block(factor: float, feasible: bool) -> None:
    """Survivors alone load it, whatever the accounting, and only where the node reserves."""
    dnn = BALEXNET.dnns[0]
    rate = factor * 0.1 * CLOUD_RATE / (dnn.survival[3] * dnn.blocks[3].ops)
    slow = with_levels((0.1, 0.5), rate_per_s=rate, max_latency_s=1.0)
    evaluation = evaluate(slow, shared(1.0, 1.0, 1.0, 0.1, 0.5))
    assert (ViolationKind.STABILITY not in kinds(evaluation)) == feasible
    if not feasible:
        broken = next(v for v in evaluation.violations if v.kind is ViolationKind.STABILITY)
        assert (broken.subject, broken.limit) == (slow.applications[0].name, 0.1)
        assert broken.value == pytest.approx(factor * 0.1)
    assert ViolationKind.STABILITY not in kinds(evaluate(with_levels((1.0,), rate_per_s=1e9), deployment()))


def rejectable(penalties: tuple[float | None, float | None]) -> tuple[Instance, tuple[ApplicationDeployment, ...]]:
    """Two applications, with what it costs to turn each away."""
    both, decisions = two_applications(rates=(2.0, 3.0))
    data = both.model_dump()
    for app, penalty in zip(data["applications"], penalties, strict=True):
        app["rejection_penalty_w"] = penalty
    return Instance.model_validate(data), decisions


def test_a_rejection_costs_its_penalty_and_loads_nothing() -> None:
    both, decisions = rejectable((None, 0.7))
    alone = evaluate(both, Deployment(deployments=decisions[:1], rejected=("other",)))
    served = evaluate(both, Deployment(deployments=decisions))
    assert alone.feasible
    assert alone.rejected == ("other",)
    assert alone.penalty_w == 0.7
    assert alone.objective == pytest.approx(2.0 * alone.applications[0].energy_j + 0.7, rel=1e-12)
    assert alone.energy_j == alone.applications[0].energy_j
    assert alone.loads.executions["device"] == pytest.approx(served.loads.executions["device"] * 0.4)
    assert served.penalty_w == 0


def test_all_may_be_rejected() -> None:
    both, _ = rejectable((0.0, 0.7))
    names = tuple(app.name for app in both.applications)
    evaluation = evaluate(both, Deployment(deployments=(), rejected=names))
    assert (evaluation.feasible, evaluation.objective, evaluation.tiers) == (True, 0.7, {})


def test_every_broken_rejection_is_found() -> None:
    both, decisions = rejectable((None, 0.7))
    name = both.applications[0].name

    def found(served: int, *rejected: str) -> list[tuple[ViolationKind, str]]:
        evaluation = evaluate(both, Deployment(deployments=decisions[:served], rejected=rejected))
        return [(violation.kind, violation.subject) for violation in evaluation.violations]

    assert found(1, "other") == []
    assert found(0, name, "other") == [(ViolationKind.REJECTION, name)]
    assert found(1, "other", "other") == [(ViolationKind.APPLICATION, "other")]
    assert found(2, "other") == [(ViolationKind.APPLICATION, "other")]
    assert found(1, "other", "nobody") == [(ViolationKind.APPLICATION, "nobody")]
    assert found(1) == [(ViolationKind.APPLICATION, "other")]


@pytest.mark.parametrize("seed", range(60))
def test_tiers_and_penalties_sum_to_the_objective(seed: int) -> None:
    instance = random_shared_instance(seed, levels=seed % 2 == 0, penalties=True)
    data = instance.model_dump()
    for node in data["network"]["nodes"]:
        node["tier"] = "edge" if node["name"] == "n1" else "cloud"
    tiered, found = Instance.model_validate(data), exhaustive.solve(instance).deployment
    if found is not None:
        judged = evaluate(tiered, found)
        assert judged.feasible
        assert judged.objective == pytest.approx(sum(judged.tiers.values()) + judged.penalty_w, rel=1e-12)
        assert set(judged.tiers) <= {"edge", "cloud"}


def random_deployment(instance: Instance, seed: int) -> Deployment:
    """Any last exit and placement, a direct link where there is one, else a route that is none."""
    rng = np.random.default_rng(seed)
    app, dnn = instance.applications[0], instance.dnns[0]
    last = int(rng.integers(1, len(dnn.exits) + 1))
    names = [node.name for node in instance.network.nodes]
    stay = str(rng.choice(names))
    placement = tuple(
        app.pins.get(i, stay if rng.random() < 0.7 else str(rng.choice(names)))
        for i in range(1, dnn.exits[last - 1].after_block + 1)
    )
    return Deployment(deployments=(ApplicationDeployment(application=app.name, last_exit=last, placement=placement),))


def relabelled(value: Any, names: dict[str, str]) -> Any:
    """The same document with other node names (no other string in it is a node's name)."""
    if isinstance(value, dict):
        return {key: relabelled(item, names) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [relabelled(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("seed", range(60))
def test_names_and_order_of_nodes_do_not_matter(seed: int) -> None:
    instance = random_instance(seed)
    decision = random_deployment(instance, seed)
    names = {node.name: f"place-{k}" for k, node in enumerate(reversed(instance.network.nodes))}
    data = relabelled(instance.model_dump(), names)
    for part in ("nodes", "links"):
        data["network"][part] = data["network"][part][::-1]
    other = evaluate(Instance.model_validate(data), Deployment.model_validate(relabelled(decision.model_dump(), names)))
    assert answer(other) == answer(evaluate(instance, decision))


def answer(evaluation: Evaluation) -> tuple[Any, ...]:
    return evaluation.objective, evaluation.applications, sorted(v.kind for v in evaluation.violations)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize(("work", "time", "energy"), [(8.0, 1.0, 1.0), (1.0, 1024.0, 1.0), (0.25, 4.0, 2.0**-20)])
def test_other_units_give_the_same_judgement(seed: int, work: float, time: float, energy: float) -> None:
    """Powers of two, so that only the exponents of the numbers change."""
    instance = random_instance(seed)
    decision = random_deployment(instance, seed)
    data = instance.model_dump()
    for node in data["network"]["nodes"]:
        node["compute_ops_per_s"] *= work / time
        node["power_w"] *= energy / time
    for link in data["network"]["links"]:
        link["bandwidth_bit_per_s"] *= work / time
        link["delay_s"] *= time
        link["tx_energy_j_per_bit"] *= energy / work
        link["rx_energy_j_per_bit"] *= energy / work
    dnn = data["dnns"][0]
    dnn["input_bits"] *= work
    for block in dnn["blocks"]:
        block["ops"] *= work
        block["output_bits"] *= work
    data["applications"][0]["max_latency_s"] *= time
    before, after = evaluate(instance, decision), evaluate(Instance.model_validate(data), decision)
    assert kinds(before) == kinds(after)
    for one, two in zip(before.applications, after.applications, strict=True):
        assert two.energy_j == pytest.approx(one.energy_j * energy, rel=1e-12, abs=0)
        assert two.latency_s == pytest.approx(one.latency_s * time, rel=1e-12, abs=0)


def test_equality_and_tolerance_are_relative() -> None:
    assert equal_energy(1e-9, 1e-9 * (1 + 9e-7))
    assert not equal_energy(1e-9, 1e-9 * (1 + 2e-6))
    assert exceeds(1e-20, 0.0)
    assert not exceeds(0.0, 0.0)
