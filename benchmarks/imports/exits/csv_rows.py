"""Rows of a CSV table that somebody else wrote, with every cell checked."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from finbench.models.io import InputError

MAX_TABLE_BYTES = 2**28
"""Largest table that is read."""

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


def header_of(path: Path) -> tuple[str, ...]:
    """Return the names of a table's columns; raise InputError if it cannot be read."""
    for cells in _cells(path):
        return tuple(each.strip() for each in cells)
    raise InputError(path, "is empty: must begin with the names of its columns")


def rows_of(path: Path, header: tuple[str, ...]) -> Iterator[CsvRow]:
    """Yield the rows of a table; raise InputError at one that has another number of cells than the header."""
    for line, cells in enumerate(_cells(path), start=1):
        if line == 1 or not cells:
            continue
        if len(cells) != len(header):
            raise InputError(path, f"line {line}: has {len(cells)} cells: the header names {len(header)} columns")
        yield CsvRow(path, line, dict(zip(header, cells, strict=True)))


def _cells(path: Path) -> Iterator[list[str]]:
    try:
        if not path.is_file():
            raise InputError(path, "cannot be read: no such file" if not path.exists() else "is not a regular file")
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise InputError(path, f"must have at most {MAX_TABLE_BYTES} bytes")
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from csv.reader(stream, strict=True)
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(path, f"is not a CSV table: {type(error).__name__}") from None
