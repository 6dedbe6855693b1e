"""Links of the finished site lead somewhere: to a file that is there, and to a place on its page."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


class _Page(HTMLParser):
    """Places of a page, and what it refers to within the site."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 (the base class calls it so)
        """Take note of a place or a link."""
        given = {name: value for name, value in attrs if value}
        self.places.update(given[name] for name in ("id", "name") if name in given)
        link = given.get("href") or given.get("src") or ""
        if link and "//" not in link and not link.startswith(("data:", "mailto:")):
            self.links.append(link)


def check(app: Sphinx, error: Exception | None) -> None:
    """Raise where a link of the finished site leads nowhere."""
    if error is None and app.builder.format == "html":
        dead = dead_links(Path(app.outdir))
        if dead:
            raise ExtensionError(f"these links lead nowhere: {', '.join(dead)}")


def dead_links(folder: Path) -> list[str]:
    """Return page and link of each link within a folder of pages that leads to no file, or to no place on its page."""
    files = [file.resolve() for file in folder.rglob("*.html") if "_static" not in file.parts]
    pages = {file: _Page(file.read_text(encoding="utf-8")) for file in files}
    return sorted(
        f"{file.name}: {link}" for file, page in pages.items() for link in page.links if not _leads(file, link, pages)
    )


def _leads(file: Path, link: str, pages: dict[Path, _Page]) -> bool:
    path, _, place = link.partition("#")
    path = unquote(path.partition("?")[0])
    target = (file.parent / path).resolve() if path else file
    return target.exists() and (not place or target not in pages or unquote(place) in pages[target].places)
