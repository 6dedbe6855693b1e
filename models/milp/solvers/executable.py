"""Solvers that are programs of their own: an MPS file in, a log and a solution file out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from finbench.models.milp.solvers.model_file import write_numbered
from finbench.models.milp.solvers.standard_form import StandardForm
from finbench.models.processes import dies_with
from finbench.models.result import Clock


@dataclass(frozen=True)
class Spoken:
    """What a program left behind."""

    log: str
    solution: str
    """Text of the solution file, empty where none was written."""
    stopped: bool
    """Whether it was stopped at the limit, or never started for want of time."""


def run_on_file(
    form: StandardForm, clock: Clock, command: Callable[[Path, Path, float | None], list[str]], grace_s: float
) -> Spoken:
    """Write `form` (phase `handover`), run a program on it (phase `solve`).

    Parameters
    ----------
    form : StandardForm
    clock : Clock
    command : callable
        The command line for a model file, a solution file and the seconds left (None: no limit).
    grace_s : float
        How long the program may overrun the limit before it is stopped [s]; what it found is lost then.
    """
    with _model_file(form, clock) as model, TemporaryFile() as solution:
        left = clock.remaining_s
        if left == 0:
            return Spoken("", "", True)
        with clock.phase("solve"):
            files = model.fileno(), solution.fileno()
            words = command(_path_of(files[0]), _path_of(files[1]), left)
            log, stopped = _run(words, files, None if left is None else left + grace_s)
        return Spoken(log, solution.read().decode(), stopped)


def _model_file(form: StandardForm, clock: Clock) -> IO[bytes]:
    """Return `form` as an open MPS file without a name: however the run ends, nothing stays behind."""
    with clock.phase("handover"), TemporaryDirectory() as folder:
        path = Path(folder, "model.mps")
        write_numbered(form, path)
        return path.open("rb")


def _path_of(file: int) -> Path:
    """Return the path by which a process that inherits an open file finds it."""
    return Path(f"/dev/fd/{file}")


def _run(command: list[str], files: tuple[int, ...], limit_s: float | None) -> tuple[str, bool]:
    """Return what the program prints, and whether it had to be stopped; it ends with this process."""
    try:
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=limit_s,
            pass_fds=files,
            preexec_fn=partial(dies_with, os.getpid()),
        )
    except subprocess.TimeoutExpired as late:
        return (late.output or b"").decode(errors="replace"), True
    return ran.stdout.decode(errors="replace"), False
