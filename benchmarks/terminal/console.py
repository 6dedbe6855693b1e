"""What people see on a terminal, and what programs read from a pipe: plain text, and tables that are tab-separated."""

from __future__ import annotations

import io
import json
import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from finbench.benchmarks.analysis.table import TextTable
from finbench.benchmarks.terminal.sheet import Sheet, printable
from finbench.models.io import STANDARD_OUTPUT

PIPE_WIDTH = 100_000
"""Width in characters where there is no terminal to ask: no line of a pipe is broken."""


def output() -> Console:
    """Return a console on standard output, made anew so that it follows a redirected stream."""
    return _PipeConsole(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def show_what_can_be_shown() -> None:
    """Make standard output replace characters that it cannot write, where it is not UTF-8, instead of failing on them.

    Where it is closed, output goes nowhere.
    """
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process lives
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def reader_is_gone() -> bool:
    """Return whether the reader of standard output has closed it (`… | head -1`)."""
    try:
        sys.stdout.flush()
        pipe = select.poll()
        pipe.register(sys.stdout.fileno(), 0)  # errors are reported whether asked for or not
        return any(event & select.POLLERR for _, event in pipe.poll(0))
    except BrokenPipeError:
        return True
    except io.UnsupportedOperation:  # no file of the operating system
        return False


def discard_output() -> None:
    """Discard what is left of standard output, so that the interpreter ends without a complaint about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _PipeConsole(Console):
    """A console that leaves a closed pipe to the command, as `print` does."""

    def on_broken_pipe(self) -> None:
        """Raise the error that is being handled, where Rich would end the process with an exit code of its own."""
        raise BrokenPipeError


def print_error(message: str) -> None:
    """Print one line on standard error; characters that could steer the terminal are written as escapes."""
    print(f"finbench: {printable(message)}", file=sys.stderr)


def print_unwritten(path: Path, reason: str) -> None:
    """Say on standard error that a file was not written, and whether an older one of that name is still there."""
    older = "; the file of that name is an older one" if path.exists() else ""
    print_error(f"{path}: not written: {reason}{older}")


def print_written(path: Path) -> None:
    """Say on standard error that a file was written; standard output is left to what the command prints."""
    if str(path) != STANDARD_OUTPUT:
        print(f"wrote {printable(str(path))}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Print one JSON document at full precision; no character is lost where standard output is not UTF-8."""
    is_utf8 = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    print(json.dumps(value, indent=2, ensure_ascii=not is_utf8, allow_nan=False))


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    text_columns: int = 1,
    priority: Sequence[str] = (),
) -> Sheet:
    """Return a table; the first `text_columns` columns hold text, the others numbers; see `Sheet`."""
    return Sheet(title, columns, rows, text_columns, priority)


def print_rows(rows: TextTable) -> None:
    """Print a table of text cells."""
    output().print(table(rows.title, rows.columns, rows.rows, text_columns=rows.text_columns))
