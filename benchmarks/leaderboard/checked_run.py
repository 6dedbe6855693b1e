"""One run of a folder of results, and what the exact checker says of its deployment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any

from finbench.benchmarks.library.library import Library
from finbench.benchmarks.methods import METHODS
from finbench.benchmarks.rows.columns import CENSORED
from finbench.benchmarks.rows.decisions import as_deployment, recorded_decisions
from finbench.benchmarks.rows.environment import machine
from finbench.benchmarks.rows.reading import load_instances, load_rows
from finbench.benchmarks.rows.row import Row, run_identity
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.verify.rows import ExactEvaluation, evaluate_exactly

OUTSIDE = "other"
"""Tier of instances that are not of the library."""


@dataclass(frozen=True)
class CheckedRun:
    """A run, its instance, and its deployment in exact arithmetic."""

    folder: str
    """The folder of results, as it was named."""
    row: Row
    instance: Instance
    name: str
    """Name of the instance in the library, else its own."""
    tier: str
    """Its tier in the library, else `other`."""
    deployment: Deployment | None
    exact: ExactEvaluation | None
    """The deployment in exact arithmetic; None where there is none."""

    @cached_property
    def variant(self) -> str:
        """The method with its solver and the options that differ from their defaults."""
        return variant_of(self.row)

    @cached_property
    def machine(self) -> str:
        """The machine, in words; times compare only where these are equal."""
        return machine(self.row["environment"])

    @property
    def who(self) -> str:
        """Folder and variant."""
        return f"{self.folder}: {self.variant}"

    @cached_property
    def objective(self) -> float | None:
        """Exact objective of a deployment that keeps every rule (eq. 3), rounded once; None without one."""
        if self.exact is None or self.exact.objective is None or not self.exact.feasible:
            return None
        return as_float(self.exact.objective)

    @property
    def bound(self) -> float | None:
        """The lower bound that the run claims."""
        return self.row.get("lower_bound")


@dataclass(frozen=True)
class ReadRuns:
    """What several folders of results hold."""

    runs: tuple[CheckedRun, ...]
    unchecked: dict[str, int]
    """By folder the runs of which there is no instance to check them on."""


def as_float(value: Fraction) -> float:
    """Return the nearest float; inf for what no float reaches."""
    try:
        return float(value)
    except OverflowError:
        return inf


def variant_of(row: Row) -> str:
    """Return a row's method with its solver, default or not, and its other options; of unknown ones the row's word."""
    method, options = METHODS.get(row["method"]), row["options"]
    if method is None or not options.keys() <= method.options.model_fields.keys():
        return str(row["variant"])
    solver = method.options.model_fields.get("solver")
    given = options if solver is None else {"solver": solver.default, **options}
    if not isinstance(given.get("solver", ""), str):
        return str(row["variant"])
    return method.variant(given, ("solver",))


def read_runs(
    folders: Sequence[Path], library: Library, told: Callable[[int, int], None] = lambda *_: None
) -> ReadRuns:
    """Read folders of results and check every deployment.

    Parameters
    ----------
    folders : sequence of Path
        Each once; of a journal its folder.
    library : Library
        Makes instances that a folder does not keep.
    told : callable
        Hears how many runs of how many are done.

    Returns
    -------
    ReadRuns
        A run that several groups ask for comes once.

    Raises
    ------
    InputError
        If a folder cannot be read, or a deployment breaks the format.
    """
    rows = [(folder, row) for folder in folders for row in load_rows(folder)]
    kept = {folder: load_instances(folder if folder.is_dir() else folder.parent) for folder in folders}
    return _checked(((str(folder), row, kept[folder]) for folder, row in rows), len(rows), library, told)


def checked_rows(name: str, rows: Sequence[Row], kept: Mapping[str, Instance], library: Library) -> ReadRuns:
    """Check the deployments of rows that have been read.

    Parameters
    ----------
    name : str
        Of their folder.
    rows : sequence of Row
        With their environments.
    kept : mapping
        Instances by content hash; those of the library need not be there.
    library : Library
    """
    return _checked(((name, row, kept) for row in rows), len(rows), library)


def _checked(
    rows: Iterable[tuple[str, Row, Mapping[str, Instance]]],
    count: int,
    library: Library,
    told: Callable[[int, int], None] = lambda *_: None,
) -> ReadRuns:
    """Check rows, each with the name of its folder and the instances that are kept there."""
    reader = _Reader(library)
    runs, unchecked, seen = list[CheckedRun](), dict[str, int](), set[tuple[Any, ...]]()
    for k, (folder, row, kept) in enumerate(rows):
        told(k, count)
        telling = (folder, *run_identity(row))
        if row["status"] == CENSORED or telling in seen:
            continue
        seen.add(telling)
        run = reader.checked(folder, row, kept)
        if run is None:
            unchecked[folder] = unchecked.get(folder, 0) + 1
        else:
            runs.append(run)
    told(count, count)
    return ReadRuns(tuple(runs), unchecked)


class _Reader:
    """Checks rows; equal decisions on one instance are evaluated once."""

    def __init__(self, library: Library) -> None:
        self._entries = {entry.content_hash: entry for entry in library.entries.values()}
        self._made: dict[str, Instance] = {}
        self._evaluated: dict[tuple[str, str], tuple[Deployment, ExactEvaluation]] = {}

    def checked(self, folder: str, row: Row, kept: Mapping[str, Instance]) -> CheckedRun | None:
        """Return a row with its deployment checked; None where there is no instance to check it on."""
        instance = self._instance(row.get("content_hash") or "", kept)
        if instance is None:
            return None
        entry = self._entries.get(instance.content_hash)
        name, tier = (instance.name, OUTSIDE) if entry is None else (entry.name, entry.tier.value)
        deployment, exact = self._evaluation(folder, row, instance)
        return CheckedRun(folder, row, instance, name, tier, deployment, exact)

    def _instance(self, content_hash: str, kept: Mapping[str, Instance]) -> Instance | None:
        if content_hash in self._made:
            return self._made[content_hash]
        found = kept.get(content_hash)
        if found is None and content_hash in self._entries:
            found = self._entries[content_hash].build()
        if found is not None:
            self._made[content_hash] = found
        return found

    def _evaluation(
        self, folder: str, row: Row, instance: Instance
    ) -> tuple[Deployment | None, ExactEvaluation | None]:
        decisions = recorded_decisions(row, instance)
        if decisions is None:
            return None, None
        key = (instance.content_hash, json.dumps(decisions, sort_keys=True))
        if key not in self._evaluated:
            where = f"{folder}: run of {row['variant']} on '{row['instance']}'"
            deployment = as_deployment(decisions, where)
            self._evaluated[key] = (deployment, evaluate_exactly(instance, deployment))
        return self._evaluated[key]
