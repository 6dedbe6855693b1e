"""Foresee that a run would not fit into memory, and say so before it starts."""

from __future__ import annotations

import psutil


def reason_not_to_fit(needed_bytes: float) -> str | None:
    """Why a run that needs `needed_bytes` cannot start, None where the memory is there."""
    available = psutil.virtual_memory().available
    if needed_bytes <= available:
        return None
    return f"needs {needed_bytes / 2**30:.3g} GiB of memory, {available / 2**30:.3g} GiB are available"
