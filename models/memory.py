"""Foresee that a run would not fit into memory, and say so before it starts."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from math import inf
from pathlib import Path, PurePosixPath

import psutil

PLANNED_PART = 0.5
"""Part of the available memory that a method plans with: the rest is for what it does not foresee, and for others."""

UNASKED_BYTES = 2**18
"""Up to this much is there, or nothing works: to ask takes longer than a small run."""

MOST_BYTES = 2.0**100
"""More than this is as much: numbers of any size are asked for, and some are beyond floating point."""

_CGROUPS, _OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def reason_not_to_fit(needed_bytes: float) -> str | None:
    """Return why a run that needs `needed_bytes` does not start; None where it may take that much."""
    if needed_bytes <= UNASKED_BYTES:
        return None
    needed_bytes = float(min(needed_bytes, MOST_BYTES))
    available = available_bytes()
    if needed_bytes <= PLANNED_PART * available:
        return None
    return (
        f"needs {needed_bytes / 2**30:.3g} GiB of memory, {available / 2**30:.3g} GiB are available, "
        f"of which {PLANNED_PART:.0%} may be planned with"
    )


def available_bytes() -> float:
    """Return the least of what is free on the machine, in the process's control groups and in its address space."""
    available = min([float(psutil.virtual_memory().available), *free_in_groups(_CGROUPS, _OWN_CGROUPS)])
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        available = min(available, limit - psutil.Process().memory_info().vms)
    return max(0.0, available)


def free_in_groups(root: Path, own: Path) -> Iterator[float]:
    """Yield the bytes that each control group with a memory limit leaves the process.

    Parameters
    ----------
    root : Path
        Where the control groups are mounted: version 2 itself, version 1 with a folder `memory`.
    own : Path
        The process's groups, as Linux lists them. Inside a container the listed path may not be mounted; the groups
        above it, up to the root, are.
    """
    if not own.exists():
        return
    for line in own.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _free_up_to(root, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _free_up_to(root / "memory", path, *names)


def _free_up_to(root: Path, path: str, limit: str, used: str, reclaimable: str) -> Iterator[float]:
    """Yield what a group and each above it leave; pages of files that the kernel takes back at need are free."""
    group = PurePosixPath(path.lstrip("/"))
    for folder in (root / group, *(root / parent for parent in group.parents)):
        most = _number(folder / limit)
        if most < inf and (folder / used).exists():
            yield most - _number(folder / used) + _entry(folder / "memory.stat", reclaimable)


def _number(file: Path) -> float:
    """Return the number in a file of a control group; inf where there is none or it says `max`."""
    text = file.read_text().strip() if file.exists() else "max"
    return inf if text == "max" else float(text)


def _entry(file: Path, name: str) -> float:
    """Return the number that a line `name number` of a file holds; 0 where there is none."""
    lines = file.read_text().splitlines() if file.exists() else []
    return next((float(line.split()[1]) for line in lines if line.split()[0] == name), 0.0)
