"""Runs a campaign: what is missing, each run in a worker, every finished run on the disk before the next is counted.

A folder of results that is there is taken up again: a run whose key (`execution.task.Task.key`) has a row is not made
again, unless asked for. Only runs of the present campaign are reported; where two groups ask for the same run, it is
made once.
"""

from __future__ import annotations

import signal
import traceback
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import FrameType
from typing import Protocol

from finbench.benchmarks.campaigns.campaign import Campaign, Problem, problems
from finbench.benchmarks.execution.code_version import code_version
from finbench.benchmarks.execution.task import Event, Finished, Started, Task
from finbench.benchmarks.judging.judged import contradictions
from finbench.benchmarks.methods import METHODS, find_method
from finbench.benchmarks.records.environment import environment
from finbench.benchmarks.records.journal import Journal, Place
from finbench.benchmarks.records.reading import Record, failure_columns, instance_columns, run_columns
from finbench.models.instance import Instance
from finbench.models.io import InputError
from finbench.models.result import Status

GIB = 2**30

Backend = Callable[[Sequence[Task], Callable[[], bool]], Generator[Event]]
"""Runs tasks, in any order, until they are done or the second argument says to stop: `execution.local.run_locally`."""


@dataclass(frozen=True)
class Run:
    """A run of a campaign: what to do, and what its row says beside what comes of it."""

    task: Task
    origin: Record
    """Columns `group` and `instance`, those of its source and its instance, and its limits."""
    failure: tuple[str, str] | None = None
    """Reason and traceback, where its instance could not be made."""

    @property
    def place(self) -> Place:
        """Group and key: where its row is found."""
        return self.origin["group"], self.task.key


@dataclass
class Outcome:
    """What came of a campaign."""

    records: list[Record] = field(default_factory=list)
    """A row for each run that was made now or before, in the campaign's order, each with its `environment`."""
    contradictions: list[str] = field(default_factory=list)
    stopped_by: int | None = None
    """The signal that stopped it before it was complete."""

    @property
    def errors(self) -> int:
        """Runs that failed."""
        return sum(row["status"] == Status.ERROR for row in self.records)


@dataclass(frozen=True)
class Choice:
    """Which runs of a campaign are made now."""

    methods: Collection[str] = ()
    """Names; empty: all."""
    redo: Collection[str] = ()
    """Methods or statuses whose rows do not count as made."""

    def check(self) -> None:
        """Raise InputError where a name is none of a method, or of a method or status."""
        for name in self.methods:
            find_method(name)
        for name in self.redo:
            if name not in METHODS and name not in set(Status):
                known = ", ".join([*METHODS, *Status])
                raise InputError(f"--redo {name}", f"no such method or status; there are: {known}")

    def takes(self, run: Run) -> bool:
        """Whether a run may be made now."""
        return not self.methods or run.task.method.name in self.methods

    def counts(self, row: Record) -> bool:
        """Whether a row counts as made."""
        return row["method"] not in self.redo and row["status"] not in self.redo


class Progress(Protocol):
    """Is told how a campaign goes."""

    def begin(self, total: int, known: int) -> None:
        """Called before the first run: how many runs there are, and how many of them have a row already."""

    def started(self, group: str, label: str) -> None:
        """A run's clock has started."""

    def finished(self, group: str, label: str, status: str) -> None:
        """A run is over."""


class Silence:
    """Progress that nobody sees."""

    def begin(self, total: int, known: int) -> None:
        """Say nothing."""

    def started(self, group: str, label: str) -> None:
        """Say nothing."""

    def finished(self, group: str, label: str, status: str) -> None:
        """Say nothing."""


def count_runs(campaign: Campaign) -> int:
    """How many runs the campaign has."""
    return sum(len(problem.methods) * problem.repetitions for problem in problems(campaign))


def plan(campaign: Campaign, keep: Callable[[Instance], None] = lambda _: None) -> list[Run]:
    """Every run of a campaign, in the file's order.

    Parameters
    ----------
    campaign : Campaign
    keep : callable
        Given every instance, which the plan forgets.
    """
    return [run for problem in problems(campaign) for run in runs_on(problem, campaign.seed, keep)]


def runs_on(problem: Problem, seed: int, keep: Callable[[Instance], None]) -> Iterator[Run]:
    """Every run on one problem; see `plan`."""
    origin: Record = {"group": problem.group, "instance": problem.source.name, **problem.source.columns()}
    origin |= {"limit_s": problem.time_limit_s, "memory_limit_gib": problem.memory_limit_gib}
    failure = None
    try:
        instance = problem.source.build()
        keep(instance)
        origin |= instance_columns(instance)
    except Exception as error:  # noqa: BLE001  (kept in the rows)
        failure = f"{type(error).__name__}: {error}", traceback.format_exc()
    memory = None if problem.memory_limit_gib is None else round(problem.memory_limit_gib * GIB)
    for name, options in problem.methods:
        method = find_method(name)
        for repetition in range(1, problem.repetitions + 1):
            task = Task(
                problem.source,
                origin.get("content_hash", repr(problem.source)),
                method,
                options,
                seed,
                repetition,
                problem.time_limit_s,
                memory,
                problem.warm_up,
                code_version(method, options),
            )
            yield Run(task, origin, failure)


def run_campaign(
    campaign: Campaign, folder: Path, backend: Backend, choice: Choice | None = None, progress: Progress | None = None
) -> Outcome:
    """Run what is missing.

    Parameters
    ----------
    campaign : Campaign
    folder : Path
        Gets one line in `runs.jsonl` for each finished run (`benchmarks.records.journal`).
    backend : callable
        Where runs are made.
    choice : Choice
        By default all that is missing.
    progress : Progress

    Returns
    -------
    Outcome
        All rows, and what contradicts among the runs on one and the same instance.

    Raises
    ------
    InputError
        As `benchmarks.records.journal.Journal` does.
    """
    choice, progress = choice or Choice(), progress or Silence()
    with Journal(folder) as journal:
        runs = plan(campaign, journal.add_instance)
        rows = known_rows(runs, journal.known_rows(), choice)
        journal.settle([rows[run.place] for run in runs if run.place in rows])
        progress.begin(len(runs), len(rows))
        missing = [run for run in runs if run.place not in rows and choice.takes(run)]
        with _signals() as caught, closing(_events(missing, backend, lambda: bool(caught))) as events:
            for run, event in events:
                if isinstance(event, Started):
                    progress.started(run.origin["group"], run.task.label)
                else:
                    row = journal.append(row_of(run, event), event.environment or environment(), event.log)
                    rows[run.place] = row
                    progress.finished(run.origin["group"], run.task.label, row["status"])
        found = [journal.with_environment(rows[run.place]) for run in runs if run.place in rows]
    return Outcome(found, contradictions_among(found), caught[0] if caught else None)


def known_rows(runs: Sequence[Run], known: Mapping[Place, Record], choice: Choice) -> dict[Place, Record]:
    """Rows of a journal that count for runs of a campaign, by group and key.

    A row of another group counts too, under the run's own group and source.
    """
    by_key = {key: row for (_, key), row in known.items()}
    found = {}
    for run in runs:
        row = known.get(run.place, by_key.get(run.task.key))
        if row is not None and (choice.counts(row) or not choice.takes(run)):
            found[run.place] = {**row, **run.origin}
    return found


def _events(missing: Sequence[Run], backend: Backend, stopped: Callable[[], bool]) -> Generator[tuple[Run, Event]]:
    """What happens to missing runs; where several are one and the same, it is made once and happens to all of them."""
    wanting: defaultdict[str, list[Run]] = defaultdict(list)
    for run in missing:
        wanting[run.task.key].append(run)
    for run in missing:
        if run.failure is not None:
            yield run, impossible(run)
    tasks = [runs[0].task for runs in wanting.values() if runs[0].failure is None]
    with closing(backend(tasks, stopped)) as events:
        for event in events:
            yield from ((run, event) for run in wanting[event.task.key])


def impossible(run: Run) -> Finished:
    """What comes of a run whose instance could not be made."""
    assert run.failure is not None
    reason, trace = run.failure
    return Finished(run.task, failure_columns(Status.ERROR, reason, 0.0, "not-made"), trace)


def row_of(run: Run, event: Finished) -> Record:
    """The row of a run, but for what the journal adds."""
    task = run.task
    return {
        **run_columns(task.method.name, task.options, task.seed),
        "repetition": task.repetition,
        "attempts": event.attempts,
        "key": task.key,
        "code_version": task.code_version,
        **run.origin,
        **event.columns,
    }


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Interrupts and requests to terminate that arrive inside the block, instead of their effect."""
    caught: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        caught.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class _RowVerdict:
    """What a row says of its run."""

    label: str
    status: str
    found: bool
    objective: float | None
    claimed_objective: float | None
    lower_bound: float | None
    violated: tuple[str, ...]


def contradictions_among(rows: Sequence[Record]) -> list[str]:
    """What cannot all be true of the runs on one and the same instance, a line each."""
    verdicts: defaultdict[tuple[str, str], list[_RowVerdict]] = defaultdict(list)
    for row in rows:
        if "content_hash" in row:
            said = {name.name: row[name.name] for name in fields(_RowVerdict) if name.name != "violated"}
            verdicts[row["content_hash"], row["instance"]].append(
                _RowVerdict(**said, violated=tuple(row["violations"]))
            )
    lines = (f"{name}: {line}" for (_, name), runs in verdicts.items() for line in contradictions(runs))
    return list(dict.fromkeys(lines))
