"""A method that misbehaves as it is told; importable, so that a worker finds it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from finbench.benchmarks.execution.told import EVERY_S
from finbench.benchmarks.methods import METHODS, Method
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Instance
from finbench.models.news import News, tell
from finbench.models.options import Options
from finbench.models.result import Result, Status

WORSE = ("device", "device", "device", "edge", "edge")
"""A placement of `balexnet-cifar10` that is feasible and not the best."""

WORSE_J = 0.021448753297644185
"""Its energy [J]."""


class UnrulyOptions(Options):
    """What to do."""

    deed: str = "answer"
    pause_s: float = 0.0
    """How long to sleep before."""
    diary: str = ""
    """File that processes write their numbers to."""


UNRULY = Method("unruly", "misbehaves", False, __name__, UnrulyOptions)


def register() -> None:
    METHODS[UNRULY.name] = UNRULY


def supports(instance: Instance, options: UnrulyOptions) -> str | None:
    return None


def solve(instance: Instance, options: UnrulyOptions, *, time_limit_s: float | None, seed: int) -> Any:
    if options.diary:
        with Path(options.diary).open("a") as pages:
            pages.write(f"{os.getpid()}\n")
    time.sleep(options.pause_s)
    return DEEDS[options.deed](options.diary) if options.deed in ("fork", "leave") else DEEDS[options.deed]()


def _answer() -> Result:
    return Result(Status.NO_SOLUTION)


def _chat() -> Result:
    print("nothing worth keeping", flush=True)
    return _answer()


def _claim_too_much() -> Result:
    placed = ApplicationDeployment(application="balexnet-cifar10", last_exit=3, placement=WORSE)
    return Result(Status.OPTIMAL, Deployment(deployments=(placed,)))


def _sleep() -> NoReturn:
    while True:
        time.sleep(60)


def _ignore() -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _sleep()


def _stop_late() -> Result:
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    while not stopped:
        time.sleep(0.01)
    return _answer()


def _eat() -> NoReturn:
    eaten = []
    while True:
        eaten.append(bytearray(b"x") * 2**24)


HELD: list[bytearray] = []


def _hold() -> Result:
    HELD.append(bytearray(b"x") * (2**30 + 2**26))
    return _answer()


def _delegate() -> Result:
    """Let another program take memory, as solvers that are programs of their own do."""
    code = "import time; held = bytearray(b'x') * (200 * 2**20); time.sleep(0.3)"
    subprocess.run([sys.executable, "-S", "-c", code], check=True)
    return _answer()


def _raise() -> NoReturn:
    print("about to fail", flush=True)
    raise ZeroDivisionError("inside the method")


def _segfault() -> NoReturn:
    os.write(1, b"printed from below\n")
    ctypes.string_at(0)
    raise AssertionError


def _kill() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    _sleep()


def _start_a_daemon(diary: str) -> None:
    """A grandchild in a session of its own, whose parent is gone."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with Path(diary).open("a") as pages:
                pages.write(f"{os.getpid()}\n")
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            _sleep()
        os._exit(0)
    os.wait()
    while len(Path(diary).read_text().splitlines()) < 2:
        time.sleep(0.01)


def _fork(diary: str) -> NoReturn:
    _start_a_daemon(diary)
    _sleep()


def _leave(diary: str) -> Result:
    _start_a_daemon(diary)
    return _answer()


def _speak() -> NoReturn:
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b'{"row": {"status": "optimal"}}\n')
        except OSError:
            continue
    _sleep()


def _close() -> NoReturn:
    os.closerange(3, 256)
    _sleep()


def _tell_and_hang() -> NoReturn:
    """Tell a bound, then a deployment, then a better bound, and never come back."""
    placed = ApplicationDeployment(application="balexnet-cifar10", last_exit=3, placement=WORSE)
    tell(News(lower_bound=0.001))
    time.sleep(2 * EVERY_S)
    tell(News(WORSE_J, 0.002, lambda: Deployment(deployments=(placed,))))
    time.sleep(2 * EVERY_S)
    tell(News(lower_bound=0.02))
    _ignore()


def _tell_a_bound_and_hang() -> NoReturn:
    tell(News(0.5, 0.02))
    _ignore()


def _tell_nonsense_and_hang() -> NoReturn:
    tell(News(0.5, 0.02, lambda: Deployment.model_construct(deployments=(), rejected=())))
    _ignore()


DEEDS: dict[str, Callable[..., Any]] = {
    "answer": _answer,
    "chat": _chat,
    "claim-too-much": _claim_too_much,
    "sleep": _sleep,
    "ignore": _ignore,
    "stop-late": _stop_late,
    "eat": _eat,
    "hold": _hold,
    "delegate": _delegate,
    "raise": _raise,
    "leave-python": lambda: sys.exit(4),
    "exit": lambda: os._exit(3),
    "segfault": _segfault,
    "kill": _kill,
    "fork": _fork,
    "leave": _leave,
    "number": lambda: 42,
    "nan": lambda: Result(Status.NO_SOLUTION, info={"share": float("nan")}),
    "speak": _speak,
    "close": _close,
    "tell-and-hang": _tell_and_hang,
    "tell-a-bound-and-hang": _tell_a_bound_and_hang,
    "tell-nonsense-and-hang": _tell_nonsense_and_hang,
}
