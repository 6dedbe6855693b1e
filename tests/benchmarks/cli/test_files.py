"""The commands about files themselves: `finbench schema` and `finbench upgrade`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from finbench.benchmarks.campaigns.file_kinds import FileKind, schema_of
from finbench.benchmarks.cli.app import app

OLD = Path(__file__).parents[2] / "models" / "version_1"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "old"))


def called(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refusal(*arguments: object) -> str:
    came = called(*arguments)
    assert (came.exit_code, came.stdout, came.stderr.count("\n")) == (2, "", 1)
    return came.stderr


@pytest.mark.parametrize("kind", FileKind)
def test_the_schema_of_a_kind_is_printed(kind: FileKind) -> None:
    assert json.loads(called("schema", kind).stdout) == schema_of(kind)


def test_files_of_every_kind_are_upgraded_in_place_once(old: Path) -> None:
    files = sorted(old.iterdir())
    came = called("upgrade", *files)
    assert came.exit_code == 0
    assert came.stderr.count("wrote ") == len(files)
    after = [file.read_bytes() for file in files]
    again = called("upgrade", *files)
    assert again.stdout.count("is of version 2, and stays as it is") == len(files)
    assert [file.read_bytes() for file in files] == after
    assert called("evaluate", old / "instance.toml", old / "deployment.json").exit_code == 0
    assert called("verify", old / "instance.json", old / "deployment.json", old / "certificate.json").exit_code == 0


def test_the_original_stays_where_the_upgrade_goes_elsewhere(old: Path) -> None:
    before = (old / "instance.toml").read_bytes()
    assert called("upgrade", old / "instance.toml", "-o", old / "new.toml").exit_code == 0
    assert (old / "instance.toml").read_bytes() == before
    assert (old / "new.toml").read_text().startswith("schema_version = 2\n")


def test_nothing_is_written_where_one_of_the_files_is_bad(old: Path) -> None:
    before = (old / "dnn.toml").read_bytes()
    (old / "network.toml").write_text("schema_version = 1\nname = 'x'\nnodes = 3\n")
    assert "network.toml: nodes = 3" in refusal("upgrade", old / "dnn.toml", old / "network.toml")
    assert (old / "dnn.toml").read_bytes() == before


def test_what_cannot_be_done_is_one_line(old: Path, tmp_path: Path) -> None:
    (old / "other.toml").write_text('name = "x"\n')
    instance = old / "instance.toml"
    assert "none of our files" in refusal("upgrade", old / "other.toml")
    assert "goes with one FILE" in refusal("upgrade", instance, old / "dnn.toml", "-o", old / "x.toml")
    assert "must end in .toml" in refusal("upgrade", instance, "-o", old / "x.json")
    assert "names other files by paths" in refusal("upgrade", instance, "-o", tmp_path / "x.toml")
    assert called("upgrade", old / "campaign.toml", "-o", tmp_path / "x.toml").exit_code == 0
    assert "cannot be read" in refusal("upgrade", old / "none.toml")
