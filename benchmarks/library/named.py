"""Instances by name: those of the library, shipped ones, and files."""

from __future__ import annotations

from pathlib import Path

from finbench.models.instance import Instance
from finbench.models.io import load_instance

_PREFIX = "library:"


def load_named(name_or_path: str | Path) -> Instance:
    """Return an instance by `library:NAME`, shipped name, or TOML or JSON file.

    Raises
    ------
    InputError
        If there is none, it breaks a rule, or it is not the one that the library means.
    """
    name = str(name_or_path)
    if not name.startswith(_PREFIX):
        return load_instance(name_or_path)
    from finbench.benchmarks.library.library import shipped_library

    return shipped_library().entry(name).build()
