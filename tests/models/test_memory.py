"""A run that would need more memory than there is, is recognised beforehand."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import psutil
import pytest

from finbench.models.memory import PLANNED_PART, UNASKED_BYTES, free_in_groups, reason_not_to_fit


def test_what_is_there_fits_and_more_does_not() -> None:
    assert reason_not_to_fit(2**20) is None
    reason = reason_not_to_fit(psutil.virtual_memory().total + 2**40)
    assert reason is not None
    assert "GiB are available" in reason


def test_a_part_of_what_is_free_may_be_planned_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 2**20}))
    assert reason_not_to_fit(PLANNED_PART * 2**20) is None
    assert reason_not_to_fit(PLANNED_PART * 2**20 + 1) is not None


def test_a_limit_on_the_process_counts() -> None:
    """In a process of its own, since the limit stays."""
    needed = 2**29
    assert reason_not_to_fit(needed) is None
    child = os.fork()
    if child == 0:
        limit = psutil.Process().memory_info().vms + needed // 2
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        os._exit(0 if reason_not_to_fit(needed) and not reason_not_to_fit(needed // 8) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def write_group(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def test_every_control_group_up_to_the_root_counts(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/outer/inner\n")
    write_group(tmp_path / "outer" / "inner", {"memory.max": "max\n", "memory.current": "70\n"})
    stat = "anon 60\ninactive_file 20\n"
    write_group(tmp_path / "outer", {"memory.max": "100\n", "memory.current": "80\n", "memory.stat": stat})
    assert list(free_in_groups(tmp_path, own)) == [40.0]


def test_control_groups_of_version_1_count_and_a_path_that_is_not_mounted_is_passed_over(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("5:cpu:/pod\n4:memory:/pod\n0::/\n")
    files = {"memory.limit_in_bytes": "100\n", "memory.usage_in_bytes": "30\n"}
    write_group(tmp_path / "memory", files)
    assert list(free_in_groups(tmp_path, own)) == [70.0]


def test_without_control_groups_nothing_is_limited(tmp_path: Path) -> None:
    assert list(free_in_groups(tmp_path, tmp_path / "own")) == []


def test_the_little_that_every_run_needs_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finbench.models.memory.available_bytes", lambda: 0.0)
    assert reason_not_to_fit(UNASKED_BYTES) is None
    assert reason_not_to_fit(UNASKED_BYTES + 1) is not None


def test_what_is_beyond_floating_point_does_not_fit_either() -> None:
    assert "GiB of memory" in (reason_not_to_fit(10**400) or "")
