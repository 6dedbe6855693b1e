"""One row for each run: what ran, on what, where, and what came of it. A failure is a row, never a missing one.

A folder of results holds `runs.jsonl`, one row a line; `environments.jsonl`, what the rows' `environment_id` stands
for; and `instances.jsonl`, the instances they name by `content_hash`. `benchmarks.records.journal` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict

from finbench.benchmarks.records.environment import Environment
from finbench.benchmarks.records.row import SCHEMA_VERSION, Record
from finbench.models.instance import Instance
from finbench.models.io import InputError, validate

RUNS, ENVIRONMENTS, INSTANCES = "runs.jsonl", "environments.jsonl", "instances.jsonl"


class _Part(BaseModel):
    """What readers of a row rely on; it may hold more."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Environment(_Part):
    cpu: str
    cores: int
    python: str
    versions: dict[str, str | None]


class _Row(_Part):
    key: str
    group: str
    instance: str
    content_hash: str | None = None
    method: str
    label: str
    options: dict[str, Any]
    seed: int
    status: str
    found: bool
    objective: float | None = None
    lower_bound: float | None = None
    time_s: float | None = None
    times_s: dict[str, float] = {}
    limit_s: float
    violations: list[str]
    environment_id: str


class _EnvironmentLine(_Part):
    environment_id: str
    environment: dict[str, Any]


class _InstanceLine(_Part):
    content_hash: str
    instance: dict[str, Any]


def load_records(path: Path) -> list[Record]:
    """Read the rows of a folder of results, each with its `environment`.

    Parameters
    ----------
    path : Path
        The folder, or the `runs.jsonl` in it.

    Returns
    -------
    list of Record

    Raises
    ------
    InputError
        If a file cannot be read, there are no rows, a last line is cut off (`finbench run` mends that), or a row is of
        another schema or version.
    """
    folder = path if path.is_dir() else path.parent
    runs = folder / RUNS if path.is_dir() else path
    rows = list(read_rows(runs))
    if not rows:
        raise InputError(runs, "holds no runs")
    environments = load_environments(folder)
    for number, row in enumerate(rows, start=1):
        if row["environment_id"] not in environments:
            raise InputError(runs, f"line {number}: environment_id = {row['environment_id']!r}: not in {ENVIRONMENTS}")
        row["environment"] = environments[row["environment_id"]]
    return rows


def load_environments(folder: Path) -> dict[str, Environment]:
    """The environments of a folder of results by id; raises InputError as `load_records` does."""
    file, found = folder / ENVIRONMENTS, {}
    for number, line in enumerate(read_lines(file), start=1):
        entry = validate(line, _EnvironmentLine, file, f"line {number}")
        validate(entry.environment, _Environment, file, f"line {number}")
        found[entry.environment_id] = entry.environment
    return found


def load_instances(folder: Path) -> dict[str, Instance]:
    """The instances of a folder of results by content hash; the largest are not kept there.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    dict
        Empty where the folder has no such file.

    Raises
    ------
    InputError
        If the file cannot be read, or a line is cut off or holds no instance.
    """
    file, found = folder / INSTANCES, {}
    if not file.exists():
        return {}
    for number, line in enumerate(read_lines(file), start=1):
        entry = validate(line, _InstanceLine, file, f"line {number}")
        found[entry.content_hash] = validate(entry.instance, Instance, file, f"line {number}")
    return found


def read_rows(file: Path, *, may_be_cut_off: bool = False) -> Iterator[Record]:
    """The rows of a journal, each checked; raises InputError as `load_records` does."""
    for number, row in enumerate(read_lines(file, may_be_cut_off=may_be_cut_off), start=1):
        _check(row, number, file)
        yield row


def read_lines(file: Path, *, may_be_cut_off: bool = False) -> Iterator[Record]:
    """The tables of a file of JSON lines; raises InputError as `load_records` does.

    Parameters
    ----------
    file : Path
    may_be_cut_off : bool
        Leave out a last line that was not written to its end.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}") from None
    *lines, rest = content.split(b"\n")
    for number, line in enumerate([*lines, rest] if rest else lines, start=1):
        try:
            table = json.loads(line.decode(), parse_constant=_not_json)
        except ValueError as error:
            if number <= len(lines):
                why = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "is not JSON"
                raise InputError(file, f"line {number} {why}") from None
            if may_be_cut_off:
                return
            raise InputError(file, f"line {number} is cut off; `finbench run` of the same campaign mends it") from None
        if not isinstance(table, dict):
            raise InputError(file, f"line {number} is not a table")
        yield table


def _check(row: Record, number: int, file: Path) -> None:
    at, found = f"line {number}", row.get("schema_version")
    if isinstance(found, int) and found > SCHEMA_VERSION:
        newer = f"schema_version = {found}: written by a newer finbench; this one reads {SCHEMA_VERSION}"
        raise InputError(file, f"{at}: {newer}")
    if found != SCHEMA_VERSION:
        raise InputError(file, f"{at}: schema_version = {found!r}: must be {SCHEMA_VERSION}")
    validate(row, _Row, file, at)


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)
