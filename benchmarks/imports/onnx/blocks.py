"""Blocks of a DNN from the chain of a model: borders, what lies between them, and where exits leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import accumulate, pairwise
from math import prod

from finbench.benchmarks.imports.onnx.chain import ChainPosition, ModelChain
from finbench.benchmarks.imports.onnx.costs import OperatorCosts, parameters_of
from finbench.benchmarks.imports.onnx.counting import Work
from finbench.benchmarks.imports.onnx.graph import Operator, Tensor
from finbench.benchmarks.imports.onnx.grouping import chosen_borders
from finbench.benchmarks.imports.onnx.options import DEFAULT_BLOCKS, CountingUnit, DnnRequest
from finbench.benchmarks.imports.onnx.reading import shown
from finbench.models.instance import Block
from finbench.models.io import InputError

LITTLE_WORK = 1e-3
"""Part of a model's operations for which no block of its own is made, unless it is asked for."""


@dataclass(frozen=True)
class LinearHead:
    """An exit head that the model does not have: the mean over space or steps, and a linear layer."""

    tensor: Tensor
    """What it reads."""
    classes: int
    """Numbers that it answers with."""

    @property
    def channels(self) -> int:
        """Numbers that the mean leaves: along the second dimension of pictures, along the last one otherwise."""
        shape = self.tensor.shape
        return shape[1] if len(shape) > 3 else (shape or (1,))[-1]

    @property
    def work(self) -> Work:
        """What running it takes."""
        pooled = self.tensor.elements if self.tensor.elements > self.channels else 0
        return Work(self.channels * self.classes, pooled + self.classes)

    @property
    def parameter_bytes(self) -> int:
        """Memory that its weights and biases take [byte]."""
        return -(-(self.channels + 1) * self.classes * self.tensor.element_bits // 8)


@dataclass(frozen=True)
class ModelExit:
    """An exit of the model, before it is known how many samples leave there."""

    name: str
    position: int | None
    """Number of the place of the chain where its block ends; None: the end of the chain."""
    head: LinearHead | None = None


@dataclass(frozen=True)
class Layout:
    """How a chain is divided: the places that end its blocks, and its exits in their order."""

    chain: ModelChain
    borders: tuple[ChainPosition, ...]
    exits: tuple[ModelExit, ...]

    @property
    def ends(self) -> tuple[int, ...]:
        """Number of the chain's operators up to the end of each block."""
        return (*(border.after for border in self.borders), len(self.chain.operators))

    def operators(self, block: int) -> tuple[Operator, ...]:
        """Return the operators of block i = `block` (1-based)."""
        ends = (0, *self.ends)
        return self.chain.operators[ends[block - 1] : ends[block]]

    def block_of(self, leaving: ModelExit) -> int:
        """Return the number of the block (1-based) that an exit comes after."""
        if leaving.position is None:
            return len(self.ends)
        return 1 + self.borders.index(self.chain.positions[leaving.position])


def layout_of(chain: ModelChain, costs: OperatorCosts, asked: DnnRequest) -> Layout:
    """Return how the chain is divided into the blocks that are asked for.

    Raises
    ------
    InputError
        If a name is unknown or no place to cut, two exits would leave at one place, or there are fewer places than
        the number of blocks needs.
    """
    exits = _exits(chain, asked)
    places = {leaving.position for leaving in exits if leaving.position is not None}
    places |= {place_of(chain, name, "--cut") for name in asked.cuts}
    before = [0, *accumulate(map(costs.operations, chain.operators))]
    useful = _useful_places(chain, before, places, asked.bits)
    blocks = _number_of_blocks(asked, len(useful) + 1, len(places))
    work_before = [before[chain.positions[k].after] for k in useful]
    sizes = [transfer_bits(chain.positions[k].tensor, asked.bits) for k in useful]
    required = frozenset(useful.index(k) for k in places)
    borders = chosen_borders(work_before, before[-1], sizes, blocks, required)
    return Layout(chain, tuple(chain.positions[useful[k]] for k in borders), exits)


def _useful_places(chain: ModelChain, before: list[int], asked: set[int], bits: int | None) -> list[int]:
    """Return the places that are asked for, and of others with hardly any work between them the one of least bits.

    Parameters
    ----------
    chain : ModelChain
    before : list of int
        Operations before each of the chain's operators, and of them all.
    asked : set of int
        Places that are asked for.
    bits : int, optional
        Size of a floating-point number in a transfer [bit].
    """
    little = before[-1] * LITTLE_WORK
    best: list[int] = []
    begin = 0.0
    for k, position in enumerate(chain.positions):
        work = before[position.after]
        if work <= little or work >= before[-1] - little:
            continue
        if not best or work - begin > little:
            best.append(k)
            begin = work
        elif transfer_bits(position.tensor, bits) <= transfer_bits(chain.positions[best[-1]].tensor, bits):
            best[-1] = k
    return sorted(asked.union(best))


def _number_of_blocks(asked: DnnRequest, most: int, needed: int) -> int:
    if asked.blocks is None:
        return needed + 1 if asked.cuts else min(most, max(needed + 1, DEFAULT_BLOCKS))
    if asked.blocks > most:
        raise InputError("--blocks", f"{asked.blocks}: the model has places for at most {most} blocks with work")
    if asked.blocks <= needed:
        raise InputError("--blocks", f"{asked.blocks}: exits and cuts that are asked for make {needed + 1} blocks")
    return asked.blocks


def place_of(chain: ModelChain, name: str, option: str) -> int:
    """Return the number of the place of a chain that follows a tensor, or the operator that makes it.

    Raises
    ------
    InputError
        If there is no such place; the line, in the name of `option`, suggests some.
    """
    made = {each.name: each.outputs[0] for each in chain.operators}
    names = [position.tensor.name for position in chain.positions]
    for wanted in (name, made.get(name)):
        if wanted in names:
            return names.index(wanted)
    known = name in made or name in chain.graph.tensors
    why = "other tensors are alive there, or it is the end" if known else "is no tensor or operator of the model"
    near = _next_places(chain, made.get(name, name)) if known else get_close_matches(name, [*names, *made], n=1)
    hint = f"; possible near it: {', '.join(repr(shown(each)) for each in near)}" if near else ""
    raise InputError(option, f"'{shown(name)}': no place to cut: {why}{hint}")


def _next_places(chain: ModelChain, tensor: str) -> list[str]:
    """Return the tensors at the places before and after the operator that makes `tensor`."""
    at = next((k for k, operator in enumerate(chain.operators, start=1) if tensor in operator.made), 0)
    before = [each.tensor.name for each in chain.positions if each.after < at]
    after = [each.tensor.name for each in chain.positions if each.after > at]
    return [*before[-1:], *after[:1]]


def _exits(chain: ModelChain, asked: DnnRequest) -> tuple[ModelExit, ...]:
    """Return all exits in their order, the last answer among them."""
    answer = chain.graph.tensors[chain.final[0]]
    classes = prod(answer.shape[1:]) if len(answer.shape) > 1 else answer.elements
    found = [_leaving(chain, head.output, head.end) for head in chain.heads]
    for name in asked.exit_after:
        place = place_of(chain, name, "--exit-after")
        found.append(ModelExit(name, place, LinearHead(chain.positions[place].tensor, classes)))
    found.sort(key=lambda leaving: -1 if leaving.position is None else leaving.position)
    for one, two in pairwise(found):
        if one.position == two.position:
            tensor = chain.positions[one.position or 0].tensor.name
            raise InputError(
                f"exits '{shown(one.name)}' and '{shown(two.name)}'",
                f"both leave after '{shown(tensor)}': outputs that answer together are named by --final",
            )
    return (*found, ModelExit(" and ".join(chain.final), None))


def _leaving(chain: ModelChain, output: str, end: int) -> ModelExit:
    place = next((k for k, position in enumerate(chain.positions) if position.after >= end), None)
    if place is None:
        raise InputError(
            f"output '{shown(output)}'",
            "leaves where the last answer does: outputs that answer together are named by --final",
        )
    return ModelExit(output, place)


def transfer_bits(tensor: Tensor, bits: int | None) -> int:
    """Return the size of a transfer of a tensor [bit]; `bits` is that of each of its floating-point numbers."""
    return tensor.elements * (bits if bits is not None and tensor.floating else tensor.element_bits)


def blocks_of(layout: Layout, costs: OperatorCosts, asked: DnnRequest) -> tuple[Block, ...]:
    """Return the blocks, each with the heads of its exits."""
    heads = {layout.block_of(each): each.head for each in layout.exits if each.head is not None}
    answer = [layout.chain.graph.tensors[name] for name in layout.chain.final]
    leaving: list[Iterable[Tensor]] = [*((border.tensor,) for border in layout.borders), answer]
    return tuple(
        _block(layout, number, costs, heads.get(number), sum(transfer_bits(tensor, asked.bits) for tensor in tensors))
        for number, tensors in enumerate(leaving, start=1)
    )


def _block(layout: Layout, number: int, costs: OperatorCosts, head: LinearHead | None, output_bits: int) -> Block:
    operators = layout.operators(number)
    parameters = parameters_of(layout.chain.graph, operators).values()
    ops = sum(map(costs.operations, operators))
    stored = sum(tensor.stored_bytes for tensor in parameters)
    if head is not None:
        ops += head.work.macs if costs.count is CountingUnit.MACS else head.work.ops
        stored += head.parameter_bytes
    end = layout.ends[number - 1]
    name = layout.borders[number - 1].tensor.name if number <= len(layout.borders) else layout.chain.final[0]
    return Block(
        name=shown(name),
        ops=float(ops),
        output_bits=float(output_bits),
        parameter_bytes=float(stored),
        working_bytes=float(max(layout.chain.alive[end - len(operators) : end])),
    )
