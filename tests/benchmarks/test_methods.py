"""The registry: options are checked, refusals are results, warm starts are timed."""

from __future__ import annotations

from time import sleep
from typing import Any

import pytest

from finbench.benchmarks.judging.contract.cases import Case
from finbench.benchmarks.judging.contract.contract import examine
from finbench.benchmarks.judging.contract.truth import truth_of
from finbench.benchmarks.methods import METHODS, check_options, run_method, variant
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.io import InputError
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.options import Options
from finbench.models.result import LOAD, Clock, Result, Status
from tests.benchmarks.conftest import BEST, AddMethod, answer
from tests.few_and_many import slow
from tests.models.enumeration import least_objective, shared_instance
from tests.random_instances import random_instance

SMALL = [
    *(random_instance(seed, max_nodes=3, max_blocks=3, direct_only=seed % 2 == 0) for seed in (3, 4, 5, 13)),
    random_instance(10, max_nodes=3, max_blocks=3, direct_only=True).with_overrides(max_latency_s=1e-9),
    *(shared_instance(seed, max_nodes=2, max_blocks=2) for seed in (0, 1)),
]
"""Drawn by the tests' own generators, unlike the cases of the contract; the first and the fifth have no deployment."""


def test_the_small_instances_are_of_both_kinds() -> None:
    found = [least_objective(instance) is None for instance in SMALL]
    assert found[:5] == [True, False, False, False, True]
    assert [truth_of(Case("drawn", instance), "fin").optimum is None for instance in SMALL] == found


@pytest.mark.parametrize("name", [slow(name) if name == "cp-sat" else name for name in METHODS])
def test_every_method_keeps_the_contract_on_instances_drawn_here(name: str, balexnet: Instance) -> None:
    if name == "cp-sat" and (refusal := run_method(balexnet, name).reason) is not None:
        pytest.skip(refusal)
    report = examine(METHODS[name], chosen=[Case("drawn", instance) for instance in SMALL])
    assert [f"{breach.asked.instance.name}: {breach.message}" for breach in report.breaches] == []


@pytest.mark.parametrize("name", METHODS)
def test_every_option_has_a_meaning_and_a_default(name: str) -> None:
    for option, field in METHODS[name].options.model_fields.items():
        assert field.description, option
        assert not field.is_required(), option


@pytest.mark.parametrize(
    ("name", "options", "named"),
    [
        ("none", {}, ["method 'none'", "no such method", "milp-flow"]),
        ("fin", {"gama": 10}, ["method 'fin'", "gama = 10", "did you mean 'gamma'"]),
        ("fin", {"gamma": 0}, ["method 'fin'", "gamma = 0", "greater than or equal to 1"]),
        ("fin", {"gamma": 1.5}, ["gamma = 1.5"]),
        ("fin", {"gamma": True}, ["gamma = True"]),
        ("fin", {"engine": "gpu"}, ["engine = 'gpu'", "networkx"]),
        ("fin", {"certify": float("inf")}, ["certify = inf"]),
        ("mcp", {"gamma": 10}, ["method 'mcp'", "gamma = 10", "unknown field"]),
        ("milp-flow", {"warm_start": "mcp"}, ["warm_start = 'mcp'"]),
        ("milp-flow", {"threads": 0}, ["threads = 0"]),
        ("label-setting", {"k": 0}, ["k = 0"]),
    ],
)
def test_a_wrong_option_is_a_usage_error(
    name: str, options: dict[str, Any], named: list[str], balexnet: Instance
) -> None:
    with pytest.raises(InputError) as caught:
        run_method(balexnet, name, **options)
    assert [part for part in named if part not in str(caught.value)] == [], caught.value


def test_defaults_are_filled_in() -> None:
    filled = check_options("fin", {"gamma": 7})
    assert filled["gamma"] == 7
    assert (filled["band"], filled["engine"], filled["certify"]) == (None, "auto", None)


def test_labels_name_what_differs_from_the_default() -> None:
    assert variant("fin", check_options("fin", {})) == "fin (gamma=100)"
    assert variant("fin", check_options("fin", {"lambda_": 3})) == "fin (gamma=100, band=3)"
    assert variant("milp-flow", check_options("milp-flow", {"strengthen": False})) == "milp-flow (strengthen=False)"
    assert variant("mcp", {}) == "mcp"
    for solver, shown in (("glpk", "solver=glpk"), ("scip", "solver=scip"), ("cbc", "threads=4, solver=cbc")):
        options = check_options("milp-flow", {"solver": solver, "threads": 4})
        assert variant("milp-flow", options) == f"milp-flow ({shown})", (
            "threads that a solver does not use are not named"
        )


def test_a_refusal_is_a_result(add_method: AddMethod, balexnet: Instance) -> None:
    add_method("picky", answer(), refusal="takes no instance at all")
    result = run_method(balexnet, "picky")
    assert (result.status, result.reason, result.deployment) == (
        Status.UNSUPPORTED,
        "takes no instance at all",
        None,
    )


class NamedOption(Options):
    """For the test below."""

    width: int = 3
    """A width."""


def test_limit_seed_and_options_reach_the_method(add_method: AddMethod, balexnet: Instance) -> None:
    seen: list[dict[str, Any]] = []

    def solve(instance: Instance, options: NamedOption, **given: Any) -> Result:
        seen.append({**given, **options.model_dump()})
        return Result(Status.NO_SOLUTION)

    add_method("curious", solve, options=NamedOption)
    run_method(balexnet, "curious", time_limit_s=2.0, seed=5, width=9)
    assert seen == [{"time_limit_s": 2.0, "seed": 5, "width": 9}]


def test_what_a_method_raises_is_not_hidden(add_method: AddMethod, balexnet: Instance) -> None:
    def solve(instance: Instance, options: Options, **given: Any) -> Result:
        raise ZeroDivisionError("inside")

    add_method("clumsy", solve)
    with pytest.raises(ZeroDivisionError, match="inside"):
        run_method(balexnet, "clumsy")


def test_a_warm_start_hands_over_the_deployment_and_is_timed(add_method: AddMethod, balexnet: Instance) -> None:
    seen: list[Any] = []

    def solve(
        instance: Instance, options: MilpFlowOptions, *, time_limit_s: float | None, seed: int, start: Any = None
    ) -> Result:
        seen.append((start, time_limit_s))
        info = {"nodes": 1, "trajectory": [(0.5, None, 0.01), (1.0, 0.02, 0.02)]}
        return Result(Status.OPTIMAL, BEST, 0.02, 0.02, times_s={"solve": 1.0}, info=info)

    add_method("fin", answer(status=Status.FEASIBLE))
    add_method("warm", solve, options=MilpFlowOptions)
    warm = run_method(balexnet, "warm", time_limit_s=100.0, warm_start="fin")
    cold = run_method(balexnet, "warm", time_limit_s=100.0)
    assert seen[0][0] == BEST
    assert 99 < seen[0][1] < 100
    assert seen[1] == (None, 100.0)
    assert list(warm.times_s) == ["warm_start", "solve"]
    start_s = warm.times_s["warm_start"]
    assert warm.info == {
        "nodes": 1,
        "warm_start": {"method": "fin", "status": "feasible", "use": None},
        "trajectory": [(start_s + 0.5, None, 0.01), (start_s + 1.0, 0.02, 0.02)],
    }
    assert list(cold.times_s) == ["solve"]
    assert cold.info == {"nodes": 1, "trajectory": [(0.5, None, 0.01), (1.0, 0.02, 0.02)]}


def test_what_a_warm_start_loads_is_not_charged_to_the_limit(add_method: AddMethod, balexnet: Instance) -> None:
    limits: list[float | None] = []

    def loads(instance: Instance, options: Any, *, time_limit_s: float | None, seed: int) -> Result:
        clock = Clock(time_limit_s)
        with clock.phase(LOAD):
            sleep(0.3)
        return Result(Status.FEASIBLE, BEST, times_s=clock.times_s)

    def solve(
        instance: Instance, options: Any, *, time_limit_s: float | None, seed: int, start: Deployment | None
    ) -> Result:
        limits.append(time_limit_s)
        return Result(Status.FEASIBLE, BEST, times_s={LOAD: 1.0, "solve": 2.0})

    add_method("fin", loads)
    add_method("warm", solve, options=MilpFlowOptions)
    result = run_method(balexnet, "warm", time_limit_s=0.25, warm_start="fin")
    assert limits[0] is not None
    assert limits[0] > 0.15
    assert result.times_s["warm_start"] < 0.1
    assert result.times_s[LOAD] > 1.29


def test_a_warm_start_that_is_refused_is_a_refusal(add_method: AddMethod, balexnet: Instance) -> None:
    add_method("fin", answer(), refusal="sees no capacities")
    add_method("warm", answer(), options=MilpFlowOptions)
    result = run_method(balexnet, "warm", warm_start="fin")
    assert (result.status, result.reason) == (Status.UNSUPPORTED, "warm start: fin sees no capacities")
