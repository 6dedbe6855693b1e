"""What a run may need, foreseen."""

from __future__ import annotations

import os
import resource

import psutil

from finbench.models.memory import reason_not_to_fit


def test_what_is_there_fits_and_more_does_not() -> None:
    assert reason_not_to_fit(2**20) is None
    reason = reason_not_to_fit(psutil.virtual_memory().total + 2**40)
    assert reason is not None
    assert "GiB are available" in reason


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
