"""One run as it is handed to a worker, and the key by which its row is found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from finbench.benchmarks.campaigns.origins import Origin
from finbench.benchmarks.methods import Method
from finbench.benchmarks.plugins.plugin import Plugin

Columns = dict[str, Any]
"""Part of a row, JSON-compatible."""


@dataclass(frozen=True)
class Task:
    """One run.

    It carries the method itself and all plugins, which a worker loads as it takes the task from its input: so it can
    run methods, draw instances of families and call solvers that its own registries do not have.
    """

    origin: Origin
    content_hash: str
    """Content hash of the instance that `origin` made when the run was planned."""
    method: Method
    options: Mapping[str, Any]
    seed: int
    repetition: int
    """1 for the first."""
    time_limit_s: float
    memory_limit_bytes: int | None
    """Memory that the run may take beyond what its process holds; None: no limit."""
    warm_up: bool
    """Whether the method first runs on a small instance where its worker has not run it yet."""
    code_version: str
    """`code_version.code_version` of the method with these options."""
    plugins: tuple[Plugin, ...] = ()
    """The plugins that were loaded when the run was planned."""

    @property
    def variant(self) -> str:
        """Method and the options that matter, for people."""
        return self.method.variant(self.options)

    @cached_property
    def key(self) -> str:
        """SHA-256 over everything that decides the run's result. Of two runs with one key, only one is made.

        These are the instance's content, method, options, seed, repetition, limits and the code version.
        """
        decisive = [
            self.content_hash,
            self.method.name,
            dict(self.options),
            self.seed,
            self.repetition,
            self.time_limit_s,
            self.memory_limit_bytes,
            self.code_version,
        ]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def portable(self) -> Task:
        """Return the same run for a machine that may not have the instance's file."""
        return replace(self, origin=self.origin.portable())


@dataclass(frozen=True)
class Started:
    """A run's clock has started."""

    task: Task


@dataclass(frozen=True)
class Finished:
    """A run is over, with or without a result."""

    task: Task
    columns: Columns
    """The columns that the run itself gives: `rows.row.result_columns` or `failure_columns`."""
    log: str | None = None
    """The end of what the run printed, where it failed."""
    attempts: int = 1
    environment: Columns | None = None
    """Environment that it ran in; None: that of this process."""


Event = Started | Finished


Backend = Callable[[Sequence[Task], Callable[[], bool]], Generator[Event]]
"""Runs tasks in any order until they are done or the second argument returns true (`execution.local.run_locally`)."""
