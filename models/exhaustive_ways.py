"""All ways to feed and run each block: routes, nodes and shares, without those that another one makes needless."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import isinf

from finbench.models.exhaustive_capacities import capacities_that_may_bind
from finbench.models.exhaustive_costs import energy_of, time_of, weighed
from finbench.models.instance import Application, Instance
from finbench.models.tolerances import relaxed

Route = tuple[str, ...]


@dataclass(frozen=True)
class Way:
    """One way to feed and run a block."""

    node: str
    share: float
    route: Route
    energy: float
    latency: float


WaysByBlock = list[dict[str, list[Way]]]
"""For every block, by the node that its input is at: all ways to feed and run it."""


def simple_routes(instance: Instance) -> Iterator[Route]:
    """Yield every path in the network that visits no node twice, as its nodes."""
    successors: defaultdict[str, list[str]] = defaultdict(list)
    for link in instance.network.links:
        successors[link.source].append(link.target)
    stack: list[Route] = [(node.name,) for node in instance.network.nodes]
    while stack:
        route = stack.pop()
        if len(route) > 1:
            yield route
        stack += [(*route, node) for node in successors[route[-1]] if node not in route]


def ways_by_block(
    instance: Instance, app: Application, routes: list[Route], ended: Callable[[], bool] = lambda: False
) -> Iterator[dict[str, list[Way]]]:
    """Yield for every block, by the node that its input is at, all ways to feed and run it, until `ended` says so."""
    keep_all = any(kind == "bandwidth" for kind, _ in capacities_that_may_bind(instance))
    stay: list[Route] = [(node.name,) for node in instance.network.nodes]
    for block in range(1, len(instance.dnn_of(app).blocks) + 1):
        pin = app.pins.get(block)
        between: defaultdict[tuple[str, str, float], list[Way]] = defaultdict(list)
        for route in [*stay, *routes]:
            if ended():
                return
            if pin is None or route[-1] == pin:
                for share in stable_shares(instance, app, block, route[-1]):
                    between[route[0], route[-1], share].append(_way(instance, app, block, route, share))
        by_start: defaultdict[str, list[Way]] = defaultdict(list)
        for (start, _, _), ways in between.items():
            by_start[start] += ways if keep_all else _undominated(ways)
        yield dict(by_start)


def stable_shares(instance: Instance, app: Application, block: int, name: str) -> list[float]:
    """Return the shares that a node offers and that keep up with the block (eq. 22), none where it must not run."""
    node, dnn = instance.network.node_by_name[name], instance.dnn_of(app)
    needed = dnn.blocks[block - 1].parameter_bytes + dnn.blocks[block - 1].working_bytes
    fits = node.memory_bytes is None or needed <= relaxed(node.memory_bytes) or not dnn.blocks[block - 1].working_bytes
    if not fits or not app.permits(block, node):
        return []
    load = (app.rate_per_s or 0.0) * dnn.survival[block - 1] * time_of(instance, dnn, block, name)
    if isinf(load):
        return []
    return [r for r in node.compute_shares if not node.reserves or load <= relaxed(r * node.parallel)]


def _way(instance: Instance, app: Application, block: int, route: Route, share: float) -> Way:
    """Return what it costs to send a block's input along `route` and run it at its end (terms of eqs. 1 and 2)."""
    dnn, name = instance.dnn_of(app), route[-1]
    bits = dnn.transfer_bits(block)
    time = time_of(instance, dnn, block, name)
    energy = weighed(instance, name, energy_of(instance, dnn, block, name), time)
    latency = time / share + instance.network.node_by_name[name].wait_s
    for pair in pairwise(route):
        link = instance.network.link_by_pair[pair]
        energy += weighed(instance, pair[0], bits * link.tx_energy_j_per_bit)
        energy += weighed(instance, pair[1], bits * link.rx_energy_j_per_bit)
        latency += bits / link.bandwidth_bit_per_s + link.delay_s
    return Way(
        route[-1],
        share,
        route if len(route) > 1 else (),
        energy * instance.energy_weights(app)[block - 1],
        latency * instance.latency_weights(app)[block - 1],
    )


def _undominated(ways: list[Way]) -> list[Way]:
    """Return the ways that no other one, of the same ends, matches or beats in energy and latency."""
    kept: list[Way] = []
    for way in sorted(ways, key=lambda w: (w.energy, w.latency)):
        if not kept or way.latency < kept[-1].latency:
            kept.append(way)
    return kept
