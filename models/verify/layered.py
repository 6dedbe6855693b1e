"""One application as whole numbers: L + 1 copies of the network, costs rounded down to a tiny unit.

In copy i the output of block i (the sample for i = 0) is held at a node. Sending it over a link stays in the copy;
running block i + 1 at the node leads to the next copy. An application is served once it has reached copy b(f) of an
accurate-enough exit f. Every cost is rounded down to `UNIT`, so that a least cost over such paths is never above the
true one; the limit of the latency is rounded up. Whole numbers of this size add up without error and fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from finbench.models.instance import Application, Instance, Link, Node
from finbench.models.verify.certificate import ResourceKind
from finbench.models.verify.costs import (
    TOLERANCE,
    Weights,
    rate_of,
    run_once,
    send_cost,
    send_seconds,
    weight_of,
)

UNIT_BITS = 300
"""Costs are counted in units of 2^−300: a hundred orders of magnitude below anything that decides."""

Prices = Mapping[tuple[ResourceKind, str], Fraction]
"""Price of a whole resource by kind and subject."""


class Cost(NamedTuple):
    """What one edge costs [`UNIT`]."""

    energy: int
    """λ · energy + Σ_r π_r u_r, rounded down."""
    time: int
    """Its part of the latency, rounded down."""


@dataclass(frozen=True)
class LayeredNetwork:
    """The copies of the network, with the costs of their edges."""

    source: int
    """Number of the node where samples arise."""
    ends: frozenset[int]
    """Copies in which the application is served."""
    run: tuple[tuple[tuple[Cost, ...], ...], ...]
    """Ways to run block i + 1 at node n (one for each share), by i and n; none where it cannot run."""
    send: tuple[tuple[tuple[tuple[int, Cost], ...], ...], ...]
    """Nodes that output i can be sent to from node n, with the cost, by i and n."""
    limit: int
    """Latency limit, with the tolerance of the suite [`UNIT`], rounded up."""

    @property
    def depth(self) -> int:
        """Number of blocks up to the last copy in which the application is served."""
        return len(self.run)


def floor_units(value: Fraction) -> int:
    """Return a number in units, rounded down."""
    return (value.numerator << UNIT_BITS) // value.denominator


def from_units(units: int) -> Fraction:
    """Return the number that so many units are."""
    return Fraction(units, 1 << UNIT_BITS)


def layered_network(
    instance: Instance, app: Application, prices: Prices, *, with_energy: bool = True
) -> LayeredNetwork:
    """Return the copies of the network for one application.

    Parameters
    ----------
    instance : Instance
    app : Application
    prices : mapping
        Price of a whole resource [W] by kind and subject; 0 where left out.
    with_energy : bool
        False: edges cost their prices alone.
    """
    costs = _EdgeCosts(instance, app, prices, with_energy)
    dnn, network = instance.dnn_of(app), instance.network
    target = Fraction(app.min_accuracy) - TOLERANCE
    ends = frozenset(exit_.after_block for exit_ in dnn.exits if Fraction(exit_.accuracy) >= target)
    number = {node.name: n for n, node in enumerate(network.nodes)}
    layers = range(max(ends, default=0))
    run = tuple(tuple(costs.run(i, node) for node in network.nodes) for i in layers)
    send = []
    for i in layers:
        leaving: list[list[tuple[int, Cost]]] = [[] for _ in network.nodes]
        for link in network.links:
            cost = costs.send(i, link)
            if cost is not None:
                leaving[number[link.source]].append((number[link.target], cost))
        send.append(tuple(map(tuple, leaving)))
    limit = Fraction(app.max_latency_s) * (1 + TOLERANCE)
    return LayeredNetwork(number[app.source], ends, run, tuple(send), -floor_units(-limit))


class _EdgeCosts:
    """Costs of one application's edges; an edge that alone breaks a capacity row does not exist."""

    def __init__(self, instance: Instance, app: Application, prices: Prices, with_energy: bool) -> None:
        self._instance, self._app, self._dnn = instance, app, instance.dnn_of(app)
        self._weights, self._rate = Weights.of(instance, app), rate_of(app)
        self._weight = weight_of(app) if with_energy else Fraction(0)
        self._prices = prices

    def _price(self, kind: ResourceKind, subject: str) -> Fraction:
        return self._prices.get((kind, subject), Fraction(0))

    def run(self, i: int, node: Node) -> tuple[Cost, ...]:
        """Return the ways to run block i + 1 at `node`."""
        app, block = self._app, self._dnn.blocks[i]
        once = run_once(self._instance, app, i + 1, node)
        if once is None or app.pins.get(i + 1, node.name) != node.name or not app.permits(i + 1, node):
            return ()
        seconds, once_cost = once
        energy, parameters = self._weight * self._weights.energy[i] * once_cost, Fraction(block.parameter_bytes)
        needed = parameters + Fraction(block.working_bytes)
        if node.memory_bytes is not None and needed:
            whole = Fraction(node.memory_bytes)
            if needed > whole * (1 + TOLERANCE):
                return ()
            energy += self._price(ResourceKind.MEMORY, node.name) * parameters / whole
        ways, used = [], self._rate * self._weights.reach[i] * seconds / node.parallel
        for share in map(Fraction, node.compute_shares):
            if used > share * (1 + TOLERANCE):
                continue
            kind, taken = (ResourceKind.RESERVATION, share) if node.reserves else (ResourceKind.COMPUTE, used)
            cost = energy + self._price(kind, node.name) * taken
            time = self._weights.latency[i] * (seconds / share + Fraction(node.wait_s))
            ways.append(Cost(floor_units(cost), floor_units(time)))
        return tuple(ways)

    def send(self, i: int, link: Link) -> Cost | None:
        """Return the cost of sending output i over `link`, on its way to block i + 1."""
        bits, whole = self._dnn.transfer_bits(i + 1), Fraction(link.bandwidth_bit_per_s)
        used = self._rate * self._weights.reach[i] * Fraction(bits) / whole
        if used > 1 + TOLERANCE:
            return None
        price = self._price(ResourceKind.BANDWIDTH, f"{link.source}->{link.target}")
        energy = self._weight * self._weights.energy[i] * send_cost(self._instance, bits, link) + price * used
        return Cost(floor_units(energy), floor_units(self._weights.latency[i] * send_seconds(bits, link)))
