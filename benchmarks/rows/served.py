"""What samples met at deployments, simulated or measured, beside what the plans say: `served.jsonl`.

A line belongs to every run of the folder that found its deployment on its instance (`plan_id`). Simulations write such
lines, and so can whoever measures a deployment that runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from finbench.benchmarks.rows.columns import Amount, Count, Fraction, Line, Part
from finbench.benchmarks.rows.reading import read_lines
from finbench.models.io import validate

SERVED = "served.jsonl"

Added = Annotated[float, Field(ge=-1e9, le=1e9)]
"""Seconds beyond the plan; fewer than it are below 0."""


class ExitMet(Part):
    """The samples of an application that left at one exit."""

    exit: Annotated[int, Field(ge=1, le=10**6)]
    """Its 1-based index."""
    share: Fraction
    """Part of the application's samples."""
    latency_s: Amount
    """Their mean latency [s]."""
    planned_latency_s: Amount
    """Latency of the plan for samples that leave there, nobody waiting [s]."""


class PartMet(Part):
    """A node, a link or a block, and how far the plan of it was off."""

    subject: Line
    added_s: Added
    """What a sample takes there on average beyond the plan [s]."""


class LoadMet(Part):
    """What the samples of one application met."""

    application: Line
    samples: Count
    energy_j: Amount | None = None
    """Mean energy of a sample [J]; None where it was not measured."""
    planned_energy_j: Amount | None = None
    """Expected energy of the plan (eq. 1 with `expected`) [J]; None where the energy was not measured."""
    latency_s: Amount
    """Mean latency [s]."""
    planned_latency_s: Amount
    """Expected latency of the plan (eq. 2 with `expected`) [s]."""
    p95_s: Amount
    """Latency that 95 % of the samples do not exceed [s]."""
    max_latency_s: Amount
    """The target δ [s]."""
    within: Fraction
    """Part of the samples that meet the target."""
    exits: list[ExitMet]


class ServedColumns(Part):
    """A line of `served.jsonl`: one deployment, served once."""

    content_hash: Line
    """Of the instance."""
    plan_id: Line
    """Of the deployment, as `plan_id` computes it."""
    by: Literal["simulated", "measured"]
    how: Line
    """What tells one simulation or measurement of a deployment from another: samples and seed, or when it was."""
    arrivals: Line | None = None
    """How samples followed each other."""
    applications: list[LoadMet]
    """Those of which samples were seen."""
    parts: list[PartMet]


def plan_id(deployments: Iterable[Mapping[str, Any]]) -> str:
    """Return the id of a deployment: the beginning of a hash of its decisions.

    Parameters
    ----------
    deployments : iterable of mapping
        Decisions for each served application, JSON-compatible, as rows and deployment files have them.
    """
    decisions = sorted(json.dumps(one, sort_keys=True) for one in deployments)
    return hashlib.sha256(json.dumps(decisions).encode()).hexdigest()[:16]


def load_served(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a folder of results, each checked; none where it has no such file.

    Raises
    ------
    InputError
        If the file cannot be read, or a line breaks the format.
    """
    file = folder / SERVED
    return list(checked_lines(file)) if file.exists() else []


def checked_lines(file: Path, *, may_be_cut_off: bool = False) -> Iterable[dict[str, Any]]:
    """Yield the lines of a file, each checked; raise InputError as `load_served` does."""
    for number, line in enumerate(read_lines(file, may_be_cut_off=may_be_cut_off), start=1):
        validate(line, ServedColumns, file, f"line {number}")
        yield line
