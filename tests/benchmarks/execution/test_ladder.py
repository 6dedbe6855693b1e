"""Ladder campaigns: ladders climbed run by run, strikes, censoring, growth, plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from finbench.benchmarks.analysis.ladder_growth import censored, growth_table, growths
from finbench.benchmarks.campaigns.ladder import LadderCampaign, load_ladder_campaign
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.execution.ladder import climb, run_ladders
from finbench.benchmarks.execution.plan import Run
from finbench.benchmarks.execution.task import Finished
from finbench.benchmarks.rows.columns import CENSORED
from finbench.benchmarks.rows.row import failure_columns
from finbench.models.instance import Instance
from finbench.models.io import InputError, shipped
from finbench.models.result import Status
from tests.benchmarks.conftest import made_up_row, write_results

CAMPAIGN: dict[str, Any] = {
    "name": "tiny",
    "time_limit_s": 5.0,
    "methods": [
        {"name": "label-setting"},
        {"name": "fin", "options": {"gamma": 20, "engine": ["networkx", "arrays"]}},
    ],
    "families": [
        {"group": "dense", "family": "dense", "nodes": [4, 6, 9], "blocks": [4], "exits": [1], "seeds": [0, 1]}
    ],
}


def campaign(**changes: Any) -> LadderCampaign:
    return LadderCampaign.model_validate({**CAMPAIGN, **changes})


def test_strikes_stop_the_climb_and_the_rest_is_censored() -> None:
    calls: list[tuple[int, str]] = []

    def make(run: Run) -> Finished:
        method, nodes = run.task.method.name, run.columns["nodes"]
        calls.append((nodes, method))
        assert run.task.memory_limit_bytes == 8 * 2**30
        if method == "fin" and nodes >= 6:
            return Finished(run.task, failure_columns(Status.TIME_LIMIT, "too slow", 5.0, "killed"))
        columns = failure_columns(Status.NO_SOLUTION, "none", 99.0 if method == "larac" else 0.1, "returned")
        return Finished(run.task, columns)

    methods = [{"name": "fin"}, {"name": "label-setting"}, {"name": "larac"}]
    instances: list[Instance] = []
    rows = [row for row, _ in climb(campaign(strikes=2, methods=methods), make, instances.append)]
    assert len(rows) == 3 * 2 * 3
    assert len(instances) == 6
    assert [nodes for nodes, method in calls if method == "fin"] == [4, 4, 6, 6]
    assert [row["status"] for row in rows if row["method"] == "fin"][4:] == [CENSORED, CENSORED]
    overrun = [row for row in rows if row["method"] == "larac"][:2]
    assert [(row["status"], row["reason"]) for row in overrun] == [("time-limit", "took 99 s")] * 2
    assert all(row["status"] == CENSORED for row in rows if row["method"] == "larac" and row["nodes"] > 4)
    assert [row["status"] for row in rows if row["method"] == "label-setting"] == ["no-solution"] * 6
    assert all(row["arcs"] == 4 * (row["nodes"] + 2 * row["network_links"]) for row in rows)


def test_a_size_that_cannot_be_made_is_a_row_for_each_method(tmp_path: Path) -> None:
    bad = {"group": "g", "family": "tiered", "nodes": [1], "blocks": [4], "exits": [1], "seeds": [0]}
    runs, broken = run_ladders(campaign(families=[bad]), tmp_path, lambda _: None)
    assert broken == []
    assert [row["status"] for row in runs] == ["error"] * 3
    assert [row["exit"]["kind"] for row in runs] == ["not-made"] * 3


def test_whole_campaign_lands_on_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "tiny.toml"
    file.write_text(GOOD)
    result = CliRunner().invoke(app, ["scale", str(file), "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "Growth with size" in result.output
    folder = tmp_path / "tiny"
    assert "dense: methods side by side" in CliRunner().invoke(app, ["table", str(folder)]).output
    runs = pd.read_csv(folder / "runs.csv")
    assert len(runs) == len((folder / "runs.jsonl").read_text().splitlines()) == 4
    assert set(runs["status"]) <= {"optimal", "feasible", "no-solution"}
    assert (folder / "growth.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "tables.md").read_text().startswith("# Campaign tiny")


def rows_of(costs: dict[int, float], limit: float) -> pd.DataFrame:
    rows = [
        {
            "group": "g",
            "variant": "m",
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


def test_time_and_memory_growth_is_fitted() -> None:
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


def test_the_shipped_ladders_are_sound_and_bad_ones_refused(tmp_path: Path) -> None:
    assert "scale" in shipped("ladders")
    assert len(load_ladder_campaign("scale").families) == 5
    bad = tmp_path / "bad.toml"
    bad.write_text('name = "x"\ntime_limit_s = 1\nstrikes = 0\nfamilies = []\n')
    with pytest.raises(InputError) as error:
        load_ladder_campaign(str(bad))
    assert "bad.toml" in str(error.value)


BAD = {
    "method": ('name = "fin"', 'name = "finn"', "method 'finn'"),
    "option": ("gamma = 20", "gama = 20", "gama = 20"),
    "value": ("gamma = 20", "gamma = [20, 0]", "gamma = 0"),
    "family": ('family = "dense"', 'family = "dens"', "family = 'dens'"),
    "size": ("nodes = [4, 7]", "nodes = [4, 1000000000]", "nodes = 1000000000: must be at most 1000"),
    "blocks": ("blocks = [4]", "blocks = [4, 18446744073709551616]", "blocks = 18446744073709551616: must be at most"),
    "seeds": ("seeds = [0]", "seeds = [18446744073709551616]", "seeds"),
    "no method": (
        '[[methods]]\nname = "label-setting"\n[[methods]]\nname = "fin"\noptions = { gamma = 20 }\n',
        "",
        "methods",
    ),
}
GOOD = (
    'name = "tiny"\ntime_limit_s = 5\n[[methods]]\nname = "label-setting"\n'
    '[[methods]]\nname = "fin"\noptions = { gamma = 20 }\n'
    '[[families]]\ngroup = "dense"\nfamily = "dense"\nnodes = [4, 7]\nblocks = [4]\nexits = [1]\nseeds = [0]\n'
)


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_in_the_file_leaves_finished_ladders_alone(case: str, tmp_path: Path) -> None:
    write_results(tmp_path / "tiny", [made_up_row("a", "fin", objective=1.0)])
    before = {file.name: file.read_bytes() for file in (tmp_path / "tiny").iterdir()}
    old, new, named = BAD[case]
    assert old in GOOD
    file = tmp_path / "tiny.toml"
    file.write_text(GOOD.replace(old, new))
    for _ in range(2):
        result = CliRunner().invoke(app, ["scale", str(file), "-o", str(tmp_path)])
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
        assert "tiny.toml" in result.stderr
        assert named in result.stderr
    assert {file.name: file.read_bytes() for file in (tmp_path / "tiny").iterdir()} == before
    with pytest.raises(InputError):
        run_ladders(campaign(methods=[{"name": "finn"}]), tmp_path, lambda _: None)
    assert {file.name: file.read_bytes() for file in (tmp_path / "tiny").iterdir()} == before
