"""One process for many programs: its start alone would take half a second for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from finbench.models.cp_sat import conversation, method

needs_ortools = pytest.mark.skipif(method.version() is None, reason=f"OR-Tools is not installed: {method.INSTALL}")


@pytest.fixture(scope="session")
def worker() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", str(conversation.WORKER), str(os.getpid())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


@pytest.fixture
def one_process(worker: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every program goes to the same process."""

    def spoken(task: str, limit_s: float | None) -> tuple[list[dict[str, Any]], str | None]:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(task)
        worker.stdin.flush()
        lines: list[dict[str, Any]] = []
        while not lines or lines[-1].get("step") != "solved":
            lines.append(json.loads(worker.stdout.readline()))
        return lines, None

    monkeypatch.setattr(conversation, "run_worker", spoken)
