"""Runs on a Dask cluster: each Dask worker makes one run at a time for each of its threads, in a warm worker below it.

Which Dask worker makes a run is decided here, and not by Dask's scheduler. So a run whose Dask worker dies or stands
still is repeated elsewhere once, and its row says so. Where the second one dies as well, the run has failed.
"""

from __future__ import annotations

import logging
import signal
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Lock, Thread, Timer
from time import monotonic
from typing import Any
from uuid import uuid4

from distributed import Client, Future, KilledWorker, LocalCluster
from distributed.comm.addressing import parse_address, parse_host_port
from distributed.comm.registry import backends

from finbench.benchmarks.execution.code_version import code_version
from finbench.benchmarks.execution.local import POLL_S, Crew
from finbench.benchmarks.execution.task import Columns, Event, Finished, Started, Task
from finbench.benchmarks.execution.warm_worker import GRACE_S, SETUP_S, TERMINATION_S
from finbench.benchmarks.methods import Method
from finbench.benchmarks.rows.environment import Environment, environment
from finbench.benchmarks.rows.row import failure_columns
from finbench.models.io import InputError
from finbench.models.result import Status

MAX_ATTEMPTS = 2

CONNECTION_S = 30.0
"""How long a scheduler may take to answer, and a cluster may be without any worker [s]."""

ANSWER_S = 5.0
"""How long the transfer of an answer may take from a Dask worker that has it [s]."""

CHECK_S = 60.0
"""How long a Dask worker may take to import this program and say which code it has [s]."""

SLACK_S = 10.0
"""How much longer a run may take than its warm worker allows it before its Dask worker is given up [s]."""

IDLE_S = 60.0
"""How long a warm worker below a Dask worker waits for another run before it is ended [s]."""

Answer = tuple[Columns, str | None, Environment]

Codes = Mapping[str, tuple[Method, Mapping[str, Any]]]
"""Code versions, each with a method and options that have it."""

log = logging.getLogger(__name__)


def run_on_cluster(
    tasks: Sequence[Task], stopped: Callable[[], bool], *, scheduler: str | None = None, jobs: int = 1
) -> Generator[Event]:
    """Run tasks on a Dask cluster.

    Parameters
    ----------
    tasks : sequence of Task
        Handed out one by one as Dask workers become free.
    stopped : callable
        Asked several times a second; once it returns true, the runs in flight are ended and no event follows.
    scheduler : str or None
        Address of a scheduler; None: a cluster of `jobs` Dask workers is started here, and ended at the end.
    jobs : int

    Raises
    ------
    InputError
        If the address is malformed, the scheduler does not answer or is lost, the cluster has had no worker for
        `CONNECTION_S`, or none of its workers has the code of the campaign.
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
    check_address(scheduler)
    try:
        client = Client(scheduler, timeout=CONNECTION_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler {scheduler}", f"cannot be reached: {error}") from None
    with client:
        yield client


def check_address(scheduler: str) -> None:
    """Check the form of a scheduler's address, on which Dask's client would hang.

    Raises
    ------
    InputError
        If it is not like `tcp://host:port`.
    """
    try:
        scheme, location = parse_address(scheduler)
        host, port = parse_host_port(location)
    except ValueError:
        scheme, host, port = "", "", 0
    if scheme not in set(backends) - {"inproc"} or not host or not 0 < port < 2**16:
        raise InputError(f"--scheduler {scheduler}", "must be an address such as tcp://host:8786")


def _own_cluster(jobs: int) -> LocalCluster:
    """Start a cluster here; an interrupt from the terminal reaches this process alone."""
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
    """Address of the Dask worker that makes it."""
    deadline: float = 0.0
    """Time at which the Dask worker is given up (`time.monotonic`)."""


class _Admission:
    """Asks every Dask worker, before it is given a run, whether its code is that of the campaign."""

    def __init__(self, client: Client, tasks: Sequence[Task]) -> None:
        self._client = client
        self._codes: Codes = {task.code_version: (task.method, task.options) for task in tasks}
        self._asked: dict[str, tuple[Future, float]] = {}
        self._refused: dict[str, str] = {}
        self._admitted: set[str] = set()

    def admitted(self, threads: Mapping[str, int]) -> dict[str, int]:
        """Return the Dask workers that may be given runs, with their threads; ask those that are new for their code.

        Raises
        ------
        InputError
            If there are Dask workers and all of them are refused.
        """
        for address in threads:
            if address not in self._asked and address not in self._admitted and address not in self._refused:
                future = self._client.submit(other_code, self._codes, workers=[address], pure=False, retries=0)
                self._asked[address] = (future, monotonic() + CHECK_S)
        for address in list(self._asked):
            self._take_in(address)
        if threads and all(address in self._refused for address in threads):
            address = next(iter(threads))
            raise InputError(f"Dask worker {address}", f"{self._refused[address]}; no worker of the cluster is usable")
        return {address: count for address, count in threads.items() if address in self._admitted}

    def refuse(self, address: str, reason: str) -> None:
        """Give a Dask worker no run any more."""
        self._admitted.discard(address)
        self._refused[address] = reason
        log.warning("Dask worker %s is not used: %s", address, reason)

    def _take_in(self, address: str) -> None:
        future, deadline = self._asked[address]
        if not future.done() and monotonic() < deadline:
            return
        del self._asked[address]
        reason = _why_not(future)
        if reason is None:
            self._admitted.add(address)
        else:
            self.refuse(address, reason)


def _why_not(future: Future) -> str | None:
    """Return why the Dask worker that was asked for its code cannot be used; None where it can."""
    if not future.done():
        return f"did not say within {CHECK_S:g} s which code it runs"
    try:
        others = future.result(timeout=ANSWER_S)
    except Exception as error:  # noqa: BLE001  (whatever the other side raises is the reason)
        return f"cannot run this program: {type(error).__name__}: {error}"
    return f"the code or a library there is not that of the campaign: {', '.join(others)}" if others else None


class _Dispatch:
    """Hands out tasks, one for each thread of a Dask worker, and notices Dask workers that are gone or stand still."""

    def __init__(self, client: Client, tasks: Sequence[Task]) -> None:
        self._client = client
        self._campaign = uuid4().hex
        self._admission = _Admission(client, tasks)
        self._waiting = deque(_Attempt(task) for task in tasks)
        self._running: dict[Future, _Attempt] = {}
        self._ended: SimpleQueue[Future] = SimpleQueue()
        self._last_seen = monotonic()

    def events(self, stopped: Callable[[], bool]) -> Iterator[Event]:
        """Run all tasks; yield their events."""
        while (self._waiting or self._running) and not stopped():
            threads = self._threads()
            now = monotonic()
            for future, attempt in list(self._running.items()):
                if attempt.address not in threads:
                    yield from self._lost(future, "died")
                elif now > attempt.deadline:
                    self._admission.refuse(attempt.address, "a run on it did not end by its deadline")
                    yield from self._lost(future, "stood still")
            yield from self._send(self._admission.admitted(threads))
            yield from self._take()

    def close(self) -> None:
        """End what is still running, and the warm workers, without waiting for a scheduler or worker that is silent."""
        if self._client.status == "running":
            thread = Thread(target=self._release, daemon=True)
            thread.start()
            thread.join(ANSWER_S)

    def _release(self) -> None:
        with suppress(OSError, CancelledError, RuntimeError):  # the connection ends meanwhile
            self._client.cancel(list(self._running))
            self._client.run(release, self._campaign, on_error="ignore")

    def _threads(self) -> dict[str, int]:
        """Return the Dask workers that are there, with their threads."""
        try:
            threads: dict[str, int] = self._client.nthreads() if self._client.status == "running" else {}
        except OSError:  # of which a closed connection is one
            threads = {}
        if self._client.status != "running":
            raise InputError("--backend dask", "the Dask scheduler is gone: the same command goes on where it stopped")
        if threads:
            self._last_seen = monotonic()
        elif monotonic() - self._last_seen > CONNECTION_S:
            raise InputError("--backend dask", f"the cluster has had no worker for {CONNECTION_S:g} s")
        return threads

    def _send(self, threads: Mapping[str, int]) -> Iterator[Event]:
        busy = Counter(attempt.address for attempt in self._running.values())
        for address, count in threads.items():
            for _ in range(count - busy[address]):
                if not self._waiting:
                    return
                attempt = self._waiting.popleft()
                allowed_s = SETUP_S + attempt.task.time_limit_s + GRACE_S + TERMINATION_S + SLACK_S
                attempt = replace(attempt, address=address, deadline=monotonic() + allowed_s)
                yield Started(attempt.task)
                future = self._client.submit(
                    run_task, attempt.task.portable(), self._campaign, workers=[address], pure=False, retries=0
                )
                self._running[future] = attempt
                future.add_done_callback(self._ended.put)

    def _take(self) -> Iterator[Event]:
        """Take the next answer, if one comes within `POLL_S`; yield its events."""
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
            yield from self._lost(future, "died")
        else:
            columns, log_text, where = answer
            attempt = self._running.pop(future)
            yield Finished(attempt.task, columns, log_text, attempt.number, where)

    def _answer(self, future: Future) -> Answer | None:
        """Return the answer of a run; None where it is lost with the Dask worker that held it."""
        if future.status != "finished":
            return None
        try:
            answer: Answer = future.result(timeout=ANSWER_S)
        except (TimeoutError, CancelledError, KilledWorker):
            return None
        return answer

    def _lost(self, future: Future, how: str) -> Iterator[Event]:
        """Repeat elsewhere the run of a Dask worker that is lost; after its last attempt, yield the failure."""
        self._threads()  # with the scheduler gone, no Dask worker is to blame
        attempt = self._running.pop(future)
        self._client.cancel(future)
        if attempt.number < MAX_ATTEMPTS:
            self._waiting.appendleft(_Attempt(attempt.task, attempt.number + 1))
        else:
            reason = f"{attempt.number} Dask workers {how} while they made this run"
            yield _failed(attempt, reason, "worker-died")


def _failed(attempt: _Attempt, reason: str, kind: str) -> Finished:
    return Finished(attempt.task, failure_columns(Status.ERROR, reason, 0.0, kind), attempts=attempt.number)


class _Idle:
    """The warm workers of this Dask worker that have nothing to do.

    One that nobody takes for `IDLE_S` is ended. So none stays for long where the campaign was killed and nobody is left
    to release them.
    """

    def __init__(self) -> None:
        self._crews: dict[Crew, Timer] = {}
        self._lock = Lock()

    def take(self) -> Crew:
        """Return a warm worker, a new one where none is idle."""
        with self._lock:
            if not self._crews:
                return Crew()
            crew, timer = self._crews.popitem()
            timer.cancel()
            return crew

    def put(self, crew: Crew) -> None:
        """Keep a warm worker for the next run."""
        timer = Timer(IDLE_S, self._dismiss, [crew])
        timer.daemon = True
        with self._lock:
            self._crews[crew] = timer
        timer.start()

    def dismiss_all(self) -> None:
        """End all idle warm workers."""
        for crew in list(self._crews):
            self._dismiss(crew)

    def _dismiss(self, crew: Crew) -> None:
        with self._lock:
            timer = self._crews.pop(crew, None)
        if timer is not None:
            timer.cancel()
            crew.close()


_idle = _Idle()

_over: set[str] = set()
"""Campaigns that have ended or were stopped."""


def other_code(codes: Codes) -> list[str]:
    """Return the names of the methods whose code versions in this Dask worker are not these."""
    wrong = [method.name for version, (method, options) in codes.items() if code_version(method, options) != version]
    return list(dict.fromkeys(wrong))


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
        If the code here is not the code of the process that planned the run: it changed since it was asked.
    """
    if code_version(task.method, task.options) != task.code_version:
        raise RuntimeError("the code or a library on this Dask worker is not that of the campaign")
    crew = _idle.take()
    finished = crew.make(task, lambda: campaign in _over)
    if finished is None or campaign in _over:
        crew.close()
        return None
    _idle.put(crew)
    return finished.columns, finished.log, environment()


def release(campaign: str) -> None:
    """End the runs of a campaign in a Dask worker, and its warm workers."""
    _over.add(campaign)
    _idle.dismiss_all()
