"""Runs that are the same: two groups of a campaign that ask for one run get a row each, which a reader sees once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finbench.benchmarks.rows.row import run_identity


@dataclass(frozen=True)
class Distinct:
    """Which rows of a list are shown, and the groups of each."""

    kept: tuple[int, ...]
    """Places in the list, one for each run."""
    groups: tuple[tuple[str, ...], ...]
    """Groups of each kept run, in their order."""


def distinct(rows: Sequence[Mapping[str, Any]]) -> Distinct:
    """Return the first row of every run, and all groups that ask for it."""
    places: dict[tuple[Any, ...], int] = {}
    groups: dict[int, dict[str, None]] = {}
    for place, row in enumerate(rows):
        first = places.setdefault(run_identity(row), place)
        groups.setdefault(first, {})[str(row["group"])] = None
    return Distinct(tuple(groups), tuple(tuple(names) for names in groups.values()))
