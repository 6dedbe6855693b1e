"""The contract catches every lie, by the check that is there for it, and finds no fault with the honest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from finbench.benchmarks.families import generate
from finbench.benchmarks.judging.contract import trial, truth
from finbench.benchmarks.judging.contract.cases import Case, cases
from finbench.benchmarks.judging.contract.checks import ASKED, Check
from finbench.benchmarks.judging.contract.contract import ContractReport, examine
from finbench.benchmarks.judging.contract.truth import truth_of
from finbench.benchmarks.methods import METHODS, run_method
from finbench.models import exhaustive
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.io import load_instance
from finbench.models.options import Options
from finbench.models.result import Result, Status
from tests.benchmarks.conftest import BEST, OPTIMUM_J, TOO_SLOW, WORSE, AddMethod, answer
from tests.models.enumeration import least_objective

BALEXNET = Case("published", load_instance("balexnet-cifar10"))
QUICK = [case for case in cases() if case.quick]


def caught(name: str, *chosen: Case) -> dict[Check, list[str]]:
    """What the contract finds, by check."""
    found: dict[Check, list[str]] = {}
    for breach in examine(METHODS[name], chosen=chosen or (BALEXNET,)).breaches:
        found.setdefault(breach.check, []).append(breach.message)
    return found


TINY = [case for case in QUICK if len(case.instance.network.nodes) <= 3]
"""Cases that even the plainest enumeration gets through at once."""


def same(one: float | None, other: float | None) -> bool:
    return one == pytest.approx(other, rel=1e-6) if one is not None and other is not None else one is other


def tells_the_truth(case: Case) -> bool:
    """Whether both sources of truth find what an enumeration finds that knows nothing but the evaluator."""
    least = least_objective(case.instance)
    return same(truth_of(case, "fin").optimum, least) and same(truth_of(case, "exhaustive").optimum, least)


@pytest.mark.parametrize("case", TINY, ids=lambda case: case.kind)
def test_what_methods_are_held_against_is_true(case: Case) -> None:
    assert tells_the_truth(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in QUICK if case.kind == "tiered"], ids=lambda case: case.kind)
def test_what_methods_are_held_against_is_true_where_that_takes_longer(case: Case) -> None:
    assert tells_the_truth(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in cases() if case.solvable], ids=lambda case: case.instance.name)
def test_both_sources_of_truth_agree(case: Case) -> None:
    assert same(truth_of(case, "fin").optimum, truth_of(case, "exhaustive").optimum)


def test_no_method_is_held_against_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    run = run_method

    def recorded(instance: Instance, name: str) -> Result:
        asked.append(name)
        return run(instance, name)

    monkeypatch.setattr(truth, "run_method", recorded)
    fresh = Case("fresh", TINY[0].instance.model_copy(update={"name": "fresh"}))
    fresh.instance.__dict__.pop("content_hash", None)
    for name in ("fin", "exhaustive"):
        truth_of(fresh, name)
    assert asked == ["exhaustive", "milp-flow"]


def test_cases_cover_what_the_contract_promises() -> None:
    kinds = {case.kind for case in cases()}
    assert {"one exit", "one node", "pins", "ties", "targets exactly met", "infeasible latency", "large"} <= kinds
    assert {"several applications", "several applications, penalties", "several applications, infeasible"} <= kinds
    infeasible = [case.kind for case in cases() if case.solvable and truth_of(case, "fin").optimum is None]
    assert {kind.partition(" ")[0] for kind in infeasible} == {"infeasible", "several", "no"}
    assert len(QUICK) < len(cases()) / 2


BEST_J = OPTIMUM_J
LIES: dict[str, tuple[Callable[..., Result], Check, str]] = {
    "half of its energy": (answer(BEST, Status.FEASIBLE, BEST_J / 2), Check.OBJECTIVES, "the evaluator finds"),
    "a little less": (answer(BEST, Status.FEASIBLE, BEST_J * (1 - 3e-6)), Check.OBJECTIVES, "the evaluator finds"),
    "nothing of its energy": (answer(BEST, Status.FEASIBLE, None), Check.OBJECTIVES, "claims no objective"),
    "that it is in time": (answer(TOO_SLOW, Status.FEASIBLE, None), Check.DEPLOYMENTS, "exceeds 0.005 s"),
    "that it is in time, and half its energy": (
        answer(TOO_SLOW, Status.FEASIBLE, BEST_J / 2), Check.DEPLOYMENTS, "exceeds 0.005 s",
    ),
    "that it is optimal": (answer(WORSE, Status.OPTIMAL, None), Check.OPTIMALITY, "is optimal"),
    "a bound that is too high": (answer(BEST, Status.FEASIBLE, BEST_J, BEST_J * 1.01), Check.BOUNDS, "the least is"),
    "a bound without a deployment": (answer(None, Status.TIME_LIMIT, None, BEST_J * 1.01), Check.BOUNDS, "proves"),
    "a bound that is none": (answer(BEST, Status.FEASIBLE, BEST_J, float("nan")), Check.BOUNDS, "is no number"),
    "that there is nothing": (answer(None, Status.INFEASIBLE, None), Check.INFEASIBILITY, "says infeasible"),
    "that it found something": (answer(None, Status.FEASIBLE, None), Check.ANSWERS, "gives no deployment"),
    "that it found nothing, ever": (answer(None, Status.NO_SOLUTION, None), Check.ANSWERS, "neither deployment nor"),
    "that it failed": (answer(None, Status.ERROR, None), Check.ANSWERS, "fails"),
    "negative times": (answer(BEST, Status.FEASIBLE, BEST_J, times_s={"solve": -1.0}), Check.RECORDS, "times"),
    "what is no JSON": (answer(BEST, Status.FEASIBLE, BEST_J, info={"x": float("nan")}), Check.RECORDS, "JSON"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_caught_by_the_check_that_is_there_for_it(lie: str, add_method: AddMethod) -> None:
    solve, check, said = LIES[lie]
    add_method("liar", solve)
    found = caught("liar")
    assert any(said in line for line in found[check]), found


def test_an_honest_method_is_found_without_fault(add_method: AddMethod) -> None:
    add_method("honest", answer(BEST, Status.OPTIMAL, OPTIMUM_J, OPTIMUM_J))
    assert caught("honest") == {}


def wrong_with_seed(instance: Instance, options: Options, *, time_limit_s: float | None, seed: int) -> Result:
    return Result(Status.FEASIBLE, BEST, OPTIMUM_J if seed == 0 else 1.0)


def wrong_in_a_hurry(instance: Instance, options: Options, *, time_limit_s: float | None, seed: int) -> Result:
    return Result(Status.FEASIBLE, BEST, 1.0 if time_limit_s == 0 else OPTIMUM_J)


def test_what_only_another_seed_or_limit_shows_is_caught(add_method: AddMethod) -> None:
    for solve, seed, limit in ((wrong_with_seed, 1, 30.0), (wrong_in_a_hurry, 0, 0.0)):
        add_method("liar", solve)
        (breach,) = examine(METHODS["liar"], chosen=[BALEXNET]).breaches
        assert (breach.check, breach.asked.seed, breach.asked.time_limit_s) == (Check.OBJECTIVES, seed, limit)


def test_a_method_that_is_not_deterministic_is_caught(add_method: AddMethod) -> None:
    turns = iter([BEST, WORSE] * 9)

    def never_the_same(instance: Instance, options: Options, *, time_limit_s: float | None, seed: int) -> Result:
        deployment = next(turns)
        return Result(Status.FEASIBLE, deployment, evaluate(instance, deployment).objective)

    add_method("liar", never_the_same)
    assert list(caught("liar")) == [Check.DETERMINISM]


def test_a_method_that_overstays_its_limit_is_caught(add_method: AddMethod, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[float | None] = []

    def slow(instance: Instance, options: Options, *, time_limit_s: float | None, seed: int) -> Result:
        runs.append(time_limit_s)
        time.sleep(1.1 if time_limit_s == 0 else 0)
        return Result(Status.FEASIBLE, BEST, OPTIMUM_J)

    add_method("slow", slow)
    found = caught("slow")
    assert list(found) == [Check.LIMITS]
    assert "at a limit of 0 s" in found[Check.LIMITS][0]
    assert runs.count(0) == 2, "it is given another chance"


def test_a_method_that_never_ends_is_interrupted(add_method: AddMethod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "PATIENCE_S", 0.05)

    def endless(instance: Instance, options: Options, *, time_limit_s: float | None, seed: int) -> Result:
        while time_limit_s == 0:
            pass
        return Result(Status.FEASIBLE, BEST, OPTIMUM_J)

    add_method("endless", endless)
    assert "was interrupted" in caught("endless")[Check.ANSWERS][0]


def test_a_method_that_raises_or_returns_something_else_is_caught(add_method: AddMethod) -> None:
    def clumsy(instance: Instance, options: Options, **_: Any) -> Result:
        raise ZeroDivisionError("inside")

    for solve, said in ((clumsy, "raises ZeroDivisionError: inside"), (lambda *_, **__: 42, "returns int")):
        add_method("clumsy", solve)
        found = caught("clumsy")
        assert said in found[Check.ANSWERS][0]


def test_a_method_that_changes_the_instance_is_caught(add_method: AddMethod) -> None:
    def pinning(instance: Instance, options: Options, **_: Any) -> Result:
        instance.applications[0].pinned["2"] = "cloud"
        return Result(Status.FEASIBLE, BEST, OPTIMUM_J)

    def renaming(instance: Instance, options: Options, **_: Any) -> Result:
        instance.network.node_by_name.pop("cloud")
        return Result(Status.FEASIBLE, BEST, OPTIMUM_J)

    def annotating(instance: Instance, options: Options, **_: Any) -> Result:
        object.__setattr__(instance, "provenance", "seen")
        return Result(Status.FEASIBLE, BEST, OPTIMUM_J)

    for solve in (pinning, renaming, annotating):
        add_method("meddler", solve)
        assert list(caught("meddler")) == [Check.INSTANCE]


REFUSALS: dict[str, tuple[Any, str]] = {
    "not in words": ("no", "must be one line of words"),
    "in several lines": ("I do not\nlike it", "must be one line of words"),
    "by something else": (False, "must be one line of words"),
    "everything": ("takes no instance at all", "refuses everything"),
}


@pytest.mark.parametrize("how", REFUSALS)
def test_a_refusal_that_says_nothing_is_caught(how: str, add_method: AddMethod) -> None:
    refusal, said = REFUSALS[how]
    add_method("picky", answer(), refusal=refusal)
    found = caught("picky")
    assert any(said in line for line in found[Check.REFUSALS]), found


def test_an_exact_method_that_proves_nothing_is_caught(add_method: AddMethod, monkeypatch: pytest.MonkeyPatch) -> None:
    add_method("modest", answer(BEST, Status.FEASIBLE, OPTIMUM_J))
    assert caught("modest") == {}
    object.__setattr__(METHODS["modest"], "exact", True)
    assert list(caught("modest")) == [Check.PROOFS]


class Untold(Options):
    """An option without a line of help, and one whose other word does harm."""

    width: int = 3

    way: str = "left"
    """Which way."""


def test_an_option_without_help_is_caught(add_method: AddMethod) -> None:
    add_method("silent", answer(BEST, Status.FEASIBLE, OPTIMUM_J), options=Untold)
    assert caught("silent") == {
        Check.OPTIONS: ["option 'width' has no line of help: write it below the field, as a docstring"]
    }


class Doubled(Options):
    """Options of the method below."""

    doubled: bool = False
    """Claim twice the energy."""


def test_every_word_of_an_option_is_tried(add_method: AddMethod) -> None:
    def solve(instance: Instance, options: Doubled, **_: Any) -> Result:
        return Result(Status.FEASIBLE, BEST, OPTIMUM_J * (2 if options.doubled else 1))

    add_method("doubler", solve, options=Doubled)
    (breach,) = examine(METHODS["doubler"], chosen=[BALEXNET]).breaches
    assert (breach.check, dict(breach.asked.options)) == (Check.OBJECTIVES, {"doubled": True})


def test_every_check_is_explained() -> None:
    assert list(ASKED) == list(Check)


def failures(report: ContractReport) -> Iterator[str]:
    return (f"{breach.check}, {breach.asked.instance.name}: {breach.message}" for breach in report.breaches)


WAITING = ("cp-sat",)
"""Methods whose many processes take seconds even for the few cases."""


@pytest.mark.parametrize("name", [name for name in METHODS if name not in WAITING])
def test_every_method_keeps_the_contract_on_a_few_cases(name: str) -> None:
    assert list(failures(examine(METHODS[name], quick=True))) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_every_method_keeps_the_whole_contract(name: str) -> None:
    chosen = [case for case in cases() if case.quick or not case.solvable] if name in WAITING else None
    report = examine(METHODS[name], chosen=chosen)
    if name in WAITING and not report.answered:
        pytest.skip(next(iter(report.refused.values())))
    assert list(failures(report)) == []


def test_further_fields_change_the_least_objective() -> None:
    """A method that looked over a quantile, a permission, a measurement or a price would claim another."""
    known = {case.kind: case for case in cases()}
    for kind in ("quantile", "allowed nodes", "measured costs", "least carbon", "least money"):
        case = known[kind]
        (app,) = case.instance.applications
        plain = generate("mesh", nodes=3, blocks=3, exits=2, seed=5).with_overrides(max_latency_s=app.max_latency_s)
        optimum, found = truth_of(case, "fin").optimum, exhaustive.solve(plain).deployment
        assert optimum is not None
        assert found is not None
        assert optimum != pytest.approx(evaluate(plain, found).objective), kind
