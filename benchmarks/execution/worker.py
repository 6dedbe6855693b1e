"""The worker: a process that takes a task, runs it, answers with one line of JSON, and takes the next one.

Libraries and compiled code stay loaded from one run to the next. Per run there are at least two lines:
`{"started": true}` when its clock starts, and at last `{"row": …, "log": …, "spent": …}`; the log, the end of what the
run printed, where it failed. In between come `{"told": …, "deployment": …}`, what the method knows so far.
A worker that is spent ends by itself.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from time import perf_counter
from typing import IO

from finbench.benchmarks.campaigns.origins import Origin
from finbench.benchmarks.execution.descendants import end_survivors
from finbench.benchmarks.execution.log import end_of_file
from finbench.benchmarks.execution.memory import (
    DescendantWatch,
    forget_peak,
    lacks_memory,
    let_go,
    memory_limit,
    peak_bytes,
    resident_bytes,
    tells_of_want,
)
from finbench.benchmarks.execution.task import Columns, Task
from finbench.benchmarks.execution.told import Teller
from finbench.benchmarks.judging.judged import judge
from finbench.benchmarks.methods import run_method
from finbench.benchmarks.rows.row import failure_columns, result_columns
from finbench.models.instance import Instance
from finbench.models.io import load_instance
from finbench.models.news import heard_by
from finbench.models.result import Result, Status

SPENT_BYTES = 2**30
"""A worker that holds more memory than this after a run is replaced [byte]: something leaks."""

LIBRARY_BYTES = 2**30
"""Address space that libraries and compiled code may take."""

Say = Callable[[Columns], None]

descendants = DescendantWatch()


def serve(results: int) -> None:
    """Run the tasks that come in on standard input (pickled `Task`s), until it is closed.

    Parameters
    ----------
    results : int
        File descriptor that answers are written to.
    """
    os.set_inheritable(results, False)
    tasks, warm = _own_stdin(), set[str]()
    say = partial(_say, results)
    say({"ready": os.getpid()})
    while True:
        try:
            task = pickle.load(tasks)
        except EOFError:
            return
        answer = _answer(task, say, warm)
        say({**answer, "log": _log() if answer["row"]["status"] in (Status.ERROR, Status.MEMORY_LIMIT) else None})
        if answer["spent"]:
            return


def _log() -> str:
    sys.stdout.flush()
    sys.stderr.flush()
    return end_of_file(sys.stdout.fileno())


def _own_stdin() -> IO[bytes]:
    """Return standard input under another descriptor, so that methods cannot read from it."""
    tasks = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return tasks


def _say(results: int, message: Columns) -> None:
    line = _line(message)
    while line:
        line = line[os.write(results, line) :]


def _line(message: Columns) -> bytes:
    return json.dumps(message, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _answer(task: Task, say: Say, warm: set[str]) -> Columns:
    os.ftruncate(sys.stdout.fileno(), 0)
    try:
        instance = _built(task.origin)
        if instance.content_hash != task.content_hash:
            raise ValueError("the instance is not the one that was planned: did its file change?")
    except Exception as error:  # noqa: BLE001  (kept in the row)
        return _failed(Status.ERROR, f"{type(error).__name__}: {error}", "not-made", 0.0)
    if task.warm_up:
        _warm_up(task, warm)
    let_go()
    say({"started": True})
    answer = _run(task, instance, say)
    survivors = end_survivors()
    if survivors:
        answer["row"]["exit"]["ended_survivors"] = survivors
    return answer


@lru_cache(maxsize=1)
def _built(origin: Origin) -> Instance:
    return origin.build()


def _warm_up(task: Task, warm: set[str]) -> None:
    """Run a method, once with each choice of engine, solver and the like, on a small instance.

    Loading libraries and compiled code is not part of a run, and `LIBRARY_BYTES` come on top of its memory limit.
    Numbers stay at their defaults: they make a run long and load nothing. What goes wrong here goes wrong in the run as
    well, where it is seen.
    """
    fields = task.method.options.model_fields
    choices = {
        name: value if isinstance(value, str | bool) else fields[name].default for name, value in task.options.items()
    }
    name = f"{task.method.name} {choices}"
    if name in warm:
        return
    warm.add(name)
    small, limit = load_instance("blenet-mnist"), task.memory_limit_bytes
    try:
        with memory_limit(None if limit is None else limit + LIBRARY_BYTES):
            run_method(small, task.method, time_limit_s=task.time_limit_s, seed=task.seed, **choices)
    except Exception:  # noqa: BLE001  (see above)
        traceback.print_exc()


def _run(task: Task, instance: Instance, say: Say) -> Columns:
    before = resident_bytes()
    forget_peak()
    result, raised = None, None
    descendants.begin()
    start = perf_counter()
    try:
        with memory_limit(task.memory_limit_bytes), heard_by(Teller(say)):
            result = run_method(instance, task.method, time_limit_s=task.time_limit_s, seed=task.seed, **task.options)
    except BaseException as error:  # noqa: BLE001  (kept in the row)
        raised = error
    wall_s, peak, below = perf_counter() - start, peak_bytes(), descendants.end()
    answer = _judged(task, instance, result, wall_s) if raised is None else _raised(task, raised, wall_s)
    answer["row"]["peak_bytes"] = max(0, peak - before) + below
    answer["spent"] |= resident_bytes() > SPENT_BYTES
    return answer


def _judged(task: Task, instance: Instance, result: object, wall_s: float) -> Columns:
    try:
        if not isinstance(result, Result):
            raise TypeError(f"{type(result).__name__} is not a Result")
        result = _named_memory_limit(task, result)
        row = result_columns(judge(instance, task.method.name, task.options, result), wall_s)
        _line(row)
    except Exception as error:  # noqa: BLE001  (kept in the row)
        traceback.print_exc()
        reason = f"returned what cannot be judged: {type(error).__name__}: {error}"
        return _failed(Status.ERROR, reason, "garbage", wall_s)
    return {"row": row, "spent": False}


def _named_memory_limit(task: Task, result: Result) -> Result:
    """Return the result; its status is the memory limit where a process of the method could not load its libraries."""
    short = task.memory_limit_bytes is not None and result.status is Status.ERROR and tells_of_want(result.reason or "")
    return replace(result, status=Status.MEMORY_LIMIT) if short else result


def _raised(task: Task, error: BaseException, wall_s: float) -> Columns:
    traceback.print_exception(error)
    reason = f"{type(error).__name__}: {error}"
    if not lacks_memory(error, limited=task.memory_limit_bytes is not None):
        return _failed(Status.ERROR, reason, "raised", wall_s)
    if task.memory_limit_bytes is not None:
        reason = f"needs more than {task.memory_limit_bytes / 2**30:.3g} GiB"
    return _failed(Status.MEMORY_LIMIT, reason, "raised", wall_s)


def _failed(status: Status, reason: str, kind: str, wall_s: float) -> Columns:
    """Return the answer for a run without a result. The worker is spent: the run may have left things half done."""
    return {"row": failure_columns(status, reason, wall_s, kind), "spent": True}
