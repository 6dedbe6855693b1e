"""A network as arrays: where data may lie, where blocks may run, and the links between, sorted by target.

**Vertices.** A node that reserves nothing is one vertex. A node n that offers shares r_1 < … < r_K is K+1 of them: n
itself, where data arrives and leaves but no block runs, and a service level (n, r) for each share. Two links that cost
nothing join a level and its node. A block that runs at (n, r) takes t/r (eq. 2). The searches on an
application's layered graph need not know that there are levels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from finbench.models.instance import Instance, Network, Node, Objective

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Topology:
    """A network of N nodes and A links as V vertices and A' links: two more links for each service level."""

    network: Network
    node_of_vertex: Ints
    """Node that each vertex belongs to; shape (V,). The vertices that are nodes themselves come first, in the order of
    the network."""
    share_of_vertex: Floats
    """Share of the node at which blocks run, 0 where none may; shape (V,)."""
    wait_of_vertex: Floats
    """Time ω that passes before a run begins [s]; shape (V,)."""
    in_start: Ints
    """Links into vertex m are in_start[m]..in_start[m+1]; shape (V+1,)."""
    link_number: Ints
    """Position of every link in the network's order, −1 for those that join a node and its levels; shape (A',)."""
    link_source: Ints
    """Sending vertex of every link; shape (A',)."""
    link_target: Ints
    """Receiving vertex of every link; shape (A',)."""
    link_energy: Floats
    """e^tx + e^rx of every link [J/bit], each as its node weighs it (eq. 31); shape (A',)."""
    link_time: Floats
    """1/B of every link [s/bit]; shape (A',)."""
    link_delay: Floats
    """τ of every link [s]; shape (A',)."""
    has_levels: bool
    """Whether any node of the network reserves, here or elsewhere."""

    @classmethod
    def of(cls, instance: Instance) -> Topology:
        """Return the arrays of an instance's network."""
        network = instance.network
        nodes, number = network.nodes, {node.name: n for n, node in enumerate(network.nodes)}
        levels = [(n, share) for n, node in enumerate(nodes) if node.reserves for share in node.compute_shares]
        links = [
            (
                number[link.target],
                number[link.source],
                a,
                link.tx_energy_j_per_bit + link.rx_energy_j_per_bit,
                1 / link.bandwidth_bit_per_s,
                link.delay_s,
            )
            for a, link in enumerate(network.links)
        ]
        if instance.objective is not Objective.ENERGY:
            weighed = zip(links, _weighed_energy_per_bit(instance), strict=True)
            links = [(m, n, a, per_bit, time, delay) for (m, n, a, _, time, delay), per_bit in weighed]
        for level, (n, _) in enumerate(levels, start=len(nodes)):
            links += [(n, level, -1, 0.0, 0.0, 0.0), (level, n, -1, 0.0, 0.0, 0.0)]
        columns = np.array(links).reshape(-1, 6)
        target, source, place, energy, time, delay = columns[np.lexsort((columns[:, 1], columns[:, 0]))].T
        return cls(
            network=network,
            node_of_vertex=np.array([*range(len(nodes)), *(n for n, _ in levels)], np.int32),
            share_of_vertex=np.array(
                [*(0.0 if node.reserves else 1.0 for node in nodes), *(share for _, share in levels)]
            ),
            wait_of_vertex=np.array([node.wait_s for node in (*nodes, *(nodes[n] for n, _ in levels))]),
            in_start=np.searchsorted(target, np.arange(len(nodes) + len(levels) + 1)).astype(np.int32),
            link_number=place.astype(np.int32),
            link_source=source.astype(np.int32),
            link_target=target.astype(np.int32),
            link_energy=energy.copy(),
            link_time=time.copy(),
            link_delay=delay.copy(),
            has_levels=bool(levels),
        )

    def reachable_from(self, source: str) -> Topology:
        """Return what data from a node can reach: its vertices and the links between, in the same order.

        No path of an application whose samples arise there leads anywhere else.
        """
        reached = np.zeros(len(self.node_of_vertex), np.bool_)
        fresh = np.array([self.vertex_of[source]])
        while len(fresh):
            reached[fresh] = True
            heads = np.zeros(len(reached), np.bool_)
            heads[self.link_target[reached[self.link_source]]] = True
            fresh = np.flatnonzero(heads & ~reached)
        if reached.all():
            return self
        kept = reached[self.link_source]
        number = (np.cumsum(reached) - 1).astype(np.int32)
        target = number[self.link_target[kept]]
        return replace(
            self,
            node_of_vertex=self.node_of_vertex[reached],
            share_of_vertex=self.share_of_vertex[reached],
            wait_of_vertex=self.wait_of_vertex[reached],
            in_start=np.searchsorted(target, np.arange(reached.sum() + 1)).astype(np.int32),
            link_number=self.link_number[kept],
            link_source=number[self.link_source[kept]],
            link_target=target,
            link_energy=self.link_energy[kept],
            link_time=self.link_time[kept],
            link_delay=self.link_delay[kept],
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of every vertex's node; shape (V,)."""
        return tuple(node.name for node in self.nodes)

    @cached_property
    def vertex_of(self) -> dict[str, int]:
        """The vertex that is each node itself, by the node's name."""
        numbers = range(len(self.node_of_vertex) - 1, -1, -1)
        return {self.network.nodes[self.node_of_vertex[v]].name: v for v in numbers}

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The node that each vertex belongs to; shape (V,)."""
        return tuple(self.network.nodes[n] for n in self.node_of_vertex)


def _weighed_energy_per_bit(instance: Instance) -> list[float]:
    """Return e^tx + e^rx of every link, each as its node weighs it (eq. 31)."""
    links, weigh = instance.network.links, joule_weights(instance)
    sent = [weigh[link.source] * link.tx_energy_j_per_bit for link in links]
    return [joules + weigh[link.target] * link.rx_energy_j_per_bit for joules, link in zip(sent, links, strict=True)]


def joule_weights(instance: Instance) -> dict[str, float]:
    """Return by node what a Joule that is spent there weighs in the objective (eq. 31): 1 where energy is minimised."""
    nodes = instance.network.nodes
    if instance.objective is Objective.CARBON:
        return {node.name: node.carbon_g_per_j for node in nodes}
    if instance.objective is Objective.MONEY:
        return {node.name: node.price_per_j for node in nodes}
    return dict.fromkeys((node.name for node in nodes), 1.0)
