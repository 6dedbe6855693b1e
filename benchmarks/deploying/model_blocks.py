"""The blocks of an imported DNN in its model: which tensors each reads, makes and answers with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finbench.benchmarks.deploying.cutting import OLDEST_FORMAT
from finbench.benchmarks.imports.onnx.building import operator_graph
from finbench.benchmarks.imports.onnx.chain import ModelChain, chain_of
from finbench.benchmarks.imports.onnx.profile import borders_of
from finbench.benchmarks.imports.onnx.reading import ModelFile, one_line, onnx_library, shown
from finbench.benchmarks.imports.onnx.shapes import data_inputs, inferred_model
from finbench.models.io import InputError

if TYPE_CHECKING:
    import onnx

    from finbench.models.instance import DNN

_MODEL = re.compile(r"^model: (.*), sha256 ([0-9a-f]{64})$", re.MULTILINE)
_INPUTS = re.compile(r"^inputs: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class ModelBlock:
    """A block of a DNN as a part of its model."""

    number: int
    """Its number i, from 1."""
    name: str
    inputs: tuple[str, ...]
    """Tensors that it reads: the border before it; of block 1 what a sample consists of."""
    outputs: tuple[str, ...]
    """Tensors at the border after it; of the last block the last answer."""
    exit_outputs: tuple[str, ...] = ()
    """What the exit after it answers with; empty where there is none, or the model does not have its head."""

    @property
    def made(self) -> tuple[str, ...]:
        """All tensors that it makes for others, each once."""
        return tuple(dict.fromkeys((*self.outputs, *self.exit_outputs)))


def model_blocks(file: ModelFile, dnn: DNN, where: Path | str) -> tuple[ModelBlock, ...]:
    """Return the blocks of a DNN as parts of the model that it was read from.

    Parameters
    ----------
    file : ModelFile
    dnn : DNN
        As `finbench import dnn` made it; shares and accuracies of its exits may have been changed.
    where : Path or str
        Where the DNN was read, named in errors.

    Raises
    ------
    InputError
        If the DNN was read from another model or from none, or does not say where the model was cut, or the model
        cannot be cut there.
    """
    _check_same_model(file, dnn, where)
    try:
        borders = borders_of(dnn)
    except ValueError as error:
        raise InputError(where, str(error)) from None
    graph = operator_graph(file, sample_shapes(file, dnn, where))
    if missing := [name for name in borders[-1] if name not in graph.outputs]:
        raise InputError(where, f"border {len(borders)}: '{shown(missing[0])}' is no output of the model")
    chain = chain_of(graph, borders[-1])
    exits = _exits_by_block(chain, _places(chain, borders[:-1], where), dnn, where)
    exits[len(borders)] = borders[-1]
    before = (graph.inputs, *borders[:-1])
    parts = zip(dnn.blocks, before, borders, strict=True)
    return tuple(
        ModelBlock(number, block.name, given, made, exits.get(number, ()))
        for number, (block, given, made) in enumerate(parts, start=1)
    )


def model_said_by(dnn: DNN, where: Path | str) -> tuple[str, str]:
    """Return file name and SHA-256 of the model that a DNN was read from; raise InputError where it does not say."""
    said = _MODEL.search(dnn.provenance)
    if said is None:
        raise InputError(
            where, f"dnn '{dnn.name}': provenance: does not name a model: read it by `finbench import dnn`"
        )
    return said.group(1), said.group(2)


def _check_same_model(file: ModelFile, dnn: DNN, where: Path | str) -> None:
    name, digest = model_said_by(dnn, where)
    if digest != file.sha256:
        raise InputError(
            where,
            f"dnn '{dnn.name}': was read from model '{name}' with sha256 {digest[:12]}…: {file.path} has "
            f"{file.sha256[:12]}…",
        )


def sample_shapes(file: ModelFile, dnn: DNN, where: Path | str) -> dict[str, tuple[int, ...]]:
    """Return the sizes of inputs that the DNN was read with, where they are others than the model says.

    Raises
    ------
    InputError
        If the DNN's provenance does not say them.
    """
    said = _INPUTS.search(dnn.provenance)
    if said is None:
        raise InputError(where, f"dnn '{dnn.name}': provenance: does not say the sizes of the model's inputs")
    rest, shapes = said.group(1), {}
    for value in data_inputs(file):
        found = re.match(rf"{re.escape(shown(value.name))} (\d+(?:x\d+)*)(?:, |$)", rest)
        if found is None:
            continue  # an input that no operator reads
        rest = rest[found.end() :]
        shape = tuple(int(each) for each in found.group(1).split("x"))
        scalar = value.type.tensor_type.HasField("shape") and not value.type.tensor_type.shape.dim
        shapes[value.name] = () if scalar and shape == (1,) else shape
    if rest:
        raise InputError(where, f"dnn '{dnn.name}': provenance: inputs: the model has none such as '{shown(rest)}'")
    return other_shapes(file, shapes)


def other_shapes(file: ModelFile, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return those of the sizes of inputs, by name, that the model itself does not say."""
    said = {
        value.name: [
            each.dim_value if each.HasField("dim_value") else None for each in value.type.tensor_type.shape.dim
        ]
        for value in data_inputs(file)
    }
    return {name: shape for name, shape in shapes.items() if said.get(name) != list(shape)}


def whole_model(file: ModelFile, shapes: Mapping[str, Sequence[int]]) -> onnx.ModelProto:
    """Return the model with its weights, samples of the given sizes, and the type and size of every tensor.

    Parameters
    ----------
    file : ModelFile
    shapes : mapping of str to sequence of int
        Sizes of inputs as `sample_shapes` returns them.

    Raises
    ------
    InputError
        If sizes do not fit, or weights that lie in files beside the model cannot be read.
    """
    library = onnx_library()
    inferred = inferred_model(file, shapes)
    model = library.ModelProto()
    model.CopyFrom(file.model)
    model.ir_version = max(model.ir_version, OLDEST_FORMAT)
    _load_weights(file, model, library)
    weights = {each.name for each in model.graph.initializer}
    inputs = [each for each in inferred.graph.input if each.name not in weights]
    for field, values in (("input", inputs), ("output", inferred.graph.output)):
        del getattr(model.graph, field)[:]
        getattr(model.graph, field).extend(values)
    del model.graph.value_info[:]
    model.graph.value_info.extend(inferred.graph.value_info)
    return model


def _load_weights(file: ModelFile, model: Any, library: Any) -> None:
    try:
        library.external_data_helper.load_external_data_for_model(model, str(file.path.parent))
    except Exception as error:  # noqa: BLE001  (the library raises errors of several kinds)
        raise InputError(file.path, f"weights in files beside it: {one_line(error)}") from None


def _places(chain: ModelChain, borders: Sequence[tuple[str, ...]], where: Path | str) -> list[int]:
    """Return the numbers of the chain's places where the blocks but the last end."""
    names = [(position.tensor.name,) for position in chain.positions]
    places: list[int] = []
    for number, border in enumerate(borders, start=1):
        if border not in names or (places and names.index(border) <= places[-1]):
            why = (
                "is no place to cut the model" if border not in names else "comes before the border of the block before"
            )
            raise InputError(where, f"border {number}: '{shown(' and '.join(border))}' {why}")
        places.append(names.index(border))
    return places


def _exits_by_block(
    chain: ModelChain, places: Sequence[int], dnn: DNN, where: Path | str
) -> dict[int, tuple[str, ...]]:
    """Return what the early exits that the model has answer with, by the number of their block."""
    found: dict[int, tuple[str, ...]] = {}
    ends = [chain.positions[place].after for place in places]
    leaving = {exit_.after_block for exit_ in dnn.exits}
    for head in chain.heads:
        block = next((number for number, end in enumerate(ends, start=1) if end >= head.end), None)
        if block is None or block not in leaving or block in found:
            raise InputError(where, f"exits: none leaves where the model's output '{shown(head.output)}' does")
        found[block] = (head.output,)
    return found
