"""Memory of a run (Linux): what this process takes beyond what it held, what its descendants take, and a limit."""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import sleep

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_SIZES, _EVENTS = Path("/proc/self/statm"), Path("/proc/vmstat")

LOOK_S = 0.02
"""Time between two measurements of the processes below this one [s]."""


@contextmanager
def memory_limit(limit_bytes: int | None) -> Iterator[None]:
    """Limit the address space, inside the block, to what the process has now and `limit_bytes` more."""
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


def lacks_memory(error: BaseException, *, limited: bool) -> bool:
    """Return whether an error says that there was not enough memory.

    Parameters
    ----------
    error : BaseException
    limited : bool
        Whether there was a limit: under one, compiled libraries that cannot be loaded for want of address space end in
        an ImportError or OSError of the loader.
    """
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return limited and isinstance(error, ImportError | OSError) and tells_of_want(str(error))


def tells_of_want(reason: str) -> bool:
    """Return whether a message is what the dynamic loader says where address space is short."""
    return any(words in reason for words in _LOADER)


_LOADER = ("failed to map segment", "cannot allocate memory", "Cannot allocate memory", "out of memory")
"""What the dynamic loader says where address space is short."""


class DescendantWatch:
    """Measures the most memory that the processes below this one hold together at any time of a run.

    A thread measures every `LOOK_S`; the kernel remembers the peak of each process until then. A run that is shorter
    costs next to nothing: the thread sleeps through it. Solvers that are programs of their own live longer than that.
    """

    def __init__(self) -> None:
        self._running = Event()
        self._peak = 0
        self._thread = Thread(target=self._watch, daemon=True)

    def begin(self) -> None:
        """Start to measure."""
        if not self._thread.is_alive():
            self._thread.start()
        self._peak = 0
        self._running.set()

    def end(self) -> int:
        """Stop measuring; return the peak since `begin` [byte]."""
        self._running.clear()
        return self._peak

    def _watch(self) -> None:
        while self._running.wait():
            sleep(LOOK_S)
            held = sum(map(_peak_of, _descendants(os.getpid()))) if self._running.is_set() else 0
            self._peak = max(self._peak, held)


def _descendants(process: int) -> Iterator[int]:
    """Yield the processes below a process."""
    with suppress(OSError):  # it has ended
        for thread in os.listdir(f"/proc/{process}/task"):
            for child in Path(f"/proc/{process}/task/{thread}/children").read_text().split():
                yield int(child)
                yield from _descendants(int(child))


def _peak_of(process: int) -> int:
    """Return the peak memory of a process [byte]; 0 where it has ended."""
    with suppress(OSError):
        return _peak_in(Path(f"/proc/{process}/status"))
    return 0


def _peak_in(status: Path) -> int:
    lines = status.read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0) * 1024


def let_go() -> None:
    """Free what earlier runs left, so that it is not counted for a later run.

    Objects that survive the collection are taken to stay, and later collections skip them. Else every collection would
    take as long as the first, some 0.1 s with Pyomo loaded.
    """
    gc.collect()
    gc.freeze()
    ctypes.CDLL(None).malloc_trim(0)


def resident_bytes() -> int:
    """Return the memory that the process has in use [byte]."""
    return _held_pages(1) * resource.getpagesize()


def _held_pages(column: int) -> int:
    return int(_SIZES.read_text().split()[column])


def forget_peak() -> None:
    """Make the kernel count the peak anew, because making the instance may have taken more than the run will."""
    _RESET.write_text("5")


def peak_bytes() -> int:
    """Return the peak of `resident_bytes` since `forget_peak` [byte]."""
    return _peak_in(_STATUS)


def kills_for_memory() -> int:
    """Return how many processes the kernel has killed for want of memory since the machine started."""
    lines = _EVENTS.read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
