"""Scale campaigns: ladders climbed in processes of their own, strikes, censoring, growth, plots."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from benchmarks.isolated import IsolatedRun, run_isolated
from typer.testing import CliRunner

from benchmarks import scale
from benchmarks.campaign import Member
from benchmarks.cli import app
from benchmarks.scale import ScaleCampaign, climb, load_scale_campaign
from benchmarks.scale_growth import CENSORED, censored, growth_table, growths
from models.io import InputError, shipped
from models.result import Result, Status

MEMBER = Member("dense", nodes=5, blocks=4, exits=1, tightness=0.5, seed=0)
GIB = 2**30

CAMPAIGN: dict[str, Any] = {
    "name": "tiny",
    "time_limit_s": 5.0,
    "methods": [
        {"name": "label-setting"},
        {"name": "fin", "options": {"gamma": 20, "backend": ["networkx", "arrays"]}},
    ],
    "families": [
        {"group": "dense", "family": "dense", "nodes": [4, 6, 9], "blocks": [4], "exits": [1], "seeds": [0, 1]}
    ],
}


def campaign(**changes: Any) -> ScaleCampaign:
    return ScaleCampaign.model_validate({**CAMPAIGN, **changes})


def test_isolated_run_returns_what_the_method_found() -> None:
    run = run_isolated(MEMBER, "label-setting", {}, seed=0, time_limit_s=10, memory_limit_bytes=8 * GIB)
    assert run.result.status is Status.OPTIMAL
    assert run.peak_bytes is not None
    assert 0 <= run.peak_bytes < GIB


def test_peak_memory_is_that_of_the_run() -> None:
    options = {"gamma": 200_000, "backend": "arrays"}
    run = run_isolated(MEMBER, "fin", options, seed=0, time_limit_s=60, memory_limit_bytes=8 * GIB)
    rows = 5 * 5 * 200_001 * 8
    assert run.peak_bytes is not None
    assert 0.9 * rows < run.peak_bytes < 1.5 * rows


def test_memory_limit_ends_a_run_as_a_row() -> None:
    options = {"gamma": 20_000_000, "backend": "arrays"}
    run = run_isolated(MEMBER, "fin", options, seed=0, time_limit_s=60, memory_limit_bytes=2 * GIB)
    assert run.result.status is Status.MEMORY_LIMIT
    assert "GiB" in str(run.result.reason)


def test_a_run_that_ignores_its_limit_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.isolated.GRACE_S", 0.0)
    big = Member("dense", nodes=60, blocks=10, exits=1, tightness=0.5, seed=0)
    start = time.perf_counter()
    options = {"gamma": 200, "backend": "networkx"}
    run = run_isolated(big, "fin", options, seed=0, time_limit_s=0.5, memory_limit_bytes=8 * GIB)
    assert run.result.status is Status.TIME_LIMIT
    assert run.peak_bytes is None
    assert time.perf_counter() - start < 60


def test_a_process_that_dies_is_an_error_with_its_code() -> None:
    unknown = Member("no-such-family", nodes=5, blocks=4, exits=1, tightness=0.5, seed=0)
    run = run_isolated(unknown, "larac", {}, seed=0, time_limit_s=5, memory_limit_bytes=8 * GIB)
    assert run.result.status is Status.ERROR
    assert "code" in str(run.result.reason)


def test_strikes_stop_the_climb_and_the_rest_is_censored(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, str]] = []

    def fake(member: Member, method: str, options: Any, **_: Any) -> IsolatedRun:
        calls.append((member.nodes, method))
        if method == "fin" and member.nodes >= 6:
            return IsolatedRun(Result(Status.TIME_LIMIT, times_s={"search": 5.0}), None)
        if method == "larac":
            return IsolatedRun(Result(Status.NO_SOLUTION, times_s={"search": 99.0}), 1)
        return IsolatedRun(Result(Status.NO_SOLUTION, times_s={"search": 0.1 * member.nodes}), 10**7)

    monkeypatch.setattr(scale, "run_isolated", fake)
    methods = [{"name": "fin"}, {"name": "label-setting"}, {"name": "larac"}]
    lines: list[str] = []
    rows = [row for row, _ in climb(campaign(strikes=2, methods=methods), lines.append)]
    assert len(rows) == 3 * 2 * 3
    assert [nodes for nodes, method in calls if method == "fin"] == [4, 4, 6, 6]
    assert [row["status"] for row in rows if row["method"] == "fin"][4:] == [CENSORED, CENSORED]
    assert [row["status"] for row in rows if row["method"] == "larac"][:2] == ["time-limit", "time-limit"]
    assert all(row["status"] == CENSORED for row in rows if row["method"] == "larac" and row["nodes"] > 4)
    assert [row["status"] for row in rows if row["method"] == "label-setting"] == ["no-solution"] * 6
    assert len(lines) == len(calls)


def test_whole_campaign_lands_on_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "tiny.toml"
    text = (
        'name = "tiny"\ntime_limit_s = 5\n[[methods]]\nname = "label-setting"\n'
        '[[methods]]\nname = "fin"\noptions = { gamma = 20 }\n'
        '[[families]]\ngroup = "dense"\nfamily = "dense"\nnodes = [4, 7]\nblocks = [4]\nexits = [1]\nseeds = [0]\n'
    )
    file.write_text(text)
    result = CliRunner().invoke(app, ["scale", str(file), "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "Growth with size" in result.output
    folder = tmp_path / "tiny"
    assert "dense: over the 2 of 2 instances" in CliRunner().invoke(app, ["table", str(folder)]).output
    runs = pd.read_csv(folder / "runs.csv")
    assert len(runs) == len((folder / "runs.jsonl").read_text().splitlines()) == 4
    assert set(runs["status"]) <= {"optimal", "feasible", "no-solution"}
    assert (folder / "growth.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "tables.md").read_text().startswith("# Campaign tiny")


def rows_of(costs: dict[int, float], limit: float) -> pd.DataFrame:
    rows = [
        {
            "group": "g",
            "label": "m",
            "arcs": arcs,
            "time_s": min(cost, limit),
            "limit_s": limit,
            "found": cost < limit,
            "status": "optimal" if cost < limit else CENSORED,
            "peak_bytes": 100.0 * 2**20 * arcs if cost < limit else None,
        }
        for arcs, cost in costs.items()
    ]
    return pd.DataFrame(rows)


def test_growth_of_time_and_memory() -> None:
    runs = rows_of({10**k: 1e-4 * 10 ** (1.5 * k) for k in range(1, 6)}, limit=200.0)
    assert censored(runs).sum() == 1
    time_fit, memory_fit = growths(runs)["g", "m"]
    assert time_fit is not None
    assert memory_fit is not None
    assert time_fit.exponent == pytest.approx(1.5, abs=0.02)
    assert time_fit.censored == 1
    assert memory_fit.exponent == pytest.approx(1.0, abs=0.01)
    (row,) = growth_table(runs).rows
    assert row[:5] == ("g", "m", "5", "1", "10000")


def test_shipped_scale_campaign_and_bad_ones(tmp_path: Path) -> None:
    assert "scale" in shipped("ladders")
    assert len(load_scale_campaign("scale").families) == 5
    bad = tmp_path / "bad.toml"
    bad.write_text('name = "x"\ntime_limit_s = 1\nstrikes = 0\nfamilies = []\n')
    with pytest.raises(InputError) as error:
        load_scale_campaign(str(bad))
    assert "bad.toml" in str(error.value)


def test_no_process_is_left_behind() -> None:
    run_isolated(MEMBER, "larac", {}, seed=0, time_limit_s=5, memory_limit_bytes=8 * GIB)
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    commands = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
    assert all(b"forkserver" in command or b"resource_tracker" in command for command in commands)
