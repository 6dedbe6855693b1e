"""How a command shows what breaks no rule and yet looks like a mistake: one line on standard error."""

from __future__ import annotations

import warnings
from typing import TextIO

from finbench.benchmarks.terminal import console
from finbench.models.io import InputWarning


def show_remarks() -> None:
    """Show an `InputWarning` as one line; other warnings as before."""
    as_before = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, InputWarning):
            console.print_error(str(message))
        else:
            as_before(message, category, filename, lineno, file, line)

    warnings.showwarning = show
