"""A program's arrays are those of Pyomo's own compiler, and reading them ends with the time."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.core.base import Binary, ConcreteModel, Constraint, NonNegativeReals, Objective, Var
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from finbench.models.milp import flow, rows
from finbench.models.milp.solvers.linear_model import linear_model
from finbench.models.programs.costs import Capacities, costs_of
from finbench.models.programs.strengthen import everything
from finbench.models.result import Clock, OutOfTime
from tests.random_instances import random_shared_instance


def shared(seed: int, clock: Clock) -> ConcreteModel:
    """The plain program of a drawn system."""
    instance = random_shared_instance(seed, levels=seed % 2 == 0, penalties=True)
    all_costs = costs_of(instance)
    capacities = Capacities.of(instance.network, all_costs)
    return flow.build(all_costs, [everything(costs) for costs in all_costs], capacities, clock)[0]


def small() -> ConcreteModel:
    """A model with every kind of row, a variable that none names, one named twice, and expressions of other shapes."""
    model = ConcreteModel()
    model.x, model.w = Var([1, 2, 3], domain=Binary), Var(domain=NonNegativeReals, bounds=(0, 5))
    model.cost = Objective(expr=2 * model.x[3] + 7 + model.w)
    model.most = Constraint(expr=model.x[1] + 0.5 * model.x[3] + model.x[1] <= 3)
    model.least = Constraint(expr=2 * (model.x[1] + model.w) + 1 >= 3)
    model.equal = Constraint(expr=model.x[1] - model.x[3] == 0)
    model.holds = Constraint(expr=0 * model.x[2] <= 1)
    return model


@pytest.mark.parametrize("seed", [None, *range(8)])
def test_the_arrays_are_those_of_pyomos_compiler(seed: int | None) -> None:
    model = small() if seed is None else shared(seed, Clock())
    read, form = linear_model(model), LinearStandardFormCompiler().write(model, mixed_form=True)
    column = {id(variable): number for number, variable in enumerate(form.columns)}
    order = [column[id(variable)] for variable in read.variables]
    assert sorted(order) == list(range(len(form.columns)))
    assert list(map(id, read.constraints)) == [id(row.constraint) for row in form.rows]
    assert (read.matrix.toarray() == form.A.toarray()[:, order]).all()
    assert (read.cost == form.c.toarray().ravel()[order]).all()
    assert read.offset == form.c_offset[0]
    for least, most, row, rhs in zip(read.row_lower, read.row_upper, form.rows, form.rhs, strict=True):
        assert (least, most) == ((-np.inf, rhs) if row.bound_type > 0 else (rhs, np.inf if row.bound_type else rhs))
    assert list(zip(read.lower, read.upper, strict=True)) == [variable.bounds for variable in read.variables]
    assert read.integral.tolist() == [variable.is_integer() for variable in read.variables]


def test_a_row_without_variables_that_cannot_hold_is_named() -> None:
    model = small()
    model.never = Constraint(expr=0 * model.x[1] >= 1)
    with pytest.raises(InfeasibleConstraintException, match="row 'never' names no variable"):
        linear_model(model)


def test_variables_objective_and_rows_are_read_under_the_clock() -> None:
    class Counting(Clock):
        looks = 0

        def check(self) -> None:
            self.looks += 1
            if self.looks == self.last:
                raise OutOfTime

        last = 0

    clock = Counting()
    model = shared(0, clock)
    clock.looks = 0
    linear_model(model)
    assert clock.looks == 3, "once for each kind of component, and every so many of them"
    for last in (1, 2, 3):
        clock.looks, clock.last = 0, last
        with pytest.raises(OutOfTime):
            linear_model(model)


def test_what_a_model_holds_is_given_back_without_a_search_for_circles() -> None:
    model = shared(1, Clock())
    variables = [weakref.ref(variable) for variable in model.component_data_objects(Var)]
    gc.disable()
    try:
        rows.give_back(model)
        left = sum(variable() is not None for variable in variables)
    finally:
        gc.enable()
    assert len(variables) > 20
    assert left == 0
