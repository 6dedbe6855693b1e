"""Reads a folder of results without trust: every line is checked against its declaration (`columns`).

A folder of results holds `runs.jsonl`, one row a line; `environments.jsonl`, what the rows' `environment_id` stands
for; and `instances.jsonl`, the instances they name by `content_hash`. `benchmarks.rows.journal` writes them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from finbench.benchmarks.rows.columns import EnvironmentColumns, EnvironmentLine, InstanceLine, RowColumns
from finbench.benchmarks.rows.environment import Environment, environment_id
from finbench.benchmarks.rows.row import OLDEST_VERSION, SCHEMA_VERSION, Row
from finbench.models.instance import Instance
from finbench.models.io import InputError, validate

RUNS, ENVIRONMENTS, INSTANCES = "runs.jsonl", "environments.jsonl", "instances.jsonl"


MAX_DEPTH = 32
"""Levels of tables and lists within one another that a line may have."""


def load_rows(path: Path) -> list[Row]:
    """Read the rows of a folder of results, each with its `environment`.

    Parameters
    ----------
    path : Path
        The folder, or the `runs.jsonl` in it.

    Returns
    -------
    list of Row

    Raises
    ------
    InputError
        If a file cannot be read, there are no rows, a last line is cut off (`finbench run` mends that), or a row is of
        another schema or version.
    """
    is_folder = os.path.isdir(path)  # false, and no error, where a name is longer than any file's
    folder = path if is_folder else path.parent
    runs = folder / RUNS if is_folder else path
    rows = list(read_rows(runs))
    if not rows:
        raise InputError(runs, "holds no runs")
    environments = load_environments(folder)
    check_environments(rows, environments, runs)
    return [{**row, "environment": environments[row["environment_id"]]} for row in rows]


def check_environments(rows: Iterable[Row], environments: Collection[str], file: Path) -> None:
    """Raise InputError where a row of a journal names an environment that is not there."""
    for number, row in enumerate(rows, start=1):
        if row["environment_id"] not in environments:
            raise InputError(file, f"line {number}: environment_id = {row['environment_id']!r}: not in {ENVIRONMENTS}")


def load_environments(folder: Path, *, may_be_cut_off: bool = False) -> dict[str, Environment]:
    """Return the environments of a folder of results by id; raise InputError as `load_rows` does."""
    file, found = folder / ENVIRONMENTS, {}
    for number, line in enumerate(read_lines(file, may_be_cut_off=may_be_cut_off), start=1):
        entry = validate(line, EnvironmentLine, file, f"line {number}")
        validate(entry.environment, EnvironmentColumns, file, f"line {number}")
        if environment_id(entry.environment) != entry.environment_id:
            ids = f"{entry.environment_id!r}: the environment beside it has {environment_id(entry.environment)!r}"
            raise InputError(file, f"line {number}: environment_id = {ids}")
        found[entry.environment_id] = entry.environment
    return found


def load_instances(folder: Path) -> dict[str, Instance]:
    """Return the instances of a folder of results by content hash; the largest are not kept there.

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
        entry = validate(line, InstanceLine, file, f"line {number}")
        instance = validate(entry.instance, Instance, file, f"line {number}")
        if instance.content_hash != entry.content_hash:
            hashes = f"content_hash = {entry.content_hash!r}: the instance beside it has {instance.content_hash!r}"
            raise InputError(file, f"line {number}: {hashes}")
        found[entry.content_hash] = instance
    return found


def kept_instances(folder: Path) -> set[str]:
    """Return the content hashes of the instances in a folder of results; raise InputError as `load_instances` does."""
    file = folder / INSTANCES
    if not file.exists():
        return set()
    lines = enumerate(read_lines(file, may_be_cut_off=True), start=1)
    return {validate(line, InstanceLine, file, f"line {number}").content_hash for number, line in lines}


def read_rows(file: Path, *, may_be_cut_off: bool = False) -> Iterator[Row]:
    """Yield the rows of a journal, each checked; raise InputError as `load_rows` does."""
    for number, line in enumerate(read_lines(file, may_be_cut_off=may_be_cut_off), start=1):
        row = _upgraded(line)
        _check(row, number, file)
        yield row


def read_lines(file: Path, *, may_be_cut_off: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the tables of a file of JSON lines; raise InputError as `load_rows` does.

    Parameters
    ----------
    file : Path
    may_be_cut_off : bool
        Leave out a last line that was not written to its end.
    """
    *lines, rest = _content(file).split(b"\n")
    for number, line in enumerate([*lines, rest] if rest else lines, start=1):
        try:
            table = json.loads(line.decode(), parse_constant=_not_json)
            _check_text(table, line)
        except RecursionError:
            raise InputError(file, f"line {number} is nested too deeply") from None
        except ValueError as error:
            if number <= len(lines):
                why = "is not UTF-8 text" if isinstance(error, UnicodeError) else "is not JSON"
                raise InputError(file, f"line {number} {why}") from None
            if may_be_cut_off:
                return
            raise InputError(file, f"line {number} is cut off; `finbench run` of the same campaign mends it") from None
        if not isinstance(table, dict):
            raise InputError(file, f"line {number} is not a table")
        yield table


def _content(file: Path) -> bytes:
    try:
        if os.path.exists(file) and not file.is_file():
            raise InputError(file, "cannot be read: it is not a regular file")
        return file.read_bytes()
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}") from None


def _check_text(table: object, line: bytes) -> None:
    """Check that parsed JSON can be written again.

    Raises
    ------
    RecursionError
        If it is nested more deeply than `MAX_DEPTH`.
    UnicodeError
        If a text in it holds half of a surrogate pair.
    """
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH:
        level = [table]
        for _ in range(MAX_DEPTH):
            level = [inner for outer in level for inner in _inside(outer)]
        if level:
            raise RecursionError
    if _SURROGATE.search(line):
        json.dumps(table, ensure_ascii=False).encode()


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _inside(value: object) -> Iterator[object]:
    """Yield the tables and lists that stand directly in a table or list."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (part for part in parts if isinstance(part, dict | list))


def _upgraded(row: Row) -> Row:
    """Return a row of version 2, which calls the variant its label, as one of this version; others as they are."""
    version = row.get("schema_version")
    if type(version) is not int or version != OLDEST_VERSION or "variant" in row:
        return row
    named = {"variant" if column == "label" else column: value for column, value in row.items()}
    return {**named, "schema_version": SCHEMA_VERSION}


def _check(row: Row, number: int, file: Path) -> None:
    at, found = f"line {number}", row.get("schema_version")
    if type(found) is int and SCHEMA_VERSION < found < 10**6:
        newer = f"schema_version = {found}: written by a newer finbench; this one reads {SCHEMA_VERSION}"
        raise InputError(file, f"{at}: {newer}")
    if type(found) is not int or found != SCHEMA_VERSION:
        raise InputError(
            file, f"{at}: schema_version = {repr(found)[:60]}: must be {OLDEST_VERSION} to {SCHEMA_VERSION}"
        )
    validate(row, RowColumns, file, at)


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)
