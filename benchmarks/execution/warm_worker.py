"""The campaign's side of a worker. It hands over tasks, reads answers, enforces limits, and says how a run ended.

Three processes stand in a row. The campaign holds a `WarmWorker`; its child is the guard (`execution.guard`), which
ends everything when either side goes; the guard's child is the worker (`execution.worker`), which makes one run after
the other and stays warm in between: libraries and compiled code are loaded once.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import Enum
from functools import cache
from math import inf
from signal import SIGABRT, SIGKILL, SIGTERM, Signals
from tempfile import TemporaryFile
from time import monotonic

from finbench.benchmarks.execution.log import end_of_file
from finbench.benchmarks.execution.memory import kills_for_memory
from finbench.benchmarks.execution.task import Columns, Event, Finished, Started, Task
from finbench.benchmarks.execution.told import Told, ended_columns
from finbench.benchmarks.rows.moments import utc_now
from finbench.benchmarks.rows.row import failure_columns
from finbench.models.result import Status

SETUP_S = 120.0
"""How long loading libraries, the instance and the warm-up may take before a run [s]."""

GRACE_S = 5.0
"""How long a run may overrun the limit that its method was told before its processes are asked to end [s]."""

TERMINATION_S = 1.0
"""How long after that request its processes are killed [s]."""

MAX_LINE_BYTES = 64 * 2**20
"""An answer that is longer is garbage."""


LAST_WORDS = ("bad_alloc", "Memory allocation still failed")
"""What compiled code prints before it ends its process for want of memory: the C++ library, OpenBLAS."""


class _Phase(Enum):
    """State of a worker. One that is overdue may still answer; from `LATE` on nothing more is taken from it."""

    IDLE = "waits for a task"
    SETUP = "gets ready for a run"
    RUNNING = "runs"
    OVERDUE = "overran its limit"
    LATE = "took too long to get ready"
    GARBAGE = "said what is no answer"
    SPENT = "is replaced, by no fault of its next task"


class WarmWorker:
    """A worker process with its guard, in a session of their own, as the campaign sees them.

    `give` hands over tasks; `advance` returns what has happened since and ends what is overdue. When the worker has
    ended, `gone` is true and `tasks` are those that it did not finish: a successor is given them (`local.Crew`).

    Parameters
    ----------
    cores : sequence of int
        Cores that it runs on; empty: all.
    """

    def __init__(self, cores: Sequence[int] = ()) -> None:
        self._results, results = os.pipe()
        os.set_blocking(self._results, False)
        self._log = TemporaryFile(buffering=0)  # noqa: SIM115  (open as long as the worker)
        # Every run empties the log: what is written must go to its end, wherever that is.
        fcntl.fcntl(self._log, fcntl.F_SETFL, os.O_APPEND)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "finbench.benchmarks.execution.guard", str(results), *map(str, cores)],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            pass_fds=(results,),
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": _search_path()},
        )
        os.close(results)
        self._tasks: deque[Task] = deque()
        self._group: int | None = None
        self._buffer = b""
        self._told = Told()
        self._kills = kills_for_memory()
        self._started_at = utc_now()
        self._enter(_Phase.IDLE, inf)
        self.gone = False
        """Whether its processes have ended."""

    def fileno(self) -> int:
        """Return the descriptor of the worker's answers; it is readable when one has arrived."""
        return self._results

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that it was given and has not finished, the running one first."""
        return tuple(self._tasks)

    @property
    def deadline(self) -> float:
        """Time at which `advance` must be called even if no answer has arrived (`time.monotonic`)."""
        return self._deadline

    def give(self, task: Task) -> None:
        """Hand over a task; it runs after those given before."""
        assert self._process.stdin is not None
        self._tasks.append(task)
        if self._phase is _Phase.IDLE:
            self._enter(_Phase.SETUP, SETUP_S)
        if self._process.stdin.closed:
            return  # it is being ended: its successor is given what is left
        with suppress(BrokenPipeError):  # it has ended; `advance` finds that out
            pickle.dump(task, self._process.stdin)
            self._process.stdin.flush()

    def advance(self) -> list[Event]:
        """Read the answers that have arrived, and end what is overdue; return the events, in order."""
        events = [event for line in self._lines() for event in self._said(line)]
        if self.gone:
            events += self._ended()
        elif monotonic() >= self._deadline:
            self._end_overdue()
        return events

    def close(self) -> None:
        """End the worker and everything it started, and wait until they have ended."""
        self._end(self._phase)
        self._process.wait()
        os.close(self._results)
        self._log.close()

    def _enter(self, phase: _Phase, seconds: float) -> None:
        self._phase, self._since, self._started_at = phase, monotonic(), utc_now()
        self._deadline = self._since + seconds

    def _lines(self) -> Iterator[bytes]:
        """Yield the whole lines that have arrived."""
        while True:
            try:
                arrived = os.read(self._results, 2**16)
            except BlockingIOError:
                return
            if not arrived:
                self.gone = True
                return
            *lines, self._buffer = (self._buffer + arrived).split(b"\n")
            yield from lines
            if len(self._buffer) > MAX_LINE_BYTES:
                self._end(_Phase.GARBAGE)
                return

    def _said(self, line: bytes) -> Iterator[Event]:
        match _parsed(line), self._phase:
            case _, _Phase.LATE | _Phase.GARBAGE | _Phase.SPENT:
                return
            case {"ready": int(group)}, _ if self._group is None:
                self._group = group
            case {"started": True}, _Phase.SETUP:
                self._told = Told()
                self._enter(_Phase.RUNNING, self._tasks[0].time_limit_s + GRACE_S)
                yield Started(self._tasks[0])
            case {"told": [float(at_s), float() | None as objective, float() | None as bound], **more}, (
                _Phase.RUNNING | _Phase.OVERDUE
            ):
                self._told.take((at_s, objective, bound), more.get("deployment"))
            case {"row": {"status": str(), "exit": dict()} as row, "log": str() | None as log, "spent": bool(spent)}, (
                (_Phase.SETUP | _Phase.RUNNING | _Phase.OVERDUE) as phase
            ):
                yield Finished(self._tasks.popleft(), {**row, "started_at": self._started_at}, log)
                if spent or phase is _Phase.OVERDUE:
                    self._end(_Phase.SPENT)
                else:
                    self._enter(*(_Phase.SETUP, SETUP_S) if self._tasks else (_Phase.IDLE, inf))
            case _:
                self._end(_Phase.GARBAGE)

    def _end_overdue(self) -> None:
        if self._phase is _Phase.RUNNING and self._group is not None:
            self._phase, self._deadline = _Phase.OVERDUE, monotonic() + TERMINATION_S
            with suppress(ProcessLookupError):  # it ends by itself just now
                os.killpg(self._group, SIGTERM)
        else:
            self._end(_Phase.LATE if self._phase is _Phase.SETUP else self._phase)

    def _end(self, phase: _Phase) -> None:
        """Make the guard end everything; `phase` says why."""
        assert self._process.stdin is not None
        self._phase, self._deadline = phase, inf
        with suppress(BrokenPipeError):  # it has ended
            self._process.stdin.close()

    def _ended(self) -> Iterator[Event]:
        phase = self._phase
        self._end(phase)
        code = self._process.wait()
        if self._tasks and phase is not _Phase.SPENT:
            row = self._how_it_ended(phase, code, monotonic() - self._since)
            row["started_at"] = self._started_at
            yield Finished(self._tasks.popleft(), row, end_of_file(self._log.fileno()))

    def _how_it_ended(self, phase: _Phase, code: int, wall_s: float) -> Columns:
        """Return the row of the first task. During it the worker ended with `code`, or was ended."""
        match phase:
            case _Phase.OVERDUE:
                reason = f"did not stop at its limit of {self._tasks[0].time_limit_s:g} s: its processes were ended"
                return ended_columns(self._tasks[0], self._told, Status.TIME_LIMIT, reason, wall_s, "killed")
            case _Phase.LATE:
                return failure_columns(Status.ERROR, f"was not ready after {SETUP_S:g} s", wall_s, "killed")
            case _Phase.GARBAGE:
                return failure_columns(Status.ERROR, "its process said what is no answer", wall_s, "garbage")
        when = " while it got ready" if phase is _Phase.SETUP else ""
        if code >= 0:
            reason = f"its process ended itself with code {code}{when}"
            status = Status.MEMORY_LIMIT if self._gave_up_for_memory() else Status.ERROR
            return failure_columns(status, reason, wall_s, "exited", code=code)
        name = Signals(-code).name
        status = Status.MEMORY_LIMIT if self._lacked_memory(-code) else Status.ERROR
        return failure_columns(status, f"its process was ended by {name}{when}", wall_s, "signalled", signal=name)

    def _lacked_memory(self, signal: int) -> bool:
        """Return whether the worker ended for want of memory: killed by the kernel, or given up by its own C++ code."""
        if signal == SIGKILL:
            return kills_for_memory() > self._kills
        return signal == SIGABRT and self._gave_up_for_memory()

    def _gave_up_for_memory(self) -> bool:
        """Return whether compiled code says in the log that it gave up for want of memory."""
        said = end_of_file(self._log.fileno())
        return any(words in said for words in LAST_WORDS)


@cache
def _search_path() -> str:
    """Return where this process finds modules, so that a worker finds the same ones.

    It is found once: the working folder may be gone later.
    """
    found = []
    for entry in sys.path:
        with suppress(FileNotFoundError):  # relative to a working folder that is gone
            found.append(os.path.abspath(entry))
    return os.pathsep.join(found)


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None
