"""Campaign runs end to end: rows, failures, contradictions, files, tables and figures."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

import benchmarks.families
from benchmarks.campaign import load_campaign
from benchmarks.cli import app
from benchmarks.metrics import frame
from benchmarks.plots import gap_by_gamma
from benchmarks.records import Record
from benchmarks.results import run_and_report
from benchmarks.runner import run_campaign
from benchmarks.tables import campaign_tables
from models.evaluate import evaluate
from models.instance import Instance
from models.io import load_instance
from models.result import Result, Status
from tests.benchmarks.conftest import BEST, OPTIMUM_J, WORSE, AddMethod, answer

CAMPAIGN = """
name = "test"
time_limit_s = 5
[[methods]]
name = "label-setting"
[[methods]]
name = "fin"
options = { gamma = [5, 10, 100, 1000] }
[[instances]]
group = "own targets"
instances = ["balexnet-cifar10"]
[[instances]]
group = "grid"
instances = ["balexnet-cifar10"]
max_latency_s = [0.0001, 0.003, 0.005]
min_accuracy = [0.5, 0.8]
"""

OPTIMUM_WORSE_J = evaluate(load_instance("balexnet-cifar10"), WORSE).objective


def quiet(line: str) -> None:
    """Report to nobody."""


def write(tmp_path: Path, text: str = CAMPAIGN) -> str:
    path = tmp_path / "campaign.toml"
    path.write_text(text)
    return str(path)


def run(tmp_path: Path, text: str = CAMPAIGN) -> Any:
    return CliRunner().invoke(app, ["run", write(tmp_path, text), "-o", str(tmp_path / "results")])


def rows(tmp_path: Path) -> list[Record]:
    lines = (tmp_path / "results" / "test" / "runs.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_campaign_leaves_rows_table_page_and_figures(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    folder = tmp_path / "results" / "test"
    assert len(rows(tmp_path)) == 7 * 5
    table = pd.read_csv(folder / "runs.csv")
    assert len(table) == 35
    assert table.loc[0, "objective"] == pytest.approx(OPTIMUM_J, rel=1e-15)
    assert {"instance", "content_hash", "gamma", "gap_to_bound", "gap_to_best", "cpu", "version_numpy"} <= set(table)
    page = (folder / "tables.md").read_text()
    assert "| balexnet-cifar10 | fin (gamma=10) | feasible | 0.02953946 | 38.0642 |" in page
    assert "grid: 6 instances, 4 with a known deployment, 4 with a proven optimum" in page
    assert (folder / "figures" / "gap_by_gamma.png").stat().st_size > 10_000
    assert (folder / "figures" / "gap_by_gamma.pdf").read_bytes().startswith(b"%PDF")
    assert "38.0642" in result.stdout
    assert re.search(r"\[0/35\] own targets: label-setting", result.stdout)


def test_rows_say_what_ran_where(tmp_path: Path) -> None:
    run(tmp_path)
    row = rows(tmp_path)[1]
    assert (row["group"], row["instance"], row["method"]) == ("own targets", "balexnet-cifar10", "fin")
    assert row["options"]["gamma"] == 5
    assert (row["network_nodes"], row["network_links"], row["dnn_blocks"]) == (3, 3, 5)
    assert (row["max_latency_s"], row["min_accuracy"], row["accounting"]) == (0.005, 0.8, "expected")
    own = sum(seconds for phase, seconds in row["times_s"].items() if phase != "load")
    assert row["wall_s"] >= row["time_s"] == pytest.approx(own)
    assert set(row["environment"]) == {"cpu", "cores", "system", "python", "versions"}
    assert len(row["content_hash"]) == 64


def test_a_failing_method_is_a_row_and_the_campaign_goes_on(tmp_path: Path, add_method: AddMethod) -> None:
    def solve(instance: Instance, **given: Any) -> Result:
        raise ZeroDivisionError("inside the method")

    add_method("clumsy", solve)
    text = CAMPAIGN.replace('name = "fin"\noptions = { gamma = [5, 10, 100, 1000] }', 'name = "clumsy"')
    result = run(tmp_path, text + '[[methods]]\nname = "larac"\n')
    assert result.exit_code == 1
    failed = [row for row in rows(tmp_path) if row["method"] == "clumsy"]
    assert len(failed) == 7
    assert {row["status"] for row in failed} == {"error"}
    assert failed[0]["reason"] == "ZeroDivisionError: inside the method"
    assert "in solve" in failed[0]["info"]["traceback"]
    assert failed[0]["objective"] is None
    assert len([row for row in rows(tmp_path) if row["method"] == "larac"]) == 7
    assert "7 failed runs" in result.stdout
    assert "| 6 error |" in (tmp_path / "results" / "test" / "tables.md").read_text()


def test_an_instance_that_cannot_be_made_is_a_row_for_each_method(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generate(family: str, **sizes: Any) -> Instance:
        raise ValueError("cannot be that small")

    monkeypatch.setattr(benchmarks.families, "FAMILIES", {"tiered": None}, raising=False)
    monkeypatch.setattr(benchmarks.families, "generate", generate, raising=False)
    ladder = '[[families]]\ngroup = "ladder"\nfamily = "tiered"\nnodes = [1]\nblocks = [3]\nexits = [1]\nseeds = [1]\n'
    result = run(tmp_path, CAMPAIGN + ladder)
    assert result.exit_code == 1
    failed = [row for row in rows(tmp_path) if row["group"] == "ladder"]
    assert [row["reason"] for row in failed] == ["ValueError: cannot be that small"] * 5
    assert failed[0]["instance"] == "tiered, 1 nodes, seed 1"


def test_contradictions_fail_the_campaign(tmp_path: Path, add_method: AddMethod) -> None:
    add_method("wrong", answer(WORSE, Status.OPTIMAL, None))
    result = run(tmp_path, CAMPAIGN + '[[methods]]\nname = "wrong"\n')
    assert result.exit_code == 5
    assert f"says {OPTIMUM_WORSE_J!r} is optimal, label-setting has {OPTIMUM_J!r}" in result.stdout
    assert "contradiction" in (tmp_path / "results" / "test" / "tables.md").read_text()


def test_rows_are_on_the_disk_before_the_next_run(tmp_path: Path, add_method: AddMethod) -> None:
    journal = tmp_path / "runs.jsonl"
    seen: list[int] = []

    def solve(instance: Instance, **given: Any) -> Result:
        if journal.exists():
            seen.append(len(journal.read_text().splitlines()))
        return Result(Status.NO_SOLUTION)

    add_method("curious", solve)
    text = CAMPAIGN.replace('name = "label-setting"', 'name = "curious"')
    run_campaign(load_campaign(write(tmp_path, text)), journal, quiet)
    assert seen == [5 * k for k in range(7)]


def test_what_was_run_survives_a_crash_and_the_next_run(tmp_path: Path, add_method: AddMethod) -> None:
    run(tmp_path)
    before = rows(tmp_path)

    def solve(instance: Instance, **given: Any) -> Result:
        if instance.name != "blenet-mnist":  # not the warm-up
            raise KeyboardInterrupt
        return Result(Status.NO_SOLUTION)

    add_method("stopped", solve)
    path = write(
        tmp_path, CAMPAIGN.replace('name = "fin"\noptions = { gamma = [5, 10, 100, 1000] }', 'name = "stopped"')
    )
    with pytest.raises(KeyboardInterrupt):
        run_campaign(load_campaign(path), tmp_path / "results" / "test" / "runs.jsonl", quiet)
    assert [row["method"] for row in rows(tmp_path)] == ["label-setting"]
    kept = (tmp_path / "results" / "test" / "runs.jsonl.bak").read_text().splitlines()
    assert [json.loads(line) for line in kept] == before


def made_up_rows() -> list[Record]:
    """Two instances: on `a` the exact method proves 1.0, on `b` only a bound of 0.5 is known."""

    def row(
        instance: str, method: str, found: bool, objective: float | None, bound: float | None, **more: Any
    ) -> Record:
        return {
            "group": "g", "instance": instance, "content_hash": instance, "method": method, "label": method,
            "options": {}, "status": "feasible" if found else "no-solution", "found": found, "objective": objective,
            "energy_j": objective, "lower_bound": bound, "latency_s": 1.0, "accuracy": 1.0, "time_s": 1.0,
            "limit_s": 5.0, "times_s": {"solve": 1.0}, "violations": [], "info": {}, "deployments": [], "gap": None,
            "environment": {"cpu": "c", "cores": 1, "python": "3", "versions": {}}, **more,
        }  # fmt: skip

    return [
        row("a", "exact", True, 1.0, 1.0),
        row("a", "fin", True, 1.1, None, options={"gamma": 10}),
        row("a", "fin", False, 0.2, None, options={"gamma": 20}),
        row("b", "exact", False, None, 0.5),
        row("b", "weak", False, None, 0.1),
        row("b", "fin", True, 0.8, None, options={"gamma": 10}),
        row("b", "fin", False, None, None, options={"gamma": 20}),
    ]


def test_gaps_are_against_what_all_methods_together_know() -> None:
    table = frame(made_up_rows())
    assert table["gap_to_best"].tolist()[:2] == pytest.approx([0.0, 0.1])
    assert table["gap_to_bound"].tolist()[:2] == pytest.approx([0.0, 0.1])
    assert table["gap_to_bound"][5] == pytest.approx(0.6)
    assert table["gap_to_best"][[2, 3, 4, 6]].isna().all(), "nothing feasible: no gap, not 0"
    assert table["best_objective"].tolist() == [1.0] * 3 + [0.8] * 4
    assert table["proven"].tolist() == [True] * 3 + [False] * 4
    assert "info" not in table
    assert table["time_solve_s"].tolist() == [1.0] * 7


def test_summaries_count_failures_and_do_not_average_them() -> None:
    summary = campaign_tables(frame(made_up_rows()))[-1]
    fin = dict(zip(summary.columns, next(row for row in summary.rows if row[0] == "fin"), strict=True))
    assert summary.title == "g: 2 instances, 2 with a known deployment, 1 with a proven optimum"
    assert (fin["runs"], fin["found"], fin["missed"], fin["other ends"]) == ("4", "2", "2", "2 no-solution")
    assert fin["gap worst [%]"] == "10.0000"
    assert fin["gap mean [%]"] == "5.0000"


def test_gap_by_gamma_counts_only_proven_optima() -> None:
    coarse, fine = gap_by_gamma(frame(made_up_rows())).to_dict("records")
    assert (coarse["gamma"], coarse["found"], coarse["matched"]) == (10, 100.0, 0.0)
    assert coarse["worst"] == pytest.approx(10.0)
    assert (fine["gamma"], fine["found"], fine["matched"]) == (20, 0.0, 0.0)


def test_a_campaign_without_a_sweep_draws_nothing(tmp_path: Path, add_method: AddMethod) -> None:
    add_method("sure", answer(BEST, Status.OPTIMAL, None))
    text = 'name = "test"\ntime_limit_s = 5\n[[methods]]\nname = "sure"\n'
    result = run(tmp_path, text + '[[instances]]\ngroup = "g"\ninstances = ["balexnet-cifar10"]\n')
    assert result.exit_code == 0
    assert not (tmp_path / "results" / "test" / "figures").exists()


def test_a_terminal_gets_a_progress_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=StringIO(), force_terminal=True, width=200)
    monkeypatch.setattr("benchmarks.console.output", lambda: screen)
    outcome = run_and_report(load_campaign(write(tmp_path)), tmp_path / "results")
    assert len(outcome.records) == 35
    assert "0/35" in screen.file.getvalue()  # type: ignore[attr-defined]
