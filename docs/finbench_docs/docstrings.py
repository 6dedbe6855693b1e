"""Docstrings are written to be read in the source. Here they become what Sphinx takes them for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any


def process(app: Any, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:  # noqa: ARG001
    """Keep equations and tables of a module's docstring as they are written; bars of absolute values are no names."""
    if what == "module":
        lines[:] = list(_with_literal_blocks(lines))
    elif what in ("data", "attribute"):
        lines[:] = [line.replace("|", r"\|") for line in lines]


def _with_literal_blocks(lines: list[str]) -> Iterator[str]:
    """Yield the lines, each run of indented paragraphs and tables as a literal block."""
    paragraphs = [list(group) for blank, group in groupby(lines, key=lambda line: not line.strip()) if not blank]
    within = False
    for paragraph in paragraphs:
        verbatim = paragraph[0].startswith(("    ", "===", "+--"))
        if verbatim and not within:
            yield from ("::", "")
        within = verbatim
        yield from (f"  {line}" if verbatim else line for line in paragraph)
        yield ""
