"""Exported programs: readable names, and the same optimum when another process reads them."""

from __future__ import annotations

from pathlib import Path

import highspy
import pytest

from models.instance import Instance
from models.io import load_instance
from models.milp import assignment, flow
from models.milp.export import FORMATS, METHODS, _readable, write_program
from tests.random_instances import random_instance


def optimum_of(file: Path) -> tuple[highspy.Highs, float]:
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(file)) != highspy.HighsStatus.kError
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return highs, highs.getInfo().objective_function_value


def solved(instance: Instance, method: str) -> float | None:
    result = flow.solve(instance) if method == "milp-flow" else assignment.solve(instance)
    return result.claimed_objective


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("method", METHODS)
def test_same_optimum_and_names_that_tell(tmp_path: Path, method: str, file_format: str) -> None:
    for instance in (load_instance("balexnet-cifar10"), random_instance(3, direct_only=True)):
        file = tmp_path / f"{instance.name}.{file_format}"
        scale = write_program(instance, method, file, file_format)
        expected = solved(instance, method)
        assert expected is not None
        highs, value = optimum_of(file)
        assert scale * value == pytest.approx(expected, rel=1e-6)
        columns = {highs.getColName(column)[1] for column in range(highs.getNumCol())}
        rows = {highs.getRowName(row)[1] for row in range(highs.getNumRow())}
        app = instance.applications[0].name.replace("-", "_")
        assert any(name.startswith(f"{app}.x(1,") for name in columns)
        assert any(name.startswith(f"{app}.eq8_latency") for name in rows)
        assert len(columns) == highs.getNumCol()
        assert len(rows) == highs.getNumRow()


def test_names_stay_unique_and_allowed() -> None:
    names = ["application[a b].x[1,né]", "application[a-b].x[1,nè]", "9[1]", "application[a].t[0,n,m]"]
    assert _readable(names) == ["a_b.x(1,n_)", "a_b.x(1,n_)_2", "_9(1)", "a.t(0,n,m)"]
