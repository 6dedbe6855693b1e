"""A deployment of models as model parts: which blocks make one, what passes between them, and their models."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from finbench.benchmarks.deploying.cutting import cut
from finbench.benchmarks.deploying.manifest import (
    ElementType,
    Manifest,
    ModelPart,
    PartExit,
    SplitApplication,
    SplitLink,
    SplitNode,
    TensorSpec,
)
from finbench.benchmarks.deploying.model_blocks import (
    ModelBlock,
    model_blocks,
    model_said_by,
    sample_shapes,
    whole_model,
)
from finbench.benchmarks.deploying.thresholds import thresholds_for
from finbench.benchmarks.imports.onnx.reading import ModelFile, onnx_library, shown
from finbench.benchmarks.simulation.stages import Itinerary, itineraries
from finbench.models.evaluate import evaluate
from finbench.models.io import InputError
from finbench.models.step_costs import run_once

if TYPE_CHECKING:
    from finbench.models.deployment import ApplicationDeployment, Deployment
    from finbench.models.instance import DNN, Instance

_OF_FORM_ALONE = frozenset({"Identity", "Flatten", "Reshape", "Squeeze", "Dropout"})
"""Kinds of operators behind which probabilities stay what they are."""


@dataclass(frozen=True)
class SplitModels:
    """What a split makes."""

    manifest: Manifest
    contents: Mapping[str, bytes] = field(repr=False)
    """Models of the parts, by the names of their files."""


@dataclass(frozen=True)
class _Whole:
    """A model before it is split, for one DNN."""

    file: ModelFile
    model: Any
    blocks: tuple[ModelBlock, ...]
    types: Mapping[str, Any]
    """Descriptions of tensors by name."""


def split(
    instance: Instance,
    deployment: Deployment,
    models: Sequence[ModelFile],
    *,
    thresholds: Mapping[str, tuple[float, ...]] | None = None,
    method: str = "",
) -> SplitModels:
    """Return the parts of a deployment.

    A model part holds consecutive blocks of an application that run on one node, and ends where an exit decides: what
    comes after it runs only for samples that stay.

    Parameters
    ----------
    instance : Instance
        Its DNNs were read from models by `finbench import dnn`.
    deployment : Deployment
    models : sequence of ModelFile
        Those that the DNNs were read from, in any order.
    thresholds : mapping of str to tuple of float, optional
        Thresholds of exits by name of the DNN, in the place of those that it was imported with.
    method : str
        What made the deployment, told in the manifest.

    Raises
    ------
    InputError
        If the deployment breaks a rule of structure, a model is missing, an exit has no head in its model, or no
        threshold is known of one.
    """
    judged = evaluate(instance, deployment)
    if judged.objective is None or not deployment.deployments:
        raise InputError("deployment", next((one.message for one in judged.violations), "serves nobody"))
    _, roads = itineraries(instance, deployment)
    contents: dict[str, bytes] = {}
    wholes: dict[str, _Whole] = {}
    applications = []
    for number, (decision, road) in enumerate(zip(deployment.deployments, roads, strict=True), start=1):
        dnn = instance.dnn_of(road.application)
        if dnn.name not in wholes:
            wholes[dnn.name] = _whole(instance, dnn, models)
        splitter = _Splitter(instance, dnn, decision, road, wholes[dnn.name])
        applications.append(splitter.application(number, contents, (thresholds or {}).get(dnn.name)))
    return SplitModels(_manifest(instance, applications, method), contents)


def _whole(instance: Instance, dnn: DNN, models: Sequence[ModelFile]) -> _Whole:
    """Return the model that a DNN was read from."""
    where = f"instance '{instance.name}'"
    name, digest = model_said_by(dnn, where)
    file = next((each for each in models if each.sha256 == digest), None)
    if file is None:
        given = ", ".join(f"{each.path} ({each.sha256[:12]}…)" for each in models) or "none"
        raise InputError(
            where,
            f"dnn '{dnn.name}': was read from model '{name}' with sha256 {digest[:12]}…, which is not given: {given}",
        )
    model = whole_model(file, sample_shapes(file, dnn, where))
    graph = model.graph
    types = {each.name: each for each in (*graph.value_info, *graph.input, *graph.output)}
    return _Whole(file, model, model_blocks(file, dnn, where), types)


class _Splitter:
    """The split of one application."""

    def __init__(
        self, instance: Instance, dnn: DNN, decision: ApplicationDeployment, road: Itinerary, whole: _Whole
    ) -> None:
        self._instance = instance
        self._dnn = dnn
        self._decision = decision
        self._road = road
        self._whole = whole
        self._routes = decision.routes_from(road.application.source)
        self._exit_blocks = {dnn.exits[one.exit - 1].after_block: one.exit for one in road.leavings}

    def application(
        self, number: int, contents: dict[str, bytes], thresholds: tuple[float, ...] | None
    ) -> SplitApplication:
        """Return the parts of the application, and add their models to `contents`."""
        app = self._road.application
        stretches = self._stretches()
        parts = []
        for k, stretch in enumerate(stretches, start=1):
            part, content = self._part(stretch, f"{number}-{_plain(app.name)}-{k}-{_plain(self._node(stretch))}.onnx")
            parts.append(part)
            contents[part.file] = content
        of, limits = thresholds_for(self._dnn, len(self._road.leavings), thresholds)
        return SplitApplication(
            application=app.name,
            dnn=self._dnn.name,
            model=shown(self._whole.file.path.name),
            model_sha256=self._whole.file.sha256,
            source=app.source,
            rate_per_s=app.rate_per_s,
            max_latency_s=app.max_latency_s,
            thresholds_of=of,
            sample=self._specs(self._whole.blocks[0].inputs),
            parts=tuple(parts),
            exits=self._exits(stretches, limits),
        )

    def _stretches(self) -> list[tuple[int, int]]:
        """Return the first and last block (1-based) of every part."""
        placement = self._decision.placement
        begins = [
            i
            for i in range(1, len(placement) + 1)
            if i == 1 or i - 1 in self._exit_blocks or placement[i - 1] != placement[i - 2]
        ]
        return list(zip(begins, [*(i - 1 for i in begins[1:]), len(placement)], strict=True))

    def _node(self, stretch: tuple[int, int]) -> str:
        return self._decision.placement[stretch[0] - 1]

    def _part(self, stretch: tuple[int, int], file: str) -> tuple[ModelPart, bytes]:
        first, last = stretch
        blocks = self._whole.blocks
        inputs = blocks[first - 1].inputs
        outputs = blocks[last - 1].outputs if last < len(self._decision.placement) else ()
        answers = self._answers(last) if last in self._exit_blocks else ()
        made = cut(self._whole.model, inputs, tuple(dict.fromkeys((*outputs, *answers))))
        try:
            content: bytes = made.SerializeToString()
        except Exception as error:  # noqa: BLE001  (the exception's class differs between protobuf's implementations)
            raise InputError(file, f"cannot be written: {type(error).__name__}: a part has 2 GiB at most") from None
        node = self._instance.network.node_by_name[self._node(stretch)]
        times = [
            (run_once(self._instance, self._dnn, i, node) or (0.0, 0.0))[0] / self._decision.share_of_block[i - 1]
            for i in range(first, last + 1)
        ]
        part = ModelPart(
            file=file,
            sha256=hashlib.sha256(content).hexdigest(),
            node=node.name,
            first_block=first,
            last_block=last,
            route=self._routes[first - 1],
            inputs=self._specs(inputs),
            outputs=self._specs(outputs),
            answers=self._specs(answers),
            planned_s=sum(times),
            planned_bits=self._dnn.transfer_bits(first),
        )
        return part, content

    def _answers(self, block: int) -> tuple[str, ...]:
        """Return the tensors that the exit after a block answers with."""
        answers = self._whole.blocks[block - 1].exit_outputs
        if not answers:
            name = self._dnn.exits[self._exit_blocks[block] - 1].name
            raise InputError(
                f"dnn '{self._dnn.name}'",
                f"exit '{shown(name)}': the model does not have its head: it was added by --exit-after and cannot run",
            )
        return answers

    def _exits(self, stretches: list[tuple[int, int]], limits: Sequence[float | None]) -> tuple[PartExit, ...]:
        part_of = {last: k for k, (_, last) in enumerate(stretches, start=1)}
        found = []
        for leaving, planned_s, limit in zip(self._road.leavings, self._road.unhindered_s, limits, strict=True):
            exit_ = self._dnn.exits[leaving.exit - 1]
            answers = self._answers(exit_.after_block)
            found.append(
                PartExit(
                    exit=leaving.exit,
                    name=exit_.name,
                    part=part_of[exit_.after_block],
                    threshold=limit,
                    probabilities=_answers_with_probabilities(self._whole.model, answers[0]),
                    share=leaving.share,
                    planned_s=planned_s,
                )
            )
        return tuple(found)

    def _specs(self, names: Sequence[str]) -> tuple[TensorSpec, ...]:
        return tuple(tensor_spec(self._whole.types[name], self._whole.file.path) for name in names)


def tensor_spec(value: Any, where: Path) -> TensorSpec:
    """Return type and size of a tensor that a model describes; raise InputError where they are none that can pass."""
    kind = value.type.tensor_type
    library = onnx_library()
    if any(not each.HasField("dim_value") for each in kind.shape.dim):
        raise InputError(
            where, f"tensor '{shown(value.name)}': its size is not known: import the DNN with --input-shape"
        )
    dtype: Literal[ElementType] | str = str(library.helper.tensor_dtype_to_np_dtype(kind.elem_type))
    if dtype not in get_args(ElementType):
        raise InputError(where, f"tensor '{shown(value.name)}': elements of type {dtype}: cannot pass between parts")
    return TensorSpec.model_validate(
        {"name": value.name, "dtype": dtype, "shape": tuple(each.dim_value for each in kind.shape.dim)}
    )


def _answers_with_probabilities(model: Any, name: str) -> bool:
    """Return whether a tensor is made by a softmax, whatever changes its form alone left out."""
    maker = {made: node for node in model.graph.node for made in node.output}
    while name in maker and maker[name].op_type in _OF_FORM_ALONE:
        name = maker[name].input[0]
    return name in maker and maker[name].op_type == "Softmax"


def _plain(name: str) -> str:
    """Return a name as a part of the name of a file."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name)[:40].strip("-") or "x"


def _manifest(instance: Instance, applications: Sequence[SplitApplication], method: str) -> Manifest:
    hops = {hop: None for each in applications for part in each.parts for hop in pairwise(part.route)}
    visited = dict.fromkeys(
        name for each in applications for part in each.parts for name in (each.source, *part.route, part.node)
    )
    nodes, links = instance.network.node_by_name, [instance.network.link_by_pair[hop] for hop in hops]
    return Manifest(
        instance=instance.name,
        content_hash=instance.content_hash,
        method=method,
        nodes=tuple(SplitNode(name=name, parallel=nodes[name].parallel) for name in visited),
        links=tuple(
            SplitLink(
                source=link.source,
                target=link.target,
                bandwidth_bit_per_s=link.bandwidth_bit_per_s,
                delay_s=link.delay_s,
            )
            for link in links
        ),
        applications=tuple(applications),
    )
