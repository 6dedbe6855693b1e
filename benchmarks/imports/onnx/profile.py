"""A model in ONNX as a DNN, with a provenance that says how its numbers came about and where the model was cut."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from finbench.benchmarks.imports.onnx.blocks import Layout, blocks_of, layout_of, transfer_bits
from finbench.benchmarks.imports.onnx.building import operator_graph
from finbench.benchmarks.imports.onnx.chain import chain_of, most_worked_for
from finbench.benchmarks.imports.onnx.costs import OperatorCosts, costs_of, parameters_of
from finbench.benchmarks.imports.onnx.options import CountingUnit, DnnRequest
from finbench.benchmarks.imports.onnx.reading import ModelFile, read_model, shown
from finbench.models.instance import DNN, Exit
from finbench.models.io import InputError, validate
from finbench.models.remarks import PLACEHOLDER

WHAT_COUNTS = {
    CountingUnit.MACS: "a multiply-add is 1 operation; additions, comparisons and functions alone count nothing",
    CountingUnit.OPS: "a multiply-add is 2 operations; an addition, product, comparison or function of one number is 1",
}

BORDER = "border "
"""Begins the line of a provenance that says, after a block's number, which tensors leave it."""


@dataclass(frozen=True)
class Analysis:
    """A model taken apart: its file, what each operator costs, and how it is divided."""

    file: ModelFile
    costs: OperatorCosts
    layout: Layout

    @property
    def operations(self) -> int:
        """Operations of the whole model, heads that were added left out."""
        return sum(map(self.costs.operations, self.layout.chain.operators))

    @property
    def parameters(self) -> int:
        """Number of the model's parameters."""
        return sum(
            each.elements for each in parameters_of(self.layout.chain.graph, self.layout.chain.operators).values()
        )


def analysed(path: Path, asked: DnnRequest) -> Analysis:
    """Return a model taken apart.

    Raises
    ------
    InputError
        If it cannot be read or counted, or what is asked for does not go with it.
    """
    file = read_model(path)
    graph = operator_graph(file, asked.input_shapes)
    costs = costs_of(path, graph, asked.count)
    for name in asked.final:
        if name not in graph.outputs:
            known = ", ".join(shown(each) for each in graph.outputs)
            raise InputError("--final", f"'{shown(name)}': is no output of the model, which has {known}")
    final = asked.final or (most_worked_for(graph, [costs.operations(each) for each in graph.operators]),)
    return Analysis(file, costs, layout_of(chain_of(graph, final), costs, asked))


def dnn_of(analysis: Analysis, asked: DnnRequest) -> DNN:
    """Return the DNN of a model; shares and accuracies of its exits are placeholders that its provenance names."""
    layout = analysis.layout
    graph = layout.chain.graph
    blocks = blocks_of(layout, analysis.costs, asked)
    total = sum(block.ops for block in blocks)
    exits, done = [], 0.0
    for k, leaving in enumerate(layout.exits, start=1):
        block = layout.block_of(leaving)
        done = sum(each.ops for each in blocks[:block]) / total if total else 1.0
        # Equal shares; the deeper the exit, the more often right: no fact, but an instance that can be solved.
        exits.append(
            Exit(
                name=shown(leaving.name),
                after_block=block,
                exit_fraction=1 / len(layout.exits),
                accuracy=1.0 if k == len(layout.exits) else round(0.5 + 0.4 * done, 4),
            )
        )
    parts = {
        "name": asked.name if asked.name is not None else shown(analysis.file.path.stem) or "model",
        "provenance": "\n".join([*_facts(analysis, asked), *_borders(layout), *_placeholders(layout)]),
        "input_bits": float(sum(transfer_bits(graph.tensors[name], asked.input_bits) for name in graph.inputs)),
        "blocks": blocks,
        "exits": tuple(exits),
    }
    return validate(parts, DNN, analysis.file.path)


def _facts(analysis: Analysis, asked: DnnRequest) -> list[str]:
    graph = analysis.layout.chain.graph
    inputs = [f"{shown(name)} {'x'.join(map(str, graph.tensors[name].shape)) or '1'}" for name in graph.inputs]
    heads = [f"'{shown(leaving.name)}'" for leaving in analysis.layout.exits if leaving.head]
    stored = "as the model stores them"
    lines = [
        f"model: {shown(analysis.file.path.name)}, sha256 {analysis.file.sha256}",
        f"inputs: {', '.join(inputs)}",
        f"count: {asked.count}: {WHAT_COUNTS[asked.count]}",
        f"totals: {analysis.operations} operations, {analysis.parameters} parameters",
        f"sizes: floating-point numbers of transfers {f'at {asked.bits} bit' if asked.bits else stored}, "
        f"of the sample {f'at {asked.input_bits} bit' if asked.input_bits else stored}, parameters {stored}",
    ]
    if heads:
        lines.append(f"added heads: a mean and a linear layer each, which the model does not have: {', '.join(heads)}")
    return lines


def _borders(layout: Layout) -> list[str]:
    leaving = [*((border.tensor.name,) for border in layout.borders), layout.chain.final]
    return [f"{BORDER}{number}: {_written(tuple(names))}" for number, names in enumerate(leaving, start=1)]


def _written(names: tuple[str, ...]) -> str:
    """Return names of tensors as a line of a provenance has them: plainly where that is one plain name."""
    plain = len(names) == 1 and shown(names[0]) == names[0].strip() == names[0] and names[0][:1] not in ("", "[")
    return names[0] if plain else json.dumps(names)


def _placeholders(layout: Layout) -> list[str]:
    accuracies = "exit_fraction and accuracy of its exits are" if len(layout.exits) > 1 else "accuracy of its exit is"
    return [f"{PLACEHOLDER}{accuracies} made up; measure and replace, or give --exits"]


def borders_of(dnn: DNN) -> tuple[tuple[str, ...], ...]:
    """Return for each block of an imported DNN the tensors of its model that leave it.

    Raises
    ------
    ValueError
        If its provenance does not say them for every block.
    """
    found: dict[int, tuple[str, ...]] = {}
    for line in dnn.provenance.splitlines():
        if line.startswith(BORDER):
            number, _, names = line.removeprefix(BORDER).partition(": ")
            found[int(number)] = tuple(json.loads(names)) if names.startswith("[") else (names,)
    if sorted(found) != list(range(1, len(dnn.blocks) + 1)):
        raise ValueError(f"dnn '{dnn.name}': provenance: does not say where its model was cut")
    return tuple(found[number] for number in range(1, len(dnn.blocks) + 1))
