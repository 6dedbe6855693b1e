"""What is shown where carbon or money is minimised instead of the energy (eq. 31)."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.judging.judged import judge
from finbench.benchmarks.methods import run_method
from finbench.models.instance import Instance
from finbench.models.io import dump_instance
from tests.extended_instances import extended_shared_instance


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
