"""Memory of this process: what a run takes beyond what was there before it, and a limit on that (Linux)."""

from __future__ import annotations

import ctypes
import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_SIZES, _EVENTS = Path("/proc/self/statm"), Path("/proc/vmstat")


@contextmanager
def memory_limit(limit_bytes: int | None) -> Iterator[None]:
    """Refuse, inside the block, more address space than the process has now and `limit_bytes` beyond it."""
    if limit_bytes is None:
        yield
        return
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _held_pages(0) * resource.getpagesize() + limit_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))


def let_go() -> None:
    """Give back what earlier runs left, so that it counts for none that follows.

    What survives the collection is taken to stay, and not looked at again: else every one would take as long as the
    first, some 0.1 s with Pyomo loaded.
    """
    gc.collect()
    gc.freeze()
    ctypes.CDLL(None).malloc_trim(0)


def resident_bytes() -> int:
    """Memory that the process has in use [byte]."""
    return _held_pages(1) * resource.getpagesize()


def _held_pages(column: int) -> int:
    return int(_SIZES.read_text().split()[column])


def forget_peak() -> None:
    """Make the kernel count the peak from here: making the instance may have taken more than the run."""
    _RESET.write_text("5")


def peak_bytes() -> int:
    """Peak of `resident_bytes` since `forget_peak` [byte]."""
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


def kills_for_memory() -> int:
    """How many processes the kernel has killed, since the machine started, for want of memory."""
    lines = _EVENTS.read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
