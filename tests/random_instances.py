"""Small random instances of every shape that the methods must agree on."""

from __future__ import annotations

import numpy as np

from finbench.models.instance import (
    DNN,
    Accounting,
    Application,
    Block,
    Exit,
    Instance,
    LatencyKind,
    Link,
    Network,
    Node,
)

WITHOUT_A_SHARE = [LatencyKind.FULL_DEPTH.value, LatencyKind.EXPECTED.value]
"""Latency kinds that need no quantile."""


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
        latency_kind=LatencyKind(str(rng.choice(WITHOUT_A_SHARE))),
        network=network,
        dnns=(dnn,),
        applications=(app,),
    )


def random_shared_instance(
    seed: int,
    *,
    max_applications: int = 3,
    max_nodes: int = 3,
    max_blocks: int = 3,
    direct_only: bool = False,
    levels: bool = False,
    penalties: bool = False,
) -> Instance:
    """Applications that share a system anywhere from idle to overloaded; most instances are feasible.

    Rates and sizes are scaled to a drawn share of the system's compute and of a link's bandwidth; about half of the
    nodes have little memory. Some applications are copies of each other but for the name.

    Parameters
    ----------
    seed : int
    max_applications, max_nodes, max_blocks : int
        Upper bounds; sizes are drawn from 2 (blocks: 1) up to them.
    direct_only : bool
        As in `random_instance`; bandwidths then never bind.
    levels : bool
        About half of the nodes offer a menu of shares.
    penalties : bool
        About two in three applications may be rejected, at penalties from far below to far above their energy.
    """
    rng = np.random.default_rng(seed)
    nodes = _nodes(rng, int(rng.integers(2, max_nodes + 1)), zeros=False)
    links = _links(rng, nodes, direct_only, zeros=False, least_density=0.7)
    apps, dnns = _applications(rng, int(rng.integers(2, max_applications + 1)), nodes, max_blocks)
    demand = sum(app.weight * _expected(dnn, [b.ops for b in dnn.blocks]) for app, dnn in _pairs(apps, dnns))
    rates = rng.uniform(0.05, 0.9) * sum(node.compute_ops_per_s or 0.0 for node in nodes) / demand
    traffic = sum(app.weight * rates * _expected(dnn, _bits(dnn)) for app, dnn in _pairs(apps, dnns))
    bandwidth = float(np.median([link.bandwidth_bit_per_s for link in links])) if links else 1e9
    scale = rng.uniform(0.1, 2) * bandwidth / traffic
    if direct_only:
        scale = 0.9 * min(link.bandwidth_bit_per_s for link in links) / traffic
    dnns = tuple(_resized(dnn, float(scale)) for dnn in dnns)
    if not direct_only:
        links = tuple(_narrowed(rng, link, float(scale * traffic)) for link in links)
    memory = sum(sum(b.parameter_bytes for b in dnn.blocks) for _, dnn in _pairs(apps, dnns))
    return Instance(
        name=f"shared-{seed}",
        accounting=Accounting(str(rng.choice([kind.value for kind in Accounting]))),
        latency_kind=LatencyKind(str(rng.choice(WITHOUT_A_SHARE))),
        network=Network(name="shared", nodes=_equipped(rng, nodes, memory, levels), links=links),
        dnns=dnns,
        applications=_with_targets(rng, apps, dnns, nodes, float(rates), bandwidth, penalties),
    )


def of_applications(instance: Instance, apps: tuple[Application, ...]) -> Instance:
    """The instance with other applications."""
    return Instance(**{**{field: getattr(instance, field) for field in Instance.model_fields}, "applications": apps})


MENUS = ((0.5, 1.0), (0.25, 0.5, 1.0), (0.2, 0.4), (0.1, 0.3, 0.9), (0.05, 0.2, 0.6), (0.1, 0.15, 0.2))
"""Shares that a node of a random shared instance may offer."""


def _applications(
    rng: np.random.Generator, count: int, nodes: tuple[Node, ...], max_blocks: int
) -> tuple[tuple[Application, ...], tuple[DNN, ...]]:
    """Applications with relative rates and no targets yet, and their DNNs with parameters."""
    names, apps, dnns = [node.name for node in nodes], list[Application](), list[DNN]()
    for h in range(count):
        if h and rng.random() < 0.2:
            apps.append(apps[-1].model_copy(update={"name": f"app{h}"}))
            continue
        plain = _dnn(rng, int(rng.integers(1, max_blocks + 1)), 3, zeros=False)
        blocks = [b.model_copy(update={"parameter_bytes": float(rng.uniform(0, 10))}) for b in plain.blocks]
        dnns.append(plain.model_copy(update={"name": f"dnn{h}", "blocks": tuple(blocks)}))
        apps.append(
            Application(
                name=f"app{h}",
                dnn=f"dnn{h}",
                source=str(rng.choice(names)),
                rate_per_s=float(10 ** rng.uniform(0, 1.5)),
                max_latency_s=0.0,
                min_accuracy=0.0,
                pinned={str(i): str(rng.choice(names)) for i in range(1, len(blocks) + 1) if rng.random() < 0.05},
            )
        )
    return tuple(apps), tuple(dnns)


def _pairs(apps: tuple[Application, ...], dnns: tuple[DNN, ...]) -> list[tuple[Application, DNN]]:
    by_name = {dnn.name: dnn for dnn in dnns}
    return [(app, by_name[app.alternatives[0]]) for app in apps]


def _bits(dnn: DNN) -> list[float]:
    return [dnn.transfer_bits(i) for i in range(1, len(dnn.blocks) + 1)]


def _expected(dnn: DNN, amounts: list[float]) -> float:
    return sum(share * amount for share, amount in zip(dnn.survival, amounts, strict=True))


def _resized(dnn: DNN, factor: float) -> DNN:
    """The DNN with all that it transfers scaled."""
    blocks = tuple(b.model_copy(update={"output_bits": b.output_bits * factor}) for b in dnn.blocks)
    return DNN(name=dnn.name, input_bits=dnn.input_bits * factor, blocks=blocks, exits=dnn.exits)


def _narrowed(rng: np.random.Generator, link: Link, traffic: float) -> Link:
    """One link in three carries less than the whole traffic, and all of them cost little."""
    limit = traffic * float(rng.uniform(0.1, 0.8)) if rng.random() < 1 / 3 else link.bandwidth_bit_per_s
    energy = {
        "tx_energy_j_per_bit": link.tx_energy_j_per_bit / 10,
        "rx_energy_j_per_bit": link.rx_energy_j_per_bit / 10,
    }
    return link.model_copy(update={"bandwidth_bit_per_s": min(limit, link.bandwidth_bit_per_s), **energy})


def _equipped(rng: np.random.Generator, nodes: tuple[Node, ...], memory: float, levels: bool) -> tuple[Node, ...]:
    """Nodes with a memory of less or little more than what all applications need, and with menus."""
    return tuple(
        node.model_copy(
            update={
                "memory_bytes": memory * float(rng.uniform(0.2, 1.1)) if rng.random() < 0.5 else None,
                "compute_shares": MENUS[int(rng.integers(len(MENUS)))] if levels and rng.random() < 0.5 else (1.0,),
            }
        )
        for node in nodes
    )


def _with_targets(
    rng: np.random.Generator,
    apps: tuple[Application, ...],
    dnns: tuple[DNN, ...],
    nodes: tuple[Node, ...],
    rates: float,
    bandwidth: float,
    penalties: bool,
) -> tuple[Application, ...]:
    """Rates at scale, targets from tight to loose; copies of an application get its targets."""
    done: dict[str, Application] = {}
    for app, dnn in _pairs(apps, dnns):
        ops = sum(block.ops for block in dnn.blocks)
        typical = ops / float(np.median([node.compute_ops_per_s for node in nodes])) + sum(_bits(dnn)) / bandwidth
        energy = ops * float(np.median([node.power_w / (node.compute_ops_per_s or 1.0) for node in nodes]))
        rate = app.weight * rates
        targets = {
            "rate_per_s": rate,
            "max_latency_s": typical * float(10 ** rng.uniform(0.3, 1.5)),
            "min_accuracy": float(rng.uniform(0.2, max(exit_.accuracy for exit_ in dnn.exits))),
            "rejection_penalty_w": (
                rate * energy * float(10 ** rng.uniform(-1.5, 1.5)) if penalties and rng.random() < 2 / 3 else None
            ),
        }
        done.setdefault(dnn.name, app.model_copy(update=targets))
    return tuple(done[app.alternatives[0]].model_copy(update={"name": app.name}) for app in apps)


def _nodes(rng: np.random.Generator, count: int, zeros: bool) -> tuple[Node, ...]:
    return tuple(
        Node(
            name=f"n{k}",
            compute_ops_per_s=float(10 ** rng.uniform(9, 11)),
            power_w=_maybe_zero(rng, float(10 ** rng.uniform(0, 2)), zeros),
        )
        for k in range(count)
    )


def _links(
    rng: np.random.Generator, nodes: tuple[Node, ...], direct_only: bool, zeros: bool, least_density: float = 0.2
) -> tuple[Link, ...]:
    density = 1.0 if direct_only else float(rng.uniform(least_density, 1.0))
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
