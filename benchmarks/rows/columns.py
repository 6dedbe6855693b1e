"""The columns of a row, each declared once. Readers check types and ranges; data frames take their types from here.

A row may hold more columns; nobody reads them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from finbench.benchmarks.rows.environment import PACKAGES, SOLVER_NAMES, THREAD_VARIABLES
from finbench.benchmarks.rows.moments import Moment
from finbench.models.result import Status

CENSORED = "censored"
"""Status of a size that a method was not run on, because it stopped climbing below."""

Text = str
Line = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line: it names something, in tables and figures."""
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Amount = Annotated[float, Field(ge=0, le=1e100)]
"""An energy, a power, a latency or a size."""
Objective = Annotated[float, Field(ge=-1e100, le=1e100)]
"""An objective or a bound on it; a bound may be below 0."""
Ratio = Annotated[float, Field(ge=-1e100, le=1e100)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Bytes = Annotated[int, Field(ge=0, lt=2**62)]
Number = Annotated[int, Field(gt=-(2**63), lt=2**63)]
"""An integer that fits a column of integers."""
Ending = Annotated[str, StringConstraints(pattern=f"^({'|'.join([*Status, CENSORED])})$")]
"""A status that this program knows."""


class Part(BaseModel):
    """A table of a file of results, of which readers rely on the fields that are declared."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Git(Part):
    """The checkout that the code lay in."""

    commit: Text | None = None
    clean: bool | None = None


class EnvironmentColumns(Part):
    """The machine and the software that a run ran on (`rows.environment`)."""

    cpu: Text
    cores: Annotated[int, Field(ge=1, le=10**6)]
    ram_bytes: Bytes | None = None
    system: Text | None = None
    os: Text | None = None
    python: Text
    versions: dict[Line, Text | None]
    solvers: dict[Line, Text | None] = {}
    git: Git | None = None
    threads: dict[Line, Text | None] = {}


class ExitColumns(Part):
    """How a run's process fared."""

    kind: Line
    code: Number | None = None
    signal: Line | None = None
    ended_survivors: Count | None = None


class OptionColumns(Part):
    """The one option that analyses read."""

    gamma: Annotated[int, Field(ge=1, le=10**12)] | None = None


class InfoColumns(Part):
    """The facts told by a method that analyses read."""

    trajectory: list[Annotated[list[Objective | None], Field(min_length=3, max_length=3)]] | None = None
    """Times [s] since the run began, incumbents and bounds."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        times = [-1.0 if time is None else time for time, *_ in self.trajectory or ()]
        if any(later < earlier for earlier, later in pairwise([0.0, *times])):
            raise ValueError("info: trajectory: every point must begin with a time, none before the one above it")
        return self


class DeploymentColumns(Part):
    """The decisions for one application; `models.deployment` checks the rest where they are evaluated again."""

    application: Line


class PlanColumns(Part):
    """What the deployment is made of (`rows.plan_columns`)."""

    compute: Amount
    transfer: Amount
    executions: dict[Line, Amount]
    last_exits: dict[Line, Count]


class RowColumns(Part):
    """One row: what ran, on what, where, and how it ended (`rows.row`)."""

    key: Line
    group: Line
    instance: Line
    content_hash: Line | None = None
    method: Line
    variant: Line
    options: OptionColumns
    seed: Number
    repetition: Count | None = None
    attempts: Count | None = None
    code_version: Line | None = None
    limit_s: Annotated[float, Field(gt=0, le=1e9)]
    memory_limit_gib: Annotated[float, Field(gt=0, le=1e30)] | None = None
    family: Line | None = None
    nodes: Count | None = None
    blocks: Count | None = None
    exits: Count | None = None
    tightness: Ratio | None = None
    links: Line | None = None
    settings: Line | None = None
    load: Amount | None = None
    penalty: Amount | None = None
    shares: list[Fraction] | None = None
    dnns: Line | None = None
    instance_seed: Number | None = None
    applications: Count | None = None
    network_nodes: Count | None = None
    network_links: Count | None = None
    dnn_blocks: Count | None = None
    dnn_exits: Count | None = None
    arcs: Annotated[int, Field(ge=1, le=10**15)] | None = None
    accounting: Line | None = None
    latency_kind: Line | None = None
    latency_quantile: Fraction | None = None
    objective_unit: Literal["J", "W", "g", "g/s", "money", "money/s"] | None = None
    """None: J, or W where there is a total power."""
    max_latency_s: Amount | None = None
    min_accuracy: Fraction | None = None
    status: Ending
    reason: Text | None = None
    found: bool
    dnn: Line | None = None
    """The alternative that runs, of many applications how many run each; None where there is nothing to choose."""
    objective: Amount | None = None
    claimed_objective: Objective | None = None
    lower_bound: Objective | None = None
    gap: Ratio | None = None
    energy_j: Amount | None = None
    compute_energy_j: Amount | None = None
    transfer_energy_j: Amount | None = None
    latency_s: Amount | None = None
    accuracy: Fraction | None = None
    total_power_w: Amount | None = None
    penalty_w: Amount | None = None
    rejected: Count | None = None
    violations: list[Text]
    started_at: Moment | None = None
    """When its clock started, or where it never did when its worker took it; None: not recorded."""
    time_s: Seconds | None = None
    wall_s: Seconds | None = None
    peak_bytes: Bytes | None = None
    times_s: dict[Line, Seconds] = {}
    info: InfoColumns = InfoColumns()
    deployments: list[DeploymentColumns] = []
    plan: PlanColumns | None = None
    exit: ExitColumns | None = None
    log: Line | None = None
    environment_id: Line

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.found and (self.objective is None or self.time_s is None or self.content_hash is None):
            raise ValueError("found = True: objective, time_s and content_hash must not be null then")
        return self


class EnvironmentLine(Part):
    """A line of `environments.jsonl`."""

    environment_id: Line
    environment: dict[str, Any]


class InstanceLine(Part):
    """A line of `instances.jsonl`."""

    content_hash: Line
    instance: dict[str, Any]


PHASES = (
    *("alone", "bound", "bounds", "build", "dual", "enumerate", "extract", "handover", "improvement", "insertion"),
    *("labels", "listing", "load", "prepare", "prices", "prove", "relaxation", "rounding", "search", "solve"),
    *("strengthen", "warm_start", "whole"),
)
"""Phases that methods time; a data frame has a column for each."""

Kind = Literal["text", "integer", "number", "truth", "numbers"]
"""Type of a column of a data frame."""

_KINDS: Mapping[type, Kind] = {bool: "truth", int: "integer", float: "number", str: "text"}

_DERIVED: Mapping[str, Kind] = {
    "options": "text",
    "violations": "text",
    "gamma": "integer",
    "best_bound": "number",
    "best_objective": "number",
    "gap_to_best_bound": "number",
    "gap_to_best_known": "number",
    "proven": "truth",
}
"""Columns that `analysis.frame` adds, or writes as text."""


def frame_columns() -> dict[str, Kind]:
    """Return the columns of every data frame of runs, in order, and the type of each.

    These are the flat columns of a row, those that `analysis.frame` adds, and parts of nested ones that it flattens.
    """
    return {
        "schema_version": "integer",
        **_kinds(RowColumns),
        **_DERIVED,
        **{f"time_{phase}_s": "number" for phase in PHASES},
        **_kinds(ExitColumns, "exit_"),
        **_kinds(EnvironmentColumns),
        **_kinds(Git, "git_"),
        **{f"version_{name}": "text" for name in PACKAGES},
        **{f"solver_{name}": "text" for name in SOLVER_NAMES},
        **{name.lower(): "text" for name in THREAD_VARIABLES},
    }


def _kinds(model: type[BaseModel], prefix: str = "") -> dict[str, Kind]:
    kinds = {f"{prefix}{name}": _kind(field.annotation) for name, field in model.model_fields.items()}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def extra_kind(column: str) -> Kind | None:
    """Return the type of a column that another version of this program may add; None where it belongs to no frame."""
    if re.fullmatch(r"(version|solver)_.+|.+_num_threads", column):
        return "text"
    return "number" if re.fullmatch(r"time_.+_s", column) else None


def _kind(annotation: Any) -> Kind | None:
    """Return the type of a flat column; None for a nested one."""
    if annotation == list[Fraction] | None:
        return "numbers"
    if isinstance(annotation, type):
        return _KINDS.get(annotation)
    kinds = [_kind(part) for part in get_args(annotation) if isinstance(part, type) or get_args(part)]
    return next((kind for kind in kinds if kind is not None), None) if _is_flat(annotation) else None


def _is_flat(annotation: Any) -> bool:
    origin = getattr(annotation, "__origin__", None)
    return origin not in (dict, list) and all(_is_flat(part) for part in get_args(annotation))
