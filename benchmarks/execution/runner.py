"""Runs a campaign: what is missing, each run in a worker, every finished run on the disk before the next is counted.

A folder of results that is there is taken up again: a run whose key (`execution.task.Task.key`) has a row is not made
again, unless asked for. Only runs of the present campaign are reported; where two groups ask for the same run, it is
made once.
"""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Protocol

from finbench.benchmarks.campaigns.campaign import Campaign
from finbench.benchmarks.execution.plan import Run, RunFilter, plan
from finbench.benchmarks.execution.simulated import simulate_found
from finbench.benchmarks.execution.task import Backend, Event, Finished, Started
from finbench.benchmarks.rows.environment import environment
from finbench.benchmarks.rows.journal import Journal, Place
from finbench.benchmarks.rows.row import Row, failure_columns, run_columns
from finbench.benchmarks.rows.row_verdicts import contradictions_among
from finbench.models.result import Status


@dataclass(frozen=True)
class CampaignResult:
    """The rows of a campaign, and the contradictions among them."""

    rows: list[Row] = field(default_factory=list)
    """A row for each run that was made now or before, in the campaign's order, each with its `environment`."""
    contradictions: list[str] = field(default_factory=list)
    stopped_by: int | None = None
    """The signal that stopped it before it was complete."""

    @property
    def errors(self) -> int:
        """How many runs failed."""
        return sum(row["status"] == Status.ERROR for row in self.rows)


class Progress(Protocol):
    """Receives what happens in a campaign."""

    def begin(self, total: int, known: int, missing: Sequence[tuple[str, str]] = ()) -> None:
        """Take note, before the first run, of how many runs there are and how many of them have a row already.

        `missing` holds group and variant of every run that is to be made now.
        """

    def started(self, group: str, variant: str) -> None:
        """Take note that a run's clock has started."""

    def finished(self, group: str, variant: str, status: str) -> None:
        """Take note that a run is over."""

    def simulated(self, done: int, of: int) -> None:
        """Take note, after the last run, of how many deployments are simulated, of how many."""


class Silence:
    """Progress that nobody sees."""

    def begin(self, total: int, known: int, missing: Sequence[tuple[str, str]] = ()) -> None:
        """Say nothing."""

    def started(self, group: str, variant: str) -> None:
        """Say nothing."""

    def finished(self, group: str, variant: str, status: str) -> None:
        """Say nothing."""

    def simulated(self, done: int, of: int) -> None:
        """Say nothing."""


def run_campaign(
    campaign: Campaign,
    folder: Path,
    backend: Backend,
    chosen: RunFilter | None = None,
    progress: Progress | None = None,
) -> CampaignResult:
    """Run what is missing of a campaign.

    Parameters
    ----------
    campaign : Campaign
    folder : Path
        Gets one line in `runs.jsonl` for each finished run (`benchmarks.rows.journal`).
    backend : callable
        Makes the runs.
    chosen : RunFilter
        By default all that is missing.
    progress : Progress

    Returns
    -------
    CampaignResult
        All rows, and the contradictions among runs on one and the same instance.

    Raises
    ------
    InputError
        As `benchmarks.rows.journal.Journal` does.
    """
    chosen, progress = chosen or RunFilter(), progress or Silence()
    with Journal(folder) as journal:
        runs = plan(campaign, journal.add_instance)
        rows = known_rows(runs, journal.known_rows(), chosen)
        campaign.keep_in(folder)
        journal.settle([rows[run.place] for run in runs if run.place in rows])
        missing = [run for run in runs if run.place not in rows and chosen.takes(run)]
        progress.begin(len(runs), len(rows), [(run.columns["group"], run.task.variant) for run in missing])
        with _signals() as caught, closing(_events(missing, backend, lambda: bool(caught))) as events:
            for run, event in events:
                if isinstance(event, Started):
                    progress.started(run.columns["group"], run.task.variant)
                else:
                    row = journal.append(row_of(run, event), event.environment or environment(), event.log)
                    rows[run.place] = row
                    progress.finished(run.columns["group"], run.task.variant, row["status"])
            simulate_found(journal, runs, rows, progress.simulated, lambda: bool(caught))
        found = [journal.with_environment(rows[run.place]) for run in runs if run.place in rows]
    return CampaignResult(found, contradictions_among(found), caught[0] if caught else None)


def known_rows(runs: Sequence[Run], known: Mapping[Place, Row], chosen: RunFilter) -> dict[Place, Row]:
    """Return the rows of a journal that count for runs of a campaign, by group and key.

    A row of another group counts too, under the run's own group and origin.
    """
    by_key = {key: row for (_, key), row in known.items()}
    found = {}
    for run in runs:
        row = known.get(run.place, by_key.get(run.task.key))
        if row is not None and (chosen.counts(row) or not chosen.takes(run)):
            found[run.place] = {**row, **run.columns}
    return found


def _events(missing: Sequence[Run], backend: Backend, stopped: Callable[[], bool]) -> Generator[tuple[Run, Event]]:
    """Yield the events of missing runs; runs that are the same are made once and share the events."""
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
    """Return the result of a run whose instance could not be made."""
    assert run.failure is not None
    reason, trace = run.failure
    return Finished(run.task, failure_columns(Status.ERROR, reason, 0.0, "not-made"), trace)


def row_of(run: Run, event: Finished) -> Row:
    """Return the row of a run, without what the journal adds."""
    task = run.task
    return {
        **run_columns(task.method.name, task.options, task.seed),
        "repetition": task.repetition,
        "attempts": event.attempts,
        "key": task.key,
        "code_version": task.code_version,
        **run.columns,
        **event.columns,
    }


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect the interrupts and requests to terminate that arrive inside the block; they have no other effect."""
    caught: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        caught.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
