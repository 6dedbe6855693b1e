"""Machine code on the disk belongs to its sources. Neither damage to it nor a missing folder prevents solving."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import finbench
from finbench.fin_graph.paths import compiled
from tests.few_and_many import few_and_many

PACKAGE = Path(finbench.__file__).parent

SHORT = """
from finbench.fin_graph.paths.compiled import cache_folder
from finbench.fin_graph.paths.loading import smallest
from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.shortest import latency_along, costs_to_go
instance = smallest()
problem = path_problem(instance, instance.applications[0])
print(costs_to_go(problem.edges, 1.0, 0.0).cost[0, problem.source], cache_folder())
"""
"""Compiles two functions that call others."""


def run(script: str, home: Path, at: Path = PACKAGE.parent, **variables: str) -> list[str]:
    """Run a script in a process of its own, with a home of its own; the words that it prints."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("FINBENCH", "NUMBA", "XDG"))}
    environment |= {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONPATH": str(at), **variables}
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, env=environment, cwd=at, capture_output=True, text=True, check=True, timeout=300
    ).stdout.split()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "tmp").mkdir(parents=True)
    return tmp_path / "home"


HASH = "from finbench.fin_graph.paths.compiled import source_hash; print(source_hash())"


def test_every_source_of_compiled_code_counts_and_taking_an_edit_back_leads_back(tmp_path: Path, home: Path) -> None:
    """A callee in another module, a constant, and the function itself; not a module that no compiled code uses."""
    copy = tmp_path / "copy"
    shutil.copytree(PACKAGE, copy / "finbench", ignore=shutil.ignore_patterns("__pycache__", "data", "benchmarks"))
    first = run(HASH, home, copy)
    edits = {
        "fin_graph/paths/arrays.py": ("load > edges.link_room[a]", "load >= edges.link_room[a]"),
        "models/tolerances.py": ("FLOAT_NOISE = 1e-9", "FLOAT_NOISE = 2e-9"),
        "fin_graph/paths/kernel.py": ("fell |= through < old", "fell |= through <= old"),
    }
    for name, (before, after) in edits.items():
        file = copy / "finbench" / name
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))
        assert run(HASH, home, copy) != first
        file.write_text(text)
        assert run(HASH, home, copy) == first
    other = copy / "finbench" / "fin_graph" / "mcp.py"
    other.write_text(other.read_text() + "\n")
    assert run(HASH, home, copy) == first


def test_every_module_that_a_compiled_module_imports_is_a_source() -> None:
    names = {str(file.relative_to(PACKAGE)) for file in compiled.compiled_sources()}
    assert {"fin_graph/paths/kernel.py", "fin_graph/joint/columns/listing.py", "models/tolerances.py"} <= names
    assert "benchmarks/simulation/passing.py" in names
    assert "fin_graph/mcp.py" not in names


@pytest.mark.parametrize("first", few_and_many([0, 2], 1))
def test_damaged_files_are_compiled_again(home: Path, first: int) -> None:
    """Files that are cut off, empty, garbage, or have one byte flipped, in turn."""
    cost, folder = run(SHORT, home)
    assert Path(folder).is_relative_to(home / ".cache" / "finbench")
    files = [*Path(folder).glob("*.nb?")]
    assert {file.suffix for file in files} == {".nbi", ".nbc"}
    assert len(files) >= 4
    for number, file in enumerate(files, start=first):
        content = file.read_bytes()
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        file.write_bytes([content[:middle], b"", b"\x80garbage" * 99, flipped][number % 4])
    assert run(SHORT, home) == [cost, folder]
    assert run(SHORT, home) == [cost, folder], "what was compiled again is kept"


@pytest.mark.slow
def test_the_variable_says_where_machine_code_is_kept(home: Path, tmp_path: Path) -> None:
    _, folder = run(SHORT, home, FINBENCH_CACHE_DIR=str(tmp_path / "mine"))
    assert Path(folder).parent == tmp_path / "mine"
    assert not (home / ".cache").exists()
    _, folder = run(SHORT, home, XDG_CACHE_HOME=str(tmp_path / "caches"))
    assert Path(folder).parent == tmp_path / "caches" / "finbench"


@pytest.mark.slow
def test_without_a_folder_that_can_be_written_every_process_compiles(home: Path, tmp_path: Path) -> None:
    """A file stands where the folder should be: nobody can write there, not even an administrator."""
    blocked = tmp_path / "blocked"
    blocked.touch()
    cost, folder = run(SHORT, home, FINBENCH_CACHE_DIR=str(blocked))
    assert folder == "None"
    assert float(cost) == 1.0


@pytest.mark.slow
def test_without_a_home_the_temporary_folder_serves(home: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.touch()
    _, folder = run(SHORT, blocked, TMPDIR=str(home / "tmp"))
    assert Path(folder).is_relative_to(home / "tmp")


@pytest.mark.slow
def test_processes_that_compile_at_once_do_not_break_each_other(home: Path) -> None:
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home), "PYTHONPATH": str(PACKAGE.parent)}
    environment.pop("FINBENCH_CACHE_DIR", None)
    command = [sys.executable, "-c", SHORT]
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=PACKAGE.parent)
        for _ in range(3)
    ]
    answers = {process.communicate(timeout=300)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(answers) == 1
    assert run(SHORT, home, XDG_CACHE_HOME=str(home)) == answers.pop().split()
