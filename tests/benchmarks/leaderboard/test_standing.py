"""Methods are ranked on each machine by itself, over the instances that they share; refuted runs are worth nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.leaderboard.board import Leaderboard, leaderboard
from finbench.benchmarks.leaderboard.standing import Standing
from finbench.benchmarks.library.library import shipped_library
from finbench.benchmarks.rows.row import Row
from finbench.models.io import InputError
from tests.benchmarks.leaderboard.conftest import EMPTY, OWN, Forge

SHIPPED = shipped_library()


def ranked(*folders: Path, methods: Sequence[str] = ()) -> Leaderboard:
    return leaderboard(folders, SHIPPED, methods=methods)


def by_method(board: Leaderboard) -> dict[str, Standing]:
    """Return the standings of the only machine."""
    (found,) = board.standings.values()
    return {one.variant: one for one in found}


def test_solver_and_options_tell_methods_apart(honest: Path) -> None:
    assert set(by_method(ranked(honest))) == {"label-setting", "milp-flow (solver=highs)", "fin (gamma=20)", "mcp"}


def test_counts_are_by_tier_and_proofs_are_those_of_exact_methods(honest: Path) -> None:
    found = by_method(ranked(honest))
    exact, mcp = found["label-setting"], found["mcp"]
    assert (exact.run, exact.solved, exact.proven, exact.unanswered) == ({"tiny": 3}, {"tiny": 3}, 3, 0)
    assert (mcp.proven, mcp.solved["tiny"] < 3, mcp.refuted) == (0, True, 0)
    assert exact.rank is not None
    assert mcp.rank is not None
    assert exact.rank < mcp.rank
    assert mcp.par10_s is not None
    assert exact.par10_s is not None
    assert exact.par10_s < 10 < mcp.par10_s


def test_a_refuted_run_is_worth_nothing_and_counts_as_unanswered(forged: Forge) -> None:
    def cheat(row: Row) -> Row:
        here = row["method"] == "milp-flow" and row["content_hash"] == SHIPPED.entries[OWN].content_hash
        return {**row, "lower_bound": 1.0} if here else row

    found = by_method(ranked(forged(cheat)))
    flow = found["milp-flow (solver=highs)"]
    assert (flow.solved, flow.proven, flow.refuted, flow.unanswered) == ({"tiny": 2}, 2, 1, 1)
    assert flow.par10_s is not None
    assert flow.par10_s > 100 / 3
    assert found["label-setting"].rank == 1


def test_machines_are_kept_apart_and_that_is_said(honest: Path, forged: Forge) -> None:
    board = ranked(honest, forged(cpu="another"))
    assert len(board.standings) == 2
    assert all(found[0].rank == 1 for found in board.standings.values())
    assert any("2 machines" in note and "do not compare" in note for note in board.notes)


def test_what_a_method_did_on_one_machine_counts_for_that_machine_alone(honest: Path, forged: Forge) -> None:
    late = forged(lambda row: {**row, "time_s": 99.0} if row["method"] == "label-setting" else row, cpu="another")
    here, there = ranked(honest, late).standings.values()
    solved = [{one.variant: one.solved_in_all for one in found}["label-setting"] for found in (here, there)]
    assert solved == [3, 0]


def test_a_default_solver_is_named_too(forged: Forge) -> None:
    folder = forged(lambda row: {**row, "options": {}} if row["method"] == "milp-flow" else row)
    assert "milp-flow (solver=highs)" in by_method(ranked(folder))


def test_ranks_and_times_are_over_shared_instances(honest: Path, forged: Forge) -> None:
    empty = SHIPPED.entries[EMPTY].content_hash
    board = ranked(forged(lambda row: None if row["method"] == "mcp" and row["content_hash"] == empty else row))
    found = by_method(board)
    assert {one.shared for one in found.values()} == {2}
    assert found["label-setting"].run == {"tiny": 3}
    assert any("share 2 instances" in note and "mcp" in note for note in board.notes)
    without = by_method(ranked(honest, methods=["label-setting,fin"]))
    assert {one.shared for one in without.values()} == {3}


def test_repeated_runs_count_once_with_the_worst(honest: Path, forged: Forge) -> None:
    late = forged(lambda row: {**row, "time_s": 99.0} if row["method"] == "label-setting" else row)
    found = by_method(ranked(honest, late))["label-setting"]
    assert (found.run, found.solved, found.folders) == ({"tiny": 3}, {"tiny": 0}, (str(honest), str(late)))


def test_different_limits_are_said(honest: Path, forged: Forge) -> None:
    board = ranked(forged(lambda row: {**row, "limit_s": 60.0} if row["method"] == "mcp" else row))
    assert any("different limits" in note for note in board.notes)
    assert not any("different limits" in note for note in ranked(honest).notes)


def test_runs_on_instances_that_nobody_has_are_left_out_and_counted(forged: Forge) -> None:
    folder = forged(lambda row: {**row, "content_hash": "0" * 64} if row["method"] == "mcp" else row)
    board = ranked(folder)
    assert board.unchecked == {str(folder): 3}
    assert "mcp" not in by_method(board)


def test_a_folder_named_twice_is_refused(honest: Path) -> None:
    with pytest.raises(InputError, match="named twice"):
        ranked(honest, honest / "runs.jsonl")


def test_an_unknown_method_is_refused(honest: Path) -> None:
    with pytest.raises(InputError, match=r"known: .*label-setting"):
        ranked(honest, methods=["nowhere"])


def test_the_command_ends_with_5_where_a_claim_cannot_be_true(honest: Path, forged: Forge, tmp_path: Path) -> None:
    run = CliRunner()
    assert run.invoke(app, ["leaderboard", str(honest)]).exit_code == 0
    theirs = forged(lambda row: {**row, "objective": 1e-9} if row["found"] and row["method"] == "mcp" else row)
    page = tmp_path / "board.html"
    came = run.invoke(app, ["leaderboard", str(honest), str(theirs), "-o", str(page)])
    assert came.exit_code == 5
    assert f"{theirs}\trecords 1e-09, its deployment has" in came.stdout
    text = page.read_text()
    assert "Claims that cannot be true" in text
    assert "<script" not in text
    assert "script-src &#39;none&#39;" in text


def test_json_and_csv_say_the_same(honest: Path, tmp_path: Path) -> None:
    file = tmp_path / "board.csv"
    came = CliRunner().invoke(app, ["leaderboard", str(honest), "--json", "-o", str(file)])
    (machine,) = json.loads(came.stdout)["machines"]
    lines = list(csv.DictReader(file.open()))
    assert [one["variant"] for one in machine["standings"]] == [line["variant"] for line in lines]
    assert [one["par10_s"] for one in machine["standings"]] == [float(line["par10_s"]) for line in lines]


def test_names_of_other_peoples_files_stay_text(forged: Forge, tmp_path: Path) -> None:
    script = "<script>alert(1)</script>"
    folder = forged(lambda row: {**row, "method": script, "variant": script} if row["method"] == "mcp" else row)
    page = tmp_path / "board.html"
    assert CliRunner().invoke(app, ["leaderboard", str(folder), "-o", str(page)]).exit_code == 0
    assert script not in page.read_text()
    assert "&lt;script&gt;" in page.read_text()
