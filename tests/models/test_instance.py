"""The problem's data: derived quantities, overrides, identity."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from finbench.models.instance import Accounting, Application, Instance, LatencyKind, Network, Node
from finbench.models.io import load_instance, shipped
from tests.random_instances import random_instance

BALEXNET = load_instance("balexnet-cifar10")


def test_survival_is_the_fraction_that_has_not_left_before_the_block() -> None:
    assert BALEXNET.dnns[0].survival == pytest.approx([1, 0.344, 0.344, 0.092, 0.092])


@pytest.mark.parametrize("seed", range(30))
def test_survival_falls_from_one(seed: int) -> None:
    shares = random_instance(seed).dnns[0].survival
    assert shares[0] == 1
    assert all(0 <= late <= early for early, late in pairwise(shares))


def test_transfer_into_a_block_carries_what_the_block_before_puts_out() -> None:
    dnn = BALEXNET.dnns[0]
    assert dnn.transfer_bits(1) == dnn.input_bits
    assert [dnn.transfer_bits(i) for i in range(2, 6)] == [block.output_bits for block in dnn.blocks[:-1]]


@pytest.mark.parametrize("accounting", Accounting)
@pytest.mark.parametrize("kind", [LatencyKind.FULL_DEPTH, LatencyKind.EXPECTED])
def test_weights_follow_accounting_and_latency_kind(accounting: Accounting, kind: LatencyKind) -> None:
    instance = BALEXNET.with_overrides(accounting=accounting, latency_kind=kind)
    app, survival = instance.applications[0], instance.dnns[0].survival
    assert instance.energy_weights(app) == (survival if accounting is Accounting.EXPECTED else (1.0,) * 5)
    assert instance.latency_weights(app) == (survival if kind is LatencyKind.EXPECTED else (1.0,) * 5)


def test_another_latency_kind_drops_the_quantile_and_a_quantile_alone_makes_its_kind() -> None:
    most = BALEXNET.with_overrides(latency_kind=LatencyKind.QUANTILE, latency_quantile=0.9)
    assert most.with_overrides(min_accuracy=0.5).latency_quantile == 0.9
    assert most.with_overrides(latency_kind=LatencyKind.EXPECTED).latency_quantile is None
    with pytest.raises(ValueError, match=r"^latency_quantile = None: goes with"):
        BALEXNET.with_overrides(latency_kind=LatencyKind.QUANTILE)
    assert BALEXNET.with_overrides(latency_quantile=0.9) == most
    with pytest.raises(ValueError, match=r"^latency_quantile = 0.9: goes with"):
        BALEXNET.with_overrides(latency_kind=LatencyKind.EXPECTED, latency_quantile=0.9)
    with pytest.raises(ValueError, match=r"greater than 0"):
        BALEXNET.with_overrides(latency_kind=LatencyKind.QUANTILE, latency_quantile=0.0)


def test_overrides_change_only_what_is_given() -> None:
    changed = BALEXNET.with_overrides(max_latency_s=0.003)
    assert changed.applications[0].max_latency_s == 0.003
    assert changed.applications[0].min_accuracy == BALEXNET.applications[0].min_accuracy
    assert changed.with_overrides(max_latency_s=BALEXNET.applications[0].max_latency_s) == BALEXNET
    assert BALEXNET.with_overrides() == BALEXNET


@pytest.mark.parametrize("bad", [{"max_latency_s": -1.0}, {"max_latency_s": float("nan")}, {"min_accuracy": 1.5}])
def test_overrides_obey_the_rules_of_the_fields(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BALEXNET.with_overrides(**bad)


def test_a_target_beyond_floats_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^application 'balexnet-cifar10': latency: could exceed 1\.8e\+308; [^\n]*$"):
        BALEXNET.with_overrides(max_latency_s=1.7e308)


def test_targets_cannot_override_several_applications() -> None:
    first = BALEXNET.applications[0].model_copy(update={"rate_per_s": 1.0})
    several = Instance(
        name="two",
        network=BALEXNET.network,
        dnns=BALEXNET.dnns,
        applications=(first, first.model_copy(update={"name": "other"})),
    )
    assert several.with_overrides(accounting=Accounting.FULL_DEPTH).accounting is Accounting.FULL_DEPTH
    with pytest.raises(ValueError, match="single application"):
        several.with_overrides(min_accuracy=0.5)


def test_hash_tells_contents_apart_and_ignores_provenance() -> None:
    original = BALEXNET.content_hash
    assert load_instance("balexnet-cifar10").content_hash == original
    assert BALEXNET.model_copy(deep=True).content_hash == original
    assert Instance(**{**fields(BALEXNET), "provenance": "elsewhere"}).content_hash == original
    assert BALEXNET.with_overrides(max_latency_s=0.003).content_hash != original
    assert BALEXNET.with_overrides(accounting=Accounting.FULL_DEPTH).content_hash != original


def test_defaults_written_out_keep_the_hash() -> None:
    data = BALEXNET.model_dump()
    for node in data["network"]["nodes"]:
        assert node.pop("compute_shares") == (1.0,)
    assert data["applications"][0].pop("rejection_penalty_w") is None
    without = Instance.model_validate(data)
    for node in data["network"]["nodes"]:
        node["compute_shares"] = [1.0]
    data["applications"][0]["rejection_penalty_w"] = None
    assert Instance.model_validate(data).content_hash == without.content_hash == BALEXNET.content_hash


def test_shares_and_penalties_change_the_hash() -> None:
    data = BALEXNET.model_dump()
    data["applications"][0]["rate_per_s"] = 1.0
    hashes = {Instance.model_validate(data).content_hash}
    for penalty in (0.0, 1.0):
        data["applications"][0]["rejection_penalty_w"] = penalty
        hashes.add(Instance.model_validate(data).content_hash)
    for shares in ((0.5,), (0.5, 1.0)):
        data["network"]["nodes"][0]["compute_shares"] = shares
        hashes.add(Instance.model_validate(data).content_hash)
    assert len(hashes) == 5


@pytest.mark.parametrize(("shares", "reserves"), [((1.0,), False), ((0.5,), True), ((0.5, 1.0), True)])
def test_a_node_reserves_unless_its_only_share_is_the_whole(shares: tuple[float, ...], reserves: bool) -> None:
    assert Node(name="n", compute_ops_per_s=1.0, power_w=0.0, compute_shares=shares).reserves == reserves


def fields(instance: Instance) -> dict[str, Any]:
    return {field: getattr(instance, field) for field in Instance.model_fields}


def test_hashes_of_the_shipped_instances_differ() -> None:
    hashes = [load_instance(path).content_hash for path in shipped("instances").values()]
    assert len(set(hashes)) == len(hashes) == 7


def test_data_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        BALEXNET.network.nodes[0].power_w = 1.0


def test_weight_of_an_application_without_a_rate_is_one() -> None:
    app = Application(name="a", dnn="d", source="n", max_latency_s=1.0, min_accuracy=0.5)
    assert app.weight == 1
    assert app.model_copy(update={"rate_per_s": 30.0}).weight == 30


def test_a_network_of_one_node_needs_no_link() -> None:
    network = Network(name="alone", nodes=(Node(name="n", compute_ops_per_s=1.0, power_w=0.0),))
    assert network.link_by_pair == {}


def test_a_copy_forgets_what_was_computed_from_the_fields_it_replaces() -> None:
    network, first = BALEXNET.network, BALEXNET.network.nodes[0]
    assert network.node_by_name[first.name] is first
    faster = first.model_copy(update={"compute_ops_per_s": 2 * (first.compute_ops_per_s or 1.0)})
    changed = network.model_copy(update={"nodes": (faster, *network.nodes[1:])})
    assert changed.node_by_name[first.name] is faster
    assert BALEXNET.model_copy(update={"network": changed}).content_hash != BALEXNET.content_hash
