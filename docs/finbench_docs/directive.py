"""The directive that puts a part of the code's own knowledge onto a page."""

from __future__ import annotations

from collections.abc import Callable

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from finbench_docs import code, commands, options, schema

PARTS: dict[str, Callable[..., str]] = {
    "methods": options.methods,
    "options": options.options_of,
    "solvers": options.solvers,
    "commands": commands.commands,
    "fields": schema.fields,
    "schema": schema.json_schema,
    "constraints": code.constraints,
    "api": code.api,
}
"""What can be generated: each function takes words and returns Markdown."""


class Generated(SphinxDirective):
    """The Markdown that one of `PARTS` makes of the code as it stands: `{generated} options fin`."""

    required_arguments = 1
    optional_arguments = 9

    def run(self) -> list[nodes.Node]:
        """Return the part's nodes."""
        part, *words = self.arguments
        return self.parse_text_to_nodes(PARTS[part](*words), allow_section_headings=True)
