"""What is shown where carbon or money is minimised instead of the energy (eq. 31)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.judging.judged import judge
from finbench.benchmarks.methods import run_method
from finbench.benchmarks.plots.frontier import draw_frontier
from finbench.benchmarks.terminal import frontier_view as view
from finbench.fin_graph.stages.drawing import draw_fin
from finbench.fin_graph.stages.inference import fin_three_stages
from finbench.models.instance import Instance
from finbench.models.io import dump_instance
from tests.extended_instances import extended_instance, extended_shared_instance


def in_carbon(seed: int) -> Instance:
    data = extended_shared_instance(seed, only="objective").model_dump()
    return Instance.model_validate({**data, "objective": "carbon"})


def test_amounts_of_another_objective_never_stand_as_joules_or_watts() -> None:
    instance = in_carbon(11)
    result = run_method(instance, "milp-flow")
    shown = judge(instance, "milp-flow", {}, result).to_json()
    assert (shown["minimised"], shown["objective_unit"]) == ("carbon", "g/s")
    assert shown["objective"] == pytest.approx(shown["claimed_objective"], rel=1e-9)
    assert shown["lower_bound"] <= shown["objective"] * (1 + 1e-9)
    assert sum(shown["tiers"].values()) + shown["penalty"] == pytest.approx(shown["objective"], rel=1e-9)
    assert [shown[name] for name in ("claimed_power_w", "lower_bound_w", "penalty_w")] == [None] * 3
    rates = {one.name: one.weight for one in instance.applications}
    power = sum(rates[one["application"]] * one["energy_j"] for one in shown["applications"])
    assert shown["total_power_w"] == pytest.approx(power, rel=1e-12)


def test_tables_name_the_unit(tmp_path: Path) -> None:
    path = tmp_path / "instance.json"
    path.write_text(dump_instance(in_carbon(11)))
    shown = CliRunner().invoke(app, ["solve", str(path), "--method", "milp-flow"]).stdout
    assert "total carbon [g/s]" in shown
    assert "proven lower bound [g/s]" in shown
    compared = CliRunner().invoke(app, ["compare", str(path), "--methods", "milp-flow,greedy"]).stdout
    assert "carbon [g/s]" in compared


def alone_in_carbon(seed: int) -> Instance:
    data = extended_instance(seed, only="objective").model_dump()
    return Instance.model_validate({**data, "objective": "carbon"})


def test_the_frontier_is_of_what_is_minimised(tmp_path: Path) -> None:
    instance = alone_in_carbon(3)
    path, picture = tmp_path / "instance.json", tmp_path / "frontier.svg"
    path.write_text(dump_instance(instance))
    shown = CliRunner().invoke(app, ["frontier", str(path), "-o", str(picture)])
    assert "least carbon by latency budget" in shown.stdout
    assert "carbon [g]" in shown.stdout
    told = json.loads(CliRunner().invoke(app, ["frontier", str(path), "--json"]).stdout)
    least = min(corner["carbon_g"] for one in told["exits"] for corner in one["exact"])
    patient = instance.with_overrides(max_latency_s=1e9, min_accuracy=0.0)
    assert run_method(patient, "label-setting").claimed_objective == pytest.approx(least, rel=1e-9)
    (one, *_) = view.instance_frontiers(instance, gamma=10, horizon_s=None, time_limit_s=None)
    axes = Figure().subplots()
    draw_frontier(axes, [one])
    assert axes.get_ylabel().startswith("least carbon per inference [")
    assert axes.get_ylabel().endswith("g]")
    assert fb.plot.frontier(Figure().subplots(), [one]).get_ylabel() == "least carbon per inference [mg]"


def test_several_quantiles_stand_side_by_side(tmp_path: Path) -> None:
    picture = tmp_path / "frontier.svg"
    arguments = ["frontier", "balexnet-cifar10", "--gamma", "20", "--latency-quantile", "0.5,1", "-o", str(picture)]
    shown = CliRunner().invoke(app, arguments).stdout
    assert "for 50 % of samples" in shown
    assert "for 100 % of samples" in shown
    told = json.loads(CliRunner().invoke(app, [*arguments[:-2], "--json"]).stdout)
    assert [one["latency_quantile"] for one in told] == [0.5, 1.0]
    half, every = (max(corner["max_latency_s"] for e in one["exits"] for corner in e["exact"]) for one in told)
    assert half < every
    assert picture.stat().st_size > 2000
    refused = CliRunner().invoke(app, ["frontier", "balexnet-cifar10", "--latency-quantile", "0.5,x"])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    zero = CliRunner().invoke(app, ["frontier", "balexnet-cifar10", "--latency-quantile", "0"])
    assert (zero.exit_code, zero.stderr.count("\n")) == (2, 1)


def test_energy_against_carbon_is_told_and_drawn(tmp_path: Path) -> None:
    path, picture = tmp_path / "instance.json", tmp_path / "carbon.svg"
    path.write_text(dump_instance(alone_in_carbon(3)))
    arguments = ["frontier", str(path), "--against", "carbon"]
    shown = CliRunner().invoke(app, [*arguments, "-o", str(picture)])
    assert shown.exit_code == 0
    assert "energy [J]\tcarbon [g]" in shown.stdout
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert told["complete"]
    assert {"energy_j", "carbon_g", "deployment"} <= told["points"][0].keys()
    assert picture.stat().st_size > 2000


def test_fins_picture_names_what_is_minimised() -> None:
    instance = alone_in_carbon(3)
    figure = draw_fin(fin_three_stages(instance, instance.applications[0], 5), "title")
    (legend,) = figure.legends
    assert "least-carbon path (carbon, latency)" in [text.get_text() for text in legend.get_texts()]
    written = [text.get_text() for text in figure.axes[0].texts]
    assert any("g in " in text for text in written if text.startswith("chosen: "))
    assert not any("J" in text for text in written if text.startswith("chosen: "))


@pytest.mark.parametrize("method", ["milp-flow", "column-generation", "fin"])
def test_reasons_and_prices_have_the_objectives_unit(method: str) -> None:
    data = in_carbon(11).model_dump()
    for application in data["applications"]:
        application["rejection_penalty_w"] = 1e-15
    result = run_method(Instance.model_validate(data), method)
    said = [str(reason) for reason in result.info["rejected"].values()]
    assert any("cheaper to reject" in reason and "g/s" in reason for reason in said), said
    assert not any(" W" in reason for reason in said)


def test_an_explanation_names_the_unit(tmp_path: Path) -> None:
    path, picture = tmp_path / "instance.json", tmp_path / "prices.svg"
    for seed in range(40):
        path.write_text(dump_instance(in_carbon(seed)))
        told = json.loads(CliRunner().invoke(app, ["explain", str(path), "--json"]).stdout)
        if told["fits"] and told["prices"]:
            break
    assert told["objective_unit"] == "g/s"
    assert "whole" in told["prices"][0]
    assert "price_w" not in told["prices"][0]
    assert told["prices"][0]["unit"].startswith("g/s")
    shown = CliRunner().invoke(app, ["explain", str(path), "-o", str(picture)]).stdout
    assert "whole [g/s]" in shown
    assert "g/s per unit" in picture.read_text()
