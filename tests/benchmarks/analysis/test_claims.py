"""The verdicts follow from the figures by rule; the figures come from runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.analysis import claims_of_grids as of_grids
from finbench.benchmarks.analysis.claim_tables import match_table, saving_table
from finbench.benchmarks.analysis.claims import (
    VARIANTS,
    MatchRow,
    Point,
    SavingRow,
    match_row,
    matches_claim,
    saving_claim,
    saving_rows,
    targets_claim,
)
from finbench.benchmarks.analysis.claims_of_grids import claims_of_grids
from finbench.benchmarks.cli.app import app


def point(optimum: float | None, fin: float | None, baseline: float | None = None, case: str = "c") -> Point:
    return Point(case, optimum, {10: fin}, baseline, 0)


def test_fin_is_compared_where_a_deployment_exists() -> None:
    points = [point(1.0, 1.0), point(1.0, 1.5), point(1.0, None), point(None, None), point(1.0, 1.0 + 5e-7)]
    row = match_row(points, 10)
    assert (row.points, row.matched, row.missed) == (4, 2, 1)
    assert row.worst_gap == pytest.approx(0.5)
    assert row.mean_gap == pytest.approx(0.5 / 3, rel=1e-5)


def test_nothing_found_gives_no_gap() -> None:
    assert match_row([point(1.0, None)], 10) == MatchRow(10, 1, 0, 1, None, None)


@pytest.mark.parametrize(
    ("matched", "verdict"),
    [
        ([4, 4, 4], "holds"),
        ([3, 4, 4], "holds only if γ ≥ 100"),
        ([3, 3, 4], "holds only if γ ≥ 1000"),
        ([4, 3, 4], "holds only if γ ≥ 1000"),
        ([4, 4, 3], "does not hold"),
        ([0, 0, 0], "does not hold"),
    ],
)
def test_the_verdict_on_the_optimum_names_the_gamma_that_suffices(matched: list[int], verdict: str) -> None:
    rows = [MatchRow(gamma, 4, m, 0, 0.0, 0.0) for gamma, m in zip((10, 100, 1000), matched, strict=True)]
    assert matches_claim(rows).verdict == verdict


def test_a_point_that_fin_misses_is_not_matched() -> None:
    assert matches_claim([MatchRow(10, 4, 3, 1, 0.0, 0.0)]).verdict == "does not hold"


def test_savings_are_summed_up_by_case() -> None:
    points = [
        point(1.0, 1.0, 4.0),
        point(1.0, 1.0, 2.0),
        point(1.0, None, 2.0),
        point(1.0, 1.0),
        point(1.0, 1.0, 1.0, "d"),
    ]
    first, second = saving_rows(points, 10)
    assert (first.case, first.points, first.share_above) == ("c", 2, 0.5)
    assert (first.mean, first.least, first.median, first.most) == pytest.approx((0.625, 0.5, 0.625, 0.75))
    assert (second.case, second.mean) == ("d", 0.0)
    measured = saving_claim([first, second], points, 10).measured
    assert "mean 41.67 % over the 3 points where both found a deployment, case means 0.00 % to 62.50 %" in measured
    assert measured.endswith("left out: 1 where only MCP found one, 1 where only FIN found one")
    assert (first.left_out, second.left_out) == (2, 0)


def test_a_mean_that_leaves_nothing_out_says_so() -> None:
    points = [point(1.0, 1.0, 4.0), point(None, None)]
    assert saving_claim(saving_rows(points, 10), points, 10).measured.endswith("; no point is left out")
    lost = [*points, point(1.0, None)]
    assert saving_claim(saving_rows(lost, 10), lost, 10).measured.endswith("left out: 1 where neither found one")
    (row,) = saving_table(saving_rows(lost, 10)).rows
    assert row[:3] == ("c", "1", "1")


def test_a_mean_gap_says_over_how_many_deployments() -> None:
    measured = matches_claim([match_row([point(1.0, 1.5), point(1.0, None)], 10)]).measured
    assert "mean gap 50.0000 %, worst 50.0000 %, over the 1 deployments found; missed 1 of 2" in measured


@pytest.mark.parametrize(
    ("means", "verdict"),
    [((0.7, 0.9), "holds"), ((0.7, 0.65), "holds only if case 0"), ((0.6, -0.1), "does not hold")],
)
def test_the_verdict_on_the_savings_follows_the_means(means: tuple[float, ...], verdict: str) -> None:
    rows = [SavingRow(f"case {k}", 1, mean, -1.0, 1.0, 1.0, 0.0) for k, mean in enumerate(means)]
    assert saving_claim(rows, [], 10).verdict == verdict


def test_one_violation_breaks_the_claim_on_targets() -> None:
    sound = targets_claim([point(1.0, 1.0), point(None, None), point(2.0, 2.5)])
    assert sound.verdict == "holds"
    assert sound.measured.startswith("2 deployments without a violation, over all γ; violations found: 0; ")
    lost = targets_claim([point(1.0, 1.0), point(1.0, None), point(None, None)])
    assert lost.measured.endswith("without a deployment where one exists: 1 of 2 runs")
    assert targets_claim([point(1.0, 1.0), Point("c", 1.0, {10: 1.0}, None, 1)]).verdict == "does not hold"


SMALL = """
name = "small"
time_limit_s = 5
[[methods]]
name = "fin"
[[instances]]
group = "not a grid"
instances = ["blenet-mnist"]
[[instances]]
group = "grid"
instances = ["balexnet-cifar10"]
max_latency_s = [0.0001, 0.003, 0.005]
min_accuracy = [0.5, 0.8]
"""


def test_claims_are_measured_on_the_grids_of_a_campaign(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    found = claims_of_grids(str(path), gammas=(10, 1000))
    assert (found.points, found.solvable, found.contradictions) == (6, 4, [])
    assert "send something over links of 560 Gbit/s to 4.5 Tbit/s" in found.transfers
    assert "say little about networks whose links are slow" in found.transfers
    low, high = found.matches
    assert low.worst_gap == pytest.approx(0.380642, abs=1e-6)
    assert (high.matched, high.missed, high.worst_gap) == (4, 0, 0.0)
    assert [claim.verdict for claim in found.claims[::2]] == ["holds only if γ ≥ 1000", "holds"]
    along = [row for row in found.variants if "cumulative" in row.variant and "band" not in row.variant]
    assert [(row.gamma, row.matched, row.missed) for row in along] == [(gamma, 4, 0) for gamma in (3, 10, 20, 30, 100)]
    bands = [row.variant for row in found.variants if "band" in row.variant]
    scripts = [f"gamma={gamma}, band={band}" for gamma, band in ((3, 1), (10, 1), (20, 1), (30, 5))]
    assert bands == [f"fin ({said}{rounding})" for rounding in ("", ", rounding=cumulative") for said in scripts]
    assert match_table(found.variants).rows[-1][:3] == ("fin (gamma=100, rounding=cumulative)", "4", "100.00")


def test_a_point_of_two_grids_counts_once(tmp_path: Path) -> None:
    """The second grid repeats two points of the first and adds one."""
    path = tmp_path / "overlapping.toml"
    again = """
[[instances]]
group = "overlapping grid"
instances = ["balexnet-cifar10"]
max_latency_s = [0.003, 0.005, 0.007]
min_accuracy = [0.8]
"""
    path.write_text(SMALL + again)
    found = claims_of_grids(str(path), gammas=(10,))
    assert (found.points, found.solvable) == (7, 5)


@pytest.mark.slow
def test_claims_on_the_published_grids_have_verdicts_without_contradictions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_grids, "VARIANTS", VARIANTS[:1])  # all of them, on fewer points, below
    result = CliRunner().invoke(app, ["claims", "--json"])
    shown = json.loads(result.stdout)
    assert result.exit_code == 0, shown["contradictions"]
    optimum, savings, targets = shown["claims"]
    assert optimum["verdict"].startswith("holds only if γ ≥ ")
    assert targets["verdict"] == "holds"
    assert savings["verdict"]
    assert shown["solvable"] == shown["fin_against_optimum"][-1]["points"] == 1660
    assert {row["case"] for row in shown["savings_against_mcp"]} >= {"balexnet-cifar10, full_depth"}


def test_claims_are_printed_with_verdicts_and_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    found = claims_of_grids(str(path), gammas=(10, 1000))
    monkeypatch.setattr("finbench.benchmarks.analysis.claims_of_grids.claims_of_grids", lambda: found)
    result = CliRunner().invoke(app, ["claims"])
    assert result.exit_code == 0
    for part in ("FIN matches the optimum", "holds only if γ ≥ 1000", "38.0642", "balexnet-cifar10, expected"):
        assert part in result.stdout
