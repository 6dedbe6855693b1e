"""The runs that a campaign asks for, and which of them are made now."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from finbench.benchmarks.campaigns.campaign import Campaign, Problem, problems
from finbench.benchmarks.execution.code_version import code_version
from finbench.benchmarks.execution.task import Task
from finbench.benchmarks.methods import METHODS, find_method
from finbench.benchmarks.plugins.plugin import plugins
from finbench.benchmarks.rows.journal import Place
from finbench.benchmarks.rows.row import Row, instance_columns
from finbench.models.instance import Instance
from finbench.models.io import InputError
from finbench.models.result import Status

GIB = 2**30


@dataclass(frozen=True)
class Run:
    """A run of a campaign: the task for a worker, and the columns of its row that are known before it is made."""

    task: Task
    columns: Row
    """Columns `group` and `instance`, those of its origin and its instance, and its limits."""
    failure: tuple[str, str] | None = None
    """Reason and traceback where its instance could not be made; else None."""
    simulated_samples: int | None = None
    """Samples that are simulated at the deployment that it finds; None: it is not simulated."""

    @property
    def place(self) -> Place:
        """Group and key: where its row is found."""
        return self.columns["group"], self.task.key


@dataclass(frozen=True)
class RunFilter:
    """Selects the runs of a campaign that are made now."""

    methods: Collection[str] = ()
    """Names; empty: all."""
    redo: Collection[str] = ()
    """Methods or statuses whose rows do not count as made."""

    def check(self) -> None:
        """Raise InputError where one of `methods` is no method, or one of `redo` neither a method nor a status."""
        for name in self.methods:
            find_method(name)
        for name in self.redo:
            if name not in METHODS and name not in set(Status):
                known = ", ".join([*METHODS, *Status])
                raise InputError(f"--redo {name}", f"no such method or status; there are: {known}")

    def takes(self, run: Run) -> bool:
        """Return whether a run is among those that are made now."""
        return not self.methods or run.task.method.name in self.methods

    def counts(self, row: Row) -> bool:
        """Return whether an existing row counts, so that its run is not made again."""
        return row["method"] not in self.redo and row["status"] not in self.redo


def count_runs(campaign: Campaign) -> int:
    """Return how many runs the campaign has."""
    return sum(len(problem.methods) * problem.repetitions for problem in problems(campaign))


def plan(campaign: Campaign, keep: Callable[[Instance], None] = lambda _: None) -> list[Run]:
    """Return every run of a campaign, in the file's order.

    Parameters
    ----------
    campaign : Campaign
    keep : callable
        Called with every instance; the plan itself keeps none.
    """
    return [run for problem in problems(campaign) for run in runs_on(problem, campaign.seed, keep)]


def runs_on(problem: Problem, seed: int, keep: Callable[[Instance], None]) -> Iterator[Run]:
    """Yield every run on one problem; parameters as for `plan`."""
    columns: Row = {"group": problem.group, "instance": problem.origin.name, **problem.origin.columns()}
    columns |= {"limit_s": problem.time_limit_s, "memory_limit_gib": problem.memory_limit_gib}
    failure = None
    try:
        instance = problem.origin.build()
        keep(instance)
        columns |= instance_columns(instance)
    except Exception as error:  # noqa: BLE001  (kept in the rows)
        failure = f"{type(error).__name__}: {error}", traceback.format_exc()
    memory = None if problem.memory_limit_gib is None else round(problem.memory_limit_gib * GIB)
    for name, options in problem.methods:
        method = find_method(name)
        for repetition in range(1, problem.repetitions + 1):
            task = Task(
                problem.origin,
                columns.get("content_hash", repr(problem.origin)),
                method,
                options,
                seed,
                repetition,
                problem.time_limit_s,
                memory,
                problem.warm_up,
                code_version(method, options),
                tuple(plugin for plugin in plugins() if plugin.portable),
            )
            yield Run(task, columns, failure, problem.simulated_samples)
