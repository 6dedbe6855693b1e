"""Which block of an application can run at no node, and why: what a proof of infeasibility then says."""

from __future__ import annotations

from collections import Counter

from finbench.models.instance import DNN, Application, Instance, Node
from finbench.models.tolerances import accurate_enough, relaxed

NOTHING_ALONE = "no exit is accurate enough, or no path to one meets the latency target and the pins"
"""Why an application has no deployment even alone, where no single block is to blame."""


def block_without_node(instance: Instance, app: Application) -> str | None:
    """Return the first block that `app` needs and that can run at no node, with what keeps it off; None where each can.

    A block is needed where it comes before the earliest exit that is accurate enough (eq. 9). An application with
    alternatives needs it in each of them; the line then tells of the first.
    """
    found = [_block_of_choice(instance, choice) for choice in app.choices]
    if None in found:
        return None
    return found[0] if len(found) == 1 else f"alternative '{app.dnns[0]}': {found[0]}"


def _block_of_choice(instance: Instance, app: Application) -> str | None:
    """Return what `block_without_node` does of one choice."""
    dnn = instance.dnn_of(app)
    accurate = (e.after_block for e in dnn.exits if accurate_enough(e.accuracy, app.min_accuracy))
    for block in range(1, next(accurate, 0) + 1):
        causes = [_what_keeps_off(instance, app, dnn, block, node) for node in instance.network.nodes]
        if None not in causes:
            counts = ", ".join(f"{cause}: {count}" for cause, count in Counter(causes).items())
            return f"block {block} can run at no node ({counts})"
    return None


def application_without_node(instance: Instance) -> str | None:
    """Return the first application that must be served and has such a block, in words; None where there is none."""
    for app in instance.applications:
        block = block_without_node(instance, app) if app.rejection_penalty_w is None else None
        if block is not None:
            return f"application '{app.name}': {block}"
    return None


def _what_keeps_off(instance: Instance, app: Application, dnn: DNN, block: int, node: Node) -> str | None:
    """Return what keeps a block off a node, None where it may run there."""
    if app.pins.get(block, node.name) != node.name:
        return "pinned elsewhere"
    if node.compute_ops_per_s is None and block not in instance.measurements(dnn, node):
        return "no rate and not measured"
    if not app.permits(block, node):
        return "not allowed"
    needed, working = dnn.blocks[block - 1].parameter_bytes, dnn.blocks[block - 1].working_bytes
    if working > 0 and node.memory_bytes is not None and needed + working > relaxed(node.memory_bytes):
        return "too little memory"
    return None
