"""A folder of results while a campaign writes to it."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path

import pytest

from finbench.benchmarks.rows import journal
from finbench.benchmarks.rows.journal import Journal, rows_there
from finbench.benchmarks.rows.reading import load_instances, load_rows
from finbench.benchmarks.rows.row import Row
from finbench.models.instance import Instance
from finbench.models.io import InputError
from tests.benchmarks.conftest import ENVIRONMENT, made_up_row, write_results

OTHER = {**ENVIRONMENT, "cpu": "another"}


def bare(instance: str, method: str = "fin", **fields: object) -> Row:
    """A row before the journal adds to it."""
    row = made_up_row(instance, method, **fields)
    return {name: value for name, value in row.items() if not name.startswith("environment")}


def test_rows_come_back_with_their_environments(tmp_path: Path) -> None:
    with Journal(tmp_path / "new" / "folder") as opened:
        written = [opened.append(bare(name), ENVIRONMENT if name < "c" else OTHER) for name in "abc"]
        expected = [opened.with_environment(row) for row in written]
    assert load_rows(tmp_path / "new" / "folder") == expected
    assert [row["environment"]["cpu"] for row in expected] == ["c", "c", "another"]
    assert len((tmp_path / "new" / "folder" / "environments.jsonl").read_text().splitlines()) == 2
    with Journal(tmp_path / "new" / "folder") as opened:
        opened.append(bare("d"), OTHER)
    assert len((tmp_path / "new" / "folder" / "environments.jsonl").read_text().splitlines()) == 2


def test_a_log_is_kept_beside_and_named(tmp_path: Path) -> None:
    with Journal(tmp_path) as opened:
        row = opened.append(bare("a"), ENVIRONMENT, "what it said\n\ud800")
        assert opened.append(bare("b"), ENVIRONMENT, "")["log"] is None
    assert row["log"] == "logs/a fin.log"
    assert (tmp_path / row["log"]).read_text() == "what it said\n?"


@pytest.mark.parametrize("name", ["runs.jsonl", "environments.jsonl", "instances.jsonl", "runs.old.jsonl"])
def test_a_torn_last_line_moves_aside(tmp_path: Path, name: str, balexnet: Instance) -> None:
    write_results(tmp_path, [made_up_row("a", "fin")])
    line = json.dumps({"content_hash": balexnet.content_hash, "instance": balexnet.model_dump(mode="json")})
    (tmp_path / "instances.jsonl").write_text(f"{line}\n")
    (tmp_path / "runs.old.jsonl").write_bytes((tmp_path / "runs.jsonl").read_bytes())
    file = tmp_path / name
    whole = file.read_bytes()
    for torn in (whole[:-1], '{"variant": "γ'.encode()[:-1]):
        file.write_bytes(whole + torn[:40])
        with Journal(tmp_path) as opened:
            assert list(opened.known_rows()) == [("g", "a fin")]
        assert file.read_bytes() == whole
    beside = file.with_name(f"{name}.torn").read_bytes()
    assert beside == whole[:40] + b"\n" + '{"variant": "γ'.encode()[:-1] + b"\n"


def test_a_last_line_without_its_end_gets_it(tmp_path: Path) -> None:
    file = write_results(tmp_path, [made_up_row("a", "fin")]) / "runs.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with Journal(tmp_path) as opened:
        opened.append(bare("b"), ENVIRONMENT)
    assert file.read_bytes().startswith(whole)
    assert len(load_rows(tmp_path)) == 2
    assert not file.with_name("runs.jsonl.torn").exists()


def test_settling_moves_what_is_not_asked_for(tmp_path: Path) -> None:
    with Journal(tmp_path) as opened:
        one, two, three = (opened.append(bare(name), ENVIRONMENT) for name in "abc")
    with Journal(tmp_path) as opened:
        opened.settle([three, one])
        four = opened.append(bare("d"), ENVIRONMENT)
    assert [row["instance"] for row in load_rows(tmp_path)] == ["c", "a", "d"]
    with Journal(tmp_path) as opened:
        assert set(opened.known_rows()) == {("g", f"{name} fin") for name in "abcd"}
        opened.settle([one, two, three, four])
    assert [row["instance"] for row in load_rows(tmp_path)] == ["a", "b", "c", "d"]
    assert len(rows_there(tmp_path)) == 4
    assert (tmp_path / "runs.old.jsonl").read_text().count("\n") == 1


def test_the_latest_row_of_a_key_counts(tmp_path: Path) -> None:
    with Journal(tmp_path) as opened:
        opened.append(bare("a", status="error"), ENVIRONMENT)
        opened.append(bare("a", status="optimal"), ENVIRONMENT)
    with Journal(tmp_path) as opened:
        (row,) = opened.known_rows().values()
        assert row["status"] == "optimal"
        opened.settle([row])
    assert [row["status"] for row in load_rows(tmp_path)] == ["optimal"]


def test_starting_over_keeps_what_was_there(tmp_path: Path) -> None:
    with Journal(tmp_path) as opened:
        opened.append(bare("a"), ENVIRONMENT)
    before = (tmp_path / "runs.jsonl").read_bytes()
    for number in range(3):
        with Journal(tmp_path, fresh=True) as opened:
            assert opened.known_rows() == {}
            opened.append(bare(f"later {number}"), ENVIRONMENT)
    assert (tmp_path / "runs.jsonl.bak").read_bytes() == before, "no later backup overwrites the first"
    for number in range(2):
        assert f"later {number}" in (tmp_path / f"runs.jsonl.bak.{number + 2}").read_text()
    assert "later 2" in (tmp_path / "runs.jsonl").read_text()


def test_instances_are_kept_once_and_not_the_largest(
    tmp_path: Path, balexnet: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        with Journal(tmp_path) as opened:
            opened.add_instance(balexnet)
            opened.add_instance(balexnet)
    assert (tmp_path / "instances.jsonl").read_text().count("\n") == 1
    assert load_instances(tmp_path) == {balexnet.content_hash: balexnet}
    monkeypatch.setattr(journal, "MAX_INSTANCE_BYTES", 1000)
    with Journal(tmp_path / "small") as opened:
        opened.add_instance(balexnet)
    assert not (tmp_path / "small" / "instances.jsonl").exists()


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    with Journal(tmp_path), pytest.raises(InputError, match="another campaign is writing"):
        Journal(tmp_path)
    Journal(tmp_path).__exit__()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        Journal(tmp_path / "file" / "results")


def test_a_lost_environment_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with Journal(tmp_path) as opened:
        opened.append(bare("a"), ENVIRONMENT)
    (tmp_path / "environments.jsonl").write_text("{}\n")
    for _ in range(2):
        with pytest.raises(InputError, match=r"environments\.jsonl: line 1: environment_id: required field is missing"):
            Journal(tmp_path)
    (tmp_path / "environments.jsonl").unlink()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for _ in range(2):
        with pytest.raises(InputError, match=r"runs\.jsonl: line 1: environment_id = .* not in environments\.jsonl"):
            Journal(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_full_disk_names_the_file_and_leaves_what_can_go_on(tmp_path: Path) -> None:
    with Journal(tmp_path) as opened:
        opened.append(bare("a"), ENVIRONMENT)
        size = (tmp_path / "runs.jsonl").stat().st_size
        limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, limits[1]))
        try:
            with pytest.raises(InputError, match=r"runs\.jsonl: cannot be written: File too large; the same command"):
                opened.append(bare("b"), ENVIRONMENT)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
    with Journal(tmp_path) as opened:
        assert list(opened.known_rows()) == [("g", "a fin")]
        opened.append(bare("b"), ENVIRONMENT)
    assert len(load_rows(tmp_path)) == 2


def test_a_folder_that_is_deleted_meanwhile_is_noticed(tmp_path: Path) -> None:
    with Journal(tmp_path) as opened:
        opened.append(bare("a"), ENVIRONMENT)
        (tmp_path / "runs.jsonl").unlink()
        with pytest.raises(InputError, match=r"runs\.jsonl: was deleted while the campaign ran"):
            opened.append(bare("b"), ENVIRONMENT)


@pytest.mark.parametrize("special", ["fifo", "device"])
@pytest.mark.parametrize("name", ["runs.jsonl", "environments.jsonl", "instances.jsonl", "runs.old.jsonl"])
def test_only_regular_files_are_results(name: str, special: str, tmp_path: Path) -> None:
    write_results(tmp_path, [made_up_row("a", "fin")])
    (tmp_path / name).unlink(missing_ok=True)
    if special == "fifo":
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(InputError, match=f"{name}: cannot be read: it is not a regular file"):
        Journal(tmp_path)
