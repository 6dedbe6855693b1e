"""Outputs of executed pages with their tables in columns, as a terminal shows them: a pipe has tabs instead."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from docutils import nodes
from sphinx.application import Sphinx

GAP = "  "
"""Between two columns."""


def align(_app: Sphinx, page: nodes.document) -> None:
    """Put the tables of a page's outputs in columns."""
    for block in page.findall(nodes.literal_block):
        if "output" in block["classes"] and "\t" in block.astext():
            shown = in_columns(block.astext())
            block.rawsource = shown
            block.clear()
            block.append(nodes.Text(shown))


def in_columns(text: str) -> str:
    """Return a text whose neighbouring lines with tabs stand in columns as wide as their widest cell."""
    parts = groupby(text.split("\n"), key=lambda line: "\t" in line)
    return "\n".join(line for tabbed, lines in parts for line in (_padded(list(lines)) if tabbed else lines))


def _padded(lines: Sequence[str]) -> list[str]:
    rows = [line.split("\t") for line in lines]
    widths = [max(len(row[k]) for row in rows if k < len(row)) for k in range(max(map(len, rows)))]
    return [GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
