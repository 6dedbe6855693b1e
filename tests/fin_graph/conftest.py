"""Instances that several tests use."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Network, Node
from finbench.models.io import load_instance


@pytest.fixture(scope="session")
def balexnet() -> Instance:
    """The published B-AlexNet scenario on CIFAR-10."""
    return load_instance("balexnet-cifar10")


@pytest.fixture(scope="session")
def hard() -> Instance:
    """Anti-correlated energies and latencies on a complete network: thousands of labels before the proof."""
    rng = np.random.default_rng(0)
    count, depth = 12, 6
    time = rng.uniform(1, 10, count) * 1e-10
    energy = (11e-10 - time) * (1 + 0.02 * rng.uniform(-1, 1, count))
    nodes = tuple(
        Node(name=f"n{k}", compute_ops_per_s=float(1 / t), power_w=float(e / t))
        for k, (t, e) in enumerate(zip(time, energy, strict=True))
    )
    links = tuple(
        Link(
            source=a.name,
            target=b.name,
            bandwidth_bit_per_s=float(rng.uniform(1e8, 1e9)),
            tx_energy_j_per_bit=float(rng.uniform(1e-10, 1e-9)),
            rx_energy_j_per_bit=0.0,
        )
        for a in nodes
        for b in nodes
        if a is not b
    )
    dnn = DNN(
        name="dnn",
        input_bits=1e5,
        blocks=tuple(Block(ops=float(rng.uniform(1e7, 1e8)), output_bits=1e5) for _ in range(depth)),
        exits=(Exit(after_block=depth, exit_fraction=1.0, accuracy=0.9),),
    )
    app = Application(name="app", dnn="dnn", source="n0", max_latency_s=0.15, min_accuracy=0.5)
    return Instance(
        name="hard", network=Network(name="net", nodes=nodes, links=links), dnns=(dnn,), applications=(app,)
    )
