"""What a folder of parts says of itself: which parts there are, in which order, and what passes between them."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from finbench.models.fields import (
    SCHEMA_VERSION,
    Frozen,
    Index,
    Name,
    NonNegative,
    OptionalName,
    Positive,
    SchemaVersion,
    Share,
    check_unique,
)
from finbench.models.io import InputError, content_of, read_document, validate

MANIFEST = "manifest.json"
"""Name of the file in a folder of parts."""

MOST_PART_BYTES = 2**31 - 1
"""No protobuf message is larger."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ElementType = Literal[
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"
]
"""Types of elements that pass between parts, as NumPy names them."""


class TensorSpec(Frozen):
    """A tensor that is passed to or from a part."""

    name: Annotated[str, Field(min_length=1)]
    """Its name in the model."""
    dtype: ElementType
    """Type of its elements."""
    shape: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=64, strict=False)]
    """Its size along each dimension."""

    @property
    def stored_bytes(self) -> int:
        """Bytes that it takes in a message."""
        digits = "".join(each for each in self.dtype if each.isdigit())
        return prod(self.shape) * (int(digits) // 8 if digits else 1)


Tensors = Annotated[tuple[TensorSpec, ...], Field(strict=False)]


class ModelPart(Frozen):
    """Blocks of one application that run on one node without a decision in between, as a model of its own."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*\.onnx$", max_length=200)]
    """Name of its file in the folder."""
    sha256: Digest
    """Of its file."""
    node: Name
    """Where it runs."""
    first_block: Index
    """The first of its blocks."""
    last_block: Index
    """The last of its blocks."""
    route: Annotated[tuple[Name, ...], Field(strict=False)]
    """Nodes that its input visits, from where it was made to where it runs; empty where the two are equal."""
    inputs: Tensors
    """What it reads."""
    outputs: Tensors
    """What it passes on; empty where it is the last."""
    answers: Tensors
    """What its exit answers with; empty where no exit follows it."""
    planned_s: NonNegative
    """How long it runs, as the plan says [s]."""
    planned_bits: NonNegative
    """What a transfer of its input carries, as the plan says [bit]."""


class PartExit(Frozen):
    """A deployed exit."""

    exit: Index
    """Its number among the DNN's exits."""
    name: OptionalName
    """Its label."""
    part: Index
    """Number of the part after which samples leave here."""
    threshold: float | None
    """From which confidence on a sample leaves here, or up to which entropy; none at the last exit, which takes all."""
    probabilities: bool
    """Whether it answers with probabilities; else their softmax is taken."""
    share: Share
    """Part of all samples that leave here, as the plan says."""
    planned_s: NonNegative
    """Their latency without waiting, as the plan says [s]."""


class SplitApplication(Frozen):
    """The parts of one application, and where its samples leave."""

    application: Name
    """Its name."""
    dnn: Name
    """The DNN that it runs."""
    model: str
    """File name of the model that was split."""
    model_sha256: Digest
    """Of that file."""
    source: Name
    """Node where its samples arise."""
    rate_per_s: Positive | None
    """Samples per second, as the plan says; none where it does not."""
    max_latency_s: Positive
    """The target δ [s]."""
    thresholds_of: Literal["confidence", "entropy"]
    """What thresholds are of: the greatest probability, or the entropy −Σ p ln p of the answer."""
    sample: Tensors
    """What a sample consists of."""
    parts: Annotated[tuple[ModelPart, ...], Field(min_length=1, strict=False)]
    """The parts in the order in which they run."""
    exits: Annotated[tuple[PartExit, ...], Field(min_length=1, strict=False)]
    """The deployed exits in their order."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        label = f"application '{self.application}'"
        known, node, block = self.sample, self.source, 0
        for number, part in enumerate(self.parts, start=1):
            here = f"{label}: part {number}"
            if part.first_block != block + 1 or part.last_block < part.first_block:
                raise ValueError(
                    f"{here}: first_block = {part.first_block}: wrong order: blocks must follow each other, next is "
                    f"{block + 1}"
                )
            for tensor in part.inputs:
                if tensor not in known:
                    raise ValueError(f"{here}: lacks tensor '{tensor.name}': nothing before it passes that on")
            ends = (node, part.node)
            if (part.route[:1] + part.route[-1:] != ends) if part.route else ends[0] != ends[1]:
                raise ValueError(f"{here}: route: must lead from '{node}' to '{part.node}'")
            known, node, block = part.outputs, part.node, part.last_block
        self._check_exits(label)
        return self

    def _check_exits(self, label: str) -> None:
        places = [exit_.part for exit_ in self.exits]
        if places != sorted(set(places)) or places[-1] != len(self.parts):
            raise ValueError(f"{label}: exits: wrong order: each must follow a later part, the last one the last part")
        for number, part in enumerate(self.parts, start=1):
            if bool(part.answers) != (number in places):
                raise ValueError(
                    f"{label}: part {number}: answers: must be there where an exit follows, and only there"
                )
        for exit_ in self.exits:
            if (exit_.threshold is None) != (exit_ is self.exits[-1]):
                raise ValueError(f"{label}: exit {exit_.exit}: threshold: goes with every exit but the last")

    @property
    def exit_after(self) -> dict[int, PartExit]:
        """The exit after each part that has one, by number of the part."""
        return {exit_.part: exit_ for exit_ in self.exits}


class SplitNode(Frozen):
    """A node that runs parts or passes data on."""

    name: Name
    """Its name."""
    parallel: Index = 1
    """Parts K_n that it runs at the same time."""


class SplitLink(Frozen):
    """A link that transfers take."""

    source: Name
    """Node that sends."""
    target: Name
    """Node that receives."""
    bandwidth_bit_per_s: Positive
    """Rate B_nm [bit/s]."""
    delay_s: NonNegative
    """Propagation delay τ_nm [s]."""


class Manifest(Frozen):
    """A folder of parts: a deployment of models, split."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of the file format."""
    instance: Name
    """Name of the instance that the deployment was made for."""
    content_hash: Digest
    """The instance's content hash."""
    method: OptionalName = ""
    """The method that made the deployment, with the options that matter; empty where its file does not say."""
    nodes: Annotated[tuple[SplitNode, ...], Field(min_length=1, strict=False)]
    """Nodes where parts run, samples arise or data passes."""
    links: Annotated[tuple[SplitLink, ...], Field(strict=False)]
    """Links that transfers take."""
    applications: Annotated[tuple[SplitApplication, ...], Field(min_length=1, strict=False)]
    """All served applications."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        nodes = [node.name for node in self.nodes]
        pairs = {(link.source, link.target) for link in self.links}
        check_unique("node", nodes)
        check_unique("application", [each.application for each in self.applications])
        check_unique("part", [part.file for each in self.applications for part in each.parts])
        for each in self.applications:
            visited = {each.source}.union(*((part.node, *part.route) for part in each.parts))
            if missing := sorted(visited.difference(nodes)):
                raise ValueError(f"application '{each.application}': node '{missing[0]}': is not among the nodes")
            for hop in (pair for part in each.parts for pair in pairwise(part.route)):
                if hop not in pairs:
                    raise ValueError(f"application '{each.application}': link '{'->'.join(hop)}': is not among links")
        return self


def load_manifest(folder: Path) -> Manifest:
    """Read what a folder of parts says of itself; raise InputError where it cannot be read or contradicts itself."""
    if not folder.is_dir():
        raise InputError(folder, "is no folder of parts, as `finbench split` writes it")
    return validate(read_document(folder / MANIFEST), Manifest, folder / MANIFEST)


def dump_manifest(manifest: Manifest) -> str:
    """Return the text of the file."""
    return json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def part_content(folder: Path, part: ModelPart) -> bytes:
    """Return the bytes of a part; raise InputError where its file is gone or was changed."""
    content = content_of(folder / part.file, MOST_PART_BYTES)
    digest = hashlib.sha256(content).hexdigest()
    if digest != part.sha256:
        raise InputError(
            folder / part.file, f"was changed: has sha256 {digest[:12]}…, {MANIFEST} says {part.sha256[:12]}…"
        )
    return content


def check_parts(folder: Path, manifest: Manifest) -> None:
    """Refuse a folder of which a part is gone or was changed."""
    for app in manifest.applications:
        for part in app.parts:
            part_content(folder, part)
