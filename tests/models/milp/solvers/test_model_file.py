"""Files of a program: names that people can read, every one different, and numbers that arrive."""

from __future__ import annotations

import csv
from pathlib import Path

import highspy
import numpy as np
import pytest
from pyomo.core.base import Binary, ConcreteModel, Constraint, NonNegativeReals, Objective, Var

from finbench.models.instance import Instance
from finbench.models.io import dump_instance
from finbench.models.milp import flow
from finbench.models.milp.solvers.model_file import (
    LONGEST_NAME,
    Format,
    distinct,
    readable_name,
    readable_text,
    write_numbered,
)
from finbench.models.milp.solvers.standard_form import StandardForm
from finbench.models.programs.costs import Capacities, costs_of
from finbench.models.programs.strengthen import everything
from finbench.models.result import Clock
from tests.models.enumeration import shared_instance
from tests.random_instances import of_applications, random_instance, random_shared_instance


def plain(instance: Instance) -> ConcreteModel:
    """The plain program; keep it, since variables and rows do not keep their model alive."""
    all_costs = costs_of(instance)
    capacities = Capacities.of(instance.network, all_costs)
    return flow.build(all_costs, [everything(costs) for costs in all_costs], capacities, Clock())[0]


def read(path: Path) -> highspy.HighsLp:
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("small_matrix_value", 1e-12)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    return highs.getLp()


def assert_equals(lp: highspy.HighsLp, form: StandardForm) -> None:
    """The same program, up to the fifteen digits of a file and the order of columns."""
    assert (lp.num_col_, lp.num_row_) == (len(form.variables), len(form.constraints))
    assert sorted(lp.col_cost_) == pytest.approx(sorted(form.cost), rel=1e-14)
    assert sorted(lp.a_matrix_.value_) == pytest.approx(sorted(form.matrix.data), rel=1e-14)
    assert sorted(lp.row_upper_) == pytest.approx(sorted(form.row_upper), rel=1e-14)
    assert len([kind for kind in lp.integrality_ if kind == highspy.HighsVarType.kInteger]) == form.integral.sum()


@pytest.mark.parametrize("file_format", ["mps", "lp"])
@pytest.mark.parametrize("seed", range(8))
def test_readable_files_hold_the_program(seed: int, file_format: Format, tmp_path: Path) -> None:
    model = plain(shared_instance(seed))
    form = StandardForm.of(model)
    path = tmp_path / f"model.{file_format}"
    path.write_text(readable_text(form, file_format).text)
    lp = read(path)
    assert_equals(lp, form)
    assert len(set(lp.col_names_)) == lp.num_col_
    assert any(name.startswith("x(app0,1,") for name in lp.col_names_)
    assert "eq8_latency(app1)" in lp.row_names_


@pytest.mark.parametrize("file_format", ["mps", "lp"])
def test_levels_and_rejections_have_readable_names(file_format: Format, tmp_path: Path) -> None:
    model = plain(random_shared_instance(4, levels=True, penalties=True))
    form = StandardForm.of(model)
    path = tmp_path / f"model.{file_format}"
    path.write_text(readable_text(form, file_format).text)
    lp = read(path)
    assert_equals(lp, form)
    rejectable = sum(name.startswith("rho(") for name in lp.col_names_)
    assert rejectable == sum(name.startswith("eq23_admission(") for name in lp.row_names_) > 0
    assert any(name.startswith("eq21_reservation(") for name in lp.row_names_)
    assert any(name.startswith("x(app0,1,") and name.endswith(",1.0)") for name in lp.col_names_)


def test_numbered_files_keep_the_order(tmp_path: Path) -> None:
    model = plain(random_instance(4, zeros=True))
    form = StandardForm.of(model)
    path = tmp_path / "model.mps"
    write_numbered(form, path)
    lp = read(path)
    assert_equals(lp, form)
    assert list(lp.col_names_) == [f"c{j}" for j in range(lp.num_col_)]
    assert np.allclose(lp.col_cost_, form.cost, rtol=1e-14, atol=0)


def test_names_that_would_coincide_are_numbered() -> None:
    assert distinct(["x(a_b)", "y", "x(a_b)"]) == ["x(a_b)", "y", "x(a_b)#2"]


def test_names_with_odd_characters_can_be_read(tmp_path: Path) -> None:
    base = random_instance(1, max_nodes=3, direct_only=True)
    odd = {node.name: f"{node.name} [é]: <{k}>" for k, node in enumerate(base.network.nodes)}
    nodes = tuple(node.model_copy(update={"name": odd[node.name]}) for node in base.network.nodes)
    links = tuple(
        link.model_copy(update={"source": odd[link.source], "target": odd[link.target]}) for link in base.network.links
    )
    app = base.applications[0].model_copy(update={"source": odd[base.applications[0].source], "pinned": {}})
    network = base.network.model_copy(update={"nodes": nodes, "links": links})
    model = plain(base.model_copy(update={"network": network, "applications": (app,)}))
    form = StandardForm.of(model)
    for file_format in ("mps", "lp"):
        path = tmp_path / f"model.{file_format}"
        path.write_text(readable_text(form, file_format).text)
        assert_equals(read(path), form)


@pytest.mark.parametrize("file_format", ["mps", "lp"])
def test_names_too_long_for_solvers_are_cut_and_a_map_leads_back(file_format: Format, tmp_path: Path) -> None:
    base = random_shared_instance(2)
    apps = tuple(app.model_copy(update={"name": f"{app.name}{'a' * 190}"}) for app in base.applications)
    nodes = {node.name: f"{node.name}{'n' * 190}" for node in base.network.nodes}
    text = dump_instance(of_applications(base, apps))
    for name, long in nodes.items():
        text = text.replace(f'"{name}"', f'"{long}"')
    model = plain(Instance.model_validate_json(text))
    form = StandardForm.of(model)
    written = readable_text(form, file_format)
    path = tmp_path / f"model.{file_format}"
    path.write_text(written.text)
    lp = read(path)
    assert_equals(lp, form)
    names = [*lp.col_names_, *lp.row_names_]
    assert max(map(len, names)) <= LONGEST_NAME[file_format]
    assert len(set(lp.col_names_)) == lp.num_col_
    whole = {readable_name(component) for component in (*form.variables, *form.constraints)}
    assert {written.long_names.get(name, name) for name in names} == whole
    assert written.long_names
    assert list(csv.reader(written.map_csv.splitlines()))[1:] == [list(pair) for pair in written.long_names.items()]


def test_coefficients_that_solvers_drop_are_gone_before() -> None:
    model = ConcreteModel()
    model.x = Var([1, 2, 3], domain=Binary)
    model.value = Objective(expr=model.x[1] + model.x[2] + 1e-13 * model.x[3])
    model.eq8_latency = Constraint(expr=1e-13 * model.x[1] + 2e-12 * model.x[2] + 0.5 * model.x[3] <= 1)
    form = StandardForm.of(model)
    assert form.matrix.toarray().tolist() == [[0.0, 2e-12, 0.5]]
    assert form.cost.tolist() == [1.0, 1.0, 1e-13]
    assert form.dropped == {"eq8_latency": 1}


def test_columns_that_break_a_row_alone_are_fixed() -> None:
    model = ConcreteModel()
    model.x = Var([1, 2, 3], domain=Binary)
    model.w = Var(domain=NonNegativeReals, bounds=(0, 1))
    model.value = Objective(expr=sum(model.x.values()) + model.w)
    model.most = Constraint(expr=1.1 * model.x[1] + 1.0 * model.x[2] + 2.0 * model.w <= 1.0)
    model.mixed = Constraint(expr=3.0 * model.x[3] - model.x[2] <= 1.0)
    model.least = Constraint(expr=5.0 * model.x[2] + model.x[3] >= 1.0)
    form = StandardForm.of(model)
    upper = dict(zip((variable.name for variable in form.variables), form.upper.tolist(), strict=True))
    assert upper == {"x[1]": 0.0, "x[2]": 1.0, "x[3]": 1.0, "w": 1.0}
