"""Templates made into pages that load nothing and run nothing but their own scripts."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from finbench.benchmarks.plots.style import COLOURS
from finbench.benchmarks.report.together import together

TEMPLATES = Path(__file__).parent / "templates"


def rendered(template: str, scripts: Sequence[str] = (), **content: Any) -> str:
    """Return a page as text.

    Parameters
    ----------
    template : str
        Its file in `templates/`; it has `policy`, `style` and `script` beside the content.
    scripts : sequence of str
        Files in `templates/`, which run in this order; none: the page runs no script.
    **content
        What the template names; every text is escaped.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=together,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Markup(environment.get_template("report.css").render(colours=COLOURS))
    script = Markup("".join((TEMPLATES / name).read_text(encoding="utf-8") for name in scripts))
    runs = _source(script) if scripts else "'none'"
    policy = (
        f"default-src 'none'; script-src {runs}; style-src {_source(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return environment.get_template(template).render(policy=policy, style=style, script=script, **content)


def _source(text: str) -> str:
    """Return how the page's Content-Security-Policy names an inline script or style; nothing else may run."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
