"""Where the assignment formulation applies."""

from __future__ import annotations

import pytest

from finbench.models.instance import Instance, Link, Network
from finbench.models.io import load_instance
from finbench.models.milp import assignment, flow
from tests.models.enumeration import shared_instance
from tests.random_instances import random_instance, random_shared_instance


def _with_links(instance: Instance, links: list[Link]) -> Instance:
    network = Network(name="other", nodes=instance.network.nodes, links=tuple(links))
    return Instance(
        name="other",
        accounting=instance.accounting,
        latency_kind=instance.latency_kind,
        network=network,
        dnns=instance.dnns,
        applications=instance.applications,
    )


def _published_links() -> tuple[Instance, list[Link]]:
    instance = load_instance("balexnet-cifar10")
    return instance, list(instance.network.links)


@pytest.mark.parametrize("name", ["blenet-mnist", "balexnet-cifar10", "bresnet-cifar100"])
def test_applies_to_the_published_scenario(name: str) -> None:
    assert assignment.supports(load_instance(name)) is None


def test_refuses_where_a_direct_link_is_missing() -> None:
    instance, links = _published_links()
    without = _with_links(instance, [link for link in links if (link.source, link.target) != ("device", "cloud")])
    assert "'device' to 'cloud' through 'edge'" in (assignment.supports(without) or "")


@pytest.mark.parametrize(
    ("field", "value"), [("tx_energy_j_per_bit", 1e-6), ("bandwidth_bit_per_s", 1e6), ("delay_s", 1.0)]
)
def test_refuses_where_a_relay_is_better_in_one_respect(field: str, value: float) -> None:
    instance, links = _published_links()
    direct = next(link for link in links if (link.source, link.target) == ("device", "cloud"))
    others = [link for link in links if link is not direct]
    worse = _with_links(instance, [*others, direct.model_copy(update={field: value})])
    assert "a relay may be better" in (assignment.supports(worse) or "")


def test_refuses_where_a_link_may_be_overloaded() -> None:
    reasons = [assignment.supports(shared_instance(seed)) or "" for seed in range(20)]
    assert any("bandwidth may bind" in reason for reason in reasons)


def test_refuses_service_levels() -> None:
    instance = random_shared_instance(0, direct_only=True)
    first, *others = instance.network.nodes
    nodes = (first.model_copy(update={"compute_shares": (0.5, 1.0)}), *others)
    levelled = instance.model_copy(update={"network": instance.network.model_copy(update={"nodes": nodes})})
    assert assignment.supports(instance) is None
    assert assignment.supports(levelled) == "knows no service levels, and node 'n0' offers shares of its compute"


def test_applies_without_links() -> None:
    alone = next(
        instance for instance in (random_instance(seed) for seed in range(50)) if len(instance.network.links) == 0
    )
    assert assignment.supports(alone) is None
    assert assignment.solve(alone).status is flow.solve(alone).status


def test_several_applications_have_the_optimum_of_the_flow_program() -> None:
    compared = 0
    for seed in range(200):
        instance = shared_instance(seed)
        if assignment.supports(instance) is None:
            one, two = assignment.solve(instance), flow.solve(instance)
            assert one.status is two.status
            if one.claimed_objective is not None:
                assert one.claimed_objective == pytest.approx(two.claimed_objective, rel=1e-6)
                compared += 1
    assert compared >= 10


def test_every_phase_is_timed_and_variables_are_counted() -> None:
    result = assignment.solve(load_instance("balexnet-cifar10"))
    assert set(result.times_s) == {"build", "handover", "solve", "extract"}
    assert result.info["variables"] == 5 * 3 + 2 + 4 * 3 + 3
