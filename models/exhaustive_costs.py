"""What running a block costs, as the enumeration computes it: times, energies, and what is minimised of them."""

from __future__ import annotations

from math import inf

from finbench.models.instance import DNN, Instance, Objective


def time_of(instance: Instance, dnn: DNN, block: int, name: str) -> float:
    """Return the time t of running a block once at a node (eq. 26) [s], infinite where it cannot run there."""
    node = instance.network.node_by_name[name]
    measured = instance.measurements(dnn, node)
    if block in measured:
        return measured[block].time_s
    return inf if node.compute_ops_per_s is None else dnn.blocks[block - 1].ops / node.compute_ops_per_s


def energy_of(instance: Instance, dnn: DNN, block: int, name: str) -> float:
    """Return the energy ε of running a block once at a node where it can (eq. 26) [J]."""
    node = instance.network.node_by_name[name]
    measured = instance.measurements(dnn, node)
    energy = measured[block].energy_j if block in measured else None
    return node.power_w * time_of(instance, dnn, block, name) if energy is None else energy


def weighed(instance: Instance, name: str, joules: float, busy_s: float = 0.0) -> float:
    """Return what is minimised (eq. 31) of energy spent at a node and of seconds of running there."""
    node = instance.network.node_by_name[name]
    return {
        Objective.ENERGY: joules,
        Objective.CARBON: node.carbon_g_per_j * joules,
        Objective.MONEY: node.price_per_j * joules + node.price_per_busy_s * busy_s,
    }[instance.objective]
