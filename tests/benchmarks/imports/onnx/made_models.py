"""Small models that tests build, and the architectures that the package `onnx` ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"

Shape = Sequence[int | str]


def light(name: str) -> Path:
    """Return the file of an architecture of the package `onnx`."""
    return LIGHT / f"light_{name}.onnx"


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    """Return an operator; its tensors are separated by spaces, and `-` stands for one that is left out."""
    names = [[("" if each == "-" else each) for each in text.split()] for text in (inputs, outputs)]
    return onnx.helper.make_node(kind, *names, name=f"{kind}-{outputs.split(maxsplit=1)[0]}", **attributes)


def weight(name: str, *shape: int) -> Any:
    """Return a parameter of ones."""
    return onnx.numpy_helper.from_array(np.ones(shape, np.float32), name)


def whole(name: str, *values: int) -> Any:
    """Return a parameter of whole numbers."""
    return onnx.numpy_helper.from_array(np.array(values, np.int64), name)


def tensor(name: str, shape: Shape, kind: int = 1) -> Any:
    """Return the description of an input or output; 1 is the kind of 32-bit floating-point numbers."""
    return onnx.helper.make_tensor_value_info(name, kind, list(shape))


def model(
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[str],
    weights: Sequence[Any] = (),
    opset: int = 17,
) -> Any:
    """Return a model whose outputs have sizes that inference must find."""
    answers = [onnx.ValueInfoProto(name=name) for name in outputs]
    for each in answers:
        each.type.tensor_type.elem_type = 1
    graph = onnx.helper.make_graph(list(nodes), "made", list(inputs), answers, list(weights))
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])


def saved(made: Any, path: Path) -> Path:
    """Write a model and return its path."""
    path.write_bytes(made.SerializeToString())
    return path


def two_exits() -> Any:
    """Return a model of three convolutions with an exit head after the first, and one after the second."""
    nodes = [
        node("Conv", "x w1 -", "a", pads=[1, 1, 1, 1]),
        node("Relu", "a", "b"),
        node("GlobalAveragePool", "b", "p1"),
        node("Flatten", "p1", "f1"),
        node("Gemm", "f1 h1 c1", "early"),
        node("Conv", "b w2 -", "c", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("Relu", "c", "d"),
        node("GlobalAveragePool", "d", "p2"),
        node("Flatten", "p2", "f2"),
        node("Gemm", "f2 h2 c2", "middle"),
        node("Conv", "d w3 -", "e", pads=[1, 1, 1, 1]),
        node("GlobalAveragePool", "e", "p3"),
        node("Flatten", "p3", "f3"),
        node("Gemm", "f3 h3 c3", "late"),
    ]
    weights = [weight("w1", 4, 3, 3, 3), weight("w2", 8, 4, 3, 3), weight("w3", 16, 8, 3, 3)]
    weights += [weight(f"h{k}", channels, 10) for k, channels in ((1, 4), (2, 8), (3, 16))]
    weights += [weight(f"c{k}", 10) for k in (1, 2, 3)]
    return model(nodes, [tensor("x", (1, 3, 16, 16))], ["late", "early", "middle"], weights)
