"""`tiered`: mobile devices under edge servers under the cloud, drawn around the published scenario.

Devices attach to up to two edge servers and, as in the published scenario, to a cloud server; they reach a few devices
of their cell sideways. Edge servers form a sparse mesh and reach the cloud; clouds are joined. Links lead upward and
sideways. Faster tiers cost more energy per operation, as in the published B-AlexNet scenario, so that energy and
latency pull apart. Links number about six for each node. They are `fast`, as in the published scenario, where transfers
take next to no time beside computing, or `typical` of our time (`tiered_links`).

`deep` is a small such network under a DNN of 50 to 200 blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from finbench.benchmarks.families.family import Size
from finbench.benchmarks.families.profiles import accuracy_target, around, random_dnn
from finbench.benchmarks.families.tiered_links import DRAWS, bandwidths
from finbench.models.instance import Application, Instance, Link, Network, Node

EDGE_SHARE, CLOUD_SHARE = 0.2, 0.02
SIDEWAYS = 2
"""Devices of its cell that a device reaches."""

EDGE_NEIGHBOURS = 8
UPLINKS = 2

Pair = tuple[int, int]


@dataclass(frozen=True)
class Tier:
    """Typical values of a tier, from the published B-AlexNet scenario."""

    name: str
    compute_ops_per_s: float
    energy_j_per_op: float
    radio_j_per_bit: float
    bandwidth_bit_per_s: float
    """Of a link into this tier."""


MOBILE = Tier("mobile", 11e9, 6 / 11e9, 30e-9, 1e11)
EDGE = Tier("edge", 153.4e9, 140 / 153.4e9, 37e-9, 5.6e11)
CLOUD = Tier("cloud", 312e9, 400 / 312e9, 12.6e-9, 4.5e12)


def bandwidths_of(links: str) -> str:
    """Return the range of bandwidths that a choice of links draws, in words."""
    least, most = bandwidths(links, (MOBILE.bandwidth_bit_per_s, EDGE.bandwidth_bit_per_s, CLOUD.bandwidth_bit_per_s))
    return f"{least / 1e9:,.3g} to {most / 1e9:,.0f} Gbit/s"


def draw(rng: np.random.Generator, size: Size) -> Instance:
    """Draw an instance with the usual fractions of edge and cloud nodes."""
    n_cloud = min(max(1, round(CLOUD_SHARE * size.nodes)), max(0, size.nodes - 2))
    n_edge = min(max(1, round(EDGE_SHARE * size.nodes)), size.nodes - 1 - n_cloud)
    return draw_tiers(rng, size.nodes - n_edge - n_cloud, n_edge, n_cloud, size)


def draw_tiers(rng: np.random.Generator, n_mobile: int, n_edge: int, n_cloud: int, size: Size) -> Instance:
    """Draw an instance with the given numbers of nodes; samples arise at the first device, which runs block 1."""
    tiers = [MOBILE] * n_mobile + [EDGE] * n_edge + [CLOUD] * n_cloud
    nodes = tuple(_node(rng, tier, k) for k, tier in enumerate(tiers))
    pairs = sorted(set(_pairs(rng, n_mobile, n_edge, n_cloud)))
    links = tuple(_link(rng, nodes, tiers, pair, size.links) for pair in pairs)
    dnn = random_dnn(rng, size.blocks, size.exits)
    app = Application(
        name="app",
        dnn=dnn.name,
        source=nodes[0].name,
        max_latency_s=0.0,
        min_accuracy=accuracy_target(dnn),
        pinned={"1": nodes[0].name},
    )
    network = Network(name="tiered", nodes=nodes, links=links)
    return Instance(name="tiered", network=network, dnns=(dnn,), applications=(app,))


def _node(rng: np.random.Generator, tier: Tier, number: int) -> Node:
    speed = around(rng, tier.compute_ops_per_s, 3)
    power = float(f"{speed * around(rng, tier.energy_j_per_op, 2):.6g}")
    return Node(name=f"{tier.name}{number}", tier=tier.name, compute_ops_per_s=speed, power_w=power)


def _link(rng: np.random.Generator, nodes: tuple[Node, ...], tiers: list[Tier], pair: Pair, links: str) -> Link:
    sender, receiver = (tiers[k] for k in pair)
    return Link(source=nodes[pair[0]].name, target=nodes[pair[1]].name, **DRAWS[links](rng, sender, receiver))


def _pairs(rng: np.random.Generator, n_mobile: int, n_edge: int, n_cloud: int) -> Iterator[Pair]:
    """Draw the directed links by node number; a pair may come twice."""
    edge_0, cloud_0 = n_mobile, n_mobile + n_edge
    for m in range(n_mobile):
        if n_edge:
            home = m * n_edge // n_mobile
            for step in range(min(UPLINKS, n_edge)):
                yield m, edge_0 + (home + step) % n_edge
        if n_cloud:
            yield m, cloud_0 + m * n_cloud // n_mobile
        yield from (
            (m, int(other)) for other in rng.integers(max(0, m - 8), min(n_mobile, m + 9), SIDEWAYS) if other != m
        )
    for e in range(n_edge):
        near = range(1, min(EDGE_NEIGHBOURS // 2, n_edge - 1) + 1)
        yield from ((edge_0 + e, edge_0 + (e + step) % n_edge) for step in near)
        far = rng.integers(0, n_edge, EDGE_NEIGHBOURS // 2)
        yield from ((edge_0 + e, edge_0 + int(other)) for other in far if other != e)
        if n_cloud:
            yield from ((edge_0 + e, cloud_0 + int(c)) for c in rng.integers(0, n_cloud, UPLINKS))
    for c in range(n_cloud - 1):
        yield cloud_0 + c, cloud_0 + c + 1
        yield cloud_0 + c + 1, cloud_0 + c
