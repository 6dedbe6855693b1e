"""What the site adds to Sphinx: parts generated from the code, and mathematics without a script."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from finbench_docs import columns, docstrings, links, offline, unbroken
from finbench_docs.directive import Generated
from finbench_docs.mathml import visit_display, visit_inline


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive `generated`, the renderer `mathml`, what pages become, and the checks of the end."""
    app.add_directive("generated", Generated)
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    app.connect("autodoc-process-docstring", docstrings.process, priority=400)  # before numpydoc
    app.connect("doctree-read", columns.align)
    app.connect("doctree-read", unbroken.keep_together)
    app.connect("build-finished", offline.check)
    app.connect("build-finished", links.check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
