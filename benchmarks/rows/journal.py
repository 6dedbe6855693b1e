"""A folder of results while a campaign writes to it: every row is on the disk before the next run's.

What an interrupted campaign left is taken up again. A last line that was cut off is moved to a file beside (`.torn`),
never repaired by guess. Rows are known by group and key (`execution.task.Task.key`), and the latest of a key counts.
`runs.jsonl` holds exactly the present campaign: rows that it no longer asks for, and those that are run again, move to
`runs.old.jsonl` when it starts, and come back from there when they are asked for again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from itertools import chain, count
from pathlib import Path
from typing import Any, Self

from finbench.benchmarks.rows.environment import Environment, environment_id
from finbench.benchmarks.rows.reading import (
    ENVIRONMENTS,
    INSTANCES,
    RUNS,
    check_environments,
    kept_instances,
    load_environments,
    read_lines,
    read_rows,
)
from finbench.benchmarks.rows.row import Row
from finbench.benchmarks.rows.served import SERVED, checked_lines
from finbench.models.instance import Instance
from finbench.models.io import InputError, write_bytes

OLD = "runs.old.jsonl"
LOGS = "logs"

MAX_INSTANCE_BYTES = 512 * 2**10
"""Instances whose JSON is larger are not kept with the results."""

Place = tuple[str, str]
"""Group and key of a row."""


class Journal:
    """The rows, environments, instances and logs of a folder of results, opened for a campaign to add to.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    fresh : bool
        Start over; rows that are there move to `runs.jsonl.bak`, or where that is taken to `.bak.2`, `.bak.3`, ….

    Raises
    ------
    InputError
        If the folder cannot be written, another campaign writes to it, or what is there is not to be trusted
        (`reading.load_rows`); nothing is changed then.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder
        self._lock = _locked(folder)
        try:
            self._open(fresh)
        except BaseException:
            os.close(self._lock)
            raise

    def _open(self, fresh: bool) -> None:
        folder = self.folder
        self._old = _rows(folder / OLD)
        self._written = [] if fresh else _rows(folder / RUNS)
        there = (folder / ENVIRONMENTS).exists()
        self._environments = load_environments(folder, may_be_cut_off=True) if there else {}
        for rows, name in ((self._old, OLD), (self._written, RUNS)):
            check_environments(rows, self._environments, folder / name)
        self._instances = kept_instances(folder)
        served = folder / SERVED
        self._served = list(checked_lines(served, may_be_cut_off=True)) if served.exists() else []
        if fresh:
            _move_aside(folder / RUNS)
        for name in (OLD, RUNS, ENVIRONMENTS, INSTANCES, SERVED):
            _mend(folder / name)
        self._stream = (folder / RUNS).open("ab", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        os.close(self._lock)

    def known_rows(self) -> dict[Place, Row]:
        """Return the latest row of each group and key that is there, of this campaign and of earlier ones."""
        return _by_place([*self._old, *self._written])

    def settle(self, rows: Sequence[Row]) -> None:
        """Leave exactly these rows in `runs.jsonl`; the others move to `runs.old.jsonl`."""
        asked, there = list(map(_text, rows)), list(map(_text, self._written))
        if sorted(asked) == sorted(there):
            return
        known = {*asked, *map(_text, self._old)}
        _append(self.folder / OLD, b"".join(text for text in there if text not in known))
        write_bytes(self.folder / RUNS, b"".join(asked))
        self._written = list(rows)
        self._stream.close()
        self._stream = (self.folder / RUNS).open("ab", buffering=0)

    def append(self, row: Row, environment: Environment, log: str | None = None) -> Row:
        """Add a row, and before it its environment and its log where these are new.

        All of them are on the disk when this returns.

        Returns
        -------
        Row
            The row as it was written: with `environment_id` and with `log`, the log's path within the folder.
        """
        name = environment_id(environment)
        if name not in self._environments:
            self._environments[name] = environment
            _append(self.folder / ENVIRONMENTS, _text({"environment_id": name, "environment": environment}))
        row = {**row, "log": self._keep(log, row["key"]), "environment_id": name}
        with _written_to(self.folder / RUNS):
            _write(self._stream, _text(row))
            deleted = os.fstat(self._stream.fileno()).st_nlink == 0
        if deleted:
            raise InputError(self.folder / RUNS, "was deleted while the campaign ran")
        return row

    def with_environment(self, row: Row) -> Row:
        """Return a row with its environment, as `reading.load_rows` does."""
        return {**row, "environment": self._environments[row["environment_id"]]}

    def add_instance(self, instance: Instance) -> None:
        """Keep an instance, unless it is there or too large."""
        if instance.content_hash in self._instances:
            return
        line = {"content_hash": instance.content_hash, "instance": instance.model_dump(mode="json")}
        text = _text(line)
        if len(text) <= MAX_INSTANCE_BYTES:
            _append(self.folder / INSTANCES, text)
        self._instances.add(instance.content_hash)

    def served(self) -> list[dict[str, Any]]:
        """Return the lines that say what deployments met, of this campaign and of earlier ones."""
        return list(self._served)

    def add_served(self, line: dict[str, Any]) -> None:
        """Add a line that says what a deployment met (`rows.served`)."""
        _append(self.folder / SERVED, _text(line))
        self._served.append(line)

    def _keep(self, log: str | None, key: str) -> str | None:
        if not log:
            return None
        name = f"{LOGS}/{key[:16]}.log"
        with _written_to(self.folder / LOGS):
            (self.folder / LOGS).mkdir(exist_ok=True)
        write_bytes(self.folder / name, log.encode(errors="replace"))
        return name


def _locked(folder: Path) -> int:
    """Make and open the folder, with a lock that ends with this process; return its descriptor."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise InputError(folder, f"cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InputError(folder, "another campaign is writing its results there") from None
    return descriptor


def _move_aside(file: Path) -> None:
    """Rename a file, where it is there, to a backup that overwrites none."""
    names = chain([f"{file.name}.bak"], (f"{file.name}.bak.{number}" for number in count(2)))
    if file.exists():
        file.rename(next(backup for backup in map(file.with_name, names) if not backup.exists()))


def rows_there(folder: Path) -> dict[Place, Row]:
    """Return the rows that a journal in `folder` would know, without opening one; raise InputError as it does."""
    return _by_place([*_rows(folder / OLD), *_rows(folder / RUNS)])


def _by_place(rows: Sequence[Row]) -> dict[Place, Row]:
    return {(row["group"], row["key"]): row for row in rows}


def _rows(file: Path) -> list[Row]:
    return list(read_rows(file, may_be_cut_off=True)) if file.exists() else []


def _text(table: dict[str, Any]) -> bytes:
    return json.dumps(table, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _append(file: Path, content: bytes) -> None:
    if content:
        with _written_to(file), file.open("ab", buffering=0) as stream:
            _write(stream, content)


@contextmanager
def _written_to(file: Path) -> Iterator[None]:
    """Raise InputError, naming the file, where the system refuses to write to it inside the block."""
    try:
        yield
    except OSError as error:
        hint = "the same command goes on where it stopped"
        raise InputError(file, f"cannot be written: {error.strerror}; {hint}") from None


def _write(stream: FileIO, content: bytes) -> None:
    while content:
        content = content[stream.write(content) :]
    os.fsync(stream.fileno())


def _mend(file: Path) -> None:
    """Move a last line that was cut off to a file beside; end one that only lacks its end of line."""
    content = file.read_bytes() if file.exists() else b""
    rest = content[content.rfind(b"\n") + 1 :]
    if not rest:
        return
    with _written_to(file), file.open("r+b", buffering=0) as stream:
        if sum(1 for _ in read_lines(file, may_be_cut_off=True)) > content.count(b"\n"):
            stream.seek(0, os.SEEK_END)
            _write(stream, b"\n")
            return
        with file.with_name(f"{file.name}.torn").open("ab", buffering=0) as torn:
            _write(torn, rest + b"\n")
        stream.truncate(len(content) - len(rest))
        os.fsync(stream.fileno())
