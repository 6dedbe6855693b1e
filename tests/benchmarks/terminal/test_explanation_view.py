"""`finbench explain`: what it prints, gives as JSON, draws, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.cli.exit_codes import BAD_INPUT, FOUND, INFEASIBLE
from finbench.benchmarks.families import SharedSize
from finbench.benchmarks.families.campus import draw_with_balance
from finbench.models.instance import Instance
from finbench.models.io import dump_instance, write_text


def finbench(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def saved(folder: Path, instance: Instance) -> Path:
    write_text(folder / "instance.json", dump_instance(instance))
    return folder / "instance.json"


def campus(load: float, nodes: int = 12, applications: int = 12) -> Instance:
    size = SharedSize(nodes=nodes, applications=applications, load=load)
    return draw_with_balance(np.random.default_rng(3), size)[0]


@pytest.mark.slow
def test_prices_are_shown_where_everything_fits(tmp_path: Path) -> None:
    # Small enough that everything is answered long before the limit: a slow machine changes nothing.
    path, picture = saved(tmp_path, campus(0.95, nodes=6, applications=10)), tmp_path / "prices.png"
    shown = finbench("explain", path, "--time-limit", 60, "-o", picture)
    assert shown.exit_code == FOUND
    assert "shadow prices" in shown.stdout
    assert picture.stat().st_size > 1000
    data = json.loads(finbench("explain", path, "--time-limit", 60, "--json").stdout)
    assert data["fits"]
    assert data["prices"][0]["price"] > 0
    assert data["prices"][0]["unit"] in ("W/execution", "J/bit", "W/byte")


def test_missing_capacity_is_shown_where_the_system_is_overloaded(tmp_path: Path) -> None:
    path = saved(tmp_path, campus(1.5))
    shown = finbench("explain", path, "--time-limit", 10)
    assert shown.exit_code == INFEASIBLE
    assert "by the factor" in shown.stdout
    data = json.loads(finbench("explain", path, "--time-limit", 10, "--json").stdout)
    assert not data["fits"]
    assert data["factor"]["value"] == pytest.approx(1.5, rel=1e-3)
    assert data["needs"]


def test_a_target_that_no_system_meets_is_shown(tmp_path: Path, balexnet: Instance) -> None:
    hasty = balexnet.applications[0].model_copy(update={"max_latency_s": 1e-6})
    path = saved(tmp_path, balexnet.model_copy(update={"applications": (hasty,)}))
    shown = finbench("explain", path)
    assert shown.exit_code == INFEASIBLE
    assert "a latency target of" in shown.stdout


def test_a_missing_instance_is_bad_input(tmp_path: Path) -> None:
    assert finbench("explain", tmp_path / "none.json").exit_code == BAD_INPUT


def test_no_resource_is_scarce_for_a_single_application_with_room(balexnet: Instance, tmp_path: Path) -> None:
    shown = finbench("explain", saved(tmp_path, balexnet))
    assert shown.exit_code == FOUND
    assert "no resource is scarce" in shown.stdout


def test_what_to_buy_is_ranked_with_its_part_of_the_objective(balexnet: Instance, tmp_path: Path) -> None:
    path, picture = saved(tmp_path, balexnet), tmp_path / "upgrades.png"
    shown = finbench("explain", path, "-o", picture)
    assert "what to buy: saved [J] by being faster" in shown.stdout
    assert "device\t0.001979 (9.25 %)\t0.001979 (9.25 %)\t0.004252 (19.9 %)" in shown.stdout
    assert "proven to save nothing by being faster: the 5 other nodes and links" in shown.stdout
    assert "latency 5.5 ms instead of 5 ms\t0.001979 (9.25 %)" in shown.stdout
    assert "accuracy 0.7805 instead of 0.8\t0.005894 (27.6 %)" in shown.stdout
    assert "price of latency: 0.001482 J per ms" in shown.stdout
    assert picture.stat().st_size > 1000
    data = json.loads(finbench("explain", path, "--json").stdout)
    assert data["upgrades"][0]["subject"] == "device"
    assert [saving["factor"] for saving in data["upgrades"][0]["savings"]] == [1.1, 1.3, 2.0]
    assert data["relief"]["latency"][2]["saving"] == pytest.approx(0.00425232725)
    assert data["upgrades_left_out"] == []


def test_what_would_make_it_feasible_is_named(balexnet: Instance, tmp_path: Path) -> None:
    for target_s, telling in ((0.0015, "device\t1.5338"), (1e-7, "no two of those that matter most")):
        hasty = balexnet.with_overrides(max_latency_s=target_s)
        shown = finbench("explain", saved(tmp_path, hasty))
        assert shown.exit_code == INFEASIBLE
        assert telling in shown.stdout
    data = json.loads(
        finbench("explain", saved(tmp_path, balexnet.with_overrides(max_latency_s=0.0015)), "--json").stdout
    )
    assert data["enablers"]["found"][0]["parts"] == [{"kind": "node", "subject": "device"}]
    assert data["enablers"]["found"][0]["factor"] == pytest.approx(1.5337267)
