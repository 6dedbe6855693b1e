"""Runs on this machine: one or several warm workers, each replaced when it ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from multiprocessing.connection import wait
from time import monotonic

from finbench.benchmarks.execution.task import Event, Finished, Task
from finbench.benchmarks.execution.warm_worker import WarmWorker
from finbench.models.io import InputError

POLL_S = 0.2
"""Longest time between two checks whether to stop [s]."""


def shares_of_cores(jobs: int) -> list[tuple[int, ...]]:
    """Return the cores of each worker: the same number for each, and none twice. A single worker has all.

    Raises
    ------
    InputError
        If there are fewer cores than jobs.
    """
    cores = sorted(os.sched_getaffinity(0))
    if jobs == 1:
        return [()]
    each = len(cores) // jobs
    if each == 0:
        raise InputError("jobs", f"{jobs}: must be at most the number of cores, {len(cores)}")
    return [tuple(cores[k * each : (k + 1) * each]) for k in range(jobs)]


def run_locally(tasks: Iterable[Task], stopped: Callable[[], bool], *, jobs: int = 1) -> Generator[Event]:
    """Run tasks in warm workers.

    Parameters
    ----------
    tasks : iterable of Task
        Taken one by one as workers become free.
    stopped : callable
        Asked several times a second; once it returns true, the runs in flight are ended and no event follows.
    jobs : int
        How many workers; several are pinned to cores of their own.

    Yields
    ------
    Event
        For each task a `Started`, unless it failed before, and a `Finished`.
    """
    crews = [Crew(cores) for cores in shares_of_cores(jobs)]
    try:
        # A single worker finds its next task waiting; among several, no task waits behind a long one.
        yield from run_in(crews, tasks, stopped, held=2 if jobs == 1 else 1)
    finally:
        for crew in crews:
            crew.close()


def run_in(crews: Sequence[Crew], tasks: Iterable[Task], stopped: Callable[[], bool], *, held: int) -> Generator[Event]:
    """Run tasks as `run_locally` does, in crews that exist already and are kept.

    Each crew holds at most `held` tasks at a time: the running one and those that wait in its worker.
    """
    waiting = iter(tasks)
    while not stopped():
        for crew in crews:
            crew.hire_if_gone()
            while len(crew.worker.tasks) < held and (task := next(waiting, None)) is not None:
                crew.worker.give(task)
        busy = [crew.worker for crew in crews if crew.worker.tasks]
        if not busy:
            return
        first = min(worker.deadline for worker in busy)
        wait([worker.fileno() for worker in busy], max(0.0, min(POLL_S, first - monotonic())))
        for worker in busy:
            yield from worker.advance()


class Crew:
    """A warm worker and, when that ends, the next one, which takes over the tasks that wait.

    Parameters
    ----------
    cores : tuple of int
        Cores that they run on; empty: all.
    """

    def __init__(self, cores: tuple[int, ...] = ()) -> None:
        self._cores = cores
        self.worker = WarmWorker(cores)

    def hire_if_gone(self) -> None:
        """Replace the worker if it has ended; the new one takes over what was waiting."""
        if self.worker.gone:
            left = self.worker.tasks
            self.worker.close()
            self.worker = WarmWorker(self._cores)
            for task in left:
                self.worker.give(task)

    def make(self, task: Task, stopped: Callable[[], bool] = lambda: False) -> Finished | None:
        """Make a single run and return its result; None where it was stopped."""
        events = list(run_in([self], [task], stopped, held=1))
        return next((event for event in events if isinstance(event, Finished)), None)

    def close(self) -> None:
        """End the worker and everything it started."""
        self.worker.close()
