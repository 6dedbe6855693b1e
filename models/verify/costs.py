"""What running a block and sending its output cost, as exact rational numbers.

A float of the instance stands for exactly the number that it holds. Nothing is rounded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from finbench.models.instance import DNN, Accounting, Application, Instance, LatencyKind, Link, Node, Objective

TOLERANCE = Fraction(1, 10**6)
"""The rule of feasibility: of a right-hand side; of an accuracy target, absolute."""


def survival(dnn: DNN) -> tuple[Fraction, ...]:
    """Return the share s_i = 1 − Σ_{e: b(e) < i} φ_e of samples that reach block i, for i = 1..L."""
    left = {exit_.after_block: Fraction(exit_.exit_fraction) for exit_ in dnn.exits}
    shares = accumulate(range(1, len(dnn.blocks)), lambda s, i: s - left.get(i, Fraction(0)), initial=Fraction(1))
    return tuple(max(Fraction(0), share) for share in shares)


@dataclass(frozen=True)
class Weights:
    """How block i and the transfer that feeds it count, for i = 1..L (index i − 1)."""

    reach: tuple[Fraction, ...]
    """Survival s_i."""
    energy: tuple[Fraction, ...]
    """e_i of eq. (1)."""
    latency: tuple[Fraction, ...]
    """l_i of eq. (2)."""

    @classmethod
    def of(cls, instance: Instance, app: Application) -> Weights:
        """Return the weights of one application."""
        reach = survival(instance.dnn_of(app))
        full = (Fraction(1),) * len(reach)
        return cls(
            reach,
            reach if instance.accounting is Accounting.EXPECTED else full,
            _latency_weights(instance, app, reach),
        )


def _latency_weights(instance: Instance, app: Application, reach: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    if instance.latency_kind is LatencyKind.EXPECTED:
        return reach
    return tuple(map(Fraction, instance.latency_weights(app)))  # each of them is 0 or 1 (eq. 30)


def rate_of(app: Application) -> Fraction:
    """Return the rate λ that loads resources; 0 where none is given."""
    return Fraction(app.rate_per_s or 0)


def weight_of(app: Application) -> Fraction:
    """Return the weight of the application's energy in the objective (eq. 3)."""
    return Fraction(app.weight)


def run_once(instance: Instance, app: Application, block: int, node: Node) -> tuple[Fraction, Fraction] | None:
    """Return time [s] of running block i = `block` (1-based) once at `node` (eq. 26), and its worth in the objective.

    Returns
    -------
    tuple of Fraction, or None
        None where it cannot run there.
    """
    dnn, power = instance.dnn_of(app), Fraction(node.power_w)
    measured = instance.measurements(dnn, node).get(block)
    if measured is not None:
        time = Fraction(measured.time_s)
        joules = power * time if measured.energy_j is None else Fraction(measured.energy_j)
        return time, worth(instance.objective, node, joules, time)
    if node.compute_ops_per_s is None:
        return None
    time = Fraction(dnn.blocks[block - 1].ops) / Fraction(node.compute_ops_per_s)
    return time, worth(instance.objective, node, power * time, time)


def worth(objective: Objective, node: Node, joules: Fraction, busy_s: Fraction = Fraction(0)) -> Fraction:
    """Return what energy spent at `node`, and seconds of running there, weigh in the objective (eq. 31)."""
    if objective is Objective.CARBON:
        return joules * Fraction(node.carbon_g_per_j)
    if objective is Objective.MONEY:
        return joules * Fraction(node.price_per_j) + busy_s * Fraction(node.price_per_busy_s)
    return joules


def send_cost(instance: Instance, bits: float, link: Link) -> Fraction:
    """Return what d (e^tx + e^rx) weighs in the objective: the sender's part and the receiver's."""
    nodes = instance.network.node_by_name
    sent, received = Fraction(link.tx_energy_j_per_bit), Fraction(link.rx_energy_j_per_bit)
    return Fraction(bits) * (
        worth(instance.objective, nodes[link.source], sent) + worth(instance.objective, nodes[link.target], received)
    )


def send_seconds(bits: float, link: Link) -> Fraction:
    """Return d/B + τ [s]."""
    return Fraction(bits) / Fraction(link.bandwidth_bit_per_s) + Fraction(link.delay_s)
