"""Mathematics as MathML, which browsers draw by themselves: no script, no font and no network."""

from __future__ import annotations

from html import escape

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(converted(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_display(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number and a link where it has them."""
    self.body.append(self.starttag(node, "div", "", CLASS="math"))
    self.body.append(f'<div class="formula">{converted(node.astext(), "block")}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def converted(latex: str, display: str) -> str:
    """Return LaTeX as MathML that carries its source, for screen readers and for people who copy it.

    Raises
    ------
    ExtensionError
        If an environment is not known, so that its marks would be drawn as text.
    """
    source = " ".join(latex.split())
    made = convert(source, display=display)
    if "<mi>&</mi>" in made:
        raise ExtensionError(f"this formula keeps marks of alignment that a reader would see: {source}")
    return made.replace("<math ", f'<math alttext="{escape(source)}" ', 1)
