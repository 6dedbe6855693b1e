"""The unruly method in the registry, and runs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import pytest

from finbench.benchmarks.campaigns.origins import TargetPoint
from finbench.benchmarks.campaigns.overrides import Overrides
from finbench.benchmarks.execution import warm_worker
from finbench.benchmarks.execution.task import Task
from finbench.benchmarks.methods import METHODS, check_options
from finbench.models.io import find_file, load_instance
from tests.benchmarks.execution.unruly import UNRULY


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, UNRULY.name, UNRULY)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little grace beyond a limit."""
    monkeypatch.setattr(warm_worker, "GRACE_S", 0.3)
    monkeypatch.setattr(warm_worker, "TERMINATION_S", 0.3)


def made(deed: str = "answer", method: str = "unruly", **changes: Any) -> Task:
    """A task without a warm-up."""
    options: dict[str, Any] = {name: changes.pop(name) for name in ("pause_s", "diary") if name in changes}
    if method == "unruly":
        options["deed"] = deed
    fields = {
        "origin": TargetPoint(find_file("balexnet-cifar10", "instances"), Overrides()),
        "content_hash": load_instance("balexnet-cifar10").content_hash,
        "method": METHODS[method],
        "options": check_options(method, options),
        "seed": 0,
        "repetition": 1,
        "time_limit_s": 20.0,
        "memory_limit_bytes": None,
        "warm_up": False,
        "code_version": "as tested",
    }
    return Task(**{**fields, **changes})


def pages(diary: Path) -> list[int]:
    """Processes that wrote to a diary."""
    return [int(line) for line in diary.read_text().splitlines()] if diary.exists() else []


def comes_true(condition: Callable[[], bool], within_s: float = 120.0) -> bool:
    """Whether a condition becomes true; on a busy machine that may take long."""
    end = monotonic() + within_s
    while monotonic() < end:
        if condition():
            return True
        sleep(0.02)
    return condition()


def are_gone(processes: list[int]) -> bool:
    """Whether none of the processes runs any more."""
    return not any(psutil.pid_exists(number) and _lives(number) for number in processes)


def _lives(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def no_process_is_left() -> Iterator[None]:
    """Fails where a test leaves a worker behind; processes that other tests have left are none of its business."""
    here = psutil.Process()
    before = set(here.children(recursive=True))
    yield
    assert comes_true(lambda: before.issuperset(here.children(recursive=True))), here.children(recursive=True)
