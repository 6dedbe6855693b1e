"""How hard the instances were found: what every method came to when they were chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from finbench.benchmarks.library.entry import NAME
from finbench.benchmarks.library.tables import read_table
from finbench.models.result import Status

MEASURED = "measured.csv"


class MeasuredDifficulty(BaseModel):
    """A row of `measured.csv`: one method on one instance, under a limit of 12 s."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    """The instance's name in the library."""
    method: str
    """The method, with the options that differ from their defaults."""
    status: Status
    """How the run ended."""
    cpu_s: Annotated[float, Field(ge=0)]
    """Processor time of the run [s]; the limit is one of the clock, on a machine that had other work."""
    objective: float | None = None
    """Objective of its deployment, as the evaluator computes it."""
    bound: float | None = None
    """The bound that it claims."""


@dataclass(frozen=True)
class DifficultySummary:
    """How methods differ on one instance."""

    methods: int
    """Methods that were measured on it."""
    proven: int
    """Of them, those that proved an optimum, or that nothing fits."""
    fastest_s: float | None
    """Least processor time of a proof [s]; None where there was none."""
    slowest_s: float | None
    """Greatest processor time of a proof [s]."""
    fastest: str
    """Who took the least."""


def difficulties(folder: Path) -> dict[str, DifficultySummary]:
    """Return how methods differ, by instance; nothing where the folder has no such file, as one that is being made.

    Raises
    ------
    InputError
        If the file cannot be read, or a row breaks a rule.
    """
    if not (folder / MEASURED).exists():
        return {}
    rows = dict[str, list[MeasuredDifficulty]]()
    for row in read_table(folder / MEASURED, MeasuredDifficulty):
        rows.setdefault(row.name, []).append(row)
    return {name: _summary(here) for name, here in rows.items()}


def _summary(rows: Sequence[MeasuredDifficulty]) -> DifficultySummary:
    proofs = sorted(
        (row for row in rows if row.status in (Status.OPTIMAL, Status.INFEASIBLE)), key=lambda row: row.cpu_s
    )
    if not proofs:
        return DifficultySummary(len(rows), 0, None, None, "")
    return DifficultySummary(len(rows), len(proofs), proofs[0].cpu_s, proofs[-1].cpu_s, proofs[0].method)


def read_difficulty(folder: Path, name: str) -> Iterator[MeasuredDifficulty]:
    """Yield the rows of one instance; raise InputError where the file cannot be read or a row breaks a rule."""
    return (row for row in read_table(folder / MEASURED, MeasuredDifficulty) if row.name == name)
