"""Runs on a Dask cluster: each Dask worker makes one run at a time for each of its threads, in a warm worker below it.

Which Dask worker makes a run is decided here, and not by Dask's scheduler: so a run whose Dask worker dies is repeated
elsewhere once, and its row says so. Where a second one dies under it, that is its result.
"""

from __future__ import annotations

import signal
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from time import monotonic
from uuid import uuid4

from distributed import Client, Future, KilledWorker, LocalCluster

from finbench.benchmarks.execution.code_version import code_version
from finbench.benchmarks.execution.local import POLL_S, Crew
from finbench.benchmarks.execution.task import Columns, Event, Finished, Started, Task
from finbench.benchmarks.records.environment import Environment, environment
from finbench.benchmarks.records.row import failure_columns
from finbench.models.io import InputError
from finbench.models.result import Status

MAX_ATTEMPTS = 2

CONNECTION_S = 30.0
"""How long a scheduler may take to answer, and a cluster may be without any worker [s]."""

ANSWER_S = 5.0
"""How long an answer may take from a Dask worker that has it [s]."""

Answer = tuple[Columns, str | None, Environment]


def run_on_cluster(
    tasks: Iterable[Task], stopped: Callable[[], bool], *, scheduler: str | None = None, jobs: int = 1
) -> Generator[Event]:
    """Run tasks on a Dask cluster.

    Parameters
    ----------
    tasks : iterable of Task
        Taken one by one as Dask workers become free.
    stopped : callable
        Asked several times a second; once it says so, the runs in flight are ended and no event follows.
    scheduler : str or None
        Address of a scheduler; None: a cluster of `jobs` Dask workers is started here, and ended at the end.
    jobs : int

    Raises
    ------
    InputError
        If the scheduler does not answer, or the cluster has had no worker for `CONNECTION_S`.
    """
    with _connected(scheduler, jobs) as client:
        dispatch = _Dispatch(client, tasks)
        try:
            yield from dispatch.events(stopped)
        finally:
            dispatch.close()


@contextmanager
def _connected(scheduler: str | None, jobs: int) -> Iterator[Client]:
    if scheduler is None:
        with _own_cluster(jobs) as cluster, Client(cluster, set_as_default=False) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=CONNECTION_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler {scheduler}", f"cannot be reached: {error}") from None
    with client:
        yield client


def _own_cluster(jobs: int) -> LocalCluster:
    """A cluster here whose processes leave an interrupt from the terminal to this one."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is ignored is so in processes that are started
    try:
        return LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None, silence_logs="ERROR")
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class _Attempt:
    task: Task
    number: int = 1
    """1 for the first."""
    address: str = ""
    """Of the Dask worker that makes it."""


class _Dispatch:
    """Hands out tasks, one for each thread of a Dask worker, and notices Dask workers that are gone."""

    def __init__(self, client: Client, tasks: Iterable[Task]) -> None:
        self._client = client
        self._campaign = uuid4().hex
        self._tasks, self._exhausted = iter(tasks), False
        self._again: deque[_Attempt] = deque()
        self._running: dict[Future, _Attempt] = {}
        self._ended: SimpleQueue[Future] = SimpleQueue()
        self._last_seen = monotonic()

    def events(self, stopped: Callable[[], bool]) -> Iterator[Event]:
        """Run everything."""
        while not stopped():
            threads = self._client.nthreads()
            for future in [future for future, attempt in self._running.items() if attempt.address not in threads]:
                yield from self._lost(future)
            yield from self._send(threads)
            if self._exhausted and not self._running and not self._again:
                return
            yield from self._take()

    def close(self) -> None:
        """End what is still running, and the warm workers."""
        self._client.cancel(list(self._running))
        self._client.run(release, self._campaign, on_error="ignore")

    def _send(self, threads: Mapping[str, int]) -> Iterator[Event]:
        self._check_for_workers(threads)
        busy = Counter(attempt.address for attempt in self._running.values())
        for address, count in threads.items():
            for _ in range(count - busy[address]):
                attempt = self._next()
                if attempt is None:
                    return
                attempt = replace(attempt, address=address)
                yield Started(attempt.task)
                future = self._client.submit(
                    run_task, attempt.task.portable(), self._campaign, workers=[address], pure=False, retries=0
                )
                self._running[future] = attempt
                future.add_done_callback(self._ended.put)

    def _check_for_workers(self, threads: Mapping[str, int]) -> None:
        if threads:
            self._last_seen = monotonic()
        elif monotonic() - self._last_seen > CONNECTION_S:
            raise InputError("--backend dask", f"the cluster has had no worker for {CONNECTION_S:g} s")

    def _next(self) -> _Attempt | None:
        if self._again:
            return self._again.popleft()
        task = next(self._tasks, None)
        self._exhausted = task is None
        return None if task is None else _Attempt(task)

    def _take(self) -> Iterator[Event]:
        """Take in the next answer, if one comes soon."""
        try:
            future = self._ended.get(timeout=POLL_S)
        except Empty:
            return
        if future not in self._running:
            return
        error = future.exception(timeout=ANSWER_S) if future.status == "error" else None
        if error is not None and not isinstance(error, KilledWorker):
            yield _failed(self._running.pop(future), f"{type(error).__name__}: {error}", "not-made")
            return
        answer = self._answer(future)
        if answer is None:
            yield from self._lost(future)
        else:
            columns, log, where = answer
            attempt = self._running.pop(future)
            yield Finished(attempt.task, columns, log, attempt.number, where)

    def _answer(self, future: Future) -> Answer | None:
        """What a run came to; None where that is lost with the Dask worker that held it."""
        if future.status != "finished":
            return None
        try:
            answer: Answer = future.result(timeout=ANSWER_S)
        except (TimeoutError, CancelledError, KilledWorker):
            return None
        return answer

    def _lost(self, future: Future) -> Iterator[Event]:
        """A Dask worker is gone with a run: once more elsewhere, or that was it."""
        attempt = self._running.pop(future)
        self._client.cancel(future)
        if attempt.number < MAX_ATTEMPTS:
            self._again.append(_Attempt(attempt.task, attempt.number + 1))
        else:
            reason = f"{attempt.number} Dask workers died while they made this run"
            yield _failed(attempt, reason, "worker-died")


def _failed(attempt: _Attempt, reason: str, kind: str) -> Finished:
    return Finished(attempt.task, failure_columns(Status.ERROR, reason, 0.0, kind), attempts=attempt.number)


_idle: list[Crew] = []
"""Warm workers of this Dask worker that have nothing to do."""

_over: set[str] = set()
"""Campaigns that have ended or were stopped."""


def run_task(task: Task, campaign: str) -> Answer | None:
    """Make a run in a Dask worker.

    Parameters
    ----------
    task : Task
    campaign : str
        Name that `release` ends it by.

    Returns
    -------
    tuple or None
        Columns, log and environment; None where the campaign was stopped.

    Raises
    ------
    RuntimeError
        If the code here is not the code of the process that planned the run.
    """
    if code_version(task.method, task.options) != task.code_version:
        raise RuntimeError("the code or a library on this Dask worker is not that of the campaign")
    crew = _idle.pop() if _idle else Crew()
    finished = crew.make(task, lambda: campaign in _over)
    if finished is None:
        crew.close()
        return None
    _idle.append(crew)
    return finished.columns, finished.log, environment()


def release(campaign: str) -> None:
    """End the runs of a campaign in a Dask worker, and its warm workers."""
    _over.add(campaign)
    while _idle:
        _idle.pop().close()
