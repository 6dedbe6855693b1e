"""Solvers that are programs of their own: an MPS file in, a log and a solution file out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from finbench.models.milp.solvers.model_file import write_numbered
from finbench.models.milp.solvers.standard_form import StandardForm
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
    with TemporaryDirectory() as folder:
        model, solution = Path(folder, "model.mps"), Path(folder, "solution.txt")
        with clock.phase("handover"):
            write_numbered(form, model)
        left = clock.remaining_s
        if left == 0:
            return Spoken("", "", True)
        with clock.phase("solve"):
            log, stopped = _run(command(model, solution, left), None if left is None else left + grace_s)
        return Spoken(log, solution.read_text() if solution.exists() else "", stopped)


def _run(command: list[str], limit_s: float | None) -> tuple[str, bool]:
    """What the program prints, and whether it had to be stopped."""
    try:
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired as late:
        return (late.output or b"").decode(errors="replace"), True
    return ran.stdout.decode(errors="replace"), False
