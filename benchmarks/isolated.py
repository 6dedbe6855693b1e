"""One run in a process of its own: its peak memory is its own, and a limit that a method ignores still ends it."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from benchmarks.campaign import Member
from benchmarks.methods import run_method
from models.io import load_instance
from models.result import Result, Status

GRACE_S = 5.0
"""Beyond its time limit a run has this long, and its warm-up and instance `SETUP_S`, before its process is ended."""

SETUP_S = 120.0

_PEAK_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True)
class IsolatedRun:
    """What a run in its own process came to."""

    result: Result
    peak_bytes: int | None
    """Peak memory above what the process held before the run, None where the process was ended."""


def run_isolated(
    member: Member, method: str, options: Mapping[str, Any], *, seed: int, time_limit_s: float, memory_limit_bytes: int
) -> IsolatedRun:
    """Run a method on a generated instance in a fresh process.

    Parameters
    ----------
    member : Member
        Generated within the process, before the clock starts.
    method : str
    options : mapping
    seed : int
    time_limit_s : float
        Told to the method; a run that is not back `GRACE_S` later is ended.
    memory_limit_bytes : int
        Address space of the process.

    Returns
    -------
    IsolatedRun
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.isolated", "fin_graph.label_setting", "models.milp.flow"])
    receiver, sender = context.Pipe(duplex=False)
    task = (member, method, dict(options), seed, time_limit_s, memory_limit_bytes)
    process = context.Process(target=_work, args=(sender, *task), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(SETUP_S):
            return IsolatedRun(
                Result(Status.ERROR, reason=f"its instance took more than {SETUP_S:.0f} s to make"), None
            )
        receiver.recv()
        if not receiver.poll(time_limit_s + GRACE_S):
            return IsolatedRun(Result(Status.TIME_LIMIT, reason="its process was ended at the limit"), None)
        return IsolatedRun(*receiver.recv())
    except EOFError:
        process.join()
        return IsolatedRun(Result(Status.ERROR, reason=f"its process ended with code {process.exitcode}"), None)
    finally:
        process.kill()
        process.join()
        receiver.close()


def _work(
    sender: Connection,
    member: Member,
    method: str,
    options: dict[str, Any],
    seed: int,
    time_limit_s: float,
    memory_limit_bytes: int,
) -> None:
    """Warm up, build, run, and send back the result with the memory that the run took."""
    warm_up = load_instance("blenet-mnist")
    run_method(warm_up, method, time_limit_s=time_limit_s, seed=seed, **options)
    instance = member.build()
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))
    before = psutil.Process().memory_info().rss
    _forget_peak()
    sender.send("ready")
    try:
        result = run_method(instance, method, time_limit_s=time_limit_s, seed=seed, **options)
    except MemoryError:
        result = Result(Status.MEMORY_LIMIT, reason=f"needs more than {memory_limit_bytes / 2**30:.3g} GiB")
    sender.send((result, max(0, _peak_bytes() - before)))


def _forget_peak() -> None:
    """Make the kernel count the peak from here, where it can: making the instance may have taken more than the run."""
    if _PEAK_RESET.exists():
        _PEAK_RESET.write_text("5")


def _peak_bytes() -> int:
    """Peak resident memory of this process since `_forget_peak`, where the kernel tells; else since its start."""
    for line in _STATUS.read_text().splitlines() if _STATUS.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
