"""Where commands write: files are checked before any work, standard output may be narrow, or closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.io import dump_instance, load_instance

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-c", "from finbench.benchmarks.cli.app import main; main()"]

WRITING = {
    "solve": (["solve", "INSTANCE"], ".json"),
    "export": (["export", "INSTANCE"], ".mps"),
    "explain": (["explain", "INSTANCE"], ".png"),
    "frontier": (["frontier", "INSTANCE"], ".png"),
    "draw": (["draw", "INSTANCE"], ".png"),
    "generate": (["generate", "tiered", "--nodes", "9", "--blocks", "3", "--exits", "1"], ".json"),
    "table": (["table", "RESULTS"], ".csv"),
    "plot": (["plot", "RESULTS"], ".png"),
    "report": (["report", "RESULTS"], ".html"),
    "leaderboard": (["leaderboard", "RESULTS"], ".md"),
}
"""Commands that write one file into a folder that must be there."""

ANY_NAME = ("table",)
"""Those whose file may be called anything."""


def called(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(result: Result) -> str:
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.output
    return result.stderr


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read and nothing is solved: a command that begins its work fails."""

    def begun(*given: object, **more: object) -> None:
        raise AssertionError("the work began before the output was checked")

    for name in ("find_file", "read_document"):
        monkeypatch.setattr(f"finbench.models.io.{name}", begun)
    monkeypatch.setattr("finbench.benchmarks.rows.reading.load_rows", begun)
    monkeypatch.setattr("finbench.benchmarks.families.generate", begun)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("command", WRITING)
def test_a_folder_that_is_not_there_is_refused_before_the_work(command: str, tmp_path: Path) -> None:
    arguments, suffix = WRITING[command]
    path = tmp_path / "nowhere" / f"file{suffix}"
    assert f"{path}: cannot be written" in refused(called(*arguments, "-o", path))


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("command", [command for command in WRITING if command not in ANY_NAME])
def test_a_file_of_another_kind_is_refused_before_the_work(command: str, tmp_path: Path) -> None:
    arguments, suffix = WRITING[command]
    line = refused(called(*arguments, "-o", tmp_path / "file.gif"))
    assert "file name must end in" in line
    assert suffix in line


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("command", WRITING)
def test_a_folder_in_place_of_the_file_is_refused_before_the_work(command: str, tmp_path: Path) -> None:
    arguments, suffix = WRITING[command]
    path = tmp_path / f"folder{suffix}"
    path.mkdir()
    assert "it is a folder" in refused(called(*arguments, "-o", path))


@pytest.mark.parametrize("command", [["bench"], ["figures"]])
def test_what_makes_its_folder_is_refused_where_it_cannot(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finbench.benchmarks.cli.upkeep.measure_and_report", None)
    (tmp_path / "file").write_text("")
    assert "is no folder" in refused(called(*command, "-o", tmp_path / "file" / "inside" / "bench.json"))


@pytest.mark.parametrize("command", [["run", "smoke"], ["scale"]])
def test_a_campaign_is_refused_before_its_work_where_its_folder_cannot_be(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finbench.benchmarks.cli.campaign_results.run_and_report", None)
    monkeypatch.setattr("finbench.benchmarks.cli.ladder_results.climb_and_report", None)
    monkeypatch.chdir(tmp_path)
    file, closed = tmp_path / "file", tmp_path / "closed"
    file.write_text("")
    assert f"cannot be written: '{file}' is no folder" in refused(called(*command, "-o", file))
    assert f"cannot be written: '{file}' is no folder" in refused(called(*command, "-o", "file/results"))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / (command[-1])).write_text("")
    assert "is no folder" in refused(called(*command, "-o", tmp_path / "taken"))
    closed.mkdir(mode=0o500)
    if os.geteuid() != 0:  # nothing is closed to root
        assert "cannot be written: Permission denied" in refused(called(*command, "-o", closed))
    assert "cannot be written" in refused(called(*command, "-o", "/proc/finbench"))


@pytest.mark.parametrize("command", WRITING)
def test_a_folder_that_is_missing_is_named_in_full(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, suffix = WRITING[command]
    line = refused(called(*arguments, "-o", f"nowhere/file{suffix}"))
    assert f"'{tmp_path}/nowhere' does not exist" in line


def test_an_older_file_stays_and_is_said_to_be_older(tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    path.write_text("older")
    command = ("solve", "balexnet-cifar10", "--method", "label-setting", "--max-latency", "1e-9", "-o", path)
    result = called(*command)
    assert result.exit_code == 3
    assert path.read_text() == "older"
    line = f"finbench: {path}: not written: there is no deployment"
    assert result.stderr == f"{line}; the file of that name is an older one\n"
    path.unlink()
    assert called(*command).stderr == f"{line}\n"


@pytest.fixture
def greek(tmp_path: Path) -> Path:
    """An instance whose name is not ASCII."""
    path = tmp_path / "greek.json"
    path.write_text(dump_instance(load_instance("blenet-mnist").model_copy(update={"name": "γλῶσσα"})))
    return path


@pytest.mark.parametrize(
    "setting", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_characters_that_cannot_be_shown_are_replaced(setting: dict[str, str], greek: Path) -> None:
    environment = {**os.environ, **setting}
    run = subprocess.run([*COMMAND, "solve", greek], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    assert b"??????" in run.stdout
    assert b"energy per inference" in run.stdout
    run = subprocess.run(
        [*COMMAND, "solve", greek, "--json"], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    assert json.loads(run.stdout)["instance"] == "γλῶσσα", "JSON loses nothing"


@pytest.mark.parametrize("arguments", [["methods"], ["solve", "blenet-mnist", "--json"]])
def test_a_reader_that_leaves_ends_the_command_without_a_word(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run([*COMMAND, *arguments], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (run.returncode, run.stderr) == (141, b"")


def test_control_characters_of_bad_input_do_not_reach_the_terminal() -> None:
    line = refused(called("solve", "no\x1b[31mwhere\x07.json"))
    assert r"no\x1b[31mwhere\x07.json" in line
    assert printable("ein Wörtchen, γ") == "ein Wörtchen, γ"


def test_a_format_that_the_name_denies_is_refused_before_the_work(no_work: None, tmp_path: Path) -> None:
    path = tmp_path / "model.mps"
    assert "must end in .lp" in refused(called("export", "INSTANCE", "--format", "lp", "-o", path))


def test_a_file_that_was_written_is_named_on_standard_error(tmp_path: Path) -> None:
    instance = "blenet-mnist"
    for arguments, name in (
        (("solve", instance, "--json"), "deployment.json"),
        (("export", instance), "model.lp"),
        (("generate", "tiered", "--nodes", 9, "--blocks", 3, "--exits", 1), "instance.json"),
        (("explain", instance), "explanation.svg"),
        (("frontier", instance), "frontier.svg"),
        (("draw", instance), "network.svg"),
    ):
        path = tmp_path / name
        result = called(*map(str, arguments), "-o", path)
        assert (result.exit_code, path.exists()) == (0, True), result.output
        assert result.stderr == f"wrote {path}\n"
    assert "\n" in (tmp_path / "model.lp").read_text()
    json.loads(called("solve", instance, "--json", "-o", path.with_suffix(".json")).stdout)
