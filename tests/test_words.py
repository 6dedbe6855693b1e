"""One word, one meaning: the glossary, names of classes, and words that were given up."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("finbench", "models", "fin_graph", "benchmarks")

RETIRED = {
    "campaigns.sources": "campaigns.origins",
    "load_records": "load_rows",
    "backend_of": "solver_function",
    "alone_reason": "one name for it in all rooms",
    "reason_alone": "one name for it in all rooms",
    "with_choices": "Instance.with_overrides",
    "ROOM_SLACK": "models.tolerances",
    "LATENCY_NOISE": "models.tolerances",
    "ScaleCampaign": "LadderCampaign",
}
"""Words that no source says any more, and what it says instead. A word comes in here when its last use goes."""

Entry = dict[str, str]


@cache
def glossary() -> list[Entry]:
    """Return the rows of the glossary's table by the names of its columns."""
    lines = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [re.split(r" *\| *", line)[1:-1] for line in lines if line.startswith("| ")]
    head, *entries = rows
    return [dict(zip(head, entry, strict=True)) for entry in entries]


TERMS = [entry["term"] for entry in glossary()]


@cache
def sources() -> dict[Path, str]:
    """Return every source file of the package with its text, each once."""
    return {file: file.read_text(encoding="utf-8") for part in PARTS for file in sorted((ROOT / part).rglob("*.py"))}


@cache
def all_text() -> str:
    return "\n".join([(ROOT / "README.md").read_text(encoding="utf-8"), *sources().values()])


def test_terms_stand_in_alphabetical_order_and_each_once() -> None:
    assert sorted(set(TERMS)) == TERMS


@pytest.mark.parametrize("entry", glossary(), ids=TERMS)
def test_a_term_is_explained_in_one_or_two_sentences(entry: Entry) -> None:
    sentences = re.findall(r"[.;](?= |$)", entry["what it means"])
    assert entry["what it means"].endswith(".")
    assert 1 <= len(sentences) <= 2


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_in_use(term: str) -> None:
    words = "[ _-]".join(map(re.escape, term.split()))
    assert re.search(rf"(?<![a-z]){words}(?:s|es)?(?![a-z])", all_text(), re.IGNORECASE)


@pytest.mark.parametrize("entry", glossary(), ids=TERMS)
def test_names_that_stand_for_a_term_are_there(entry: Entry) -> None:
    shown = re.findall(r"`([^`]+)`", entry["in code"])
    for name in shown:
        for part in re.split(r"[. ]", name.removeprefix("--").replace("runs.jsonl", "runs")):
            spellings = {part, part.replace("-", "_")}
            assert any(re.search(rf"\b{re.escape(each)}\b", all_text()) for each in spellings), name


def test_no_two_classes_share_a_name() -> None:
    names = Counter(
        node.name for text in sources().values() for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)
    )
    assert {name for name, times in names.items() if times > 1} == set()


@pytest.mark.parametrize("word", sorted(RETIRED))
def test_a_word_that_was_given_up_is_said_nowhere(word: str) -> None:
    saying = [str(file.relative_to(ROOT)) for file, text in sources().items() if re.search(rf"\b{word}\b", text)]
    assert saying == [], f"say instead: {RETIRED[word]}"
