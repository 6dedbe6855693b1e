"""`zoo`: devices that were measured, around a real backbone.

The backbone is one of the catalogue's networks of the Internet Topology Zoo, drawn among those that leave room for a
device. Every city has a server, every other node is a device at a drawn city. Servers and devices are devices of the
catalogue, with the rate and the power that a runtime was measured with: `DEVICES`, and slices of `SERVERS` that are
together at most as fast as the devices. A device sends by 5G
in the millimetre wave band at the catalogue's Joules per bit; its rate is drawn around `RADIO_BIT_PER_S` and its
delay is `RADIO_DELAY_S`; both are ours, as is the memory of devices. Applications, load and targets are as in `campus`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from finbench.benchmarks.families.campus import fill
from finbench.benchmarks.families.family import SharedSize
from finbench.benchmarks.families.profiles import around
from finbench.models.catalogue import entries
from finbench.models.catalogue_files import load_catalogue_device, load_catalogue_network, load_link_kind
from finbench.models.instance import Instance, Link, Network, Node

DEVICES = (
    *("raspberry-pi-4/armnn-neon", "raspberry-pi-4/tflite", "odroid/armnn-neon", "odroid/tflite"),
    *("firefly/tflite", "jetson-agx-xavier/tflite"),
)
SERVERS = ("jetson-agx-orin/tensorrt", "qualcomm-gloria/qaic", "lenovo-se350/qaic", "dell-xr12-a2/tensorrt")

TIGHTNESSES = (0.5, 1.0, 1.2)
"""Sending is frugal and never quick here: below 1 the most frugal split is out of reach."""

FEWEST_NODES = 20
RADIO = "5g-mmwave-2021"
RADIO_BIT_PER_S = 4e8
RADIO_DELAY_S = 2e-3
MEMORY_BYTES = 64e6


def draw(rng: np.random.Generator, size: SharedSize) -> Instance:
    """Draw an instance."""
    return fill(rng, draw_network(rng, size.nodes), size, TIGHTNESSES)[0]


def draw_network(rng: np.random.Generator, count: int) -> Network:
    """Draw a network of `count` nodes, devices first."""
    fitting = [network for network in _backbones() if len(network.nodes) < count]
    backbone = fitting[int(rng.integers(0, len(fitting)))]
    cities = [node.name for node in backbone.nodes]
    machines = [str(rng.choice(SERVERS)) for _ in cities]
    devices, links = [], []
    for number in range(count - len(cities)):
        device = measured_node(str(rng.choice(DEVICES)), f"device{number}", "mobile", MEMORY_BYTES)
        devices.append(device)
        links.append(_radio(rng, device.name, str(rng.choice(cities))))
    servers = slices(
        [measured_node(name, city, "edge", None) for name, city in zip(machines, cities, strict=True)], devices
    )
    nodes, provenance = (*devices, *servers), backbone.provenance
    return Network(name=backbone.name, provenance=provenance, nodes=nodes, links=(*links, *backbone.links))


def slices(servers: Sequence[Node], devices: Sequence[Node]) -> tuple[Node, ...]:
    """Return equal slices of servers, together at most as fast as the devices, at the servers' Joules per operation."""
    whole = sum(node.compute_ops_per_s or 0.0 for node in servers)
    part = min(1.0, sum(node.compute_ops_per_s or 0.0 for node in devices) / whole)
    return tuple(
        Node(
            name=node.name,
            tier=node.tier,
            compute_ops_per_s=float(f"{part * (node.compute_ops_per_s or 0.0):.6g}"),
            power_w=float(f"{part * node.power_w:.6g}"),
        )
        for node in servers
    )


def measured_node(device: str, name: str, tier: str, memory_bytes: float | None) -> Node:
    """Return a node that is a device of the catalogue, such as `raspberry-pi-4/tflite`."""
    _, runtime = load_catalogue_device(device, name)
    rate, power = runtime.compute_ops_per_s, runtime.power_w
    return Node(name=name, tier=tier, compute_ops_per_s=rate, power_w=power, device=device, memory_bytes=memory_bytes)


@cache
def _backbones() -> tuple[Network, ...]:
    return tuple(load_catalogue_network(name, "zoo") for name in entries("networks"))


@cache
def _radio_j_per_bit() -> float:
    return load_link_kind(RADIO, "zoo").up.tx_energy_j_per_bit


def _radio(rng: np.random.Generator, device: str, city: str) -> Link:
    return Link(
        source=device,
        target=city,
        bandwidth_bit_per_s=around(rng, RADIO_BIT_PER_S, 2),
        tx_energy_j_per_bit=_radio_j_per_bit(),
        rx_energy_j_per_bit=0.0,
        delay_s=RADIO_DELAY_S,
    )
