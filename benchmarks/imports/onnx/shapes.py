"""Sizes of a model's tensors: those that its file gives, its inputs as asked for, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from finbench.benchmarks.imports.onnx.graph import Tensor
from finbench.benchmarks.imports.onnx.reading import (
    MAX_DIMENSIONS,
    ModelFile,
    element_bits,
    one_line,
    onnx_library,
    shown,
)
from finbench.models.io import InputError

SMALL_WEIGHT = 1024
"""Elements up to which a weight's values are kept for inference: they may be the shape that an operator asks for."""

MAX_ELEMENTS = 2**50
"""Elements of the largest tensor that is believed; a float counts that many exactly, with room for sums."""


def inferred_model(file: ModelFile, input_shapes: Mapping[str, Sequence[int]]) -> Any:
    """Return the model without its large weights, with the type and size of each tensor that follow from its inputs'.

    Parameters
    ----------
    file : ModelFile
    input_shapes : mapping of str to sequence of int
        Sizes of inputs, by name; under the name `""` that of the only input. The first dimension of an input that
        leaves it open is the number of samples, 1.

    Raises
    ------
    InputError
        If an input is unknown or has another number of dimensions, or inference ends in a contradiction.
    """
    onnx = onnx_library()
    model = _without_weights(file.model, onnx)
    weights = {tensor.name for tensor in file.model.graph.initializer}
    _set_inputs(file, model, [each for each in model.graph.input if each.name not in weights], input_shapes)
    try:
        return onnx.shape_inference.infer_shapes(model, check_type=False, strict_mode=False, data_prop=True)
    except Exception as error:  # noqa: BLE001  (the library raises errors of its own and of C++)
        raise InputError(file.path, f"shape inference: {one_line(error)}") from None


def tensors_of(file: ModelFile, input_shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor | None]:
    """Return every tensor of a model by name, None where its size does not follow from the inputs' sizes.

    Sizes of inputs are given, and errors raised, as by `inferred_model`.
    """
    onnx = onnx_library()
    inferred = inferred_model(file, input_shapes)
    tensors: dict[str, Tensor | None] = {}
    for value in (*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input):
        tensors[value.name] = _tensor(file, value, onnx) or tensors.get(value.name)
    for tensor in file.model.graph.initializer:
        tensors[tensor.name] = _known(file, tensor.name, tuple(tensor.dims), tensor.data_type, onnx)
    return tensors


def data_inputs(file: ModelFile) -> list[Any]:
    """Return the model's inputs that are no weights: old models list weights among their inputs."""
    weights = {tensor.name for tensor in file.model.graph.initializer}
    return [each for each in file.model.graph.input if each.name not in weights]


def _without_weights(model: Any, onnx: Any) -> Any:
    """Return a copy for inference: of large weights the sizes alone."""
    copy = onnx.ModelProto()
    copy.ir_version = model.ir_version
    copy.opset_import.extend(model.opset_import)
    copy.graph.name = "model"
    for field in ("node", "input", "output", "value_info"):
        getattr(copy.graph, field).extend(getattr(model.graph, field))
    listed = {each.name for each in model.graph.input}
    for tensor in model.graph.initializer:
        if prod(tensor.dims) <= SMALL_WEIGHT and tensor.data_location != onnx.TensorProto.EXTERNAL:
            copy.graph.initializer.add().CopyFrom(tensor)
        elif tensor.name not in listed:
            copy.graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            )
    return copy


def _set_inputs(file: ModelFile, model: Any, inputs: list[Any], wanted: Mapping[str, Sequence[int]]) -> None:
    """Give the inputs the sizes that are asked for; sizes of other tensors that the file gives are then forgotten."""
    names = [each.name for each in inputs]
    said = {names[0] if not name and len(names) == 1 else name: shape for name, shape in wanted.items()}
    for name in said:
        if name not in names:
            of_several = "the model has several inputs, so name one" if not name else f"'{shown(name)}' is no input"
            raise InputError("--input-shape", f"{of_several}: {', '.join(shown(each) for each in names)}")
    for value in inputs:
        dims = value.type.tensor_type.shape.dim
        shape = said.get(value.name)
        if shape is not None and len(shape) != len(dims) and value.type.tensor_type.HasField("shape"):
            raise InputError(
                "--input-shape", f"'{shown(value.name)}' has {len(dims)} dimensions in {file.path}, not {len(shape)}"
            )
        if shape is not None:
            _set(value, shape)
        elif dims and dims[0].WhichOneof("value") != "dim_value":
            dims[0].dim_value = 1
    if said:
        del model.graph.value_info[:]
        for value in model.graph.output:
            value.type.tensor_type.ClearField("shape")


def _set(value: Any, shape: Sequence[int]) -> None:
    del value.type.tensor_type.shape.dim[:]
    for extent in shape:
        value.type.tensor_type.shape.dim.add().dim_value = extent


def _tensor(file: ModelFile, value: Any, onnx: Any) -> Tensor | None:
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    if any(each.WhichOneof("value") != "dim_value" for each in kind.shape.dim):
        return None
    return _known(file, value.name, tuple(each.dim_value for each in kind.shape.dim), kind.elem_type, onnx)


def _known(file: ModelFile, name: str, shape: tuple[int, ...], data_type: int, onnx: Any) -> Tensor | None:
    bits = element_bits(data_type, onnx)
    if bits is None:
        return None
    if len(shape) > MAX_DIMENSIONS or any(extent < 0 for extent in shape):
        rule = f"must have at most {MAX_DIMENSIONS} dimensions, none of them negative"
        raise InputError(file.path, f"tensor '{shown(name)}': {rule}")
    floating = "FLOAT" in (kind := onnx.TensorProto.DataType.Name(data_type)) or kind == "DOUBLE"
    tensor = Tensor(name, shape, bits, floating, constant=False)
    if tensor.elements > MAX_ELEMENTS:
        raise InputError(file.path, f"tensor '{shown(name)}': has more than 2^50 elements")
    return tensor
