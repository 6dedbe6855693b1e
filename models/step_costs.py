"""What every step of a deployment costs and asks for: the terms of eqs. (1), (2), (11)–(13), (21) and (22).

Step i of an application sends output i − 1 (output 0 is the sample) to where block i runs, then runs block i. With
weights e_i, l_i of the instance's accounting and latency kind, and λ = 0 where the application has no rate:

    energy    e_i ε_{i,n} and e_i d_{i−1} Σ_{(n,m) ∈ route_i} (e^tx_nm + e^rx_nm)
    latency   l_i (ω_n + t_{i,n}/r_i + Σ_{(n,m) ∈ route_i} (d_{i−1}/B_nm + τ_nm))
    loads     λ s_i t_{i,n} and w_i on the node, λ s_i d_{i−1} on every link of the route

(26) To run block i once at n takes t_{i,n} and ε_{i,n}: what was measured on the device of n, with ε = P_n t where its
energy was not; else t = o_i/C_n and ε = P_n t. Where n has no rate either, block i cannot run there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from finbench.models.deployment import ApplicationDeployment
from finbench.models.instance import DNN, Application, Instance, Link, Node, Objective

NOWHERE = (inf, inf)
"""Time and energy of a run that cannot be."""


@dataclass(frozen=True)
class StepCosts:
    """One block, and the transfer that feeds it."""

    node: Node
    """Where the block runs."""
    share: float
    """Share r_i of the node's rate that it runs at."""
    route: tuple[str, ...]
    """Names of the nodes that the transfer visits."""
    hops: tuple[Link, ...]
    """Links of the route."""
    counted_bits: float
    """Bits e_i d_{i−1} that count in the energy of every link."""
    compute_energy_j: float
    transfer_energy_j: float
    spent: tuple[tuple[Node, float, float], ...]
    """Where energy is spent: nodes with Joules and seconds of running, weighted by e_i."""
    compute_s: float
    """Part of the latency, weighted by l_i."""
    transfer_s: float
    """Part of the latency, weighted by l_i."""
    latency_s: float
    """Both parts."""
    executions: float
    """Load on the node: executions at the same time, on average."""
    memory_bytes: float
    """Load on the node."""
    transfer_bit_per_s: float
    """Load on every link of the route."""


def run_once(instance: Instance, dnn: DNN, block: int, node: Node) -> tuple[float, float] | None:
    """Return time t [s] and energy ε [J] of running block i = `block` (1-based) once at `node` (eq. 26).

    Returns
    -------
    tuple of float, or None
        None where it cannot run there.
    """
    measured = instance.measurements(dnn, node).get(block)
    if measured is not None:
        time = measured.time_s
        return time, node.power_w * time if measured.energy_j is None else measured.energy_j
    if node.compute_ops_per_s is None:
        return None
    ops = dnn.blocks[block - 1].ops
    return ops / node.compute_ops_per_s, ops * node.power_w / node.compute_ops_per_s


def _sending(nodes: Mapping[str, Node], hops: tuple[Link, ...], bits: float) -> Iterator[tuple[Node, float, float]]:
    """Yield the nodes that send and receive with the Joules that each spends."""
    for hop in hops:
        yield nodes[hop.source], bits * hop.tx_energy_j_per_bit, 0.0
        yield nodes[hop.target], bits * hop.rx_energy_j_per_bit, 0.0


def worth(objective: Objective, node: Node, joules: float, busy_s: float) -> float:
    """Return what energy spent at `node`, and seconds of running there, weigh in an objective (eq. 31) [J, g, …]."""
    if objective is Objective.CARBON:
        return joules * node.carbon_g_per_j
    if objective is Objective.MONEY:
        return joules * node.price_per_j + busy_s * node.price_per_busy_s
    return joules


def step_costs(instance: Instance, app: Application, decision: ApplicationDeployment) -> Iterator[StepCosts]:
    """Yield the steps i = 1..b(f) of a structurally sound deployment, all of whose blocks can run, in order."""
    dnn, nodes, links = instance.dnn_of(app), instance.network.node_by_name, instance.network.link_by_pair
    weights = zip(instance.energy_weights(app), instance.latency_weights(app), dnn.survival, dnn.blocks, strict=True)
    decided = zip(decision.placement, decision.share_of_block, decision.routes_from(app.source), strict=True)
    rate = app.rate_per_s or 0.0
    for i, ((name, share, route), (by_energy, by_latency, reach, block)) in enumerate(
        zip(decided, weights, strict=False), start=1
    ):
        node, bits, hops = nodes[name], dnn.transfer_bits(i), tuple(links[pair] for pair in pairwise(route))
        time, energy = run_once(instance, dnn, i, node) or NOWHERE
        compute_s = node.wait_s + time / share
        transfer_s = sum(bits / hop.bandwidth_bit_per_s + hop.delay_s for hop in hops)
        yield StepCosts(
            node=node,
            share=share,
            route=route,
            hops=hops,
            counted_bits=by_energy * bits,
            compute_energy_j=by_energy * energy,
            spent=((node, by_energy * energy, by_energy * time), *_sending(nodes, hops, by_energy * bits)),
            transfer_energy_j=by_energy * bits * sum(hop.tx_energy_j_per_bit + hop.rx_energy_j_per_bit for hop in hops),
            compute_s=by_latency * compute_s,
            transfer_s=by_latency * transfer_s,
            latency_s=by_latency * (compute_s + transfer_s),
            executions=rate * reach * time,
            memory_bytes=block.parameter_bytes,
            transfer_bit_per_s=rate * reach * bits,
        )
