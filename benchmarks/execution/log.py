"""What a run printed, at the file descriptor, where solvers print too."""

from __future__ import annotations

import os

LOG_BYTES = 64 * 2**10
"""How much of the end of a failed run's log is kept."""


def end_of_file(descriptor: int) -> str:
    """Return the last `LOG_BYTES` of a file, as text."""
    start = max(0, os.fstat(descriptor).st_size - LOG_BYTES)
    return os.pread(descriptor, LOG_BYTES, start).decode(errors="replace")
