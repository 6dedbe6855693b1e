"""Tables of the page: a cell is what people read, and beside it the number by which its column sorts."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from finbench.benchmarks.analysis.numbers import percent
from finbench.benchmarks.analysis.table import TextTable
from finbench.benchmarks.analysis.units import sized


@dataclass(frozen=True)
class Cell:
    """A text, and the number that it shows; None where it is no number."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class PageTable:
    """A table of the page."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    text_columns: int
    note: str = ""
    """What a reader must know of its numbers."""


NONE = Cell("–")


def known(value: Any) -> float | None:
    """Return a number; None for what is none or not finite."""
    return None if value is None or not isfinite(value) else float(value)


def measured(value: Any, unit: str, digits: int = 3, before: str = "") -> Cell:
    """Return a value in the prefix of its unit that suits its size; a dash where there is none."""
    number = known(value)
    return NONE if number is None else Cell(before + sized(number, unit, digits), number)


def percentage(value: Any) -> Cell:
    """Return a fraction as a percentage; a dash where there is none."""
    number = known(value)
    return NONE if number is None else Cell(percent(number), number)


def counted(value: int) -> Cell:
    """Return a count."""
    return Cell(f"{value:,}", float(value))


def plain(value: Any, digits: int = 4) -> Cell:
    """Return a number without a unit; a dash where there is none."""
    number = known(value)
    return NONE if number is None else Cell(f"{number:.{digits}g}", number)


def text(value: Any) -> Cell:
    """Return a text."""
    return Cell(str(value))


def of_rows(rows: TextTable, note: str = "") -> PageTable:
    """Return a table of texts as a table of the page; columns in [s], [J] or [W] get units by the size of each cell."""
    units = [column[-2] if column.endswith(("[s]", "[J]", "[W]")) else "" for column in rows.columns]
    heads = tuple(name[:-4].rstrip() if unit else name for name, unit in zip(rows.columns, units, strict=True))
    cells = tuple(tuple(_cell(*pair) for pair in zip(row, units, strict=True)) for row in rows.rows)
    return PageTable(rows.title, heads, cells, rows.text_columns, note)


def _cell(shown: str, unit: str) -> Cell:
    try:
        return measured(float(shown), unit) if unit else Cell(shown)
    except ValueError:
        return Cell(shown)
