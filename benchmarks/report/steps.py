"""What every block of a deployment costs: the sums (1) and (2) of the evaluator, term by term."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from finbench.models.deployment import ApplicationDeployment
from finbench.models.instance import Application, Instance


@dataclass(frozen=True)
class Step:
    """One block, and the transfer that feeds it, with the weights of the instance's accounting."""

    node: str
    share: float
    """Share of the node's rate that the block runs at."""
    route: tuple[str, ...]
    compute_energy_j: float
    transfer_energy_j: float
    compute_s: float
    transfer_s: float


def steps(instance: Instance, app: Application, decision: ApplicationDeployment) -> Iterator[Step]:
    """Yield what every block i = 1..b(f) of a structurally sound deployment costs.

    Yields
    ------
    Step
        Energies e_i o_i P/C and e_i d_{i−1} Σ (e^tx + e^rx) (eq. 1), times l_i o_i/(r_i C) and l_i Σ (d_{i−1}/B + τ)
        (eq. 2).
    """
    dnn, nodes, links = instance.dnn_of(app), instance.network.node_by_name, instance.network.link_by_pair
    weights = zip(instance.energy_weights(app), instance.latency_weights(app), strict=True)
    decided = zip(decision.placement, decision.share_of_block, decision.routes_from(app.source), weights, strict=False)
    for i, (name, share, route, (by_energy, by_latency)) in enumerate(decided, start=1):
        ops, bits, node = dnn.blocks[i - 1].ops, dnn.transfer_bits(i), nodes[name]
        hops = [links[pair] for pair in pairwise(route)]
        yield Step(
            node=name,
            share=share,
            route=route,
            compute_energy_j=by_energy * ops * node.power_w / node.compute_ops_per_s,
            transfer_energy_j=by_energy * bits * sum(hop.tx_energy_j_per_bit + hop.rx_energy_j_per_bit for hop in hops),
            compute_s=by_latency * ops / (share * node.compute_ops_per_s),
            transfer_s=by_latency * sum(bits / hop.bandwidth_bit_per_s + hop.delay_s for hop in hops),
        )
