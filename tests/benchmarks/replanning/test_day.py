"""A day of drift: what each policy must do, and that numbers depend on nothing but the day."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from matplotlib.patches import Rectangle
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.methods import run_method
from finbench.benchmarks.plots.day import draw_day
from finbench.benchmarks.replanning.policies import Course, Planner, Policy, PolicyOptions, live
from finbench.models.day import Day, Period, in_period, load_day
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import InputError, load_instance
from finbench.models.moving import Migration

Courses = dict[tuple[Policy, Planner], Course]


def lived(options: PolicyOptions | None = None) -> tuple[Day, Instance, Courses]:
    day, instance = load_day("three-tier")
    return day, instance, {(one.policy, one.planner): one for one in live(day, instance, options)}


def test_policies_do_what_they_say() -> None:
    day, instance, courses = lived(PolicyOptions(Migration(fixed_cost_per_block=3000.0)))
    for planner in Planner:
        never, always, threshold, moving = (courses[policy, planner] for policy in Policy)
        assert never.moved == 0
        assert never.broken_s == 7200.0  # at noon the device has more to do than it can
        assert always.broken_s == threshold.broken_s == moving.broken_s == 0.0
        assert always.moved > 0
        assert moving.running + moving.moving <= always.running + always.moving
        assert moving.moving <= always.moving
    exact = courses[Policy.ALWAYS, Planner.EXACT]
    for period, one in zip(day.periods, exact.periods, strict=True):
        optimum = run_method(in_period(instance, period), "label-setting").claimed_objective
        assert one.objective == pytest.approx(optimum, rel=1e-9)
    assert exact.running == pytest.approx(sum((p.objective or 0.0) * p.duration_s for p in exact.periods))


def test_where_moving_is_free_the_exact_policy_that_weighs_it_runs_as_the_one_that_always_replans() -> None:
    _, _, courses = lived()
    always, moving = (courses[policy, Planner.EXACT] for policy in (Policy.ALWAYS, Policy.MOVING))
    assert moving.running + moving.moving == pytest.approx(always.running + always.moving, rel=1e-4)


def test_a_threshold_that_nothing_exceeds_changes_only_plans_that_break() -> None:
    _, _, courses = lived(PolicyOptions(threshold=1e9))
    assert courses[Policy.THRESHOLD, Planner.EXACT].broken_s == 0.0
    assert courses[Policy.THRESHOLD, Planner.EXACT].moved < courses[Policy.ALWAYS, Planner.EXACT].moved


def test_a_period_changes_what_it_names_and_nothing_else() -> None:
    _, instance = load_day("three-tier")
    assert in_period(instance, Period(duration_s=1.0)) == instance
    link = instance.network.links[0]
    factors = {"all": 2.0, f"{link.source}->{link.target}": 0.5}
    period = Period(duration_s=1.0, rates={"all": 3.0}, early_exits={"all": 0.5}, links=factors)
    after = in_period(instance, period)
    assert after.applications[0].rate_per_s == 3 * instance.applications[0].weight
    bandwidths = zip(after.network.links, instance.network.links, strict=True)
    ratios = [new.bandwidth_bit_per_s / old.bandwidth_bit_per_s for new, old in bandwidths]
    assert ratios == [0.5, *(2.0 for _ in ratios[1:])]
    *early, last = (one.exit_fraction for one in after.dnns[0].exits)
    assert early == [one.exit_fraction / 2 for one in instance.dnns[0].exits[:-1]]
    assert sum(early) + last == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("period", "says"),
    [
        ({"rates": {"nobody": 1.0}}, "application of the instance, or all"),
        ({"links": {"a->b": 1.0}}, "link, n->m,"),
        ({"early_exits": {"all": 9.0}}, "would take"),
    ],
)
def test_a_period_that_does_not_fit_is_refused_in_one_line(
    period: dict[str, object], says: str, tmp_path: Path
) -> None:
    day = {"schema_version": 2, "name": "d", "instance": "balexnet-cifar10", "rate_per_s": 1.0}
    file = tmp_path / "day.json"
    file.write_text(json.dumps({**day, "periods": [{"duration_s": 1.0, **period}]}))
    with pytest.raises(InputError, match="period 1") as refused:
        load_day(file)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_application_without_a_rate_needs_one() -> None:
    with pytest.raises(ValueError, match="rate_per_s"):
        in_period(load_instance("balexnet-cifar10"), Period(duration_s=1.0))


def test_the_command_prints_the_numbers_and_draws(tmp_path: Path) -> None:
    picture = tmp_path / "day.svg"
    result = CliRunner().invoke(app, ["drift", "three-tier", "--json", "-o", str(picture)])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    day, instance, courses = lived()
    assert [one["running"] for one in said["courses"]] == [one.running for one in courses.values()]
    assert picture.stat().st_size > 1000
    panels = draw_day(day, instance, list(courses.values())).axes
    assert [axes.get_title(loc="left") for axes in panels[:2]] == ["Plans by fin", "Plans by label-setting"]
    heights = [bar.get_height() for bar in panels[2].patches if isinstance(bar, Rectangle)]
    assert heights[: len(courses)] == pytest.approx([one.running / 1e3 for one in courses.values()])
    assert panels[2].get_ylabel() == "over the day [kJ]"
    assert max(heights) < panels[2].get_ylim()[1]


@pytest.mark.slow
def test_numbers_do_not_depend_on_the_number_of_jobs() -> None:
    day, instance = load_day("three-tier")
    assert live(day, instance, jobs=2) == live(day, instance)


def test_what_a_plan_costs_is_what_the_evaluator_says() -> None:
    day, instance, courses = lived()
    first = run_method(in_period(instance, day.periods[0]), "fin").deployment
    assert first is not None
    objectives = [evaluate(in_period(instance, period), first).objective for period in day.periods]
    assert [one.objective for one in courses[Policy.NEVER, Planner.FIN].periods] == objectives


def test_what_moving_costs_may_be_a_shipped_name() -> None:
    result = CliRunner().invoke(app, ["drift", "three-tier", "--migration-cost", "loading", "--json"])
    assert result.exit_code == 0, result.output
    _, _, courses = lived(PolicyOptions(Migration(fixed_cost_per_block=3000.0)))
    moving = [one["moving"] for one in json.loads(result.stdout)["courses"]]
    assert moving == [one.moving for one in courses.values()] != [0.0] * len(moving)
    wrong = CliRunner().invoke(app, ["drift", "three-tier", "--migration-cost", "loadin"])
    assert (wrong.exit_code, "did you mean 'loading'?" in wrong.output) == (2, True)
