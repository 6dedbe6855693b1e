"""The conversation with the process that runs CP-SAT: one program in, events out, nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finbench.models.cp_sat.program import IntegerProgram
from finbench.models.result import Clock, Status

WORKER = Path(__file__).with_name("worker.py")

STOP_S = 0.2
"""How long before the limit CP-SAT is asked to stop; at the limit its process is killed, and what it told counts."""

MEMORY_WORDS = ("MemoryError", "bad_alloc", "Cannot allocate memory")


@dataclass(frozen=True)
class Request:
    """What CP-SAT is asked to keep to."""

    seed: int
    threads: int
    mip_gap: float


@dataclass(frozen=True)
class Report:
    """Something that CP-SAT told."""

    at_s: float
    """Since the run began."""
    chosen: tuple[int, ...] | None
    """Columns that are 1 in a new incumbent."""
    bound: float | None
    """Proven lower bound on the program's objective."""


@dataclass(frozen=True)
class Said:
    """All that CP-SAT told about a program."""

    events: tuple[Report, ...] = ()
    finished: bool = False
    """Whether it proved its last incumbent optimal, within the gap asked for."""
    proven_infeasible: bool = False
    failure: Status | None = None
    """ERROR or MEMORY_LIMIT where the process ended otherwise than it should."""
    reason: str | None = None
    """One line about the failure."""


def ask(program: IntegerProgram, request: Request, clock: Clock) -> Said:
    """Solve a program in a process of its own, which ends with this call: at the time limit, it is killed.

    Times of the phases `process` (its start until its libraries are there, and its end), `handover` and `solve` are
    added to `clock`.
    """
    before, left, now = clock.elapsed_s, clock.remaining_s, time.monotonic()
    if left == 0:
        return Said()
    task = {
        **asdict(request),
        "seed": request.seed % 2**31,
        "program": program.to_json(),
        "began": now - before,
        "deadline": None if left is None else now + left - STOP_S,
    }
    lines, failure = run_worker(json.dumps(task) + "\n", left)
    steps = {line["step"]: line["at"] for line in lines if "step" in line}
    _add_phases(clock, before, steps)
    solved = next((line for line in lines if line.get("step") == "solved"), None)
    if failure is not None and solved is None:
        return Said(failure=_kind(failure), reason=f"CP-SAT: {failure}")
    return Said(
        events=tuple(_event(line) for line in lines if "bound" in line),
        finished=solved is not None and solved["status"] == "optimal",
        proven_infeasible=solved is not None and solved["status"] == "infeasible",
    )


def run_worker(task: str, limit_s: float | None) -> tuple[list[dict[str, Any]], str | None]:
    """Run CP-SAT's process on one task.

    Parameters
    ----------
    task : str
        A line of JSON.
    limit_s : float or None
        When the process is killed [s]; None: never.

    Returns
    -------
    list of dict
        The events that it told.
    str or None
        Why it failed; None where it did not.
    """
    # By its path and without the working folder (-P): the same file wherever the package is.
    command = [sys.executable, "-P", str(WORKER), str(os.getpid())]
    try:
        ran = subprocess.run(command, input=task.encode(), capture_output=True, check=False, timeout=limit_s)
    except subprocess.TimeoutExpired as late:
        return _parsed(late.output or b""), None
    if ran.returncode == 0:
        return _parsed(ran.stdout), None
    last = ran.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return _parsed(ran.stdout), last or f"its process ended with code {ran.returncode}"


def _parsed(output: bytes) -> list[dict[str, Any]]:
    """Return all whole lines."""
    whole = output[: output.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]


def _kind(failure: str) -> Status:
    return Status.MEMORY_LIMIT if any(word in failure for word in MEMORY_WORDS) else Status.ERROR


def _event(line: dict[str, Any]) -> Report:
    chosen = line.get("chosen")
    return Report(line["at"], None if chosen is None else tuple(chosen), line["bound"])


def _add_phases(clock: Clock, before: float, steps: dict[str, float]) -> None:
    """Split the time since `before` at the events; one that did not come had all the time that was left."""
    for phase, event in (("process", "imported"), ("handover", "loaded"), ("solve", "solved"), ("process", "")):
        end = steps.get(event, clock.elapsed_s)
        clock.times_s[phase] = clock.times_s.get(phase, 0.0) + end - before
        before = end
