"""The instance as arrays for the mathematical programs: what every step costs and loads.

Step k = 1..L of an application sends output k − 1 (output 0 is the sample) to where block k runs, then runs block k.
Arrays are indexed from 0: row k − 1 belongs to step k; nodes and links are numbered in the network's order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.instance import Application, Instance, Network

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]

FLOAT_NOISE = 1e-9
"""Relative slack of every row's right-hand side; it admits rounding of sums and nothing else."""


@dataclass(frozen=True)
class Topology:
    """Nodes and directed links by number."""

    nodes: tuple[str, ...]
    """Names of the N nodes."""
    tails: Ints
    """(A,) node that each of the A links leaves."""
    heads: Ints
    """(A,) node that each link enters."""

    @classmethod
    def of(cls, network: Network) -> Topology:
        """Number the nodes and links of `network`."""
        number = {node.name: n for n, node in enumerate(network.nodes)}
        tails = np.array([number[link.source] for link in network.links], dtype=np.intp)
        heads = np.array([number[link.target] for link in network.links], dtype=np.intp)
        return cls(tuple(number), tails, heads)

    @cached_property
    def number(self) -> dict[str, int]:
        """Node numbers by name."""
        return {name: n for n, name in enumerate(self.nodes)}

    @cached_property
    def link_number(self) -> dict[tuple[str, str], int]:
        """Link numbers by (source, target) names."""
        ends = zip(self.tails.tolist(), self.heads.tolist(), strict=True)
        return {(self.nodes[n], self.nodes[m]): a for a, (n, m) in enumerate(ends)}


@dataclass(frozen=True)
class Costs:
    """Costs and loads of one application (eqs. 1, 2, 11–13): L blocks, N nodes, A links, E exits."""

    app: Application
    topology: Topology
    run_energy: Floats
    """(L, N) energy e_k o_k P_n / C_n of running block k at n [J]."""
    run_latency: Floats
    """(L, N) latency l_k o_k / C_n [s]."""
    send_energy: Floats
    """(L, A) energy e_k d_{k−1} (e^tx + e^rx) of sending output k − 1 over a link [J]."""
    send_latency: Floats
    """(L, A) latency l_k (d_{k−1} / B + τ) [s]."""
    compute_load: Floats
    """(L,) operations per second λ s_k o_k that block k asks of its node; 0 without a rate."""
    memory_load: Floats
    """(L,) bytes w_k."""
    link_load: Floats
    """(L,) bits per second λ s_k d_{k−1} that step k asks of every link it uses; 0 without a rate."""
    after_block: Ints
    """(E,) block b(f) that exit f follows."""
    accuracy: Floats
    """(E,) accuracy α_f."""

    @property
    def weight(self) -> float:
        """Weight λ of the energy in the objective (eq. 3)."""
        return self.app.weight

    @property
    def source(self) -> int:
        """Number of the source node."""
        return self.topology.number[self.app.source]

    @cached_property
    def pins(self) -> dict[int, int]:
        """Number of the pinned node by 1-based block."""
        return {block: self.topology.number[name] for block, name in self.app.pins.items()}


def costs_of(instance: Instance) -> list[Costs]:
    """Costs of every application, in the instance's order."""
    topology = Topology.of(instance.network)
    return [_application_costs(instance, app, topology) for app in instance.applications]


def _application_costs(instance: Instance, app: Application, topology: Topology) -> Costs:
    dnn, nodes, links = instance.dnn_of(app), instance.network.nodes, instance.network.links
    ops = np.array([block.ops for block in dnn.blocks])
    bits = np.array([dnn.transfer_bits(k) for k in range(1, len(dnn.blocks) + 1)])
    survival = np.array(dnn.survival)
    energy_weight = np.array(instance.energy_weights(app))[:, None]
    latency_weight = np.array(instance.latency_weights(app))[:, None]
    rate = np.array([node.compute_ops_per_s for node in nodes])
    power = np.array([node.power_w for node in nodes])
    bandwidth = np.array([link.bandwidth_bit_per_s for link in links])
    per_bit = np.array([link.tx_energy_j_per_bit + link.rx_energy_j_per_bit for link in links])
    delay = np.array([link.delay_s for link in links])
    per_second = app.rate_per_s or 0.0
    return Costs(
        app=app,
        topology=topology,
        run_energy=energy_weight * ops[:, None] * power / rate,
        run_latency=latency_weight * ops[:, None] / rate,
        send_energy=energy_weight * bits[:, None] * per_bit,
        send_latency=latency_weight * (bits[:, None] / bandwidth + delay),
        compute_load=per_second * survival * ops,
        memory_load=np.array([block.parameter_bytes for block in dnn.blocks]),
        link_load=per_second * survival * bits,
        after_block=np.array([exit_.after_block for exit_ in dnn.exits], dtype=np.intp),
        accuracy=np.array([exit_.accuracy for exit_ in dnn.exits]),
    )


@dataclass(frozen=True)
class Capacities:
    """Right-hand sides of the capacity rows, infinite where no row could bind.

    A row cannot bind where the whole demand of all applications, put on that one node or link, fits.
    """

    compute: Floats
    """(N,) operations per second C_n (eq. 11)."""
    memory: Floats
    """(N,) bytes M_n (eq. 12)."""
    bandwidth: Floats
    """(A,) bits per second B_nm (eq. 13)."""

    @classmethod
    def of(cls, network: Network, all_costs: list[Costs]) -> Capacities:
        """The capacities of `network` that the applications of `all_costs` could exceed."""
        memory = [np.inf if node.memory_bytes is None else node.memory_bytes for node in network.nodes]
        return cls(
            compute=_that_may_bind(
                [node.compute_ops_per_s for node in network.nodes], sum(c.compute_load.sum() for c in all_costs)
            ),
            memory=_that_may_bind(memory, sum(c.memory_load.sum() for c in all_costs)),
            bandwidth=_that_may_bind(
                [link.bandwidth_bit_per_s for link in network.links], sum(c.link_load.sum() for c in all_costs)
            ),
        )


def _that_may_bind(limits: list[float], demand: float) -> Floats:
    capacity = np.array(limits, dtype=np.float64)
    return np.where(demand > capacity, capacity, np.inf)
