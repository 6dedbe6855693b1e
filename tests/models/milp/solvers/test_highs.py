"""HiGHS: options are accepted or refused, and what it says is checked."""

from __future__ import annotations

import highspy
import pytest
from pyomo.core.base import Binary, ConcreteModel, Constraint, Objective, Var

from finbench.models.milp.solvers import highs
from finbench.models.milp.solvers.highs import solve_with_highs
from finbench.models.milp.solvers.interface import Limits, believed
from finbench.models.result import Clock, Status
from finbench.models.silent_highs import SilentHighs


def knapsack(limit: float = 4.5) -> ConcreteModel:
    """Minimise −(3a + 4b + 5c) with 2a + 3b + 4c ≤ limit; at 4.5 the best is −5."""
    model = ConcreteModel()
    model.x = Var(["a", "b", "c"], domain=Binary)
    model.value = Objective(expr=-(3 * model.x["a"] + 4 * model.x["b"] + 5 * model.x["c"]))
    model.weight = Constraint(expr=2 * model.x["a"] + 3 * model.x["b"] + 4 * model.x["c"] <= limit)
    return model


def test_highs_solves_to_the_optimum() -> None:
    clock = Clock()
    answer = solve_with_highs(knapsack(), Limits(), clock)
    assert answer.status is Status.OPTIMAL
    assert answer.objective == pytest.approx(-5)
    assert answer.bound == pytest.approx(-5)
    ((variable, value),) = answer.values or ()
    assert variable.index() == "c"
    assert value == pytest.approx(1)
    assert set(clock.times_s) == {"handover", "solve"}


def test_proves_infeasibility() -> None:
    answer = solve_with_highs(knapsack(-1.0), Limits(), Clock())
    assert answer.status is Status.INFEASIBLE
    assert answer.values is None


def test_proves_infeasibility_of_a_row_without_variables() -> None:
    model = knapsack()
    model.never = Constraint(expr=0 * model.x["a"] >= 1)
    assert solve_with_highs(model, Limits(), Clock()).status is Status.INFEASIBLE


@pytest.mark.parametrize("limits", [Limits(mip_gap=-1.0), Limits(threads=-1)])
def test_refuses_options_out_of_range(limits: Limits) -> None:
    with pytest.raises(ValueError, match="HiGHS does not accept"):
        solve_with_highs(knapsack(), limits, Clock())


def test_another_number_of_threads_solves_too() -> None:
    for threads in (1, 2, 1):
        assert solve_with_highs(knapsack(), Limits(threads=threads), Clock()).status is Status.OPTIMAL


def test_tight_tolerances_arrive() -> None:
    solver = highs.new_highs(Limits(mip_gap=1e-3, threads=2, seed=7))
    options = solver.getOptions()
    assert (options.mip_rel_gap, options.mip_abs_gap) == (1e-3, 0.0)
    assert (options.mip_feasibility_tolerance, options.primal_feasibility_tolerance) == (1e-9, 1e-9)
    assert (options.threads, options.random_seed, options.output_flag) == (2, 7, False)


def test_passes_the_warm_start(monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[list[float]] = []

    def record(_: object, solution: highspy.HighsSolution) -> highspy.HighsStatus:
        passed.append(list(solution.col_value))
        return highspy.HighsStatus.kOk

    monkeypatch.setattr(SilentHighs, "setSolution", record)
    model = knapsack()
    model.x["a"].set_value(1)
    solve_with_highs(model, Limits(warm_start=True), Clock())
    solve_with_highs(model, Limits(), Clock())
    assert passed == [[1.0, 0.0, 0.0]]


def test_rejected_model_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SilentHighs, "passModel", lambda *_: highspy.HighsStatus.kError)
    assert solve_with_highs(knapsack(), Limits(), Clock()).status is Status.ERROR


def test_failed_run_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SilentHighs, "run", lambda _: highspy.HighsStatus.kError)
    answer = solve_with_highs(knapsack(), Limits(), Clock())
    assert answer.status is Status.ERROR
    assert (answer.reason or "").startswith("HiGHS: ")


@pytest.mark.parametrize(
    ("objective", "bound", "gap", "status"),
    [
        (1.0, 1.0, 0.0, Status.OPTIMAL),
        (1.21, 1.0, 0.0, Status.ERROR),
        (1.21, 1.0, 0.3, Status.FEASIBLE),
        (None, 1.0, 0.0, Status.ERROR),
        (1.0, None, 0.0, Status.ERROR),
        (1.0, 1.1, 0.0, Status.ERROR),
    ],
)
def test_optimal_is_believed_only_with_its_bound(
    objective: float | None, bound: float | None, gap: float, status: Status
) -> None:
    assert believed(objective, bound, gap, "HiGHS: Optimal")[0] is status
