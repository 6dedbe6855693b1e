"""ONNX Runtime: models as sessions that run samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finbench.benchmarks.deploying.manifest import TensorSpec
from finbench.benchmarks.imports.onnx.reading import one_line, shown
from finbench.models.io import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = Mapping[str, NDArray[np.generic]]

_ERRORS_ALONE = 3


def onnxruntime_library() -> Any:
    """Return the library `onnxruntime`; raise InputError where it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        raise InputError("onnxruntime", "is not installed: pip install 'finbench[onnxruntime]'") from None
    return onnxruntime


class RunningModel:
    """A model that is loaded and can be run, also from several threads."""

    def __init__(self, content: bytes, where: Path | str, *, threads: int = 1) -> None:
        """Load a model.

        Parameters
        ----------
        content : bytes
            Of its file.
        where : Path or str
            Where it comes from, named in errors.
        threads : int
            Threads that run one operator.

        Raises
        ------
        InputError
            If ONNX Runtime is not installed or does not take the model.
        """
        library = onnxruntime_library()
        options = library.SessionOptions()
        options.log_severity_level = _ERRORS_ALONE
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._where = where
        try:
            self._session = library.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001  (the library raises errors of its own and of C++)
            raise InputError(where, f"ONNX Runtime refuses it: {one_line(error)}") from None

    def check(self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> None:
        """Refuse a model that reads other tensors than `inputs`, or lacks one of `outputs`."""
        reads = {each.name for each in self._session.get_inputs()}
        makes = {each.name for each in self._session.get_outputs()}
        for name in sorted(reads.symmetric_difference(each.name for each in inputs)):
            raise InputError(self._where, f"lacks tensor '{shown(name)}': its inputs are not those of the manifest")
        for name in (each.name for each in outputs if each.name not in makes):
            raise InputError(self._where, f"lacks tensor '{shown(name)}' among its outputs")

    def run(self, values: Values, outputs: Sequence[str]) -> dict[str, NDArray[np.generic]]:
        """Return the named outputs for the values of the inputs."""
        return dict(zip(outputs, self._session.run(list(outputs), dict(values)), strict=True))
