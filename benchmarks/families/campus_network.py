"""The network of `campus`: devices under clusters of edge servers under one or two clouds.

    device → every server of its cluster            wireless, up only: raw data rises, results are small
    server ↔ server of the same cluster             a switch between them
    server ↔ its counterpart in the next cluster    fibre across the campus; the clusters form a ring
    server ↔ the cloud of its cluster, cloud ↔ cloud

Devices are of a few kinds, and devices of one kind are equal; servers are drawn around the published edge server, so
that one server of a cluster is the most frugal and everybody's first choice. Where there are few devices, servers and
clouds are slices, no larger than the devices together. Published values (`tiered`) are the
phone's, the edge server's, the cloud's and the energies per bit; the others are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from finbench.benchmarks.families.profiles import around
from finbench.benchmarks.families.tiered import CLOUD, EDGE, MOBILE
from finbench.models.instance import Link, Network, Node

NODES_PER_CLUSTER = 60
"""Nodes of the campus, devices included, for each cluster of servers."""

NODES_PER_SERVER = 8
LARGEST_CLUSTER = 3
CLUSTERS_OF_A_CLOUD = 4
"""Clusters under one cloud; from twice as many on there are two clouds."""

CLUSTERS_OF_A_CLOUD_SERVER = 2
"""Clusters that rent one published cloud server together."""


@dataclass(frozen=True)
class DeviceKind:
    """A kind of device."""

    name: str
    compute_ops_per_s: float
    energy_j_per_op: float
    memory_bytes: float


DEVICE_KINDS = (
    DeviceKind("camera", 4e9, 1.2e-9, 4e6),
    DeviceKind("phone", MOBILE.compute_ops_per_s, MOBILE.energy_j_per_op, 16e6),
    DeviceKind("robot", 25e9, 0.7e-9, 32e6),
)


@dataclass(frozen=True)
class _Medium:
    """Typical link: bandwidth, energies per bit at both ends, delay."""

    bandwidth_bit_per_s: float
    tx_energy_j_per_bit: float
    rx_energy_j_per_bit: float
    delay_s: float


_WIRELESS = _Medium(2e9, MOBILE.radio_j_per_bit / 4, EDGE.radio_j_per_bit / 4, 0.0)
_SWITCH = _Medium(2.5e10, 5e-10, 5e-10, 0.0)
_FIBRE = _Medium(1e10, 1e-9, 1e-9, 5e-6)
"""5 µs: a kilometre of fibre."""
_TO_CLOUD = _Medium(1e10, EDGE.radio_j_per_bit / 4, CLOUD.radio_j_per_bit / 4, 5e-5)
_FROM_CLOUD = _Medium(1e10, CLOUD.radio_j_per_bit / 4, EDGE.radio_j_per_bit / 4, 5e-5)

Clusters = list[list[str]]
"""Names of the servers, cluster by cluster."""


def draw_network(rng: np.random.Generator, count: int) -> Network:
    """Draw a campus of `count` nodes (at least 3). No memory limit of its servers and devices counts yet.

    Parameters
    ----------
    rng : Generator
    count : int

    Returns
    -------
    Network
        Devices first, cluster after cluster in turn, then servers, then clouds.
    """
    n_clusters = max(1, round(count / NODES_PER_CLUSTER))
    n_cloud = 2 if n_clusters >= 2 * CLUSTERS_OF_A_CLOUD else 1
    size = max(1, min(LARGEST_CLUSTER, count // (NODES_PER_SERVER * n_clusters)))
    clusters = [[f"edge{c}.{k}" for k in range(size)] for c in range(n_clusters)]
    clouds = [f"cloud{k}" for k in range(n_cloud)]
    kinds = rng.integers(0, len(DEVICE_KINDS), count - n_cloud - size * n_clusters)
    devices = [_device(DEVICE_KINDS[kind], k) for k, kind in enumerate(kinds)]
    rate = sum(node.compute_ops_per_s or 0.0 for node in devices)
    part = min(1.0, rate / (size * n_clusters * EDGE.compute_ops_per_s))
    servers = [_server(rng, name, part) for cluster in clusters for name in cluster]
    rented = part * max(1.0, n_clusters / (CLUSTERS_OF_A_CLOUD_SERVER * n_cloud)) * CLOUD.compute_ops_per_s
    upper = [_node(name, CLOUD.name, rented, CLOUD.energy_j_per_op, None) for name in clouds]
    links = [
        *_device_links(rng, [device.name for device in devices], clusters),
        *_cluster_links(rng, clusters),
        *_cloud_links(rng, clusters, clouds),
    ]
    return Network(name="campus", nodes=(*devices, *servers, *upper), links=tuple(links))


def _device(kind: DeviceKind, number: int) -> Node:
    name = f"{kind.name}{number}"
    return _node(name, MOBILE.name, kind.compute_ops_per_s, kind.energy_j_per_op, kind.memory_bytes)


def _server(rng: np.random.Generator, name: str, part: float) -> Node:
    speed = around(rng, part * EDGE.compute_ops_per_s, 1.5)
    return _node(name, EDGE.name, speed, around(rng, EDGE.energy_j_per_op, 1.5), None)


def _node(name: str, tier: str, speed: float, energy_j_per_op: float, memory_bytes: float | None) -> Node:
    speed, power = (float(f"{value:.6g}") for value in (speed, speed * energy_j_per_op))
    return Node(name=name, tier=tier, compute_ops_per_s=speed, power_w=power, memory_bytes=memory_bytes)


def _link(rng: np.random.Generator, medium: _Medium, source: str, target: str) -> Link:
    return Link(
        source=source,
        target=target,
        bandwidth_bit_per_s=around(rng, medium.bandwidth_bit_per_s, 1.5),
        tx_energy_j_per_bit=medium.tx_energy_j_per_bit,
        rx_energy_j_per_bit=medium.rx_energy_j_per_bit,
        delay_s=medium.delay_s,
    )


def _device_links(rng: np.random.Generator, devices: list[str], clusters: Clusters) -> Iterator[Link]:
    for k, device in enumerate(devices):
        for server in clusters[k % len(clusters)]:
            yield _link(rng, _WIRELESS, device, server)


def _cluster_links(rng: np.random.Generator, clusters: Clusters) -> Iterator[Link]:
    for cluster in clusters:
        yield from (_link(rng, _SWITCH, a, b) for a in cluster for b in cluster if a != b)
    ring = {tuple(sorted((c, (c + 1) % len(clusters)))) for c in range(len(clusters))}
    for c, other in sorted(pair for pair in ring if pair[0] != pair[1]):
        for a, b in zip(clusters[c], clusters[other], strict=True):
            yield _link(rng, _FIBRE, a, b)
            yield _link(rng, _FIBRE, b, a)


def _cloud_links(rng: np.random.Generator, clusters: Clusters, clouds: list[str]) -> Iterator[Link]:
    for c, cluster in enumerate(clusters):
        cloud = clouds[c * len(clouds) // len(clusters)]
        for server in cluster:
            yield _link(rng, _TO_CLOUD, server, cloud)
            yield _link(rng, _FROM_CLOUD, cloud, server)
    for a in clouds:
        yield from (_link(rng, _FIBRE, a, b) for b in clouds if a != b)
