"""The blocks of a model, measured one by one on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finbench.benchmarks.deploying.cutting import cut
from finbench.benchmarks.deploying.model_blocks import ModelBlock, model_blocks, sample_shapes, whole_model
from finbench.benchmarks.deploying.samples import random_samples, read_samples
from finbench.benchmarks.deploying.splitting import tensor_spec
from finbench.benchmarks.imports.onnx.reading import read_model, shown
from finbench.benchmarks.measuring.energy import Counters, energy_counters, energy_of
from finbench.benchmarks.measuring.heads import head_inputs
from finbench.benchmarks.measuring.options import POWERCAP, ProfileOptions
from finbench.benchmarks.measuring.runtime import Arrays, Run, check_threads, loaded_model
from finbench.benchmarks.measuring.timing import RunTimes, run_times
from finbench.models.instance import DNN
from finbench.models.io import InputError

WHOLE = "whole model"

DRAWN = 4
"""Samples that are drawn where none are given, to be used in turn."""

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class BlockProfile:
    """What was measured of one block."""

    block: ModelBlock
    times: RunTimes
    """Of the block with the head of its exit."""
    head: RunTimes | None
    """Of the head alone; None where the block has none, or the model does not have it."""
    energy_j: float | None
    """Energy of one run of the block with the head [J]; None where the machine does not tell it."""


@dataclass(frozen=True)
class ModelProfile:
    """What was measured of a model."""

    dnn: DNN
    model: Path
    options: ProfileOptions
    inputs: Path | None
    """File of the samples; None: they were drawn."""
    blocks: tuple[BlockProfile, ...]
    whole: RunTimes
    """Times of the model as it is, not cut."""
    counters: Counters
    missing_heads: tuple[str, ...]
    """Names of exits whose heads the model does not have, so that no block's time holds them."""

    @property
    def together_s(self) -> float:
        """The blocks' medians together [s]."""
        return sum(each.times.median_s for each in self.blocks)

    @property
    def busy(self) -> tuple[int, ...]:
        """Numbers of the blocks whose times spread as on a busy machine."""
        return tuple(each.block.number for each in self.blocks if each.times.busy)


def profiled(
    path: Path,
    dnn: DNN,
    where: Path | str,
    options: ProfileOptions,
    inputs: Path | None = None,
    told: Told = lambda _done, _all: None,
    powercap: Path = POWERCAP,
) -> ModelProfile:
    """Measure the blocks of a model, and the heads of its exits, each as a model of its own.

    Parameters
    ----------
    path : Path
        The model in ONNX.
    dnn : DNN
        As `finbench import dnn` made it from the model.
    where : Path or str
        Where the DNN was read, named in errors.
    options : ProfileOptions
    inputs : Path, optional
        Samples as a file of arrays (.npz); left out: drawn.
    told : callable
        Told how many of how many passes are done.
    powercap : Path
        Where the system shows energy counters.

    Raises
    ------
    InputError
        If ONNX or ONNX Runtime is missing, there are fewer cores than threads, the DNN was read from another model, the
        model leaves sizes open, its weights cannot be read, the samples do not fit, or ONNX Runtime cannot run it.
    """
    check_threads(options.threads)
    file = read_model(path)
    blocks = model_blocks(file, dnn, where)
    model = whole_model(file, sample_shapes(file, dnn, where))
    specs = [tensor_spec(value, path) for value in model.graph.input]
    samples = random_samples(specs, DRAWN, options.seed) if inputs is None else read_samples(inputs, specs)
    parts = _parts(model, blocks)
    runs = {name: loaded_model(part, options.threads, f"{path}: {name}") for name, part in parts.items()}
    fed = _fed(path, model, parts, samples)
    times = run_times(runs, fed, options.repetitions, options.warm_up, told)
    counters = energy_counters(powercap)
    exits = {exit_.after_block: exit_.name for exit_ in dnn.exits}
    return ModelProfile(
        dnn=dnn,
        model=path,
        options=options,
        inputs=inputs,
        blocks=tuple(_block_profile(each, times, runs, fed[0], counters) for each in blocks),
        whole=times[WHOLE],
        counters=counters,
        missing_heads=tuple(exits[each.number] for each in blocks if each.number in exits and not each.exit_outputs),
    )


def _block_name(block: ModelBlock) -> str:
    return f"block {block.number}"


def _head_name(block: ModelBlock) -> str:
    return f"head after block {block.number}"


def _parts(model: Any, blocks: Sequence[ModelBlock]) -> dict[str, Any]:
    """Return the models to run, by name: the whole one, each block with its exit's head, each head alone."""
    parts = {WHOLE: model}
    for block in blocks:
        parts[_block_name(block)] = cut(model, block.inputs, block.made)
        begins = head_inputs(model, block)
        if begins:
            parts[_head_name(block)] = cut(model, begins, block.exit_outputs)
    return parts


def _fed(path: Path, model: Any, parts: dict[str, Any], samples: Sequence[Arrays]) -> list[Arrays]:
    """Return every sample with all tensors that parts begin from, as the whole model makes them."""
    inputs = [value.name for value in model.graph.input]
    read = dict.fromkeys(value.name for part in parts.values() for value in part.graph.input)
    inner = [name for name in read if name not in inputs]
    if not inner:
        return list(samples)
    run = loaded_model(cut(model, inputs, inner), 1, f"{path}: the model up to its cuts")
    return [{**sample, **dict(zip(inner, run(sample), strict=True))} for sample in samples]


def _block_profile(
    block: ModelBlock, times: dict[str, RunTimes], runs: dict[str, Run], sample: Arrays, counters: Counters
) -> BlockProfile:
    run = runs[_block_name(block)]
    energy = energy_of(lambda: run(sample), counters) if counters.packages else None
    return BlockProfile(block, times[_block_name(block)], times.get(_head_name(block)), energy)


def load_profiled_dnn(path: Path) -> DNN:
    """Return the DNN of a file; raise InputError if it cannot be read."""
    from finbench.models.catalogue_files import load_entry

    dnn = load_entry("dnns", path)
    if not isinstance(dnn, DNN):
        raise InputError(path, f"{shown(str(dnn))}: is no DNN")
    return dnn
