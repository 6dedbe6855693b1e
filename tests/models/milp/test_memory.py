"""A program that would not fit into memory is not begun."""

from __future__ import annotations

import psutil
import pytest

from finbench.models.io import load_instance
from finbench.models.milp import assignment, flow
from finbench.models.result import Status


def test_a_program_that_would_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 1000}))
    monkeypatch.setattr("finbench.models.memory.UNASKED_BYTES", 0)
    for method in (flow, assignment):
        result = method.solve(load_instance("balexnet-cifar10"))
        assert result.status is Status.MEMORY_LIMIT
        assert "GiB" in str(result.reason)
