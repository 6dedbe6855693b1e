"""The capacity rows that all applications together could exceed (eqs. 11–13), and the reservations (eq. 21)."""

from __future__ import annotations

from math import inf

from finbench.models.exhaustive_costs import time_of
from finbench.models.instance import DNN, Instance

CapacityKey = tuple[str, str | tuple[str, str]]
"""What a capacity row is about: its kind, and a node or link."""


def capacities_that_may_bind(instance: Instance) -> dict[CapacityKey, float]:
    """Return the right-hand sides of (11)–(13) that all applications together could exceed, and of (21)."""
    memory = bits = 0.0
    for app in instance.applications:
        dnns, rate = instance.dnns_of(app), app.rate_per_s or 0.0
        memory += max(sum(block.parameter_bytes for block in dnn.blocks) for dnn in dnns)
        bits += rate * max(
            sum(share * dnn.transfer_bits(i) for i, share in enumerate(dnn.survival, start=1)) for dnn in dnns
        )
    capacities: dict[CapacityKey, float] = {}
    for node in instance.network.nodes:
        if _executions_of_everything(instance, node.name) > node.parallel:
            capacities["compute", node.name] = node.parallel
        if node.reserves:
            capacities["reservation", node.name] = 1.0
        if node.memory_bytes is not None and memory > node.memory_bytes:
            capacities["memory", node.name] = node.memory_bytes
    for link in instance.network.links:
        if bits > link.bandwidth_bit_per_s:
            capacities["bandwidth", (link.source, link.target)] = link.bandwidth_bit_per_s
    return capacities


def _executions_of_everything(instance: Instance, name: str) -> float:
    """Return the executions at the same time if all blocks that can run at a node did (left side of eq. 11)."""
    total = 0.0
    for app in instance.applications:
        most = max(_executions_per_rate(instance, dnn, name) for dnn in instance.dnns_of(app))
        total += (app.rate_per_s or 0.0) * most
    return total


def _executions_per_rate(instance: Instance, dnn: DNN, name: str) -> float:
    """Return the seconds of running that one inference takes at a node where all blocks that can run there do."""
    times = (time_of(instance, dnn, i, name) for i in range(1, len(dnn.blocks) + 1))
    return sum(share * time for share, time in zip(dnn.survival, times, strict=True) if time < inf)
