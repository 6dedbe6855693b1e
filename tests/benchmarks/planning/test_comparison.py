"""`finbench plan` and `fb.plan`: plans side by side, files, pictures and refusals."""

from __future__ import annotations

import json
from math import inf
from pathlib import Path

import pytest
from typer.testing import CliRunner

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.planning.comparison import PlanKind, nines
from finbench.benchmarks.plots.nines import draw_nines
from finbench.models.instance import Instance
from finbench.models.io import InputError


@pytest.fixture(scope="module")
def small() -> Instance:
    tight = fb.generate("campus", nodes=6, applications=4, load=0.6, seed=2)
    apps = tuple(app.model_copy(update={"max_latency_s": 4 * app.max_latency_s}) for app in tight.applications)
    return tight.model_copy(update={"applications": apps})


@pytest.fixture
def file(small: Instance, tmp_path: Path) -> Path:
    fb.save(small, tmp_path / "small.json")
    return tmp_path / "small.json"


def called(*arguments: object) -> tuple[int, str]:
    came = CliRunner().invoke(app, list(map(str, arguments)))
    return came.exit_code, came.output


def test_shares_are_counted_in_nines() -> None:
    assert [round(nines(share), 9) for share in (0.0, 0.9, 0.99)] == [0, 1, 2]
    assert nines(1.0) == inf


def test_plans_are_compared_on_the_same_samples(small: Instance) -> None:
    found = fb.compare_plans(small, headrooms=[0.5], shares=[0.9], samples=5000)
    assert [one.kind for one in found] == list(PlanKind)
    naive = found[0].plan
    assert naive is not None
    assert naive.deployment == fb.solve(small, "fin").deployment
    for one in found[1:]:
        assert one.plan is None or one.plan.objective >= naive.objective * (1 - 1e-9)
    assert {one.plan.met.samples for one in found if one.plan is not None} == {naive.met.samples}
    drawn = draw_nines(small, found).axes[0].lines
    assert len(drawn) == sum((one.plan is not None) + one.falls_short for one in found)


def test_the_command_writes_a_plan_that_simulate_takes(file: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    code, text = called("plan", file, "--until-simulated", 0.5, "--samples", 4000, "-o", plan)
    assert code == 0
    assert "The plan holds" in text
    code, text = called("simulate", file, plan, "--samples", 4000, "--json")
    assert code == 0
    assert min(one["within"]["value"] for one in json.loads(text)["applications"]) >= 0.5


def test_a_plan_that_does_not_hold_is_written_and_said_so(file: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    ask = ("--until-simulated", 0.999999, "--rounds", 1, "--samples", 4000)
    code, text = called("plan", file, *ask, "-o", plan)
    assert code == 4
    assert "No plan holds: all rounds are used up" in text
    assert "too late too often" in text
    assert plan.exists()


def test_headroom_is_for_plan_and_solve(file: Path) -> None:
    code, text = called("plan", file, "--headroom", 0.8, "--until-simulated", 0.3, "--samples", 4000, "--json")
    planned = json.loads(text)["best"]
    assert code in (0, 4)
    code, text = called("solve", file, "--headroom", 0.8, "--json")
    assert code == 0
    solved = json.loads(text)
    assert solved["status"] == "feasible"
    assert solved["deployments"] == planned["deployment"]["deployments"]
    assert solved["total_power_w"] == pytest.approx(planned["objective"])


@pytest.mark.slow
def test_the_comparison_is_drawn(file: Path, tmp_path: Path) -> None:
    picture = tmp_path / "nines.svg"
    code, text = called("plan", file, "--compare", "--rounds", 2, "--samples", 2000, "--picture", picture)
    assert code == 0
    assert "until simulated 0.999" in text
    assert picture.stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("--headroom", "1"), "must be a utilisation above 0 and below 1"),
        (("--picture", "x.png"), "needs --compare"),
        (("--compare", "--headroom", "0.5"), "go without it"),
        (("--until-simulated", "1"), "until_simulated"),
        (("--method", "no-such"), "no-such"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(file: Path, arguments: tuple[str, ...], rule: str) -> None:
    code, text = called("plan", file, *arguments)
    assert (code, text.count("\n")) == (2, 1), text
    assert rule in text


def test_a_certificate_and_headroom_exclude_each_other(file: Path, tmp_path: Path) -> None:
    code, text = called("solve", file, "--headroom", 0.5, "--certificate", tmp_path / "proof.json")
    assert (code, text.count("\n")) == (2, 1)


def test_instances_without_rates_are_refused() -> None:
    code, text = called("plan", "blenet-mnist")
    assert (code, text.count("\n")) == (2, 1)
    with pytest.raises(InputError, match="rounds"):
        fb.plan(fb.load("blenet-mnist"), rounds=0)
