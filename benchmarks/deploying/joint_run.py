"""All parts run one after the other in this process, and what comes out compared with the whole model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from finbench.benchmarks.deploying.answers import leaves
from finbench.benchmarks.deploying.manifest import MANIFEST, Manifest, PartExit, SplitApplication, part_content
from finbench.benchmarks.deploying.model_blocks import other_shapes, whole_model
from finbench.benchmarks.deploying.runtime import RunningModel
from finbench.benchmarks.imports.onnx.reading import ModelFile, shown
from finbench.models.io import InputError
from finbench.models.tolerances import SPLIT_TOLERANCE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]
    AnsweredExits = Iterator[tuple[PartExit, tuple[Array, ...]]]


@dataclass(frozen=True)
class ExitAnswer:
    """Where a sample leaves, and with what."""

    exit: int
    """Number of the exit."""
    answers: tuple[Array, ...]
    """Tensors that it answers with."""
    score: float
    """How sure the answer is: its confidence or its entropy."""


@dataclass(frozen=True)
class ExitDifference:
    """How far an exit's answers of the parts lie from those of the whole model."""

    application: str
    exit: int
    name: str
    samples: int
    difference: float
    """Greatest difference of a number, relative to the greatest number of the whole model's answer."""

    @property
    def equal(self) -> bool:
        """Whether the answers are the same within `SPLIT_TOLERANCE`."""
        return self.difference <= SPLIT_TOLERANCE


class Answering(Protocol):
    """What answers a sample at its exits."""

    def answers(self, sample: Mapping[str, Array]) -> AnsweredExits:
        """Yield the deployed exits in their order, each with what it answers."""
        ...


class JointParts:
    """The parts of one application, loaded in this process."""

    def __init__(self, folder: Path, app: SplitApplication, *, threads: int = 1) -> None:
        """Load the parts; raise InputError where a file was changed or is not what the manifest says."""
        self._app = app
        self._models = [loaded_part(folder, app, k, threads) for k in range(1, len(app.parts) + 1)]

    def answers(self, sample: Mapping[str, Array]) -> AnsweredExits:
        """Yield the deployed exits in their order; parts after an exit run when the next one is asked for."""
        known: Mapping[str, Array] = sample
        for number, (part, model) in enumerate(zip(self._app.parts, self._models, strict=True), start=1):
            names = dict.fromkeys(spec.name for spec in (*part.outputs, *part.answers))
            known = model.run({spec.name: known[spec.name] for spec in part.inputs}, tuple(names))
            if number in self._app.exit_after:
                yield self._app.exit_after[number], tuple(known[spec.name] for spec in part.answers)


class WholeModel:
    """The model that an application was split from, answering at the same exits."""

    def __init__(self, app: SplitApplication, file: ModelFile, *, threads: int = 1) -> None:
        """Load the model, with samples of the size that the parts take."""
        shapes = {spec.name: spec.shape for spec in app.sample}
        model = whole_model(file, other_shapes(file, shapes))
        named = {each.name: each for each in (*model.graph.value_info, *model.graph.output)}
        del model.graph.output[:]
        self._app = app
        self._exits = [(exit_, tuple(spec.name for spec in app.parts[exit_.part - 1].answers)) for exit_ in app.exits]
        model.graph.output.extend(named[name] for name in dict.fromkeys(self._names))
        self._model = RunningModel(model.SerializeToString(), file.path, threads=threads)

    @property
    def _names(self) -> list[str]:
        return [name for _, names in self._exits for name in names]

    def answers(self, sample: Mapping[str, Array]) -> AnsweredExits:
        """Yield the deployed exits in their order."""
        known = self._model.run(sample, tuple(dict.fromkeys(self._names)))
        yield from ((exit_, tuple(known[name] for name in names)) for exit_, names in self._exits)


def loaded_part(folder: Path, app: SplitApplication, number: int, threads: int) -> RunningModel:
    """Return a part of an application, by its number from 1.

    Raises
    ------
    InputError
        If its file is gone, was changed, or lacks a tensor that the manifest says it has.
    """
    part = app.parts[number - 1]
    model = RunningModel(part_content(folder, part), folder / part.file, threads=threads)
    model.check(part.inputs, (*part.outputs, *part.answers))
    return model


def leaving(of: Answering, sample: Mapping[str, Array], app: SplitApplication) -> ExitAnswer:
    """Return where a sample leaves under the application's thresholds; the last exit takes all."""
    for exit_, answers in of.answers(sample):
        goes, score = leaves(answers, exit_, app)
        if goes:
            return ExitAnswer(exit_.exit, answers, score)
    raise AssertionError("the last exit takes all")


def model_of(app: SplitApplication, models: Sequence[ModelFile], folder: Path) -> ModelFile:
    """Return the model that an application was split from; raise InputError where it is not among those given."""
    found = next((each for each in models if each.sha256 == app.model_sha256), None)
    if found is None:
        given = ", ".join(f"{each.path} ({each.sha256[:12]}…)" for each in models) or "none"
        raise InputError(
            folder / MANIFEST,
            f"application '{app.application}': was split from model '{shown(app.model)}' with sha256 "
            f"{app.model_sha256[:12]}…, which is not given: {given}",
        )
    return found


def differences(
    folder: Path,
    manifest: Manifest,
    models: Sequence[ModelFile],
    samples: Mapping[str, Sequence[Mapping[str, Array]]],
) -> list[ExitDifference]:
    """Return how far every exit's answers of the parts lie from those of the whole model.

    Parameters
    ----------
    folder : Path
        Of the parts.
    manifest : Manifest
    models : sequence of ModelFile
        Those that the parts were split from.
    samples : mapping of str to sequence
        Samples by application.

    Raises
    ------
    InputError
        If a part was changed, or a model is missing.
    """
    found = []
    for app in manifest.applications:
        whole = WholeModel(app, model_of(app, models, folder))
        found += _differences(app, JointParts(folder, app), whole, samples[app.application])
    return found


def _differences(
    app: SplitApplication, parts: Answering, whole: Answering, samples: Sequence[Mapping[str, Array]]
) -> list[ExitDifference]:
    worst = dict.fromkeys((exit_.exit for exit_ in app.exits), 0.0)
    for sample in samples:
        for (exit_, ours), (_, theirs) in zip(parts.answers(sample), whole.answers(sample), strict=True):
            worst[exit_.exit] = max(worst[exit_.exit], *map(relative_difference, ours, theirs))
    return [
        ExitDifference(app.application, exit_.exit, exit_.name, len(samples), worst[exit_.exit]) for exit_ in app.exits
    ]


def relative_difference(ours: Array, theirs: Array) -> float:
    """Return max |a − b| / max |b| of two answers a and b; infinite where one has no number and the other has."""
    import numpy as np

    one, other = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if one.shape != other.shape or not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return float("inf")
    known = np.isfinite(other)
    greatest = np.abs(other[known]).max(initial=0.0)
    apart = np.abs(one[known] - other[known]).max(initial=0.0)
    return float(apart / greatest) if greatest > 0 else float(apart)
