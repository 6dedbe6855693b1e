"""What a served run has measured, beside what the plan says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from finbench.benchmarks.deploying.manifest import Digest, Manifest, SplitApplication
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
)

Count = Annotated[int, Field(ge=0)]


class ServedExit(Frozen):
    """The samples that left at one exit."""

    exit: Index
    """Its number."""
    name: OptionalName
    """Its label."""
    samples: Count
    """How many left here."""
    share: Share
    """Their part of all."""
    planned_share: Share
    """The part that the plan expects."""
    mean_s: NonNegative | None
    """Mean latency [s]; none where no sample left here."""
    p95_s: NonNegative | None
    """Latency that 95 % of them kept [s]."""
    planned_s: NonNegative
    """Latency without waiting, as the plan says [s]."""


class ServedApplication(Frozen):
    """The samples of one application."""

    application: Name
    """Its name."""
    samples: Index
    """How many there were."""
    mean_s: NonNegative
    """Mean latency [s]."""
    p95_s: NonNegative
    """Latency that 95 % of all samples kept [s]."""
    planned_mean_s: NonNegative
    """Mean latency without waiting at the plan's shares of exits [s]."""
    planned_p95_s: NonNegative
    """Latency without waiting that 95 % of all samples keep at the plan's shares of exits [s]."""
    max_latency_s: Positive
    """The target δ [s]."""
    within: Share
    """Part of all samples that kept it."""
    exits: Annotated[tuple[ServedExit, ...], Field(strict=False)]
    """By exit."""
    other_answers: Count | None = None
    """Samples that the whole model answers otherwise, or at another exit; none where they were not compared."""


class ServedPart(Frozen):
    """The runs of one part."""

    application: Name
    """Its application."""
    part: Index
    """Its number."""
    node: Name
    """Where it ran."""
    first_block: Index
    """Its first block."""
    last_block: Index
    """Its last block."""
    runs: Count
    """How often it ran."""
    mean_s: NonNegative | None
    """Mean time of a run [s]."""
    p95_s: NonNegative | None
    """Time that 95 % of its runs kept [s]."""
    planned_s: NonNegative
    """Time of a run, as the plan says [s]."""


class ServedLink(Frozen):
    """What was seen of one link."""

    source: Name
    """Node that sends."""
    target: Name
    """Node that receives."""
    messages: Count
    """Messages that it carried."""
    bytes: Count
    """Their bytes, heads left out."""
    bits_per_s: Positive | None
    """Rate of its longest messages, least disturbed [bit/s]; none where it could not be seen."""
    delay_s: NonNegative | None
    """Delay beside it [s]."""
    planned_bits_per_s: Positive
    """Rate of the plan [bit/s]."""
    planned_delay_s: NonNegative
    """Delay of the plan [s]."""


class ServedRun(Frozen):
    """A plan that was served, measured."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of the file format."""
    instance: Name
    """The instance that the plan is for."""
    content_hash: Digest
    """Its content hash."""
    method: OptionalName = ""
    """What made the plan."""
    provenance: str
    """Where and how it was measured."""
    rate_per_s: Positive | None
    """Samples per second and application; none where each arose when the one before had left."""
    applications: Annotated[tuple[ServedApplication, ...], Field(min_length=1, strict=False)]
    """By application."""
    parts: Annotated[tuple[ServedPart, ...], Field(strict=False)]
    """By part."""
    links: Annotated[tuple[ServedLink, ...], Field(strict=False)]
    """By link."""


def served_application(
    app: SplitApplication, left: Sequence[tuple[int, float]], other_answers: int | None
) -> ServedApplication:
    """Return what samples of an application met, from the exit and latency [s] of each."""
    latencies = [latency for _, latency in left]
    shares = [(exit_.planned_s, exit_.share) for exit_ in app.exits]
    return ServedApplication(
        application=app.application,
        samples=len(left),
        mean_s=_mean(latencies),
        p95_s=quantile(latencies, 0.95),
        planned_mean_s=sum(latency * share for latency, share in shares),
        planned_p95_s=_weighted_quantile(shares, 0.95),
        max_latency_s=app.max_latency_s,
        within=sum(latency <= app.max_latency_s for latency in latencies) / len(left),
        exits=tuple(_served_exit(app, k, left) for k in range(len(app.exits))),
        other_answers=other_answers,
    )


def _served_exit(app: SplitApplication, k: int, left: Sequence[tuple[int, float]]) -> ServedExit:
    exit_ = app.exits[k]
    own = [latency for number, latency in left if number == exit_.exit]
    return ServedExit(
        exit=exit_.exit,
        name=exit_.name,
        samples=len(own),
        share=len(own) / len(left),
        planned_share=exit_.share,
        mean_s=_mean(own) if own else None,
        p95_s=quantile(own, 0.95) if own else None,
        planned_s=exit_.planned_s,
    )


def served_parts(manifest: Manifest, times: dict[tuple[int, int], list[float]]) -> tuple[ServedPart, ...]:
    """Return how long parts ran, from the times of their runs [s] by application and part, both from 1."""
    return tuple(
        ServedPart(
            application=app.application,
            part=k,
            node=part.node,
            first_block=part.first_block,
            last_block=part.last_block,
            runs=len(own := times.get((h, k), [])),
            mean_s=_mean(own) if own else None,
            p95_s=quantile(own, 0.95) if own else None,
            planned_s=part.planned_s,
        )
        for h, app in enumerate(manifest.applications, start=1)
        for k, part in enumerate(app.parts, start=1)
    )


def dump_served_run(run: ServedRun) -> str:
    """Return the text of a file of results."""
    return json.dumps(run.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def link_table(run: ServedRun) -> str:
    """Return the measured links as a CSV table: from, to, bits_per_s, delay_s."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["from", "to", "bits_per_s", "delay_s"])
    for link in run.links:
        if link.bits_per_s is not None:
            table.writerow([link.source, link.target, link.bits_per_s, link.delay_s])
    return text.getvalue()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all values does not exceed, between two neighbours where it lies there."""
    import numpy as np

    return float(np.quantile(np.asarray(values), share))


def _weighted_quantile(shares: Sequence[tuple[float, float]], share: float) -> float:
    """Return the least value that values with this part of the weight do not exceed."""
    reached = 0.0
    for value, weight in sorted(shares):
        reached += weight
        if reached >= share * (1 - 1e-12):
            return value
    return max(value for value, _ in shares)
