"""`mesh`: a sparse random geometric network, in which good places to compute lie several hops away.

Nodes are points in the unit square, each linked in both directions to its nearest ones; components are joined at their
closest points. A tenth of the nodes are servers, fast and, per operation, expensive; samples arise in a corner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finbench.benchmarks.families.family import Size
from finbench.benchmarks.families.joined import joined_pairs
from finbench.benchmarks.families.profiles import accuracy_target, around, random_dnn
from finbench.models.instance import Application, Instance, Link, Network, Node

NEAREST = 5
"""Neighbours that a node links to; together with those that link to it about six."""

SERVER_SHARE = 0.1
DELAY_S = 1e-4
"""Propagation delay across the side of the square [s]."""


def draw(rng: np.random.Generator, size: Size) -> Instance:
    """Draw an instance."""
    points = rng.uniform(size=(size.nodes, 2))
    source = int(np.argmin(points.sum(axis=1)))
    servers = rng.uniform(size=size.nodes) < SERVER_SHARE
    servers[int(np.argmax(points.sum(axis=1)))] = True
    servers[source] = False
    nodes = tuple(_node(rng, k, bool(server)) for k, server in enumerate(servers))
    links = tuple(_link(rng, nodes, points, a, b) for a, b in joined_pairs(points, NEAREST))
    dnn = random_dnn(rng, size.blocks, size.exits)
    app = Application(
        name="app", dnn=dnn.name, source=nodes[source].name, max_latency_s=0.0, min_accuracy=accuracy_target(dnn)
    )
    network = Network(name="mesh", nodes=nodes, links=links)
    return Instance(name="mesh", network=network, dnns=(dnn,), applications=(app,))


def _node(rng: np.random.Generator, number: int, server: bool) -> Node:
    speed = around(rng, 2e11 if server else 1e10, 3)
    power = float(f"{speed * around(rng, 1.2e-9 if server else 5e-10, 2):.6g}")
    kind = "server" if server else "device"
    return Node(name=f"{kind}{number}", tier=kind, compute_ops_per_s=speed, power_w=power)


def _link(rng: np.random.Generator, nodes: tuple[Node, ...], points: NDArray[np.float64], a: int, b: int) -> Link:
    distance = float(np.hypot(*(points[a] - points[b])))
    return Link(
        source=nodes[a].name,
        target=nodes[b].name,
        bandwidth_bit_per_s=around(rng, 2e10, 3),
        tx_energy_j_per_bit=around(rng, 1e-9, 2),
        rx_energy_j_per_bit=around(rng, 1e-9, 2),
        delay_s=float(f"{DELAY_S * distance:.6g}"),
    )
