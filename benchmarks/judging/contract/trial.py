"""One run of a method that nobody trusts: what it returned or raised, how long it took, what it changed."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from types import FrameType
from typing import Any

from finbench.benchmarks.judging.judged import Judged, judge
from finbench.benchmarks.methods import Method, run_method
from finbench.models.instance import Instance
from finbench.models.result import LOAD, Result

PATIENCE_S = 30.0
"""A run that overstays its limit by so much is interrupted [s]."""


@dataclass(frozen=True)
class TrialSetup:
    """What a method was asked for: enough to ask again."""

    instance: Instance
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    time_limit_s: float = 30.0


@dataclass(frozen=True)
class Trial:
    """A run, and what is to be known of it."""

    asked: TrialSetup
    judged: Judged | None
    """None where it returned no `Result`."""
    raised: str | None
    """What it raised, or what it returned instead of a `Result`."""
    seconds: float
    """Wall-clock time, the loading of compiled code left out [s]."""
    changed: str | None
    """What of the instance is not what it was."""


class _Overdue(BaseException):
    """Raised inside a run that is interrupted."""


def tried(method: Method, asked: TrialSetup) -> Trial:
    """Run a method on a copy of the instance."""
    instance = _copy(asked.instance)
    judged, raised = None, None
    begun = perf_counter()
    try:
        with _interrupted_after(asked.time_limit_s + PATIENCE_S):
            result: object = run_method(
                instance, method, time_limit_s=asked.time_limit_s, seed=asked.seed, **asked.options
            )
        seconds = perf_counter() - begun
        if isinstance(result, Result):
            seconds -= result.times_s.get(LOAD, 0.0)
            judged = judge(asked.instance, method.name, asked.options, result)
        else:
            raised = f"returns {type(result).__name__}, which is no Result"
    except _Overdue:
        seconds = perf_counter() - begun
        raised = f"did not return within {seconds:.0f} s and was interrupted"
    except Exception as error:  # noqa: BLE001  (whatever it is, it is told)
        seconds = perf_counter() - begun
        raised = f"raises {type(error).__name__}: {error}{_place(error)}"
    return Trial(asked, judged, raised, seconds, change_of(instance, asked.instance))


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f" ({last.filename}, line {last.lineno})"


def _copy(instance: Instance) -> Instance:
    return Instance.model_validate_json(instance.model_dump_json())


def change_of(used: Instance, original: Instance) -> str | None:
    """Return what of a used instance is not as in the original, which nobody had; None where nothing is."""
    if used.model_dump_json() != original.model_dump_json():
        return "the instance is not what it was"
    known = {
        "network.node_by_name": (used.network.node_by_name, original.network.node_by_name),
        "network.link_by_pair": (used.network.link_by_pair, original.network.link_by_pair),
        "dnn_by_name": (used.dnn_by_name, original.dnn_by_name),
        "survival": ([dnn.survival for dnn in used.dnns], [dnn.survival for dnn in original.dnns]),
        "pins": ([app.pins for app in used.applications], [app.pins for app in original.applications]),
        "content_hash": (used.content_hash, original.content_hash),
    }
    return next((f"{name} of the instance is not what it was" for name, (a, b) in known.items() if a != b), None)


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Raise `_Overdue` in the block after a time, where signals can be caught: in the main thread, on POSIX systems.

    Compiled code is interrupted when it returns to Python.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise _Overdue

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
