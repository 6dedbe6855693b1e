"""A deployment of many applications that fills the system evenly; the load of a shared family is measured with it.

An application may run its first k blocks on its device and the rest on one other node at most two links away (a
*split*), up to the earliest exit that is accurate enough. All applications together choose splits that meet their
latency targets and make Σ utilisation^`POWER` over the resources small: one after the other, then each again, `ROUNDS`
times. With a large power the utilisation of the fullest resource is then nearly the least possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.models.deployment import ApplicationDeployment
from finbench.models.instance import DNN, Network

POWER = 8
ROUNDS = 3

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Chain(NamedTuple):
    """A DNN up to one exit: what lies before the cut after block k = 1..depth, and what crosses it; shapes (depth,)."""

    last_exit: int
    ops: Floats
    """Operations of blocks 1..k."""
    work: Floats
    """Expected operations of blocks 1..k: Σ s_i o_i."""
    parameter_bytes: Floats
    """Parameters of blocks 1..k."""
    bits: Floats
    """Output of block k [bit]; 0 after the last."""
    sent: Floats
    """Expected output of block k [bit]: s_{k+1} d_k."""

    @property
    def depth(self) -> int:
        """Blocks up to the exit."""
        return len(self.ops)


def chain(dnn: DNN, last_exit: int) -> Chain:
    """Return `dnn` up to exit `last_exit` (1-based)."""
    depth = dnn.exits[last_exit - 1].after_block
    ops = np.array([block.ops for block in dnn.blocks[:depth]])
    survival = np.array(dnn.survival)[:depth]
    bits = np.array([*(block.output_bits for block in dnn.blocks[: depth - 1]), 0.0])
    parameters = np.array([block.parameter_bytes for block in dnn.blocks[:depth]])
    sent = bits * np.append(survival[1:], 0.0)
    return Chain(last_exit, np.cumsum(ops), np.cumsum(survival * ops), np.cumsum(parameters), bits, sent)


@dataclass(frozen=True)
class Splits:
    """Every split of a chain whose samples arise at one device; K splits."""

    last_exit: int
    depth: int
    """Blocks up to that exit."""
    source: int
    cuts: Ints
    """Blocks on the device; shape (K,)."""
    others: Ints
    """The node that runs the rest; meaningless where nothing is left; shape (K,)."""
    hops: Ints
    """Links of the route there; in place of a second one that is missing, the number of links; shape (K, 2)."""
    latency_s: Floats
    """Latency of the last sample to leave; shape (K,)."""
    energy_j: Floats
    """Expected energy per inference; shape (K,)."""
    resources: Ints
    """Compute of both nodes, bandwidth of both links, memory of both nodes (`capacities`); shape (K, 6)."""
    paced: Floats
    """Load on them per inference (eqs. 11, 13); shape (K, 6)."""
    fixed: Floats
    """Load on them that no rate changes (eq. 12); shape (K, 6)."""

    def quick_enough(self, max_latency_s: float) -> Ints:
        """Return the numbers of the splits that meet a latency target.

        The quickest split is always among them, whatever rounding says.
        """
        return np.flatnonzero(self.latency_s <= max(max_latency_s, self.latency_s.min()))


class NetworkArrays:
    """A network as arrays. Resources by number: compute of N nodes, bandwidth of A links, memory of N nodes, one more.

    Parameters
    ----------
    network : Network
        Nodes without a memory limit have none here.
    """

    def __init__(self, network: Network) -> None:
        nodes, links = network.nodes, network.links
        self.network = network
        self.names = [node.name for node in nodes]
        self.number = {name: k for k, name in enumerate(self.names)}
        self.speed = np.array([node.compute_ops_per_s for node in nodes])
        self.energy_per_op = np.array([node.power_w for node in nodes]) / self.speed
        self.head = np.array([self.number[link.target] for link in links])
        # One more link, free and infinitely fast, is the second of a route of one link.
        self.band = np.array([*(link.bandwidth_bit_per_s for link in links), np.inf])
        self.delay = np.array([*(link.delay_s for link in links), 0.0])
        self.energy_per_bit = np.array([*(li.tx_energy_j_per_bit + li.rx_energy_j_per_bit for li in links), 0.0])
        memory = [np.inf if node.memory_bytes is None else node.memory_bytes for node in nodes]
        self.capacities = np.array([*self.speed, *self.band[:-1], *memory, np.inf])
        self._out: list[list[int]] = [[] for _ in nodes]
        for k, link in enumerate(links):
            self._out[self.number[link.source]].append(k)

    def ways(self, source: int) -> Ints:
        """Return every route out of `source`: one link, or two to where no single link leads; shape (W, 2)."""
        none, first = len(self.head), self._out[source]
        near = {source, *(self.head[a] for a in first)}
        second = [(a, b) for a in first for b in self._out[self.head[a]] if self.head[b] not in near]
        return np.array([*((a, none) for a in first), *second])

    def splits(self, part: Chain, source: int) -> Splits:
        """Return every split of `part` with its first block at `source`."""
        ways = self.ways(source)
        cuts = np.append(np.repeat(np.arange(1, part.depth), len(ways)), part.depth)
        hops = ways[np.append(np.tile(np.arange(len(ways)), part.depth - 1), 0)]
        others = self.head[np.where(hops[:, 1] < len(self.head), hops[:, 1], hops[:, 0])]
        at, moves = cuts - 1, cuts < part.depth
        latency = part.ops[at] / self.speed[source] + (part.ops[-1] - part.ops[at]) / self.speed[others]
        latency += part.bits[at] * (1 / self.band[hops]).sum(axis=1) + moves * self.delay[hops].sum(axis=1)
        energy = part.work[at] * self.energy_per_op[source]
        energy += (part.work[-1] - part.work[at]) * self.energy_per_op[others]
        energy += part.sent[at] * self.energy_per_bit[hops].sum(axis=1)
        asked = (part.work[at], part.work[-1] - part.work[at], part.sent[at], part.sent[at])
        held = (part.parameter_bytes[at], part.parameter_bytes[-1] - part.parameter_bytes[at])
        nothing = np.zeros(len(cuts))
        return Splits(
            last_exit=part.last_exit,
            depth=part.depth,
            source=source,
            cuts=cuts,
            others=others,
            hops=hops,
            latency_s=latency,
            energy_j=energy,
            resources=self._resources(source, others, hops),
            paced=np.stack([*asked, nothing, nothing], axis=1),
            fixed=np.stack([*[nothing] * 4, *held], axis=1),
        )

    def _resources(self, source: int, others: Ints, hops: Ints) -> Ints:
        n, links = len(self.speed), len(self.head)
        here = np.full(len(others), source)
        bandwidth = np.where(hops < links, n + hops, len(self.capacities) - 1)
        return np.column_stack([here, others, bandwidth, n + links + here, n + links + others])

    def deployment(self, application: str, splits: Splits, chosen: int) -> ApplicationDeployment:
        """Return split number `chosen` as the decisions for `application`."""
        hops = [self.network.links[a] for a in splits.hops[chosen] if a < len(self.head)]
        way = (self.names[splits.source], *(link.target for link in hops))
        cut = int(splits.cuts[chosen])
        rest = splits.depth - cut
        sent = () if rest == 0 else (way, *[()] * (rest - 1))
        return ApplicationDeployment(
            application=application,
            last_exit=splits.last_exit,
            placement=(*[way[0]] * cut, *[way[-1]] * rest),
            routes=(*[()] * cut, *sent),
        )


@dataclass(frozen=True)
class Demand:
    """One application's splits that meet its target, and the load of each on the system."""

    splits: Splits
    numbers: Ints
    """Numbers of the splits that meet the target; shape (Q,)."""
    resources: Ints
    """Their resources, as in `Splits`; shape (Q, 6)."""
    paced: Floats
    """Load per second of operations and bits, at the application's rate; shape (Q, 6)."""
    fixed: Floats
    """Load on memory; shape (Q, 6)."""

    @classmethod
    def of(cls, splits: Splits, max_latency_s: float, rate_per_s: float) -> Demand:
        """Return the demand at a rate under a latency target."""
        near = splits.quick_enough(max_latency_s)
        return cls(splits, near, splits.resources[near], rate_per_s * splits.paced[near], splits.fixed[near])


def balance(arrays: NetworkArrays, demands: Sequence[Demand]) -> list[int]:
    """Choose a split for every application; return its position in the arrays of its demand."""
    fills = [(demand.paced + demand.fixed) / arrays.capacities[demand.resources] for demand in demands]
    fill = np.zeros(len(arrays.capacities))
    chosen = [-1] * len(demands)
    for _ in range(1 + ROUNDS):
        for h, (demand, own) in enumerate(zip(demands, fills, strict=True)):
            if chosen[h] >= 0:
                fill[demand.resources[chosen[h]]] -= own[chosen[h]]
            there = np.maximum(fill[demand.resources], 0.0)  # float noise of the subtraction
            chosen[h] = int(np.argmin(((there + own) ** POWER - there**POWER).sum(axis=1)))
            fill[demand.resources[chosen[h]]] += own[chosen[h]]
    return chosen


def totals(arrays: NetworkArrays, demands: Sequence[Demand], chosen: Sequence[int]) -> tuple[Floats, Floats]:
    """Return the load of the chosen splits on every resource: the part that rates change, and the rest; shapes (R,)."""
    paced, fixed = np.zeros(len(arrays.capacities)), np.zeros(len(arrays.capacities))
    for demand, k in zip(demands, chosen, strict=True):
        np.add.at(paced, demand.resources[k], demand.paced[k])
        np.add.at(fixed, demand.resources[k], demand.fixed[k])
    return paced, fixed
