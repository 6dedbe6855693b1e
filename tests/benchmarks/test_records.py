"""Rows read back: what a campaign wrote, and one clear line for what cannot be trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.records import SCHEMA_VERSION, Record, load_records
from models.io import InputError
from tests.benchmarks.conftest import made_up_row

ROWS = [made_up_row(instance, "fin", objective=1.0) for instance in "abc"]


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "runs.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def lines(rows: list[Record]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def test_what_was_written_is_read_from_the_folder_or_the_file(tmp_path: Path) -> None:
    rows = [*ROWS, {**ROWS[0], "reason": "a line\u2028that only looks like two"}]
    folder = written(tmp_path, lines(rows))
    assert load_records(folder) == rows
    assert load_records(folder / "runs.jsonl") == rows


def test_a_last_line_that_only_lacks_its_end_of_line_is_whole(tmp_path: Path) -> None:
    assert load_records(written(tmp_path, lines(ROWS).rstrip("\n"))) == ROWS


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[:-40], "line 3 is cut off"),
        (lambda text: text + "{", "line 4 is cut off"),
        (lambda text: text.replace("{", "", 1), "line 1 is not JSON"),
        (lambda text: text.replace('"time_s": 1.0', '"time_s": NaN', 1), "line 1 is not JSON"),
        (lambda text: text[:0], "holds no runs"),
        (lambda text: text + '{"name": "balexnet"}\n', "line 4: schema_version = None: must be 1"),
        (lambda text: text + "[1, 2]\n", "line 4 is not a table"),
        (lambda text: text.replace('"label": "fin", ', "", 1), "line 1: label"),
        (lambda text: text.replace('"seed": 0', '"seed": "0"', 1), "line 1: seed"),
        (lambda text: text.replace('"cores": 1', '"cores": null', 1), "line 1: environment: cores"),
        (lambda text: text.replace('_version": 1', '_version": 2', 1), "= 2: written by a newer finbench; this"),
    ],
)  # fmt: skip
def test_what_cannot_be_trusted_is_refused_and_left_alone(
    tmp_path: Path, damage: Callable[[str], str], message: str
) -> None:
    text = damage(lines(ROWS))
    folder = written(tmp_path, text)
    with pytest.raises(InputError, match=r"runs\.jsonl: ") as refusal:
        load_records(folder)
    assert message in str(refusal.value)
    assert (folder / "runs.jsonl").read_text() == text


def test_no_such_results_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_records(tmp_path)
    (tmp_path / "runs.jsonl").write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="not UTF-8"):
        load_records(tmp_path)


def test_the_version_of_the_schema_is_the_one_written() -> None:
    assert ROWS[0]["schema_version"] == SCHEMA_VERSION == 1
