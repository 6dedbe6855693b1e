"""Rows of a CSV table that somebody else wrote, with every cell checked."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from pathlib import Path

from finbench.models.io import InputError, content_of
from finbench.models.units import number_or_quantity

MOST_TABLE_BYTES = 2**28
"""Largest table that is read."""

LONGEST_WORD = 200

FORMULA = ("=", "+", "-", "@", "\t")
"""What a cell begins with that a table program would compute."""

_SHOWN = 60


@dataclass(frozen=True)
class CsvRow:
    """One row of a table, by the names of its columns."""

    file: Path
    line: int
    cells: dict[str, str]

    def refused(self, column: str, rule: str) -> InputError:
        """Return the error for a cell that breaks a rule."""
        value = "".join(each if each.isprintable() else "?" for each in self.cells[column][:_SHOWN])
        return InputError(self.file, f"line {self.line}: {column} = {value!r}: {rule}")

    def number(self, column: str, *, most: float = float("inf")) -> float:
        """Return a number from 0 to `most`."""
        try:
            value = float(self.cells[column])
        except ValueError:
            raise self.refused(column, "must be a number") from None
        if not isfinite(value) or not 0 <= value <= most:
            raise self.refused(
                column, f"must be a number from 0 to {most:g}" if isfinite(most) else "must be at least 0"
            )
        return value

    def quantity(self, column: str) -> float:
        """Return a finite number, or what a quantity with a unit is in the unit of its column."""
        try:
            return number_or_quantity(self.cells[column].strip(), column)
        except ValueError as error:
            raise InputError(self.file, f"line {self.line}: {error}") from None

    def word(self, column: str) -> str:
        """Return a printable word that no table program takes for a formula."""
        text = self.cells[column].strip()
        if not text or text.startswith(FORMULA) or not text.isprintable() or len(text) > LONGEST_WORD:
            rule = f"must be a printable name of 1 to {LONGEST_WORD} characters that does not begin like a formula"
            raise self.refused(column, f"{rule} (=, +, -, @)")
        return text

    def index(self, column: str) -> int:
        """Return a whole number from 1."""
        text = self.cells[column].strip()
        if not (text.isascii() and text.isdigit() and 0 < len(text) < 7 and int(text) > 0):
            raise self.refused(column, "must be a whole number from 1")
        return int(text)

    def truth(self, column: str) -> bool:
        """Return whether a cell says 1 or true, and not 0 or false."""
        said = {"1": True, "true": True, "0": False, "false": False}.get(self.cells[column].strip().lower())
        if said is None:
            raise self.refused(column, "must be 1 or 0, true or false")
        return said


def header_of(path: Path, needed: Sequence[str] = (), known: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of a table's columns.

    Parameters
    ----------
    path : Path
    needed : sequence of str
        Columns that must be there.
    known : sequence of str
        Columns that may be there; empty: any.

    Raises
    ------
    InputError
        If the file cannot be read, or a column stands twice, is missing or unknown.
    """
    _, cells = next(_lines(path), (0, []))
    header = tuple(each.strip() for each in cells)
    if not any(header):
        raise InputError(path, "is empty: must begin with the names of its columns")
    for name in header:
        if header.count(name) > 1:
            raise InputError(path, f"column {name[:_SHOWN]!r}: stands twice")
        if known and name not in known:
            raise InputError(path, f"column {name[:_SHOWN]!r}: unknown; known columns: {', '.join(known)}")
    for name in needed:
        if name not in header:
            raise InputError(path, f"column {name!r}: is missing; must be there: {', '.join(needed)}")
    return header


def rows_of(path: Path, header: Sequence[str], *, most: int | None = None, ragged: bool = False) -> Iterator[CsvRow]:
    """Yield the rows of a table that are not empty.

    Parameters
    ----------
    path : Path
    header : sequence of str
        As `header_of` returns it.
    most : int, optional
        Rows at most.
    ragged : bool
        Let cells at the end of a row be left out: they are empty.

    Raises
    ------
    InputError
        At a row that has another number of cells than the header, or is one too many.
    """
    rows = 0
    for line, cells in _lines(path, skip=1):
        if not any(cell.strip() for cell in cells):
            continue
        rows += 1
        if most is not None and rows > most:
            raise InputError(path, f"has more than {most} rows")
        left_out = [""] * (len(header) - len(cells)) if ragged else []
        if len(cells) + len(left_out) != len(header):
            raise InputError(path, f"line {line}: has {len(cells)} cells: the header names {len(header)} columns")
        yield CsvRow(path, line, dict(zip(header, cells + left_out, strict=True)))


def _lines(path: Path, skip: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of the lines of a table, but of the first `skip`."""
    text = io.TextIOWrapper(io.BytesIO(content_of(path, MOST_TABLE_BYTES)), encoding="utf-8-sig", newline="")
    table = csv.reader(text, strict=True)
    try:
        for cells in islice(table, skip, None):
            yield table.line_num, cells
    except (UnicodeDecodeError, csv.Error) as error:
        told = "holds bytes that are no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise InputError(path, f"line {table.line_num}: is not valid CSV: {told[:120]}") from None
