"""A table as text cells, and how tables are written: Markdown and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets take a text that begins so for a formula, which may run a command."""


@dataclass(frozen=True)
class TextTable:
    """A table, not yet drawn."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int
    """How many of the first columns hold text."""

    def markdown(self) -> str:
        """Return the table as Markdown."""
        dashes = [":--" if k < self.text_columns else "--:" for k in range(len(self.columns))]
        lines = [self.columns, dashes, *self.rows]
        body = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        return f"### {self.title}\n\n{body}\n"


def csv_text(frame: DataFrame) -> str:
    """Return a frame as CSV with every digit; a text that a spreadsheet would run gets an apostrophe before it."""
    from pandas import Series
    from pandas.api.types import is_numeric_dtype

    harmless = frame.copy()
    for name in frame.columns[[not is_numeric_dtype(dtype) for dtype in frame.dtypes]]:
        harmless[name] = Series([_harmless(value) for value in frame[name]], frame.index, dtype=object)
    return harmless.to_csv(index=False)


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def markdown(title: str, tables: Sequence[TextTable], notes: Sequence[str]) -> str:
    """Return a page with all tables."""
    parts = [f"# {title}\n", *(table.markdown() for table in tables), *(f"- {note}" for note in notes)]
    return "\n".join(parts) + "\n"
