"""`finbench table` and `finbench plot` on what a campaign has left."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from finbench.benchmarks.analysis.dimensions import DIMENSIONS
from finbench.benchmarks.analysis.measures import MEASURES
from finbench.benchmarks.analysis.table import csv_text
from finbench.benchmarks.cli.app import app
from tests.benchmarks.conftest import OPTIMUM_J

CAMPAIGN = """
name = "tiny"
time_limit_s = 5
[[methods]]
name = "label-setting"
[[methods]]
name = "fin"
options = { gamma = [10, 100] }
[[instances]]
group = "own & targets"
instances = ["balexnet-cifar10", "bresnet-cifar10"]
[[instances]]
group = "looser"
instances = ["balexnet-cifar10"]
max_latency_s = [0.007]
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("campaign")
    (folder / "tiny.toml").write_text(CAMPAIGN)
    made = finbench("run", folder / "tiny.toml", "-o", folder)
    assert made.exit_code == 0, made.output
    assert "own & targets: methods side by side" in made.stdout
    return folder / "tiny"


def finbench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_markdown_is_what_the_campaign_wrote(results: Path) -> None:
    shown = finbench("table", results)
    assert shown.exit_code == 0
    written = (results / "tables.md").read_text()
    sections = shown.stdout.split("\n\n- ")[0]
    assert sections in written
    assert re.search(r"^\| fin \(γ = 10\) \| 100 \| 50 \| ", shown.stdout, re.MULTILINE)


def test_csv_is_one_table_with_every_digit(results: Path, tmp_path: Path) -> None:
    arguments = ("table", results, "--format", "csv", "--columns", "energy,time")
    finbench(*arguments, "-o", tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv")
    assert table["group"].tolist() == ["own & targets"] * 3 + ["looser"] * 3
    assert table["energy_count"].tolist() == [2] * 3 + [1] * 3
    runs = pd.read_csv(results / "runs.csv")
    exact = runs.loc[(runs["method"] == "label-setting") & (runs["group"] == "own & targets"), "objective"]
    assert table["energy_mJ"].iloc[0] == pytest.approx(1e3 * exact.mean(), rel=1e-12)
    assert exact.max() == pytest.approx(OPTIMUM_J, rel=1e-6)
    assert table.equals(pd.read_csv(StringIO(finbench(*arguments).stdout)))


def test_latex_is_a_whole_table_that_names_what_it_is(results: Path) -> None:
    text = finbench("table", results, "--format", "latex", "--label", "tab:a", "--caption", "50 % of a_b").stdout
    for part in (r"\toprule", r"\bottomrule", r"\label{tab:a}", r"\caption{50 \% of a\_b}", r"own \& targets"):
        assert text.count(part) == 1
    assert "fin ($\\gamma$ = 10)" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--columns", "speed"], "'speed': no such measure; known: answered, "),
        (["--methods", "fin,best"], "method 'best': not here; known: label-setting, fin, fin (gamma=10)"),
        (["--groups", "own"], "group 'own': not here; known: own & targets, looser"),
        (["--by", "colour"], "'colour': nothing that runs differ in; known: nodes, blocks"),
        (["--by", "load"], "'load': no run of these has a value of it; known: nodes, blocks"),
        (
            ["--baseline", "fin"],
            "baseline 'fin': ran with several options; name one of: fin (gamma=10); fin (gamma=100)",
        ),
        (["--columns", "saving"], "column 'saving': needs a method to compare with: --baseline METHOD"),
        (["--label", "a b}"], "--label: 'a b}': must be letters"),
    ],
    ids=lambda case: case if isinstance(case, str) else " ".join(case),
)
def test_what_is_not_there_is_one_line_with_what_is(results: Path, arguments: list[str], said: str) -> None:
    refused = finbench("table", results, *arguments)
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert said in refused.stderr


@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_plot_writes_each_format(results: Path, tmp_path: Path, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"profile.{suffix}"
    assert finbench("plot", results, "-o", path, "--gap", "0.05").exit_code == 0
    assert path.read_bytes().startswith(magic)
    assert path.stat().st_size > 5_000


@pytest.mark.parametrize("command", [["table"], ["plot", "-o", "x.png"], ["compare-results", "."], ["leaderboard"]])
def test_a_folder_without_results_is_one_line(tmp_path: Path, command: list[str]) -> None:
    refused = finbench(*command, tmp_path)
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "cannot be read" in refused.stderr


def test_a_picture_of_another_kind_is_refused(results: Path, tmp_path: Path) -> None:
    refused = finbench("plot", results, "-o", tmp_path / "profile.gif")
    assert refused.exit_code == 2
    assert "must end in .png, .pdf, .svg" in refused.stderr


def test_csv_holds_no_formula_and_every_digit() -> None:
    text = csv_text(
        pd.DataFrame(
            {
                "group": ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "b=1", "–", None],
                "objective": [-0.1, 1 / 3, *[None] * 6],
                "mixed": pd.Series([-1, None, "-1", 2, 3, 4, 5, 6], dtype=object),
            }
        )
    )
    head, *rows = text.splitlines()
    assert head == "group,objective,mixed"
    assert rows[:4] == ["'=cmd|' /C calc'!A0,-0.1,-1", "'+1,0.3333333333333333,", "'-1,,'-1", "'@x,,2"]
    assert rows[4:] == ["'\tx,,3", "b=1,,4", "–,,5", ",,6"]


def test_csv_of_harmless_texts_is_as_pandas_writes_it() -> None:
    frame = pd.DataFrame({"a": ["x", None], "b": [1, 2], "c": [True, None], "d": [None, 1]}, dtype=object)
    assert csv_text(frame) == frame.to_csv(index=False)


@pytest.mark.parametrize("command", ["table", "plot"])
def test_help_lists_every_measure_and_dimension(command: str) -> None:
    shown = " ".join(re.sub(r"[│╭╰─╮╯]", " ", finbench(command, "--help").stdout).split())
    dimensions = ", ".join(DIMENSIONS)
    assert re.search(re.escape(dimensions).replace(r",\ ", r",\s.*?"), shown)
    assert command == "plot" or all(re.search(rf"\b{name}\b", shown) for name in MEASURES)


def test_a_measure_is_drawn_against_a_dimension(results: Path, tmp_path: Path) -> None:
    asked = ("--what", "gap", "--against", "gamma", "--style", "ieee", "--width", "column")
    assert finbench("plot", results, *asked, "-o", tmp_path / "gap.svg").exit_code == 0
    assert (tmp_path / "gap.svg").stat().st_size > 5_000
    refused = finbench("plot", results, "--what", "gap", "--against", "load", "-o", tmp_path / "x.png")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / "x.png").exists()
