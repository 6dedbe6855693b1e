"""Campaign runs end to end: rows, failures, contradictions, files, tables and figures."""

from __future__ import annotations

import json
import re
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow import parquet  # type: ignore[import-untyped]
from pyarrow.dataset import dataset  # type: ignore[import-untyped]
from rich.console import Console
from typer.testing import CliRunner

from finbench.benchmarks.analysis.campaign_tables import campaign_tables
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.gaps import gap_by_gamma
from finbench.benchmarks.campaigns.campaign import load_campaign
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.cli.campaign_results import run_and_report
from finbench.benchmarks.execution.local import run_locally
from finbench.benchmarks.execution.runner import Silence, run_campaign
from finbench.benchmarks.methods import METHODS
from finbench.benchmarks.rows.environment import environment, environment_id
from finbench.benchmarks.rows.reading import load_environments, load_instances, load_rows
from finbench.benchmarks.rows.row import Row
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import load_instance
from tests.benchmarks.conftest import BEST, OPTIMUM_J, WORSE
from tests.benchmarks.execution import unruly

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

UNRULY = '\n[[methods]]\nname = "unruly"\noptions = { deed = DEED }\n'

QUICK = """
name = "test"
time_limit_s = 5
warm_up = false
[[methods]]
name = "larac"
[[methods]]
name = "unruly"
options = { deed = ["raise", "answer"] }
[[instances]]
group = "own targets"
instances = ["balexnet-cifar10"]
[[instances]]
group = "grid"
instances = ["balexnet-cifar10"]
max_latency_s = [0.003, 0.005]
min_accuracy = [0.5, 0.8]
"""
"""Without compiled code, figures and warm-up; the instance's own targets are a point of the grid."""

OPTIMUM_WORSE_J = evaluate(load_instance("balexnet-cifar10"), WORSE).objective
BEST_J = evaluate(load_instance("balexnet-cifar10"), BEST).objective


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, unruly.UNRULY.name, unruly.UNRULY)


def write(tmp_path: Path, text: str = CAMPAIGN) -> str:
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "campaign.toml"
    path.write_text(text)
    return str(path)


def run(tmp_path: Path, text: str = CAMPAIGN, *given: str) -> Any:
    return CliRunner().invoke(app, ["run", write(tmp_path, text), "-o", str(tmp_path / "results"), *given])


def rows(tmp_path: Path) -> list[Row]:
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
    assert {
        "instance",
        "content_hash",
        "gamma",
        "gap_to_best_bound",
        "gap_to_best_known",
        "cpu",
        "version_numpy",
    } <= set(table)
    page = (folder / "tables.md").read_text()
    assert "| balexnet-cifar10 | fin (gamma=10) | feasible | 0.02953946 | 38.0642 |" in page
    assert "grid: 6 instances, 4 with a known deployment, 4 with a proven optimum" in page
    assert (folder / "figures" / "gap_by_gamma.png").stat().st_size > 10_000
    assert (folder / "figures" / "gap_by_gamma.pdf").read_bytes().startswith(b"%PDF")
    assert "38.0642" in result.stdout
    assert "35 runs, 0 of them are there" in result.stdout
    assert re.search(r"\[0/35\] own targets: label-setting", result.stdout)


def test_rows_say_what_ran_where(tmp_path: Path) -> None:
    run(tmp_path)
    row = rows(tmp_path)[2]
    assert (row["group"], row["instance"], row["method"]) == ("own targets", "balexnet-cifar10", "fin")
    assert (row["options"]["gamma"], row["seed"], row["repetition"], row["attempts"]) == (5, 0, 1, 1)
    assert (row["network_nodes"], row["network_links"], row["dnn_blocks"], row["dnn_exits"]) == (3, 3, 5, 3)
    assert (row["max_latency_s"], row["min_accuracy"], row["accounting"]) == (0.005, 0.8, "expected")
    own = sum(seconds for phase, seconds in row["times_s"].items() if phase != "load")
    assert row["wall_s"] >= row["time_s"] == pytest.approx(own)
    assert (row["exit"], row["log"], row["memory_limit_gib"]) == ({"kind": "returned"}, None, None)
    assert {len(row[name]) for name in ("content_hash", "key")} == {64}
    read = load_rows(tmp_path / "results" / "test")[2]
    assert read == {**row, "environment": environment()}
    assert read["environment"]["ram_bytes"] > 2**28
    assert read["environment"]["solvers"]["highs"] == read["environment"]["versions"]["highspy"]


@pytest.mark.slow
def test_environments_are_written_once_and_instances_before_their_rows(tmp_path: Path) -> None:
    run(tmp_path, QUICK)
    folder = tmp_path / "results" / "test"
    assert len((folder / "environments.jsonl").read_text().splitlines()) == 1
    instances = load_instances(folder)
    assert {row["content_hash"] for row in rows(tmp_path)} == set(instances)
    assert all(instance.content_hash == name for name, instance in instances.items())


@pytest.mark.slow
def test_the_same_run_in_two_groups_is_made_once(tmp_path: Path, balexnet: Instance) -> None:
    run(tmp_path, QUICK)
    shared = [row for row in rows(tmp_path) if row["content_hash"] == balexnet.content_hash]
    assert [row["group"] for row in shared] == ["own targets", "grid"] * 3
    assert len({(row["key"], row["wall_s"]) for row in shared}) == 3


def test_a_failing_method_is_a_row_and_the_campaign_goes_on(tmp_path: Path) -> None:
    result = run(tmp_path, QUICK)
    assert result.exit_code == 1
    failed = [row for row in rows(tmp_path) if row["options"].get("deed") == "raise"]
    assert len(failed) == 5
    assert {(row["status"], row["exit"]["kind"]) for row in failed} == {("error", "raised")}
    assert failed[0]["reason"] == "ZeroDivisionError: inside the method"
    assert "in solve" in (tmp_path / "results" / "test" / failed[0]["log"]).read_text()
    assert failed[0]["objective"] is None
    assert failed[0]["network_nodes"] == 3
    assert len(rows(tmp_path)) == 15
    assert "5 failed runs" in result.stdout
    assert "| 4 error |" in (tmp_path / "results" / "test" / "tables.md").read_text()
    table = pd.read_csv(tmp_path / "results" / "test" / "runs.csv")
    assert set(table["exit_kind"]) == {"raised", "returned"}


@pytest.mark.slow
def test_an_instance_that_cannot_be_made_is_a_row_for_each_method(tmp_path: Path) -> None:
    ladder = '[[families]]\ngroup = "ladder"\nfamily = "tiered"\nnodes = [1]\nblocks = [3]\nexits = [1]\nseeds = [1]\n'
    result = run(tmp_path, QUICK + ladder)
    assert result.exit_code == 1
    failed = [row for row in rows(tmp_path) if row["group"] == "ladder"]
    assert len(failed) == 3
    assert failed[0]["reason"].startswith("ValueError: nodes = 1")
    assert failed[0]["exit"] == {"kind": "not-made"}
    assert failed[0]["instance"] == "tiered, 1 nodes, seed 1"
    assert "Traceback" in (tmp_path / "results" / "test" / failed[0]["log"]).read_text()
    assert run(tmp_path, QUICK + ladder).exit_code == 1
    assert len(rows(tmp_path)) == 18


@pytest.mark.slow
def test_contradictions_fail_the_campaign_also_when_nothing_is_run_again(tmp_path: Path) -> None:
    for _ in range(2):
        result = run(tmp_path, CAMPAIGN + UNRULY.replace("DEED", '"claim-too-much"'))
        assert result.exit_code == 5
        line = f"says {OPTIMUM_WORSE_J!r} is optimal, label-setting has {BEST_J!r}"
        assert result.stdout.count(line) == 1, "once for the instance, however often it was run"
        assert "contradiction" in (tmp_path / "results" / "test" / "tables.md").read_text()


class Spy(Silence):
    """Counts the rows that are on the disk whenever a run is over."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.seen: list[int] = []

    def finished(self, *_: str) -> None:
        self.seen.append(len(self.journal.read_bytes().splitlines()))


@pytest.mark.slow
def test_rows_are_on_the_disk_before_they_count(tmp_path: Path) -> None:
    spy = Spy(tmp_path / "runs.jsonl")
    run_campaign(load_campaign(write(tmp_path, QUICK)), tmp_path, run_locally, progress=spy)
    assert spy.seen == list(range(1, 16))


@pytest.mark.slow
def test_conditions_reach_the_runs(tmp_path: Path) -> None:
    text = "repetitions = 2\nmemory_limit_gib = 0.6\n" + QUICK.replace('"raise"', '"eat"').replace(
        "larac", "single-node"
    )
    result = run(tmp_path, text, "--time-limit-s", "9", "--no-warm-up")
    assert result.exit_code == 0
    found = rows(tmp_path)
    assert Counter(row["repetition"] for row in found) == {1: 15, 2: 15}
    assert {(row["limit_s"], row["memory_limit_gib"]) for row in found} == {(9.0, 0.6)}
    assert {row["status"] for row in found if row["options"].get("deed") == "eat"} == {"memory-limit"}


def test_a_second_run_makes_only_what_is_missing(tmp_path: Path) -> None:
    run(tmp_path, QUICK)
    first = (tmp_path / "results" / "test" / "runs.jsonl").read_text()
    result = run(tmp_path, QUICK)
    assert "15 runs, 15 of them are there" in result.stdout
    assert (tmp_path / "results" / "test" / "runs.jsonl").read_text() == first
    run(tmp_path, QUICK.replace('"answer"', '"answer", "number"'))
    later = (tmp_path / "results" / "test" / "runs.jsonl").read_text()
    assert set(first.splitlines()) <= set(later.splitlines())
    assert len(later.splitlines()) == 20


@pytest.mark.slow
def test_rows_that_are_no_longer_asked_for_move_aside_and_come_back(tmp_path: Path) -> None:
    run(tmp_path, QUICK)
    first, folder = rows(tmp_path), tmp_path / "results" / "test"
    run(tmp_path, QUICK.replace('["raise", "answer"]', '"answer"').replace("own targets", "renamed"))
    assert Counter(row["group"] for row in rows(tmp_path)) == {"renamed": 2, "grid": 8}
    assert len((folder / "runs.old.jsonl").read_text().splitlines()) == 15 - 8
    result = run(tmp_path, QUICK)
    assert "15 runs, 15 of them are there" in result.stdout
    assert sorted(rows(tmp_path), key=str) == sorted(first, key=str)


@pytest.mark.slow
def test_failures_stay_unless_asked_for(tmp_path: Path) -> None:
    run(tmp_path, QUICK)
    first = rows(tmp_path)
    run(tmp_path, QUICK)
    assert rows(tmp_path) == first
    run(tmp_path, QUICK, "--redo", "error")
    again = rows(tmp_path)
    assert {row["options"].get("deed") for row in again if row not in first} == {"raise"}
    assert [sum(row in first for row in again), len(again)] == [10, 15]
    run(tmp_path, QUICK, "--redo", "larac", "--method", "larac")
    assert Counter(row["method"] for row in rows(tmp_path) if row not in again) == {"larac": 5}


def test_a_single_method_may_be_run_first(tmp_path: Path) -> None:
    assert run(tmp_path, QUICK, "--method", "larac").exit_code == 0
    assert [row["method"] for row in rows(tmp_path)] == ["larac"] * 5
    run(tmp_path, QUICK)
    assert len(rows(tmp_path)) == 15


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--redo", "sometimes"], ["--redo sometimes", "no such method or status", "time-limit"]),
        (["--method", "magic"], ["method 'magic'"]),
        (["--time-limit-s", "0"], ["command line", "time_limit_s = 0.0"]),
        (["--repetitions", "0"], ["command line", "repetitions = 0"]),
        (["--memory-limit-gib", "-1"], ["command line", "memory_limit_gib = -1.0"]),
        (["--threads", "0"], ["command line", "threads = 0"]),
        (["--threads", "100000"], ["command line", "threads = 100000", "less than or equal to 1024"]),
        (["--repetitions", "1000000000"], ["command line", "repetitions = 1000000000", "less than or equal"]),
        (["--repetitions", "100000"], ["campaign 'test'", "asks for 1500000 runs: must be at most 1000000"]),
        (["--jobs", "4096"], ["jobs", "4096", "number of cores"]),
        (["--scheduler", "tcp://127.0.0.1:1"], ["--scheduler", "--backend dask"]),
    ],
)
def test_bad_words_are_one_line(given: list[str], named: list[str], tmp_path: Path) -> None:
    result = run(tmp_path, QUICK, *given)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert [part for part in named if part not in result.stderr] == []
    assert not (tmp_path / "results").exists()


def test_a_dry_run_says_what_would_run_and_touches_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, QUICK, "--dry-run")
    assert result.exit_code == 0
    assert not (tmp_path / "results").exists()
    assert re.search(r"own targets\tlarac, unruly \(deed=raise\), unruly\t1\t3\t0\t3\t0.00917", result.stdout)
    assert re.search(r"grid\t.*\t4\t12\t0\t12\t0.0367", result.stdout)
    assert "would make 12 runs, in at most 0.0367 h" in result.stdout, "three runs are the same in both groups"
    run(tmp_path, QUICK, "--method", "larac")
    before = (tmp_path / "results" / "test" / "runs.jsonl").read_bytes()
    result = run(tmp_path, QUICK, "--dry-run", "--jobs", "2")
    assert re.search(r"grid\t.*\t4\t12\t4\t8\t", result.stdout)
    assert "would make 8 runs, in at most 0.0138 h" in result.stdout
    assert (tmp_path / "results" / "test" / "runs.jsonl").read_bytes() == before


def test_parquet_and_csv_hold_the_same_runs(tmp_path: Path) -> None:
    run(tmp_path)
    folder = tmp_path / "results" / "test"
    typed, csv = pd.read_parquet(folder / "runs.parquet"), pd.read_csv(folder / "runs.csv")
    assert list(typed.columns) == list(csv.columns)
    assert typed["objective"].tolist() == pytest.approx(csv["objective"].tolist(), nan_ok=True)
    assert json.loads(str(typed.loc[1, "options"]))["gamma"] == 5


@pytest.mark.slow
def test_the_parquet_files_of_all_campaigns_are_one_data_set(tmp_path: Path) -> None:
    ladder = '[[families]]\ngroup = "ladder"\nfamily = "tiered"\nnodes = [4]\nblocks = [3]\nexits = [1]\nseeds = [1]\n'
    campus = (
        '[[shared_families]]\ngroup = "campus"\nfamily = "campus"\nnodes = [4]\napplications = [2]\nload = [0.5]\n'
        'penalty = 5\nshares = [0.5, 1.0]\nseeds = [1]\nmethods = [{ name = "greedy" }]\n'
    )
    own = '[[instances]]\ngroup = "g"\ninstances = ["balexnet-cifar10"]\n'
    head = 'name = "test"\ntime_limit_s = 5\nwarm_up = false\nmethods = [{ name = "METHOD" }]\n'
    schemas = []
    for number, (text, method) in enumerate(((own, "larac"), (ladder, "fin"), (campus, "greedy"))):
        assert run(tmp_path / str(number), head.replace("METHOD", method) + text).exit_code == 0
        schemas.append(parquet.read_schema(tmp_path / str(number) / "results" / "test" / "runs.parquet"))
    assert [schema.remove_metadata() for schema in schemas] == [schemas[0].remove_metadata()] * 3
    files = [tmp_path / str(number) / "results" / "test" / "runs.parquet" for number in range(3)]
    whole = dataset(files).to_table()
    assert whole.num_rows == 3
    assert whole["load"].to_pylist() == [None, None, 0.5]
    assert whole["shares"].to_pylist() == [None, None, [0.5, 1.0]]
    assert whole["nodes"].to_pylist() == [None, 4, 4]


@pytest.mark.slow
def test_rows_of_two_machines_are_not_joined_without_a_word(tmp_path: Path) -> None:
    run(tmp_path, QUICK, "--method", "larac")
    cpu, name = environment()["cpu"], rows(tmp_path)[0]["environment_id"]
    (kept,) = load_environments(tmp_path / "results" / "test").values()
    other = environment_id({**kept, "cpu": "another"})
    for file in (tmp_path / "results" / "test").glob("*.jsonl"):
        file.write_text(file.read_text().replace(json.dumps(cpu), '"another"').replace(name, other))
    result = run(tmp_path, QUICK)
    cores = environment()["cores"]
    line = f"made on 2 machines, whose times do not compare: another ({cores} cores); {cpu} ({cores} cores)"
    assert line in result.stdout
    assert line in (tmp_path / "results" / "test" / "tables.md").read_text()


def made_up_rows() -> list[Row]:
    """Two instances: on `a` the exact method proves 1.0, on `b` only a bound of 0.5 is known."""

    def row(instance: str, method: str, found: bool, objective: float | None, bound: float | None, **more: Any) -> Row:
        return {
            "group": "g", "instance": instance, "content_hash": instance, "method": method, "variant": method,
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
    assert table["gap_to_best_known"].tolist()[:2] == pytest.approx([0.0, 0.1])
    assert table["gap_to_best_bound"].tolist()[:2] == pytest.approx([0.0, 0.1])
    assert table["gap_to_best_bound"][5] == pytest.approx(0.6)
    assert table["gap_to_best_known"][[2, 3, 4, 6]].isna().all(), "nothing feasible: no gap, not 0"
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


def test_a_campaign_without_a_sweep_draws_nothing(tmp_path: Path) -> None:
    text = 'name = "test"\ntime_limit_s = 5\n[[methods]]\nname = "larac"\n'
    result = run(tmp_path, text + '[[instances]]\ngroup = "g"\ninstances = ["balexnet-cifar10"]\n')
    assert result.exit_code == 0
    assert not (tmp_path / "results" / "test" / "figures").exists()


def test_a_terminal_gets_a_live_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=StringIO(), force_terminal=True, width=200)
    monkeypatch.setattr("finbench.benchmarks.terminal.console.output", lambda: screen)
    report = run_and_report(load_campaign(write(tmp_path)), tmp_path / "results", run_locally)
    assert len(report.rows) == 35
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "0/35" in shown
    assert "failed" in shown
