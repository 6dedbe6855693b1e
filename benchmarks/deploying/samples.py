"""Samples that parts are run on: drawn at random, or from a file of arrays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from finbench.benchmarks.deploying.manifest import TensorSpec
from finbench.benchmarks.imports.onnx.reading import shown
from finbench.models.io import InputError, content_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sample = dict[str, NDArray[np.generic]]

MOST_INPUT_BYTES = 2**30
"""Largest file of samples that is read, packed or unpacked."""


def random_samples(specs: Sequence[TensorSpec], number: int, seed: int) -> list[Sample]:
    """Return samples of normally distributed numbers, and of zeros and ones where elements are whole."""
    import numpy as np

    draw = np.random.default_rng(seed)

    def values(spec: TensorSpec) -> NDArray[np.generic]:
        if spec.dtype.startswith("float"):
            return draw.normal(size=spec.shape).astype(spec.dtype)
        return draw.integers(0, 2, spec.shape).astype(spec.dtype)

    return [{spec.name: values(spec) for spec in specs} for _ in range(number)]


def read_samples(path: Path, specs: Sequence[TensorSpec]) -> list[Sample]:
    """Return the samples in an `.npz` file: for each input an array of its name, whose first dimension counts samples.

    Where an input's own first dimension is 1, it may be left out.

    Raises
    ------
    InputError
        If the file cannot be read, or its arrays are not those of the inputs.
    """
    arrays = _arrays(path)
    if arrays.keys() != {spec.name for spec in specs}:
        wanted = ", ".join(shown(spec.name) for spec in specs)
        raise InputError(
            path, f"arrays {', '.join(map(shown, arrays)) or 'none'}: must be those of the inputs: {wanted}"
        )
    stacked = {spec.name: _stacked(path, arrays[spec.name], spec) for spec in specs}
    numbers = {array.shape[0] for array in stacked.values()}
    if len(numbers) != 1 or 0 in numbers:
        raise InputError(path, "arrays: must hold the same number of samples, and at least one")
    return [{name: array[k] for name, array in stacked.items()} for k in range(numbers.pop())]


def _arrays(path: Path) -> Sample:
    import numpy as np

    content = io.BytesIO(content_of(path, MOST_INPUT_BYTES))
    try:
        with zipfile.ZipFile(content) as packed:
            if sum(each.file_size for each in packed.infolist()) > MOST_INPUT_BYTES:
                raise InputError(path, f"arrays: must have at most {MOST_INPUT_BYTES} bytes")
        with np.load(content, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except InputError:
        raise
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(path, f"is no .npz file of arrays: {type(error).__name__}") from None


def _stacked(path: Path, array: NDArray[np.generic], spec: TensorSpec) -> NDArray[np.generic]:
    import numpy as np

    whole = array.shape[1:] == spec.shape and array.ndim > 0
    without_first = spec.shape[:1] == (1,) and array.ndim > 0 and array.shape[1:] == spec.shape[1:]
    if not (whole or without_first) or not np.can_cast(array.dtype, spec.dtype, "same_kind"):
        size = "x".join(map(str, array.shape))
        wanted = "x".join(("N", *map(str, spec.shape)))
        raise InputError(path, f"array '{shown(spec.name)}': is {array.dtype} {size}: must be {spec.dtype} {wanted}")
    return array.reshape((array.shape[0], *spec.shape)).astype(spec.dtype)
