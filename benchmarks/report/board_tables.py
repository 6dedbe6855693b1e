"""Tables of the leaderboard for pages: the standings of a machine, and claims that cannot be true."""

from __future__ import annotations

from collections.abc import Sequence

from finbench.benchmarks.leaderboard import tables
from finbench.benchmarks.leaderboard.refutation import Refutation
from finbench.benchmarks.leaderboard.standing import Standing
from finbench.benchmarks.report.cells import Cell, PageTable, of_rows, text


def machine_table(machine: str, found: Sequence[Standing]) -> PageTable:
    """Return the standings of one machine."""
    return of_rows(tables.standings_table(machine, found))


def refutations_table(refutations: Sequence[Refutation]) -> PageTable:
    """Return claims that cannot be true, each with its two numbers, and in words."""
    rows = tuple(
        (
            *map(text, (one.instance, one.variant, one.folder, one.fault, one.sentence)),
            exact(one.claimed),
            exact(one.found),
        )
        for one in refutations
    )
    columns = ("instance", "method", "folder", "what is wrong", "in words", "claimed", "against")
    return PageTable("Claims that cannot be true", columns, rows, 5)


def exact(value: float | None) -> Cell:
    """Return a number with every digit; a dash where there is none."""
    return Cell("–") if value is None else Cell(repr(value), value)
