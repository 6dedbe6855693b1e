"""Blocks priced, claims measured, figures filled: each against numbers known beforehand."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from markupsafe import Markup

import finbench.benchmarks.report
from finbench.benchmarks.analysis.claims import MATCHES, SAVING, TARGETS
from finbench.benchmarks.analysis.claims_of_runs import UNKNOWN, claims_of_runs
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.units import sized
from finbench.benchmarks.judging.judged import judge_deployment
from finbench.benchmarks.report.charts import frontier_chart, gap_chart, profile_chart, trajectory_chart
from finbench.benchmarks.report.columns import packed, run_columns
from finbench.benchmarks.report.growth_chart import growth_chart, with_sizes
from finbench.benchmarks.report.methods_table import facts_of
from finbench.benchmarks.report.pictures import MOST_APPLICATIONS, Gallery
from finbench.benchmarks.report.summary import environment_rows, sentences
from finbench.benchmarks.report.together import NO_BREAK, together
from finbench.fin_graph.label_setting import solve
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Accounting, Instance, LatencyKind
from finbench.models.io import load_instance
from finbench.models.step_costs import step_costs
from tests.benchmarks.conftest import made_up_row
from tests.benchmarks.report.conftest import TRAJECTORY, several_applications
from tests.random_instances import random_instance

SPLIT = [
    load_instance(name).with_overrides(accounting=accounting, latency_kind=kind)
    for name in ("balexnet-cifar10", "bresnet-cifar10", "blenet-mnist")
    for accounting in Accounting
    for kind in (LatencyKind.FULL_DEPTH, LatencyKind.EXPECTED)
]
"""Instances whose optimum lies on several nodes."""


@pytest.mark.parametrize("instance", [*SPLIT, *(random_instance(seed) for seed in range(12))])
def test_blocks_sum_to_what_the_evaluator_says(instance: Instance) -> None:
    found = solve(instance).deployment
    if found is None:
        return
    (app,), (decision,) = instance.applications, found.deployments
    (costs,) = evaluate(instance, found).applications
    made = list(step_costs(instance, app, decision))
    assert tuple(step.node.name for step in made) == decision.placement
    assert sum(step.compute_energy_j for step in made) == pytest.approx(costs.compute_energy_j, rel=1e-12)
    assert sum(step.transfer_energy_j for step in made) == pytest.approx(costs.transfer_energy_j, rel=1e-12, abs=0)
    assert sum(step.compute_s + step.transfer_s for step in made) == pytest.approx(costs.latency_s, rel=1e-12)


def test_a_reserved_share_stretches_the_block_not_its_energy() -> None:
    instance = load_instance("balexnet-cifar10")
    (app,) = instance.applications
    nodes = ("device",) * 5
    whole, half = (
        list(
            step_costs(
                instance, app, ApplicationDeployment(application=app.name, last_exit=3, placement=nodes, shares=menu)
            )
        )
        for menu in (None, (0.5,) * 5)
    )
    assert [step.compute_s for step in half] == [2 * step.compute_s for step in whole]
    assert [step.compute_energy_j for step in half] == [step.compute_energy_j for step in whole]


def fin(instance: str, gamma: int, objective: float | None, **fields: Any) -> dict[str, Any]:
    return made_up_row(
        instance, "fin", variant=f"fin (gamma={gamma})", options={"gamma": gamma}, objective=objective,
        status="no-solution" if objective is None else "feasible", accounting="expected", **fields,
    )  # fmt: skip


def exact(instance: str, objective: float, **fields: Any) -> dict[str, Any]:
    return made_up_row(
        instance, "label-setting", objective=objective, lower_bound=objective, status="optimal", accounting="expected",
        **fields,
    )  # fmt: skip


def mcp(instance: str, objective: float) -> dict[str, Any]:
    return made_up_row(instance, "mcp", objective=objective, status="feasible", accounting="expected")


RUNS = [
    *(exact("a", 1.0), fin("a", 5, 2.0), fin("a", 10, 1.0), mcp("a", 4.0)),
    *(exact("b", 2.0), fin("b", 5, None), fin("b", 10, 2.0), mcp("b", 2.5)),
]


def test_claims_are_judged_from_rows() -> None:
    claims = claims_of_runs(frame(RUNS))
    assert (claims.points, claims.solvable) == (2, 2)
    assert [(row.gamma, row.matched, row.missed, row.worst_gap) for row in claims.matches] == [
        (5, 0, 1, 1.0),
        (10, 2, 0, 0.0),
    ]
    assert [(row.case, row.mean) for row in claims.savings] == [
        ("a (expected)", 0.75),
        ("b (expected)", pytest.approx(0.2)),
    ]
    assert [(claim.claim, claim.verdict) for claim in claims.claims] == [
        (MATCHES, "holds only if γ ≥ 10"),
        (SAVING, "holds only if a (expected)"),
        (TARGETS, "holds"),
    ]


def test_claims_without_evidence_in_the_rows_are_unknown() -> None:
    without_rival = claims_of_runs(frame([row for row in RUNS if row["method"] != "mcp"]))
    assert [claim.verdict for claim in without_rival.claims] == ["holds only if γ ≥ 10", UNKNOWN, "holds"]
    without_proof = claims_of_runs(frame([row for row in RUNS if row["method"] != "label-setting"]))
    assert {claim.verdict for claim in without_proof.claims} == {UNKNOWN}
    without_fin = claims_of_runs(frame([exact("a", 1.0)]))
    assert {claim.verdict for claim in without_fin.claims} == {UNKNOWN}


def test_an_instance_that_one_resolution_did_not_run_on_is_left_out() -> None:
    claims = claims_of_runs(frame([*RUNS, exact("c", 1.0), fin("c", 10, 9.0), mcp("c", 1.0)]))
    assert claims.points == 2


def test_an_instance_proven_infeasible_is_a_point_but_not_solvable() -> None:
    refuted = made_up_row("c", "label-setting", status="infeasible", accounting="expected")
    claims = claims_of_runs(frame([*RUNS, refuted, fin("c", 5, None), fin("c", 10, None)]))
    assert (claims.points, claims.solvable) == (3, 2)


def test_gap_chart_holds_worst_and_mean() -> None:
    gammas = {5: 2.0, 10: 1.5, 20: 1.1, 50: 1.0}
    chart = gap_chart(frame([exact("a", 1.0), *(fin("a", gamma, energy) for gamma, energy in gammas.items())]))
    assert chart
    gaps, shares = chart.views[0].panels
    assert {series.name: series.y for series in gaps.series}["g: worst"] == pytest.approx([100, 50, 10, 0])
    assert {series.name: series.y for series in shares.series}["g: matched"] == [0, 0, 0, 100]
    assert gap_chart(frame(RUNS)) is None, "two resolutions are no curve"


def test_profile_chart_is_a_staircase_from_the_first_ratio() -> None:
    quick, slow = exact("a", 1.0, time_s=1.0), fin("a", 5, 1.0, time_s=4.0)
    chart = profile_chart(frame([quick, slow]))
    assert chart
    first, second = chart.views[0].panels[0].series
    assert (first.x, first.y) == ([1.0, pytest.approx(5.2)], [100, 100])
    assert (second.x, second.y) == ([1.0, 4.0, pytest.approx(5.2)], [0, 100, 100])


def test_frontier_chart_has_a_view_for_each_accuracy_target() -> None:
    grid = [(0.1, 3.0), (0.2, 2.0), (0.3, 1.0)]
    rows = [
        exact(f"{delta}{alpha}", energy, max_latency_s=delta, min_accuracy=alpha, latency_kind="full_depth")
        | {"instance": "a"}
        for alpha in (0.5, 0.7)
        for delta, energy in grid
    ]
    chart = frontier_chart(frame(rows))
    assert chart
    assert [view.name for view in chart.views] == [f"a, expected accounting, α ≥ {alpha}" for alpha in (0.5, 0.7)]
    for series in chart.views[0].panels[0].series:
        assert (series.x, series.y) == ([0.1, 0.2, 0.3], [3.0, 2.0, 1.0])
    assert frontier_chart(frame(rows[:2])) is None
    assert frontier_chart(frame(RUNS)) is None


def test_trajectories_start_where_there_is_something_to_show() -> None:
    row = exact("a", 3.0, info={"trajectory": TRAJECTORY})
    chart = trajectory_chart([row], frame([row]))
    assert chart
    incumbent, bound = chart.views[0].panels[0].series
    assert (incumbent.x, incumbent.y) == ([0.2, 0.4, 0.5], [4.0, 3.0, 3.0])
    assert (bound.x, bound.y, bound.dashed) == ([0.1, 0.2, 0.4, 0.5], [1.0, 2.0, 2.5, 3.0], True)
    assert trajectory_chart(RUNS, frame(RUNS)) is None


def test_growth_chart_fits_lines_and_marks_limits() -> None:
    rows = [exact(str(arcs), 1.0, arcs=arcs, time_s=arcs**2 / 1000) for arcs in (10, 20, 40, 80)]
    rows.append(made_up_row("160", "label-setting", status="time-limit", arcs=160, time_s=25.0, limit_s=25.0))
    made = growth_chart(with_sizes(frame(rows), {}))
    assert made
    (panel,) = made[0].views[0].panels
    points, ended, fit, band = panel.series
    assert list(zip(points.x, points.y, strict=True)) == [(10, 0.1), (20, 0.4), (40, 1.6), (80, 6.4)]
    assert (list(ended.x), list(ended.y), ended.limit) == ([160], [25.0], True)
    assert fit.name.startswith("label-setting: exponent 2.0")
    assert all(low <= high for low, high in zip(band.y, band.high, strict=True))
    assert growth_chart(with_sizes(frame(RUNS), {})) is None


def test_sentences_name_who_meets_the_optimum() -> None:
    runs = frame(RUNS)
    said = sentences(runs, claims_of_runs(runs), facts_of(runs))
    assert "Every run there of label-setting and fin (gamma=10) meets it." in said[2]
    assert said[3].endswith("that every γ ran on from γ = 10 on.")
    assert isinstance(runs, pd.DataFrame)


@pytest.mark.parametrize(("value", "text"), [(12.0, "12 s"), (0.0123, "12.3 ms"), (5e-6, "5 µs"), (0.0, "0 s")])
def test_times_are_written_in_readable_units(value: float, text: str) -> None:
    assert sized(value, "s") == text


def test_of_many_applications_the_first_are_drawn() -> None:
    instance = several_applications(MOST_APPLICATIONS + 2)
    decisions = tuple(
        ApplicationDeployment(application=app.name, last_exit=1, placement=("device",)) for app in instance.applications
    )
    gallery = Gallery()
    table = gallery.instance(instance)
    number = gallery.placement(judge_deployment(instance, Deployment(deployments=decisions)))
    gallery.finish()
    assert (table["several"], len(table["applications"])) == (MOST_APPLICATIONS + 2, MOST_APPLICATIONS)
    assert number == 0
    assert len(gallery.placements[0]["applications"]) == MOST_APPLICATIONS
    assert gallery.networks[0]["all_nodes"] == 3


def test_a_deployment_that_is_none_is_not_drawn() -> None:
    instance = several_applications(1)
    lost = ApplicationDeployment(application="user 0", last_exit=1, placement=("nowhere",))
    assert Gallery().placement(judge_deployment(instance, Deployment(deployments=(lost,)))) is None


def test_what_an_environment_does_not_name_is_said_by_its_kind() -> None:
    none = {
        "cpu": "c",
        "git": None,
        "versions": {"numpy": None},
        "solvers": {"cbc": None},
        "threads": {"OMP_NUM_THREADS": None, "MKL_NUM_THREADS": "2"},
    }
    assert dict(environment_rows([{"environment": none}])) == {
        "processor": "c",
        "git": "no checkout",
        "versions: numpy": "not installed",
        "solvers: cbc": "not installed",
        "threads: OMP_NUM_THREADS": "not set",
        "threads: MKL_NUM_THREADS": "2",
    }


def test_memory_of_a_machine_is_said_in_its_unit() -> None:
    assert environment_rows([{"environment": {"ram_bytes": 24 * 2**30}}]) == [("memory", "24.0 GiB")]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a limit of 10 s.", "a limit of 10_s."),
        ("gap ≤ 0.01 %", "gap ≤_0.01_%"),
        ("34 Gbit/s to 13 Tbit/s", "34_Gbit/s to 13_Tbit/s"),
        ("FIN meets it, γ = 1000", "FIN meets it, γ_=_1000"),
        ("6 B-LeNet of 3 groups", "6 B-LeNet of 3 groups"),
    ],
)
def test_numbers_keep_their_units_on_one_line(text: str, kept: str) -> None:
    assert together(text) == kept.replace("_", NO_BREAK)
    assert together(Markup(text)) == text, "markup is left alone"
    assert together(3.5) == 3.5


def test_the_scripts_of_the_page_share_one_scope_and_declare_each_name_once() -> None:
    """A name that two of them declare is an error of syntax in the page that holds both: nothing would run."""
    folder = Path(next(iter(finbench.benchmarks.report.__path__))) / "templates"
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.js")]
    names = Counter(re.findall(r"^(?:const|let|class|(?:async )?function\*?) (\w+)", "\n".join(texts), re.MULTILINE))
    assert len(names) > 50
    assert [name for name, times in names.items() if times > 1] == []


def test_a_campaign_of_one_group_keeps_its_name_for_the_search() -> None:
    rows = [made_up_row("a", "fin", objective=1.0), made_up_row("b", "fin", objective=1.0)]
    columns = packed(run_columns(frame(rows), [None, None])["runs"])
    assert columns["group"] == {"texts": ["g"], "names": [["g"]]}
