"""Foresee that a run would not fit into memory, and say so before it starts."""

from __future__ import annotations

import resource

import psutil


def reason_not_to_fit(needed_bytes: float) -> str | None:
    """Return why a run that needs `needed_bytes` cannot start, None where the memory is there."""
    available = _available_bytes()
    if needed_bytes <= available:
        return None
    return f"needs {needed_bytes / 2**30:.3g} GiB of memory, {available / 2**30:.3g} GiB are available"


def _available_bytes() -> int:
    """Return the memory that is free, or what the limit on this process's address space leaves, if that is less."""
    free, (limit, _) = int(psutil.virtual_memory().available), resource.getrlimit(resource.RLIMIT_AS)
    return free if limit == resource.RLIM_INFINITY else min(free, limit - int(psutil.Process().memory_info().vms))
