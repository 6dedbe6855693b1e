"""Texts of pages keep a number and its unit on one line."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

from finbench.benchmarks.report.together import together

AS_IT_STANDS = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw, nodes.comment)


def keep_together(_app: Sphinx, page: nodes.document) -> None:
    """Let no line of a page end between a number and its unit; code and formulas stay as they are."""
    for text in list(page.findall(nodes.Text)):
        kept = str(together(str(text)))
        if kept != str(text) and not isinstance(text.parent, AS_IT_STANDS):
            text.parent.replace(text, nodes.Text(kept))
