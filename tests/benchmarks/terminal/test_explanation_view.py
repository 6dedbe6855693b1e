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


def campus(load: float) -> Instance:
    return draw_with_balance(np.random.default_rng(3), SharedSize(nodes=12, applications=12, load=load))[0]


def test_prices_are_shown_where_everything_fits(tmp_path: Path) -> None:
    path, picture = saved(tmp_path, campus(0.95)), tmp_path / "prices.png"
    shown = finbench("explain", path, "--time-limit", 10, "-o", picture)
    assert shown.exit_code == FOUND
    assert "shadow prices" in shown.stdout
    assert picture.stat().st_size > 1000
    data = json.loads(finbench("explain", path, "--time-limit", 10, "--json").stdout)
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
