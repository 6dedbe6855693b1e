"""Exit heads alone: what of a block runs for its exit and for nothing else."""

from __future__ import annotations

from typing import Any

from finbench.benchmarks.deploying.model_blocks import ModelBlock


def head_inputs(model: Any, block: ModelBlock) -> tuple[str, ...]:
    """Return the tensors from which the head of a block's exit begins; empty where it has none of its own.

    These are what its operators read of the block's input and of what the block makes on the way to its output.

    Parameters
    ----------
    model : onnx.ModelProto
    block : ModelBlock
    """
    exits = tuple(name for name in block.exit_outputs if name not in block.outputs)
    if not exits:
        return ()
    maker = {name: node for node in model.graph.node for name in node.output if name}
    flowing = _flowing(model, block.inputs)
    trunk = _behind(maker, block.outputs, set(block.inputs)).union(block.inputs)
    own = _behind(maker, exits, trunk)
    read = {name: None for made in own for name in maker[made].input if name in trunk and name in flowing}
    return () if trunk.issuperset(exits) else tuple(read)


def _flowing(model: Any, inputs: tuple[str, ...]) -> set[str]:
    """Return the tensors that depend on some others, these included; operators stand in an order they can run in."""
    found = set(inputs)
    for node in model.graph.node:
        if found.intersection(node.input):
            found.update(name for name in node.output if name)
    return found


def _behind(maker: dict[str, Any], outputs: tuple[str, ...], ends: set[str]) -> set[str]:
    """Return the tensors that are made on the way to some others, these included, from those of `ends` on."""
    found: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name in maker and name not in found and name not in ends:
            found.add(name)
            waiting += maker[name].input
    return found
