"""Processes that a process started, directly or through others, and how to end all of them (Linux)."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose parent ends, also of one in a session of its own."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_descendants() -> dict[int, int]:
    """Kill and reap every descendant of a process that adopts orphans.

    Returns
    -------
    dict of int to int
        Wait status by process.
    """
    import psutil

    statuses: dict[int, int] = {}
    while True:
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        try:
            ended, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return statuses
        statuses[ended] = status


def end_survivors() -> int:
    """End all processes below this one; return how many there were.

    Without any child this costs one system call.
    """
    while True:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if ended == 0:
            return len(end_descendants())
