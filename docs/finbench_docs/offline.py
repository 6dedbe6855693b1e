"""The site is read without a network: no page may load anything from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["'](?:https?:)?//|<link\b[^>]*\bhref=["'](?:https?:)?//"""
)
"""What a browser fetches by itself; a link to follow is not among it."""

IMPORTED = re.compile(r"""@import\s+(?:url\()?["']?(?:https?:)?//|url\(["']?(?:https?:)?//""")


def check(app: Sphinx, error: Exception | None) -> None:
    """Raise where a page or a style of the finished site loads from the network."""
    if error is None and app.builder.format == "html":
        loading = sorted(loads_from_elsewhere(Path(app.outdir)))
        if loading:
            raise ExtensionError(f"these files load from the network: {', '.join(loading)}")


def loads_from_elsewhere(folder: Path) -> set[str]:
    """Return the names of the pages and styles in a folder that load from the network."""
    rules = {".html": LOADED, ".css": IMPORTED}
    return {
        str(file.relative_to(folder))
        for suffix, rule in rules.items()
        for file in folder.rglob(f"*{suffix}")
        if rule.search(file.read_text(encoding="utf-8"))
    }
