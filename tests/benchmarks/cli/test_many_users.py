"""A small campaign of many users from its file to its figures, its rows and the claims that they decide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.rows.reading import load_rows

SMALL = """
name = "small"
time_limit_s = 10
[[methods]]
name = "fin"
options = { gamma = 10 }
[[methods]]
name = "mcp"
[[shared_families]]
group = "frugal targets"
family = "published-many"
nodes = [18]
applications = [3, 6, 12]
load = [0.05]
tightness = [1.0]
seeds = [1]
"""


@pytest.mark.slow
def test_a_campaign_of_many_users_leaves_rows_figures_and_claims(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(SMALL)
    assert CliRunner().invoke(app, ["run", str(file), "-o", str(tmp_path)]).exit_code == 0
    rows = load_rows(tmp_path / "small")
    assert len(rows) == 6
    for row in rows:
        assert row["plan"]["compute"] + row["plan"]["transfer"] == pytest.approx(row["objective"])
        assert sum(row["plan"]["last_exits"].values()) == row["applications"]
    figures = {path.name for path in (tmp_path / "small" / "figures").iterdir()}
    wanted = ("energy", "parts", "tiers", "exits")
    assert figures >= {f"{name}_by_applications.{suffix}" for name in wanted for suffix in ("png", "pdf")}
    shown = json.loads(CliRunner().invoke(app, ["claims", str(tmp_path / "small"), "--json"]).stdout)
    coexist, saving = shown["many_applications"]["claims"]
    assert coexist["verdict"] == "holds"
    assert saving["verdict"] == "does not hold"
    picture = tmp_path / "tiers.svg"
    asked = ["plot", str(tmp_path / "small"), "--what", "tiers", "--style", "ieee", "--width", "column"]
    assert CliRunner().invoke(app, [*asked, "-o", str(picture)]).exit_code == 0
    assert picture.stat().st_size > 10_000
