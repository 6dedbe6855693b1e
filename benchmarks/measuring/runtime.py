"""ONNX Runtime: a model, loaded to be run for its outputs on one processor."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finbench.benchmarks.deploying.runtime import onnxruntime_library
from finbench.benchmarks.imports.onnx.reading import one_line
from finbench.models.io import InputError

Arrays = Mapping[str, NDArray[Any]]
"""Tensors by name."""

Run = Callable[[Arrays], list[NDArray[Any]]]
"""Runs a loaded model on its inputs and returns its outputs in their order."""


def check_threads(threads: int) -> None:
    """Refuse more threads than this process has cores: they would wait for each other."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads > cores:
        raise InputError("--threads", f"{threads}: must be at most the cores that there are ({cores})")


def loaded_model(model: Any, threads: int, about: str) -> Run:
    """Load a model for the processor.

    Parameters
    ----------
    model : onnx.ModelProto
    threads : int
        Threads that one operator may use; operators run one after the other.
    about : str
        What it is, for the line of an error.

    Raises
    ------
    InputError
        If the library is not installed, or cannot load the model.
    """
    library = onnxruntime_library()
    options = library.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = library.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4  # what is wrong is raised as well
    # Threads of one block that spin while they wait would take the cores from the next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = library.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  (the library raises classes of its own, derived from Exception alone)
        raise InputError(about, f"ONNX Runtime does not load it: {one_line(error)}") from None
    outputs = [each.name for each in session.get_outputs()]
    read = {each.name for each in session.get_inputs()}

    def run(given: Arrays) -> list[NDArray[Any]]:
        try:
            made = session.run(outputs, {name: array for name, array in given.items() if name in read})
        except Exception as error:  # noqa: BLE001  (as above)
            raise InputError(about, f"ONNX Runtime does not run it: {one_line(error)}") from None
        return [np.asarray(array) for array in made]

    return run
