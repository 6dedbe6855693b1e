"""What people see on a terminal. Rich tables; full width where the output is a file or a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from finbench.benchmarks.analysis.table import Rows

PIPE_WIDTH = 200
"""Columns where there is no terminal to ask."""


def output() -> Console:
    """Console on standard output, made anew so that it follows a redirected stream."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def print_error(message: str) -> None:
    """One line on standard error."""
    print(f"finbench: {message}", file=sys.stderr)


def print_json(value: Any) -> None:
    """One JSON document at full precision."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int = 1) -> Table:
    """A table; the first `text_columns` columns hold text, the others numbers."""
    made = Table(title=escape(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for k, column in enumerate(columns):
        made.add_column(escape(column), justify="left" if k < text_columns else "right", overflow="fold")
    for row in rows:
        made.add_row(*(escape(cell) for cell in row))
    return made


def print_rows(rows: Rows) -> None:
    """Print a table of text cells."""
    output().print(table(rows.title, rows.columns, rows.rows, text_columns=rows.text_columns))
