"""What in an instance breaks no rule, and yet looks like a mistake."""

from __future__ import annotations

from collections.abc import Iterator

from finbench.models.instance import Instance


def remarks(instance: Instance) -> Iterator[str]:
    """Yield one line for each measured device that no node is."""
    there = {node.device for node in instance.network.nodes}
    measured = {name: f"dnn '{dnn.name}'" for dnn in instance.dnns for name in dnn.measured}
    measured |= {device.name: f"device '{device.name}'" for device in instance.devices}
    for name, where in measured.items():
        if name not in there:
            yield f"{where}: measured on '{name}', which is the device of no node: its measurements are of no effect"
