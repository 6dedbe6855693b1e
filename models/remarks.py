"""What in an instance breaks no rule, and yet looks like a mistake."""

from __future__ import annotations

from collections.abc import Iterator

from finbench.models.instance import Instance, Objective

PLACEHOLDER = "placeholder: "
"""Begins a line of a DNN's provenance that says which of its numbers were made up, to be replaced by facts."""


def remarks(instance: Instance) -> Iterator[str]:
    """Yield one line for each measured device that no node is and each placeholder, one where all costs are 0."""
    for dnn in instance.dnns:
        for line in dnn.provenance.splitlines():
            if line.startswith(PLACEHOLDER):
                yield f"dnn '{dnn.name}': {line.removeprefix(PLACEHOLDER)}"
    there = {node.device for node in instance.network.nodes}
    weights = {
        Objective.CARBON: any(node.carbon_g_per_j for node in instance.network.nodes),
        Objective.MONEY: any(node.price_per_j or node.price_per_busy_s for node in instance.network.nodes),
    }
    if not weights.get(instance.objective, True):
        yield f"objective = '{instance.objective}': no node has {instance.objective} to count: all costs are 0"
    measured = {name: f"dnn '{dnn.name}'" for dnn in instance.dnns for name in dnn.measured}
    measured |= {device.name: f"device '{device.name}'" for device in instance.devices}
    for name, where in measured.items():
        if name not in there:
            yield f"{where}: measured on '{name}', which is the device of no node: its measurements are of no effect"
