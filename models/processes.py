"""Processes that a run starts end with it, however it ends (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal

_PRCTL = ctypes.CDLL(None).prctl
"""Looked up here: between fork and exec nothing may be loaded."""

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends."""
    _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL)


def dies_with(parent: int) -> None:
    """Do so in a process just forked from `parent`, which may be gone by now."""
    die_with_parent()
    if os.getppid() != parent:
        os._exit(1)
