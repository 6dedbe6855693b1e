"""ResNet-50 from a microcontroller into a backbone of cities whose servers hold only parts of it.

The split is that of the network itself: its stem, its 16 bottlenecks, its classifier; 8-bit numbers, so that a
parameter is a byte. The stem runs where the picture is taken, so that no picture leaves the device. The parameters add
up to 25.61 million (batch normalisation with its statistics) and the multiply-adds to 4.09 thousand million. The
backbone is as large as GÉANT was in 2009 (34 nodes, 52 links); places, servers and radio are drawn.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Network, Node

NODES, EDGES = 34, 52
"""Nodes of the whole system, the microcontroller among them, and links between cities, each in both directions."""

DEVICE_MEMORY = 0.5e6
"""Memory of the microcontroller [byte]: less than the parameters of a third of the network's first half."""

SERVER_MEMORIES = (2e6, 4e6, 8e6, 16e6, 64e6)
"""Memories that a city's server may have [byte]; only the last holds the whole network."""

_STAGES = ((64, 56, 3), (128, 28, 4), (256, 14, 6), (512, 7, 3))
"""Width, side of the picture and bottlenecks of each stage of ResNet-50."""


def microcontroller_instance(seed: int) -> Instance:
    """Return one drawn system with the application at its microcontroller."""
    rng = np.random.default_rng([seed, NODES])
    network, dnn = _network(rng), resnet50()
    operations = sum(block.ops for block in dnn.blocks)
    app = Application(
        name="camera",
        dnn=dnn.name,
        source="microcontroller",
        max_latency_s=0.2 + float(rng.uniform(1.5, 6)) * operations / 100e9,
        min_accuracy=0.7,
        pinned={"1": "microcontroller"},
    )
    return Instance(name=f"microcontroller-{seed}", network=network, dnns=(dnn,), applications=(app,))


def resnet50() -> DNN:
    """Return ResNet-50 in 18 blocks on a picture of 224 × 224, two operations for each multiply-add."""
    blocks = [_block(112 * 112 * 64 * 147, 64 * 147 + 4 * 64, 56 * 56 * 64)]
    channels, side = 64, 56
    for width, own_side, count in _STAGES:
        for _ in range(count):
            blocks.append(_bottleneck(channels, width, side, own_side))
            channels, side = 4 * width, own_side
    blocks.append(_block(2048 * 1000, 2048 * 1000 + 1000, 1000))
    exit_ = Exit(after_block=len(blocks), exit_fraction=1.0, accuracy=0.761)
    return DNN(name="resnet50", input_bits=8.0 * 3 * 224 * 224, blocks=tuple(blocks), exits=(exit_,))


def _bottleneck(channels: int, width: int, side: int, own_side: int) -> Block:
    """Return a bottleneck: 1 × 1 at the side that comes in, 3 × 3 and 1 × 1 at its own, and a projection if needed."""
    first, rest, norm = channels * width, 9 * width * width + 4 * width * width, 2 * width + 4 * width
    if channels != 4 * width:
        rest, norm = rest + channels * 4 * width, norm + 4 * width
    multiply_adds = first * side * side + rest * own_side * own_side
    return _block(multiply_adds, first + rest + 4 * norm, own_side * own_side * 4 * width)


def _block(multiply_adds: int, parameters: int, outputs: int) -> Block:
    return Block(ops=2.0 * multiply_adds, output_bits=8.0 * outputs, parameter_bytes=float(parameters))


def _network(rng: np.random.Generator) -> Network:
    """Return cities in a plane, each linked to near ones, and the microcontroller beside the first."""
    places = rng.uniform(0, 3000, (NODES - 1, 2))
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    every: nx.Graph[int] = nx.Graph()
    every.add_weighted_edges_from((a, b, float(distance[a, b])) for a in range(NODES - 1) for b in range(a))
    chosen = set(nx.minimum_spanning_edges(every, data=False))
    for edge in sorted(every.edges, key=lambda edge: every.edges[edge]["weight"]):
        if len(chosen) < EDGES:
            chosen.add(edge)
    device = Node(
        name="microcontroller", compute_ops_per_s=20e9, power_w=0.5, memory_bytes=DEVICE_MEMORY, tier="mobile"
    )
    links = [link for a, b in sorted(chosen) for link in _both_ways(f"city{a}", f"city{b}", 10e9, 2e-9, distance[a, b])]
    radio = _both_ways(device.name, "city0", 100e6, float(10 ** rng.uniform(-8.5, -7.5)), 1.0)
    return Network(
        name="backbone",
        nodes=(device, *map(_server, rng.spawn(NODES - 1), range(NODES - 1))),
        links=(*links, *radio),
    )


def _server(rng: np.random.Generator, number: int) -> Node:
    return Node(
        name=f"city{number}",
        tier="edge",
        compute_ops_per_s=float(10 ** rng.uniform(11, 12.5)),
        power_w=float(rng.uniform(10, 60)),
        memory_bytes=float(rng.choice(SERVER_MEMORIES, p=(0.25, 0.25, 0.25, 0.15, 0.1))),
    )


def _both_ways(a: str, b: str, bandwidth: float, joule_per_bit: float, kilometres: float) -> list[Link]:
    """Return a link and its reverse; light takes 5 µs for a kilometre of fibre."""
    return [
        Link(
            source=source,
            target=target,
            bandwidth_bit_per_s=bandwidth,
            tx_energy_j_per_bit=joule_per_bit,
            rx_energy_j_per_bit=joule_per_bit,
            delay_s=5e-6 * float(kilometres),
        )
        for source, target in ((a, b), (b, a))
    ]
