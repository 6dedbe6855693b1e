"""Rows read back: what a campaign wrote, and one clear line for what cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from finbench.benchmarks.rows.environment import environment_id
from finbench.benchmarks.rows.journal import Journal
from finbench.benchmarks.rows.reading import load_instances, load_rows
from finbench.benchmarks.rows.row import SCHEMA_VERSION
from finbench.models.io import InputError
from tests.benchmarks.conftest import ENVIRONMENT, made_up_row, write_results

HERE = environment_id(ENVIRONMENT)
ROWS = [made_up_row(instance, "fin", objective=1.0) for instance in "abc"]

Damage = Callable[[str], str]


def test_what_was_written_is_read_from_the_folder_or_the_file(tmp_path: Path) -> None:
    rows = [*ROWS, {**ROWS[0], "reason": "a line\u2028that only looks like two"}]
    folder = write_results(tmp_path, rows)
    assert load_rows(folder) == rows
    assert load_rows(folder / "runs.jsonl") == rows
    assert load_rows(folder)[0]["environment"] == ENVIRONMENT


def damaged(tmp_path: Path, damage: Damage, name: str = "runs.jsonl") -> Path:
    file = write_results(tmp_path, ROWS) / name
    file.write_text(damage(file.read_text()))
    return file


def test_a_last_line_that_only_lacks_its_end_of_line_is_whole(tmp_path: Path) -> None:
    damaged(tmp_path, lambda text: text.rstrip("\n"))
    assert load_rows(tmp_path) == ROWS


CUT_OFF: list[Damage] = [lambda text: text[:-40], lambda text: text + "{"]
UNTRUSTED: list[tuple[Damage, str]] = [
    (lambda text: text.replace("{", "", 1), "line 1 is not JSON"),
    (lambda text: text + "{\n", "line 4 is not JSON"),
    (lambda text: text.replace('"time_s": 1.0', '"time_s": NaN', 1), "line 1 is not JSON"),
    (lambda text: text + '{"name": "balexnet"}\n', "line 4: schema_version = None: must be 2"),
    (lambda text: text + "[1, 2]\n", "line 4 is not a table"),
    (lambda text: text.replace('"variant": "fin", ', "", 1), "line 1: variant"),
    (lambda text: text.replace('"seed": 0', '"seed": "0"', 1), "line 1: seed"),
    (lambda text: text.replace('"key": "b fin", ', "", 1), "line 2: key"),
    (lambda text: text.replace('_version": 3', '_version": 4', 1), "= 4: written by a newer finbench; this"),
    (lambda text: text.replace('_version": 3', '_version": 1', 1), "schema_version = 1: must be 2 to 3"),
]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        *UNTRUSTED,
        (CUT_OFF[0], "line 3 is cut off"),
        (CUT_OFF[1], "line 4 is cut off; `finbench run` of the same campaign mends it"),
        (lambda text: text[:0], "holds no runs"),
        (lambda text: text.replace(f'_id": "{HERE}"', '_id": "d"', 1), "line 1: environment_id = 'd': not in env"),
    ],
)
def test_what_cannot_be_trusted_is_refused_and_left_alone(tmp_path: Path, damage: Damage, message: str) -> None:
    file = damaged(tmp_path, damage)
    text = file.read_text()
    with pytest.raises(InputError, match=r"runs\.jsonl: ") as refusal:
        load_rows(tmp_path)
    assert message in str(refusal.value)
    assert file.read_text() == text


@pytest.mark.parametrize(("damage", "message"), UNTRUSTED)
def test_a_campaign_does_not_go_on_from_what_cannot_be_trusted(tmp_path: Path, damage: Damage, message: str) -> None:
    damaged(tmp_path, damage)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for _ in range(2):
        with pytest.raises(InputError, match=r"runs\.jsonl: ") as refusal:
            Journal(tmp_path)
        assert message in str(refusal.value)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_an_environment_that_cannot_be_trusted(tmp_path: Path) -> None:
    damaged(tmp_path, lambda text: text.replace('"cores": 1', '"cores": null', 1), "environments.jsonl")
    with pytest.raises(InputError, match=r"environments\.jsonl: line 1: cores"):
        load_rows(tmp_path)
    damaged(tmp_path, lambda text: text.replace('"cores": 1', '"cores": 64', 1), "environments.jsonl")
    with pytest.raises(InputError, match=rf"line 1: environment_id = '{HERE}': the environment beside it has '"):
        load_rows(tmp_path)
    (tmp_path / "environments.jsonl").unlink()
    with pytest.raises(InputError, match=r"environments\.jsonl: cannot be read: No such file"):
        load_rows(tmp_path)


def test_an_instance_that_cannot_be_trusted(tmp_path: Path) -> None:
    (tmp_path / "instances.jsonl").write_text('{"content_hash": "a", "instance": {"name": ""}}\n')
    with pytest.raises(InputError, match=r"instances\.jsonl: line 1: network: required"):
        load_instances(tmp_path)


def test_results_without_instances_have_none(tmp_path: Path) -> None:
    assert load_instances(write_results(tmp_path, ROWS)) == {}


def test_no_such_results_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_rows(tmp_path)
    (tmp_path / "runs.jsonl").write_bytes(b"\xff\xfe{\n")
    with pytest.raises(InputError, match="line 1 is not UTF-8"):
        load_rows(tmp_path)


def test_the_version_of_the_schema_is_the_one_written() -> None:
    assert ROWS[0]["schema_version"] == SCHEMA_VERSION == 3


def test_rows_of_the_version_before_are_read_and_brought_up(tmp_path: Path) -> None:
    before = [
        {("label" if name == "variant" else name): row[name] for name in row} | {"schema_version": 2} for row in ROWS
    ]
    folder = write_results(tmp_path, before)
    assert '"label"' in (folder / "runs.jsonl").read_text(encoding="utf-8")
    assert load_rows(folder) == ROWS
