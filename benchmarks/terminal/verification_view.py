"""A verdict on a terminal: the rows that are tightest, and the sentence that decides."""

from __future__ import annotations

from rich.markup import escape

from finbench.benchmarks.terminal.console import output, table
from finbench.models.verify.rows import Row
from finbench.models.verify.verdict import Ruling, Verification, shown

MOST_ROWS = 12
"""Rows that are shown at most, the tightest first."""

STYLES = {Ruling.PROVEN: "bold green", Ruling.NOT_PROVEN: "bold yellow", Ruling.REFUTED: "bold red"}


def print_verification(found: Verification) -> None:
    """Print the tightest rows and the verdict."""
    console = output()
    rows = [] if found.evaluation is None else sorted(found.evaluation.rows, key=lambda row: row.relative_slack)
    if rows:
        cells = [_cells(row) for row in rows[:MOST_ROWS]]
        columns = ("of", "equation", "value", "limit", "exact slack")
        console.print(table("The tightest constraints", columns, cells))
    if len(rows) > MOST_ROWS:
        console.print(f"  {len(rows) - MOST_ROWS} more constraints, each with more slack")
    if found.cut_short:
        names = ", ".join(found.cut_short[:3]) + (" …" if len(found.cut_short) > 3 else "")
        console.print(f"  too many paths to look at: {escape(names)}; the bound of their multiplier stands in")
    style = STYLES[found.verdict]
    console.print(f"[{style}]{found.verdict}[/{style}]: {escape(found.sentence)}")


def _cells(row: Row) -> tuple[str, ...]:
    return (row.subject, f"({row.equation})", shown(row.value), shown(row.limit), shown(row.slack))
