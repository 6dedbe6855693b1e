"""The instance as arrays for the mathematical programs: what every step costs and loads.

Step k = 1..L of an application sends output k − 1 (output 0 is the sample) to where block k runs, then runs block k.
Arrays are indexed from 0: row k − 1 belongs to step k; nodes and links are numbered in the network's order.

A site is where a block may run: a node that reserves nothing, or one share r of a node that reserves (eqs. 21, 22).
Sites are numbered node by node; where no node reserves, sites are the nodes.

What is minimised stands as energy: where carbon or money is (eq. 31), every Joule is weighed where it is spent.

Running block k once at node n takes t_{k,n} [s] and ε_{k,n} [J] (eq. 26): as measured on the device of n, else o_k/C_n.

An application with alternatives (eq. 29) has costs for each of them, one after another; they carry its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from finbench.models.instance import OBJECTIVE_UNITS, Application, Instance, Network, Objective
from finbench.models.tolerances import accurate_enough, relaxed

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]
Scalar = TypeVar("Scalar", np.float64, np.bool_)


@dataclass(frozen=True)
class NumberedNetwork:
    """Nodes, their sites and directed links by number."""

    nodes: tuple[str, ...]
    """Names of the N nodes."""
    tails: Ints
    """(A,) node that each of the A links leaves."""
    heads: Ints
    """(A,) node that each link enters."""
    site_node: Ints
    """(P,) node that each of the P sites is at."""
    share: Floats
    """(P,) share r of the node's rate that a block gets there; 1 where the node reserves nothing."""
    reserves: Mask
    """(N,) whether blocks reserve shares of a node."""

    @classmethod
    def of(cls, network: Network) -> NumberedNetwork:
        """Number the nodes, sites and links of `network`."""
        number = {node.name: n for n, node in enumerate(network.nodes)}
        tails = np.array([number[link.source] for link in network.links], dtype=np.intp)
        heads = np.array([number[link.target] for link in network.links], dtype=np.intp)
        menus = [node.compute_shares for node in network.nodes]
        return cls(
            nodes=tuple(number),
            tails=tails,
            heads=heads,
            site_node=np.repeat(np.arange(len(menus)), [len(menu) for menu in menus]),
            share=np.array([share for menu in menus for share in menu]),
            reserves=np.array([node.reserves for node in network.nodes]),
        )

    def at_sites(self, of_node: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return (L, P) what is given (L, N) of every node, repeated for its sites."""
        return of_node if len(self.site_node) == len(self.nodes) else of_node[:, self.site_node]

    @cached_property
    def number(self) -> dict[str, int]:
        """Node numbers by name."""
        return {name: n for n, name in enumerate(self.nodes)}

    @cached_property
    def sites(self) -> tuple[tuple[str, float], ...]:
        """Node name and share of every site."""
        return tuple((self.nodes[n], r) for n, r in zip(self.site_node.tolist(), self.share.tolist(), strict=True))

    @cached_property
    def site_labels(self) -> tuple[tuple[str] | tuple[str, float], ...]:
        """Label of every site among the variables: (n,), or (n, r) where any node reserves."""
        return self.sites if self.reserves.any() else tuple((name,) for name in self.nodes)

    @cached_property
    def site_number(self) -> dict[tuple[str, float], int]:
        """Place numbers by node name and share."""
        return {site: p for p, site in enumerate(self.sites)}

    @cached_property
    def link_number(self) -> dict[tuple[str, str], int]:
        """Link numbers by (source, target) names."""
        ends = zip(self.tails.tolist(), self.heads.tolist(), strict=True)
        return {(self.nodes[n], self.nodes[m]): a for a, (n, m) in enumerate(ends)}


@dataclass(frozen=True)
class Costs:
    """Costs and loads of one application (eqs. 1, 2, 11–13): L blocks, N nodes, P sites, A links, E exits."""

    app: Application
    network: NumberedNetwork
    run_energy: Floats
    """(L, P) energy e_k ε_{k,n} of running block k at a site of n [J]; 0 where it cannot."""
    run_latency: Floats
    """(L, P) latency l_k (ω_n + t_{k,n} / r) [s]; 0 where it cannot."""
    can_run: Mask
    """(L, P) whether block k has costs at a site of n (eq. 26), fits there (eq. 27) and may run there (eq. 28)."""
    stable: Mask
    """(L, P) whether a reserved share keeps up with block k: λ s_k t_{k,n} ≤ r K_n (eq. 22)."""
    send_energy: Floats
    """(L, A) energy e_k d_{k−1} (e^tx + e^rx) of sending output k − 1 over a link [J]."""
    send_latency: Floats
    """(L, A) latency l_k (d_{k−1} / B + τ) [s]."""
    compute_load: Floats
    """(L, N) executions λ s_k t_{k,n} of block k at the same time at n; 0 without a rate, or where it cannot run."""
    memory_load: Floats
    """(L,) bytes w_k."""
    link_load: Floats
    """(L,) bits per second λ s_k d_{k−1} that step k asks of every link it uses; 0 without a rate."""
    after_block: Ints
    """(E,) block b(f) that exit f follows."""
    accuracy: Floats
    """(E,) accuracy α_f."""
    minimised: str = Objective.ENERGY.value
    """What is minimised (eq. 31): it stands in the place of energies."""
    unit: str = OBJECTIVE_UNITS[Objective.ENERGY][1]
    """Unit of the objective."""

    @property
    def weight(self) -> float:
        """Weight λ of the energy in the objective (eq. 3)."""
        return self.app.weight

    @property
    def penalty(self) -> float:
        """Penalty ψ of turning the application away [W]; infinite where it must be served."""
        return np.inf if self.app.rejection_penalty_w is None else self.app.rejection_penalty_w

    @property
    def source(self) -> int:
        """Number of the source node."""
        return self.network.number[self.app.source]

    @property
    def max_latency(self) -> float:
        """Right-hand side of the latency row (eq. 8) [s]: the target and the tolerance that methods allow."""
        return relaxed(self.app.max_latency_s)

    @cached_property
    def accurate(self) -> Mask:
        """(E,) whether each exit meets the accuracy target (eq. 9)."""
        return np.array([accurate_enough(accuracy, self.app.min_accuracy) for accuracy in self.accuracy.tolist()])

    @cached_property
    def may_run(self) -> Mask:
        """(L, P) whether a program has a variable for block k at a site: no deployment runs it anywhere else."""
        return self.can_run & self.stable

    @cached_property
    def pins(self) -> dict[int, int]:
        """Number of the pinned node by 1-based block."""
        return {block: self.network.number[name] for block, name in self.app.pins.items()}


def costs_of(instance: Instance) -> list[Costs]:
    """Return the costs of every application, of each of its alternatives where it has several, in their order."""
    network = NumberedNetwork.of(instance.network)
    return [_application_costs(instance, choice, network) for app in instance.applications for choice in app.choices]


def by_application(all_costs: Sequence[Costs]) -> list[range]:
    """Return the positions of each application's alternatives in a list of costs: one position where it has one DNN."""
    found: list[range] = []
    for position, costs in enumerate(all_costs):
        if found and all_costs[found[-1].start].app.name == costs.app.name:
            found[-1] = range(found[-1].start, position + 1)
        else:
            found.append(range(position, position + 1))
    return found


def _application_costs(instance: Instance, app: Application, network: NumberedNetwork) -> Costs:
    dnn, nodes, links = instance.dnn_of(app), instance.network.nodes, instance.network.links
    bits = np.array([dnn.transfer_bits(k) for k in range(1, len(dnn.blocks) + 1)])
    survival = np.array(dnn.survival)
    energy_weight = np.array(instance.energy_weights(app))[:, None]
    latency_weight = np.array(instance.latency_weights(app))[:, None]
    times, energies, can_run = _runs(instance, app)
    bandwidth = np.array([link.bandwidth_bit_per_s for link in links])
    per_bit = energy_per_bit(instance)
    delay = np.array([link.delay_s for link in links])
    per_second = app.rate_per_s or 0.0
    compute_load = (per_second * survival)[:, None] * times
    parallel = np.array([float(node.parallel) for node in nodes])[network.site_node]
    waits = np.array([node.wait_s for node in nodes])[network.site_node]
    keeps_up = network.at_sites(compute_load) <= relaxed(network.share * parallel)
    return Costs(
        app=app,
        network=network,
        run_energy=energy_weight * network.at_sites(_weighed(instance, energies, times)),
        run_latency=latency_weight * (network.at_sites(times) / network.share + waits * network.at_sites(can_run)),
        can_run=network.at_sites(can_run),
        stable=keeps_up | ~network.reserves[network.site_node],
        send_energy=energy_weight * bits[:, None] * per_bit,
        send_latency=latency_weight * (bits[:, None] / bandwidth + delay),
        compute_load=compute_load,
        memory_load=np.array([block.parameter_bytes for block in dnn.blocks]),
        link_load=per_second * survival * bits,
        after_block=np.array([exit_.after_block for exit_ in dnn.exits], dtype=np.intp),
        accuracy=np.array([exit_.accuracy for exit_ in dnn.exits]),
        minimised=instance.objective.value,
        unit=instance.objective_unit,
    )


def weights_of_nodes(instance: Instance) -> tuple[Floats, Floats]:
    """Return (N,) what a Joule spent at every node weighs in the objective, and a second of running (eq. 31)."""
    nodes = instance.network.nodes
    nothing = np.zeros(len(nodes))
    if instance.objective is Objective.CARBON:
        return np.array([node.carbon_g_per_j for node in nodes]), nothing
    if instance.objective is Objective.MONEY:
        return np.array([node.price_per_j for node in nodes]), np.array([node.price_per_busy_s for node in nodes])
    return np.ones(len(nodes)), nothing


def _weighed(instance: Instance, energies: Floats, times: Floats) -> Floats:
    """Return (L, N) what is minimised of running every block at every node once (eq. 31)."""
    if instance.objective is Objective.ENERGY:
        return energies
    joule, second = weights_of_nodes(instance)
    return joule * energies + second * times


def energy_per_bit(instance: Instance) -> Floats:
    """Return (A,) e^tx + e^rx of every link [J/bit], each weighed where it is spent (eq. 31)."""
    links = instance.network.links
    if instance.objective is Objective.ENERGY:
        return np.array([link.tx_energy_j_per_bit + link.rx_energy_j_per_bit for link in links])
    names = (node.name for node in instance.network.nodes)
    joule = dict(zip(names, weights_of_nodes(instance)[0].tolist(), strict=True))
    sent: Floats = np.array([joule[link.source] * link.tx_energy_j_per_bit for link in links])
    received: Floats = np.array([joule[link.target] * link.rx_energy_j_per_bit for link in links])
    return sent + received


def _runs(instance: Instance, app: Application) -> tuple[Floats, Floats, Mask]:
    """Return (L, N) time t [s] and energy ε [J] of running every block once at every node, and where it can (26–28).

    Both are 0 where it cannot.
    """
    dnn, nodes = instance.dnn_of(app), instance.network.nodes
    ops = np.array([block.ops for block in dnn.blocks])[:, None]
    rate = np.array([node.compute_ops_per_s or np.nan for node in nodes])
    power = np.array([node.power_w for node in nodes])
    times, energies = ops / rate, ops * power / rate
    for n, node in enumerate(nodes if instance.has_measurements else ()):
        for block, measured in instance.measurements(dnn, node).items():
            times[block - 1, n] = measured.time_s
            energies[block - 1, n] = node.power_w * measured.time_s if measured.energy_j is None else measured.energy_j
    can_run = _fits_and_may(instance, app) & ~np.isnan(times)
    if can_run.all():
        return times, energies, can_run
    return np.where(can_run, times, 0.0), np.where(can_run, energies, 0.0), can_run


def _fits_and_may(instance: Instance, app: Application) -> Mask:
    """Return (L, N) whether every block fits (eq. 27) and may run (eq. 28) at every node."""
    blocks, nodes = instance.dnn_of(app).blocks, instance.network.nodes
    if not app.allowed and not any(block.working_bytes for block in blocks):
        return np.ones((len(blocks), len(nodes)), dtype=np.bool_)
    working = np.array([block.working_bytes for block in blocks])[:, None]
    needed = working + np.array([block.parameter_bytes for block in blocks])[:, None]
    memory = np.array([np.inf if node.memory_bytes is None else node.memory_bytes for node in nodes])
    fits: Mask = (needed <= relaxed(memory)) | (working == 0)  # without working memory (12) says it all
    if app.allowed:
        fits &= np.array([[app.permits(k, node) for node in nodes] for k in range(1, len(blocks) + 1)])
    return fits


@dataclass(frozen=True)
class Capacities:
    """Right-hand sides of the capacity rows, infinite where no row could bind.

    A row cannot bind where the whole demand of all applications, put on that one node or link, fits. Where a node
    reserves, (21) and (22) imply (11).
    """

    compute: Floats
    """(N,) executions at the same time K_n (eq. 11)."""
    memory: Floats
    """(N,) bytes M_n (eq. 12)."""
    bandwidth: Floats
    """(A,) bits per second B_nm (eq. 13)."""
    reservation: Floats
    """(N,) 1, all of a node that reserves (eq. 21)."""

    @classmethod
    def of(cls, network: Network, all_costs: list[Costs]) -> Capacities:
        """Return the capacities of `network` that the applications of `all_costs` could exceed."""
        parallel = [np.inf if node.reserves else node.parallel for node in network.nodes]
        memory = [np.inf if node.memory_bytes is None else node.memory_bytes for node in network.nodes]
        whole = [1.0 if node.reserves else np.inf for node in network.nodes]
        of_apps = [[all_costs[v] for v in positions] for positions in by_application(all_costs)]
        blocks = sum(max(len(c.compute_load) for c in choices) for choices in of_apps)
        loads = (np.max([c.compute_load.sum(axis=0) for c in choices], axis=0) for choices in of_apps)
        bits = sum(max(float(c.link_load.sum()) for c in choices) for choices in of_apps)
        return cls(
            compute=_that_may_bind(parallel, sum(loads, np.zeros(1))),
            memory=_that_may_bind(memory, sum(max(float(c.memory_load.sum()) for c in one) for one in of_apps)),
            bandwidth=_that_may_bind([link.bandwidth_bit_per_s for link in network.links], bits),
            reservation=_that_may_bind(whole, np.array([blocks * node.compute_shares[-1] for node in network.nodes])),
        )


def _that_may_bind(limits: list[float], demand: float | Floats) -> Floats:
    capacity = np.array(limits, dtype=np.float64)
    return np.where(demand > capacity, capacity, np.inf)
