"""`finbench table` and `finbench plot` on what a campaign has left, and the LaTeX they write."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from finbench.benchmarks.analysis.table import TextTable, csv_text
from finbench.benchmarks.cli.app import app

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
    assert "over the 2 of 2 instances that all methods share" in made.stdout
    return folder / "tiny"


def finbench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_markdown_is_what_the_campaign_wrote(results: Path) -> None:
    shown = finbench("table", results)
    assert shown.exit_code == 0
    assert "| fin (gamma=10) | 1 | 1 | 1 | 1 | 0 |" in shown.stdout
    assert shown.stdout in (results / "tables.md").read_text()


def test_csv_is_one_table_with_every_digit(results: Path, tmp_path: Path) -> None:
    finbench("table", results, "--format", "csv", "-o", tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv")
    assert table["group"].tolist() == ["own & targets"] * 3 + ["looser"] * 3
    assert table["shared"].tolist() == [2] * 3 + [1] * 3
    assert table.equals(pd.read_csv(StringIO(finbench("table", results, "--format", "csv").stdout)))


def test_latex_has_rules_of_booktabs_escapes_and_units(results: Path) -> None:
    text = finbench("table", results, "--format", "latex").stdout
    for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{lrrrrrrrrr}", r"\end{tabular}"):
        assert text.count(rule) == 2
    assert r"geometric mean, shift 10 s [s] &" in text
    assert r"median gap [\%] \\" in text
    assert not any("&" in line for line in text.splitlines() if line.startswith(r"\bottomrule"))


def test_special_characters_are_escaped_for_latex() -> None:
    text = TextTable("50 %\nof", ("a_b", "c"), ((r"\~^&%$#{}<>", "≥ 1"), ("γ=1|2", "–")), text_columns=1).latex()
    assert r"a\_b & c \\" in text
    escaped = r"\textbackslash{}\textasciitilde{}\textasciicircum{}\&\%\$\#\{\}\textless{}\textgreater{}"
    assert escaped + r" & $\geq$ 1 \\" in text
    assert r"$\gamma$=1|2 & -- \\" in text
    assert text.startswith("% 50 % of; needs"), "a comment stays on its line"
    assert r"\begin{tabular}{lr}" in text


@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_plot_writes_each_format(results: Path, tmp_path: Path, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"profile.{suffix}"
    assert finbench("plot", results, "-o", path, "--gap", "0.05").exit_code == 0
    assert path.read_bytes().startswith(magic)
    assert path.stat().st_size > 5_000


@pytest.mark.parametrize("command", [["table"], ["plot", "-o", "x.png"], ["compare-results", "."]])
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
