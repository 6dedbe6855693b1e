"""One row for each run: what ran, on what, where, and what came of it. A failure is a row, never a missing one."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn, TextIO

from pydantic import BaseModel, ConfigDict

from benchmarks.judge import Judged
from benchmarks.methods import label
from models.instance import Instance
from models.io import InputError, validate
from models.result import Status

Record = dict[str, Any]
"""A row, JSON-compatible. Energies: `objective`, `lower_bound`, `claimed_objective` in the objective's unit (eq. 3)."""

SCHEMA_VERSION = 1
"""Version of the rows."""

PACKAGES = ("finbench", "numpy", "networkx", "numba", "pyomo", "highspy")
"""Packages whose versions decide about a run."""


def record(judged: Judged, *, seed: int, wall_s: float) -> Record:
    """The row of a run.

    Parameters
    ----------
    judged : Judged
    seed : int
    wall_s : float
        Wall-clock time of the whole call [s]; the phases are in `times_s`.

    Returns
    -------
    Record
    """
    assert judged.method is not None
    shown = judged.to_json()
    return {
        **_instance_columns(judged.instance),
        **_run_columns(judged.method, judged.options, seed),
        "status": judged.status,
        "reason": judged.result.reason,
        "found": judged.found,
        "objective": judged.objective,
        "claimed_objective": judged.result.claimed_objective,
        "lower_bound": judged.result.lower_bound,
        "gap": judged.gap,
        **{name: shown[name] for name in _COSTS},
        **_shared_columns(shown),
        "violations": [violation["message"] for violation in shown["violations"]],
        "time_s": judged.time_s,
        "wall_s": wall_s,
        "times_s": shown["times_s"],
        "info": shown["info"],
        "deployments": shown["deployments"],
    }


def failure_record(method: str, options: Mapping[str, Any], *, seed: int, reason: str, trace: str) -> Record:
    """The row of a run whose instance could not even be made."""
    return {
        **_run_columns(method, options, seed),
        "status": Status.ERROR.value,
        "reason": reason,
        "found": False,
        "violations": [],
        "info": {"traceback": trace},
    }


def _run_columns(method: str, options: Mapping[str, Any], seed: int) -> Record:
    return {
        "schema_version": SCHEMA_VERSION,
        "method": method,
        "label": label(method, options),
        "options": dict(options),
        "seed": seed,
        "environment": environment(),
    }


def _shared_columns(shown: Record) -> Record:
    """What several applications add: total power, what of it are penalties [W], and how many are rejected."""
    if "total_power_w" not in shown:
        return {}
    deployed = shown["total_power_w"] is not None
    return {
        "total_power_w": shown["total_power_w"],
        "penalty_w": shown["penalty_w"],
        "rejected": len(shown["rejected"]) if deployed else None,
    }


_COSTS = ("energy_j", "compute_energy_j", "transfer_energy_j", "latency_s", "accuracy")


def _instance_columns(instance: Instance) -> Record:
    app = instance.applications[0]
    single = len(instance.applications) == 1
    return {
        "instance": instance.name,
        "content_hash": instance.content_hash,
        "applications": len(instance.applications),
        "network_nodes": len(instance.network.nodes),
        "network_links": len(instance.network.links),
        "dnn_blocks": max(len(dnn.blocks) for dnn in instance.dnns),
        "accounting": instance.accounting.value,
        "latency_kind": instance.latency_kind.value,
        "max_latency_s": app.max_latency_s if single else None,
        "min_accuracy": app.min_accuracy if single else None,
    }


@cache
def environment() -> Record:
    """Machine and versions of this process."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@dataclass(frozen=True)
class Journal:
    """Appends rows to a file; each is on the disk before the next run starts."""

    stream: TextIO

    def append(self, row: Record) -> None:
        """Add a row."""
        self.stream.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
        self.stream.flush()
        os.fsync(self.stream.fileno())


@contextmanager
def journal(path: Path) -> Iterator[Journal]:
    """A new journal; the one that an earlier run left there is kept beside it as `.bak`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        os.replace(path, path.with_name(path.name + ".bak"))
    with path.open("w", encoding="utf-8") as stream:
        yield Journal(stream)


class _Part(BaseModel):
    """What readers of a row rely on; it may hold more."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Environment(_Part):
    cpu: str
    cores: int
    python: str
    versions: dict[str, str | None]


class _Row(_Part):
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
    environment: _Environment


def load_records(path: Path) -> list[Record]:
    """Read a journal back.

    Parameters
    ----------
    path : Path
        A journal, or the folder of results that holds it as `runs.jsonl`.

    Returns
    -------
    list of Record

    Raises
    ------
    InputError
        If it cannot be read or is empty, its last line is cut off, or a row is of another schema or a newer version.
    """
    path = path / "runs.jsonl" if path.is_dir() else path
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(path, "is not UTF-8 text") from None
    if not text:
        raise InputError(path, "holds no runs")
    lines = text.removesuffix("\n").split("\n")
    return [_parsed(line, number, len(lines), path) for number, line in enumerate(lines, start=1)]


def _parsed(line: str, number: int, last: int, path: Path) -> Record:
    try:
        row = json.loads(line, parse_constant=_not_json)
    except ValueError:
        why = "is cut off; without it the others can be read" if number == last else "is not JSON"
        raise InputError(path, f"line {number} {why}") from None
    at = f"line {number}"
    if not isinstance(row, dict):
        raise InputError(path, f"{at} is not a table")
    found = row.get("schema_version")
    if isinstance(found, int) and found > SCHEMA_VERSION:
        newer = f"schema_version = {found}: written by a newer finbench; this one reads {SCHEMA_VERSION}"
        raise InputError(path, f"{at}: {newer}")
    if found != SCHEMA_VERSION:
        raise InputError(path, f"{at}: schema_version = {found!r}: must be {SCHEMA_VERSION}")
    validate(row, _Row, path, at)
    return row


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)
