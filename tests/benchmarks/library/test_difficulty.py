"""The list says how methods differ on an instance: how many proved it, and the least and greatest time of a proof."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.library.difficulty import MEASURED, MeasuredDifficulty, difficulties
from finbench.benchmarks.library.library import Library, library_folder, shipped_library
from finbench.benchmarks.library.tables import table_text


def row(name: str, method: str, status: str, cpu_s: float) -> MeasuredDifficulty:
    return MeasuredDifficulty.model_validate({"name": name, "method": method, "status": status, "cpu_s": cpu_s})


def written(folder: Path, *rows: MeasuredDifficulty) -> Path:
    (folder / MEASURED).write_text(table_text(MeasuredDifficulty, rows))
    return folder


def test_only_proofs_count_for_times(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        row("one", "slow", "optimal", 3.0),
        row("one", "quick", "infeasible", 2.0),
        row("one", "fin", "feasible", 0.1),
        row("one", "late", "time-limit", 12.0),
        row("two", "late", "time-limit", 12.0),
    )
    found = difficulties(folder)
    one, two = found["one"], found["two"]
    assert (one.methods, one.proven, one.fastest_s, one.slowest_s, one.fastest) == (4, 2, 2.0, 3.0, "quick")
    assert (two.methods, two.proven, two.fastest_s, two.slowest_s) == (1, 0, None, None)


def test_every_instance_of_the_shipped_library_was_measured() -> None:
    assert difficulties(library_folder()).keys() == shipped_library().entries.keys()


def test_the_list_shows_it(small: Library) -> None:
    written(small.folder, row("one", "quick", "optimal", 0.25), row("one", "slow", "time-limit", 12.0))
    came = CliRunner().invoke(app, ["library", "list", "--folder", str(small.folder)])
    assert came.exit_code == 0, came.output
    by_name = {line.split("\t")[0]: line.split("\t")[-2:] for line in came.stdout.splitlines() if line}
    assert by_name["one"] == ["1 of 2", "0.25 to 0.25"]
    assert by_name["two"] == ["–", "–"]


def test_a_library_that_is_being_made_need_not_be_measured(small: Library) -> None:
    came = CliRunner().invoke(app, ["library", "list", "--json", "--folder", str(small.folder)])
    assert came.exit_code == 0, came.output
    assert not any("difficulty" in entry for entry in json.loads(came.stdout))
