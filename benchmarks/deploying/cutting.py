"""A part of a model as a model of its own: from tensors where the model is cut to others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from finbench.benchmarks.imports.onnx.building import OF_SHAPES_ALONE
from finbench.benchmarks.imports.onnx.reading import onnx_library, shown
from finbench.models.io import InputError

if TYPE_CHECKING:
    import onnx

CUT = "cut"
"""Stands in errors where the name of a file would."""

OLDEST_FORMAT = 4
"""Format of ONNX since which weights need not be listed among the inputs."""


def cut(model: onnx.ModelProto, inputs: Sequence[str], outputs: Sequence[str]) -> onnx.ModelProto:
    """Return the part of a model that makes the tensors `outputs` from the tensors `inputs`, as a model of its own.

    Weights and operators on constants are copied as far as the part needs them; names, types and sizes stay as they
    are. An operator that asks for the size of a tensor becomes a constant where that size is known, so that no part
    needs a tensor for its size alone.

    Parameters
    ----------
    model : onnx.ModelProto
        With its weights inside. Tensors where it is cut must have a type that the model says or that follows.
    inputs : sequence of str
        Tensors that the part is given.
    outputs : sequence of str
        Tensors that the part makes.

    Raises
    ------
    InputError
        If a tensor is unknown, stands twice, is both given and made, or the part needs an input of the model that it
        is not given.
    """
    library = onnx_library()
    _check_names(model, inputs, outputs)
    types = _types_of(model, {*inputs, *outputs}, library)
    for name in (*inputs, *outputs):
        if name not in types:
            raise InputError(CUT, f"tensor '{shown(name)}': the model says no type and size of it")
    sizes = _known_sizes(model, types, library)
    nodes, weights = _needed(model, inputs, outputs, sizes.keys())
    part = library.ModelProto()
    part.ir_version = max(model.ir_version, OLDEST_FORMAT)
    part.opset_import.extend(model.opset_import)
    part.graph.name = model.graph.name or "part"
    part.graph.node.extend(nodes)
    part.graph.initializer.extend(each for each in model.graph.initializer if each.name in weights)
    part.graph.initializer.extend(sizes[name] for name in sorted(weights & sizes.keys()))
    part.graph.input.extend(types[name] for name in inputs)
    part.graph.output.extend(types[name] for name in outputs)
    made = {name for node in nodes for name in node.output}
    part.graph.value_info.extend(each for each in model.graph.value_info if each.name in made - set(outputs))
    return part


def _check_names(model: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Refuse tensors that the model does not have, that stand twice, or that would only pass through."""
    flowing = {name for node in model.graph.node for name in node.output if name}
    known = flowing.union(each.name for each in model.graph.input)
    for end, names, there in (("inputs", inputs, known), ("outputs", outputs, flowing)):
        if not names and end == "outputs":
            raise InputError(CUT, "outputs: must name at least one tensor")
        for name in names:
            if name not in there:
                raise InputError(CUT, f"{end}: '{shown(name)}' is no tensor of the model that a part can have there")
            if list(names).count(name) > 1:
                raise InputError(CUT, f"{end}: '{shown(name)}' stands twice")
    for name in set(inputs).intersection(outputs):
        raise InputError(CUT, f"'{shown(name)}' is both an input and an output")


def _types_of(model: Any, wanted: Iterable[str], library: Any) -> dict[str, Any]:
    """Return the description of every tensor that has one, by name; inference fills in where a wanted one lacks it."""
    types = _described(model.graph)
    if all(name in types for name in wanted):
        return types
    inferred = library.shape_inference.infer_shapes(model, data_prop=True)
    return _described(inferred.graph) | types


def _described(graph: Any) -> dict[str, Any]:
    values = (*graph.value_info, *graph.input, *graph.output)
    return {each.name: each for each in values if _has_size(each) and each.type.tensor_type.elem_type}


def _has_size(value: Any) -> bool:
    return bool(value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape"))


def _known_sizes(model: Any, types: dict[str, Any], library: Any) -> dict[str, Any]:
    """Return what operators that ask for the size of a tensor would answer, as constants by name, where it is known."""
    import numpy as np

    found = {}
    for node in model.graph.node:
        if node.op_type not in OF_SHAPES_ALONE or node.domain or node.input[0] not in types:
            continue
        dims = types[node.input[0]].type.tensor_type.shape.dim
        if any(each.WhichOneof("value") != "dim_value" for each in dims):
            continue
        bounds = {each.name: each.i for each in node.attribute}
        shape = np.array([each.dim_value for each in dims], np.int64)
        value = shape[bounds.get("start") : bounds.get("end")] if node.op_type == "Shape" else np.prod(shape)
        found[node.output[0]] = library.numpy_helper.from_array(np.asarray(value, np.int64), node.output[0])
    return found


def _needed(
    model: Any, inputs: Sequence[str], outputs: Sequence[str], constants: Iterable[str]
) -> tuple[list[Any], set[str]]:
    """Return the operators that a part consists of, in the model's order, and the names of constants that it reads."""
    maker = {name: k for k, node in enumerate(model.graph.node) for name in node.output if name}
    ends = {each.name for each in model.graph.initializer}.union(constants)
    numbers: set[int] = set()
    weights: set[str] = set()
    seen = set(inputs)
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if not name or name in seen:
            continue
        seen.add(name)
        if name in ends:
            weights.add(name)
        elif name in maker:
            numbers.add(maker[name])
            waiting += model.graph.node[maker[name]].input
        else:
            raise InputError(CUT, f"'{shown(name)}': the part needs this tensor, which it is not given")
    return [model.graph.node[k] for k in sorted(numbers)], weights
