"""Small random instances of every shape that the methods must agree on."""

from __future__ import annotations

import numpy as np

from models.instance import DNN, Accounting, Application, Block, Exit, Instance, LatencyKind, Link, Network, Node


def random_instance(
    seed: int,
    *,
    max_nodes: int = 5,
    max_blocks: int = 6,
    max_exits: int = 3,
    direct_only: bool = False,
    zeros: bool = False,
) -> Instance:
    """One single-application instance: arbitrary directed topology, pins, both accountings and latency kinds.

    Parameters
    ----------
    seed : int
    max_nodes, max_blocks, max_exits : int
        Upper bounds; sizes are drawn from 1 up to them.
    direct_only : bool
        Complete network in which a relay never beats the direct link (where `milp-assignment` applies).
    zeros : bool
        Sprinkle zero sizes, operations, powers and link energies (free edges, ties, zero-latency steps).
    """
    rng = np.random.default_rng(seed)
    nodes = _nodes(rng, int(rng.integers(1, max_nodes + 1)), zeros)
    network = Network(name="random", nodes=nodes, links=_links(rng, nodes, direct_only, zeros))
    dnn = _dnn(rng, int(rng.integers(1, max_blocks + 1)), max_exits, zeros)
    names = [node.name for node in nodes]
    pinned = {str(i): str(rng.choice(names)) for i in range(1, len(dnn.blocks) + 1) if rng.random() < 0.1}
    typical = sum(block.ops for block in dnn.blocks) / float(np.median([node.compute_ops_per_s for node in nodes]))
    app = Application(
        name="app",
        dnn=dnn.name,
        source=str(rng.choice(names)),
        max_latency_s=float(typical * rng.uniform(0.2, 3)) + 1e-6,
        min_accuracy=min(1.0, float(rng.uniform(0, max(exit_.accuracy for exit_ in dnn.exits) * 1.05))),
        pinned=pinned,
    )
    return Instance(
        name=f"random-{seed}",
        accounting=Accounting(str(rng.choice([kind.value for kind in Accounting]))),
        latency_kind=LatencyKind(str(rng.choice([kind.value for kind in LatencyKind]))),
        network=network,
        dnns=(dnn,),
        applications=(app,),
    )


def _nodes(rng: np.random.Generator, count: int, zeros: bool) -> tuple[Node, ...]:
    return tuple(
        Node(
            name=f"n{k}",
            compute_ops_per_s=float(10 ** rng.uniform(9, 11)),
            power_w=_maybe_zero(rng, float(10 ** rng.uniform(0, 2)), zeros),
        )
        for k in range(count)
    )


def _links(rng: np.random.Generator, nodes: tuple[Node, ...], direct_only: bool, zeros: bool) -> tuple[Link, ...]:
    density = 1.0 if direct_only else float(rng.uniform(0.2, 1.0))
    # Every metric within a factor of 2: two hops then cost at least as much as one.
    spread = 0.3 if direct_only else 2.0
    links = []
    for a in nodes:
        for b in nodes:
            if a is b or rng.random() > density:
                continue
            energy = float(10 ** (-9 + rng.uniform(0, spread)))
            links.append(
                Link(
                    source=a.name,
                    target=b.name,
                    bandwidth_bit_per_s=float(10 ** (9 - rng.uniform(0, spread))),
                    tx_energy_j_per_bit=_maybe_zero(rng, energy, zeros),
                    rx_energy_j_per_bit=_maybe_zero(rng, energy, zeros),
                    delay_s=0.0 if direct_only or rng.random() < 0.5 else float(rng.uniform(0, 1e-4)),
                )
            )
    return tuple(links)


def _dnn(rng: np.random.Generator, depth: int, max_exits: int, zeros: bool) -> DNN:
    count = int(rng.integers(1, min(max_exits, depth) + 1))
    after = [*sorted(int(b) for b in rng.choice(np.arange(1, depth), size=count - 1, replace=False)), depth]
    shares = rng.dirichlet(np.ones(count))
    accuracies = np.sort(rng.uniform(0.3, 1.0, count))
    if rng.random() < 0.2:
        accuracies = rng.permutation(accuracies)
    return DNN(
        name="dnn",
        input_bits=_maybe_zero(rng, float(rng.uniform(1e3, 1e6)), zeros),
        blocks=tuple(
            Block(
                ops=_maybe_zero(rng, float(10 ** rng.uniform(6, 8)), zeros),
                output_bits=_maybe_zero(rng, float(10 ** rng.uniform(3, 6)), zeros),
            )
            for _ in range(depth)
        ),
        exits=tuple(
            Exit(after_block=b, exit_fraction=float(share), accuracy=float(accuracy))
            for b, share, accuracy in zip(after, shares, accuracies, strict=True)
        ),
    )


def _maybe_zero(rng: np.random.Generator, value: float, zeros: bool) -> float:
    return 0.0 if zeros and rng.random() < 0.3 else value
