"""The chain that a model forms: its operators in one order with exit heads, and the places where it can be cut.

A model can be cut where one tensor alone carries on: all that runs later depends on what ran before through it. On the
operators that the last answer needs, such places are the same in every order in which they can run. The operators of
an exit's head come right after the last operator whose output they read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finbench.benchmarks.imports.onnx.graph import Operator, OperatorGraph, Tensor


@dataclass(frozen=True)
class ChainPosition:
    """A place where the chain can be cut."""

    after: int
    """Number of the chain's operators before it."""
    tensor: Tensor
    """What alone carries on."""


@dataclass(frozen=True)
class ExitHead:
    """An output of the model before its last answer, and where its operators end."""

    output: str
    end: int
    """Number of the chain's operators up to the last one of its own."""


@dataclass(frozen=True)
class ModelChain:
    """A model in one order, with its exits and the places where it can be cut."""

    graph: OperatorGraph
    operators: tuple[Operator, ...]
    heads: tuple[ExitHead, ...]
    """Exits before the last answer, in their order."""
    final: tuple[str, ...]
    """Outputs that are the last answer."""
    positions: tuple[ChainPosition, ...]
    alive: tuple[int, ...]
    """Memory that tensors take while each operator runs: those it reads and makes, and those that wait [byte]."""


def chain_of(graph: OperatorGraph, final: tuple[str, ...]) -> ModelChain:
    """Return the chain of a model whose last answer are the outputs `final`; its other outputs are exits."""
    operators, heads = _in_order(graph, final)
    last_use = _last_uses(operators, final)
    positions: list[ChainPosition] = []
    alive: list[int] = []
    now = {name: graph.tensors[name] for name in graph.inputs}
    for k, operator in enumerate(operators):
        now |= {name: graph.tensors[name] for name in operator.made}
        alive.append(sum(tensor.stored_bytes for tensor in now.values()))
        now = {name: tensor for name, tensor in now.items() if last_use.get(name, -1) > k}
        if len(now) == 1 and k + 1 < len(operators):
            (tensor,) = now.values()
            if positions and positions[-1].tensor == tensor:
                positions.pop()
            positions.append(ChainPosition(k + 1, tensor))
    return ModelChain(graph, operators, heads, final, tuple(positions), tuple(alive))


def _last_uses(operators: tuple[Operator, ...], final: tuple[str, ...]) -> dict[str, int]:
    """Return the number of the last operator that reads each tensor; the last answer's tensors stay to the end."""
    uses = {name: k for k, operator in enumerate(operators) for name in operator.read}
    return uses | dict.fromkeys(final, len(operators))


def _in_order(graph: OperatorGraph, final: tuple[str, ...]) -> tuple[tuple[Operator, ...], tuple[ExitHead, ...]]:
    """Return all operators with each exit's own right after what it reads, and where the exits' operators end."""
    placed = {k: k for k in graph.needed_for(final)}
    owner: dict[int, str] = {}
    anchors: list[tuple[int, str]] = []
    exits = [name for name in graph.outputs if name not in final]
    sizes = {name: graph.needed_for((name,)) for name in exits}
    for name in sorted(exits, key=lambda each: len(sizes[each])):
        own = sorted(sizes[name] - placed.keys())
        read = [graph.maker[each] for k in own for each in graph.operators[k].read if each in graph.maker]
        ready = [placed[k] for k in read if k in placed] or ([] if own else [placed[graph.maker[name]]])
        anchor = max(ready, default=-1)
        placed |= dict.fromkeys(own, anchor)
        owner |= dict.fromkeys(own, name)
        anchors.append((anchor, name))
    rank = {name: number for number, (_, name) in enumerate(sorted(anchors, key=lambda each: each[0]), start=1)}
    order = sorted(placed, key=lambda k: (placed[k], rank.get(owner.get(k, ""), 0), k))
    place = {k: number for number, k in enumerate(order, start=1)}
    ends = {name: max(place[k] for k in sizes[name]) for name in exits}
    heads = tuple(ExitHead(name, ends[name]) for name in sorted(exits, key=rank.__getitem__))
    return tuple(graph.operators[k] for k in order), heads


def most_worked_for(graph: OperatorGraph, work: Sequence[int]) -> str:
    """Return the output with the most work before it, the last one of equals; `work` is that of each operator."""
    totals = {name: sum(work[k] for k in graph.needed_for((name,))) for name in graph.outputs}
    return max(reversed(graph.outputs), key=totals.__getitem__)
