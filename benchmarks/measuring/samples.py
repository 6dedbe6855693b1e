"""Samples that a model is measured on: drawn at random, or from a file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finbench.benchmarks.imports.onnx.reading import MAX_MODEL_BYTES, onnx_library, shown
from finbench.models.io import InputError, content_of

DRAWN = 4
"""Samples that are drawn where none are given, to be used in turn."""

Sample = dict[str, NDArray[Any]]
"""The model's inputs by name."""


def random_samples(model: Any, seed: int) -> list[Sample]:
    """Return samples of standard normal numbers; of whole numbers and truths, zeros and ones.

    Parameters
    ----------
    model : onnx.ModelProto
        With weights and sizes, as `deploying.model_blocks.whole_model` returns it.
    seed : int

    Raises
    ------
    InputError
        If a size is left open, or an input is no tensor of numbers.
    """
    rng = np.random.default_rng(seed)
    sizes = [(value.name, _shape(value), _type(value)) for value in model.graph.input]
    return [{name: _drawn(rng, shape, kind) for name, shape, kind in sizes} for _ in range(DRAWN)]


def given_samples(model: Any, path: Path) -> list[Sample]:
    """Return the samples of a file of arrays (.npz), one array for each input of the model, named like it.

    An array has the input's shape, or more along its first dimension: these are samples to be used in turn.

    Raises
    ------
    InputError
        If the file cannot be read, lacks an input, or an array has another shape or type.
    """
    arrays = _arrays(path)
    values = {value.name: value for value in model.graph.input}
    for name in values:
        if name not in arrays:
            raise InputError(path, f"has no array '{shown(name)}', which the model reads; inputs: {_listed(values)}")
    parts = {name: list(_cut_in_samples(path, value, arrays[name])) for name, value in values.items()}
    numbers = {len(each) for each in parts.values()}
    if len(numbers) != 1:
        raise InputError(path, f"arrays have different numbers of samples: {', '.join(map(str, sorted(numbers)))}")
    return [dict(zip(parts, together, strict=True)) for together in zip(*parts.values(), strict=True)]


def _cut_in_samples(path: Path, value: Any, array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    shape, kind = _shape(value), _type(value)
    where = f"array '{shown(value.name)}'"
    if array.dtype != kind:
        raise InputError(path, f"{where}: holds {array.dtype}: the model reads {kind}")
    if array.shape == shape:
        yield array
        return
    first = shape[0] if shape else 0
    alike = array.ndim == len(shape) and array.shape[1:] == shape[1:] and first > 0
    if not alike or not len(array) or len(array) % first:
        raise InputError(path, f"{where}: has shape {_sizes(array.shape)}: the model reads {_sizes(shape)}")
    yield from (np.ascontiguousarray(array[k : k + first]) for k in range(0, len(array), first))


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    content_of(path, MAX_MODEL_BYTES)
    try:
        with np.load(path, allow_pickle=False) as stored:
            if not isinstance(stored, np.lib.npyio.NpzFile):
                raise InputError(path, "is no .npz file")
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(path, f"is no .npz file of arrays: {shown(' '.join(str(error).split()))}") from None


def _drawn(rng: np.random.Generator, shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
    if kind.kind == "f":
        return rng.standard_normal(shape).astype(kind)
    return rng.integers(0, 2, shape).astype(kind)


def _shape(value: Any) -> tuple[int, ...]:
    dims = value.type.tensor_type.shape.dim
    if not value.type.tensor_type.HasField("shape") or any(each.WhichOneof("value") != "dim_value" for each in dims):
        raise InputError(f"input '{shown(value.name)}'", "its size is left open: fix the shapes of the model")
    return tuple(each.dim_value for each in dims)


def _type(value: Any) -> np.dtype[Any]:
    onnx = onnx_library()
    try:
        kind: np.dtype[Any] = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))
    except (KeyError, TypeError):
        kind = np.dtype(object)
    if kind.kind not in "fiub":
        raise InputError(f"input '{shown(value.name)}'", "is no tensor of numbers")
    return kind


def _listed(names: dict[str, Any]) -> str:
    return ", ".join(shown(each) for each in names)


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "of one number"
