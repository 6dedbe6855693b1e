"""Documents name what is there, and all of it."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(chain(ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md")))
DECISIONS = ROOT / "docs" / "decisions"
FILES_NAMED_IN = [
    page
    for page in PAGES
    if page.name != "CHANGELOG.md"  # which tells of files that were
]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def rooms() -> set[str]:
    """Return every folder of modules, with a slash at its end as CONTRIBUTING writes it."""
    tops = [path.parent for path in ROOT.glob("*/__init__.py")]
    folders = {init.parent for top in tops for init in top.rglob("__init__.py") if top.name != "tests"}
    return {f"{folder.relative_to(ROOT)}/" for folder in folders} | {"data/", "docs/", "tests/"}


def test_the_table_of_rooms_lists_every_room_once() -> None:
    listed = re.findall(r"^\| `([a-z_/]+/)` \|", text_of(ROOT / "CONTRIBUTING.md"), re.MULTILINE)
    assert sorted(listed) == sorted(rooms())


def test_every_decision_stands_in_the_list_and_has_its_three_headings() -> None:
    records = sorted(DECISIONS.glob("[0-9]*.md"))
    assert re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", text_of(DECISIONS / "README.md")) == [
        one.name for one in records
    ]
    for number, record in enumerate(records, start=1):
        headings = re.findall(r"^#+ (.*)$", text_of(record), re.MULTILINE)
        assert headings[0].startswith(f"{number:04d}: ")
        assert headings[1:] == ["Context", "Decision", "Consequences"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", text_of(page))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", FILES_NAMED_IN, ids=name_of)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    named = re.findall(r"`((?:models|fin_graph|benchmarks|data|tests|docs|\.ci)/[\w./-]+)`", text_of(page))
    assert [name for name in named if not (ROOT / name).exists() and "NAME" not in name] == []


def test_every_command_of_make_that_a_page_names_is_there() -> None:
    made = re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z]+)`", text_of(page))}
    assert named <= set(made)
    assert set(made) - {"install", "help"} <= set(re.findall(r'@echo "make ([a-z]+)', text_of(ROOT / "Makefile")))
