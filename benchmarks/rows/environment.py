"""The machine and the software that a run ran on: what makes two times comparable, or not."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psutil

import finbench
from finbench.models.cp_sat import method as cp_sat
from finbench.models.milp.solvers.registry import SOLVERS
from finbench.models.versions import package_version

Environment = dict[str, Any]

PACKAGES = ("finbench", "numpy", "scipy", "networkx", "numba", "pyomo", "highspy")
"""Packages whose versions decide about a run."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Variables that say how many threads numerical libraries use; how many a solver uses is an option of its method."""


SOLVER_NAMES = (*SOLVERS, "cp-sat")
"""Programs that solve, whose versions an environment names."""


@cache
def environment() -> Environment:
    """Return the machine, versions and settings of this process.

    Returns
    -------
    dict
        `cpu`, `cores`, `ram_bytes`, `system`, `os`, `python`, `versions` (of `PACKAGES`), `solvers` (version by name,
        None where it is not installed), `git` (`commit` and whether the tree is `clean`, None outside a checkout),
        `threads` (of `THREAD_VARIABLES`, None where unset).
    """
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "ram_bytes": psutil.virtual_memory().total,
        "system": platform.platform(),
        "os": _os(),
        "python": platform.python_version(),
        "versions": {name: package_version(name) for name in PACKAGES},
        "solvers": {**{name: solver.version() for name, solver in SOLVERS.items()}, "cp-sat": cp_sat.version()},
        "git": _git(Path(finbench.__file__).resolve().parents[1]),
        "threads": {name: os.environ.get(name) for name in THREAD_VARIABLES},
    }


def environment_id(of: Environment) -> str:
    """Return the id by which rows name an environment: the beginning of a hash of its content."""
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:16]


def machine(of: Environment) -> str:
    """Return the machine of an environment in words. Times of two runs compare only where these are equal."""
    return f"{of['cpu']} ({of['cores']} cores)"


def machines_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the machines that rows were made on, each once; the rows have their `environment`."""
    return list(dict.fromkeys(machine(row["environment"]) for row in rows))


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _os() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _git(checkout: Path) -> Environment | None:
    """Return the commit of the checkout that holds this code, and whether nothing in it differs from that commit."""
    if not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout)]
    try:
        commit = subprocess.run([*command, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        changes = subprocess.run([*command, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit.stdout.strip(), "clean": not changes.stdout}
