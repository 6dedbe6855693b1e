"""An ONNX file as it stands, without what lies in other files; only what is safe to read gets past here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path, PurePosixPath
from typing import Any

from finbench.models.io import InputError, content_of

MAX_MODEL_BYTES = 2**31 - 1
"""No protobuf message is larger; larger models keep their weights in files beside."""

MAX_DIMENSIONS = 64
"""Most dimensions of a tensor; models have 2 to 6."""

_SHOWN = 80

CONTROL_FLOW = frozenset({"If", "Loop", "Scan", "SequenceMap"})
"""Kinds of operators whose work depends on the sample."""


@dataclass(frozen=True)
class ModelFile:
    """A model as its file describes it."""

    path: Path
    sha256: str
    """Of the file, which tells later whether it is still the same."""
    model: Any
    """The `onnx.ModelProto`; weights in other files are not read."""


def shown(name: str) -> str:
    """Return a name from a file for a line that people read: printable, and never long."""
    text = "".join(character if character.isprintable() else "?" for character in name)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def one_line(error: Exception) -> str:
    """Return what a library's error says as one line for people."""
    return shown(" ".join(str(error).split()))


def onnx_library() -> Any:
    """Return the library `onnx`; raise InputError where it is not installed."""
    try:
        import onnx
    except ImportError:
        raise InputError("import dnn", "needs the package onnx: pip install 'finbench[onnx]'") from None
    return onnx


def read_model(path: Path) -> ModelFile:
    """Read an ONNX file.

    Raises
    ------
    InputError
        If `onnx` is not installed, or the file cannot be read, is no ONNX model, has operators whose work depends on
        the sample, or keeps weights outside its own folder.
    """
    onnx = onnx_library()
    content = content_of(path, MAX_MODEL_BYTES)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # noqa: BLE001  (the exception's class differs between protobuf's implementations)
        raise InputError(path, f"is not an ONNX model: {type(error).__name__}") from None
    if not all(isinstance(text, str) for text in _texts(model)):
        raise InputError(path, "is not an ONNX model: a name in it is no text")
    if not model.graph.node:
        raise InputError(path, "is not an ONNX model: it has no operators")
    if model.functions:
        raise InputError(path, f"function '{shown(model.functions[0].name)}': inline functions before the import")
    for node in model.graph.node:
        _check_operator(path, node)
    for tensor in model.graph.initializer:
        _check_weight(path, tensor, onnx)
    if model.graph.sparse_initializer:
        raise InputError(path, "sparse_initializer: sparse weights are not read; store them dense")
    return ModelFile(path, hashlib.sha256(content).hexdigest(), model)


def _texts(model: Any) -> Iterator[Any]:
    """Yield every name that is read; damaged ones are bytes."""
    graph = model.graph
    yield from (function.name for function in model.functions)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        yield value.name
    for tensor in graph.initializer:
        yield from (text for entry in tensor.external_data for text in (entry.key, entry.value))


def _check_operator(path: Path, node: Any) -> None:
    name = shown(node.name or next(iter(node.output), ""))
    if node.op_type in CONTROL_FLOW:
        raise InputError(path, f"operator '{name}' ({node.op_type}): control flow: what it costs depends on the sample")
    if any(each.HasField("g") or each.graphs for each in node.attribute):
        raise InputError(path, f"operator '{name}' ({shown(node.op_type)}): has a graph inside, whose work is unknown")


def _check_weight(path: Path, tensor: Any, onnx: Any) -> None:
    """Refuse weights that lie outside the model's folder, or that have another size than they say."""
    where = f"weight '{shown(tensor.name)}'"
    if len(tensor.dims) > MAX_DIMENSIONS or any(extent < 0 for extent in tensor.dims):
        raise InputError(path, f"{where}: dims: must be at most {MAX_DIMENSIONS} numbers, none of them negative")
    elements = prod(tensor.dims)
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        if not stays_inside(location):
            raise InputError(path, f"{where}: external data in '{shown(location)}': must lie in the model's folder")
        return
    if tensor.HasField("raw_data"):
        bits = element_bits(tensor.data_type, onnx)
        if bits is not None and -(-elements * bits // 8) != len(tensor.raw_data):
            raise InputError(
                path, f"{where}: has {len(tensor.raw_data)} bytes of data: {_dims(tensor)} elements need another number"
            )
    elif elements and not _typed_length(tensor):
        raise InputError(path, f"{where}: has no data, but {_dims(tensor)} elements")


def _dims(tensor: Any) -> str:
    return shown("x".join(str(extent) for extent in tensor.dims) or "1")


def _typed_length(tensor: Any) -> int:
    fields = (tensor.float_data, tensor.int32_data, tensor.int64_data, tensor.double_data, tensor.uint64_data)
    return sum(len(field) for field in (*fields, tensor.string_data))


def stays_inside(location: str) -> bool:
    """Return whether a path is relative and does not leave the folder that it begins in."""
    path = PurePosixPath(location.replace("\\", "/"))
    inside = (
        bool(location) and not path.is_absolute() and not os.path.splitdrive(location)[0] and ".." not in path.parts
    )
    return inside and "\x00" not in location and ":" not in path.parts[0]


def element_bits(data_type: int, onnx: Any) -> int | None:
    """Return the size of one element [bit]; None for texts and unknown types."""
    name = onnx.TensorProto.DataType.Name(data_type) if data_type in onnx.TensorProto.DataType.values() else ""
    if name in ("", "UNDEFINED", "STRING"):
        return None
    for ending, bits in (("INT2", 2), ("INT4", 4), ("FLOAT4E2M1", 4)):
        if name.endswith(ending):
            return bits
    size: int = onnx.helper.tensor_dtype_to_np_dtype(data_type).itemsize
    return 8 * size
