"""A count of a model's multiply-adds, parameters and sizes of tensors, written from the definitions of its operators.

It shares nothing with the importer, and does not use the shape inference of the package `onnx`: sizes follow from the
weights and from what each operator is defined to do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, floor, prod
from typing import Any

import onnx

Shape = tuple[int, ...]


@dataclass
class Recount:
    """What was counted on the way through a model."""

    macs: int = 0
    shapes: dict[str, Shape] = field(default_factory=dict)
    values: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Of whole-number weights, which shapes are read from."""
    weights: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    @property
    def parameters(self) -> int:
        """Numbers in all weights that something reads which depends on the sample."""
        return sum(prod(self.shapes[name]) for name in self.used)


def recounted(model: Any) -> Recount:
    """Return what a model comes to."""
    found = Recount()
    for tensor in model.graph.initializer:
        found.shapes[tensor.name] = tuple(tensor.dims)
        found.weights.add(tensor.name)
        if tensor.data_type == onnx.TensorProto.INT64:
            found.values[tensor.name] = tuple(int(each) for each in onnx.numpy_helper.to_array(tensor).reshape(-1))
    for value in model.graph.input:
        if value.name not in found.weights:
            found.shapes[value.name] = tuple(each.dim_value for each in value.type.tensor_type.shape.dim)
    for node in model.graph.node:
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        shape = _shape_of(node, attributes, found)
        if node.op_type == "Conv":
            kernel = found.shapes[node.input[1]]
            found.macs += prod(shape) * kernel[1] * kernel[2] * kernel[3]
        elif node.op_type == "Gemm":
            first = found.shapes[node.input[0]]
            found.macs += prod(shape) * (first[0] if attributes.get("transA") else first[1])
        if node.op_type == "ConstantOfShape" or all(each in found.weights for each in node.input):
            found.weights.add(node.output[0])
        else:
            found.used |= {each for each in node.input if each in found.weights}
        found.shapes[node.output[0]] = shape
    return found


def _shape_of(node: Any, attributes: dict[str, Any], found: Recount) -> Shape:
    shapes = [found.shapes[each] for each in node.input]
    first, kind = shapes[0], node.op_type
    shape: Shape
    if kind in ("Relu", "LRN", "Dropout", "Softmax", "BatchNormalization"):
        shape = first
    elif kind in ("ConstantOfShape", "Reshape"):
        wanted = found.values[node.input[-1]]
        shape = wanted if kind == "ConstantOfShape" else _reshaped(first, wanted)
    elif kind in ("Mul", "Add", "Sum"):
        rank = max(map(len, shapes))
        shape = tuple(max(each) for each in zip(*[(1,) * (rank - len(s)) + s for s in shapes], strict=True))
    elif kind == "Concat":
        axis = attributes["axis"]
        shape = (*first[:axis], sum(each[axis] for each in shapes), *first[axis + 1 :])
    elif kind == "Transpose":
        shape = tuple(first[k] for k in attributes["perm"])
    elif kind == "Unsqueeze":
        axes, left = attributes.get("axes") or found.values[node.input[1]], iter(first)
        shape = tuple(1 if k in axes else next(left) for k in range(len(first) + len(axes)))
    elif kind == "Gemm":
        shape = first[1 if attributes.get("transA") else 0], shapes[1][0 if attributes.get("transB") else 1]
    elif kind == "GlobalAveragePool":
        shape = (*first[:2], *[1] * (len(first) - 2))
    else:
        assert kind in ("Conv", "MaxPool", "AveragePool"), kind
        kernel = shapes[1][2:] if kind == "Conv" else attributes["kernel_shape"]
        shape = first[0], shapes[1][0] if kind == "Conv" else first[1], *_windows(first[2:], kernel, attributes)
    return shape


def _reshaped(shape: Shape, wanted: tuple[int, ...]) -> Shape:
    made = [shape[k] if extent == 0 else extent for k, extent in enumerate(wanted)]
    known = prod(each for each in made if each != -1)
    return tuple(prod(shape) // known if each == -1 else each for each in made)


def _windows(shape: Shape, kernel: Shape, attributes: dict[str, Any]) -> Shape:
    """Return how often a window fits along each dimension."""
    count = len(shape)
    assert attributes.get("auto_pad", b"NOTSET") == b"NOTSET"
    pads = attributes.get("pads", [0] * 2 * count)
    strides = attributes.get("strides", [1] * count)
    spread = attributes.get("dilations", [1] * count)
    rounded = ceil if attributes.get("ceil_mode") else floor
    return tuple(
        rounded((shape[k] + pads[k] + pads[k + count] - spread[k] * (kernel[k] - 1) - 1) / strides[k]) + 1
        for k in range(count)
    )
