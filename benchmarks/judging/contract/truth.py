"""The least objective of a case, found without the method that is held against it."""

from __future__ import annotations

from dataclasses import dataclass

from finbench.benchmarks.judging.contract.cases import Case
from finbench.benchmarks.judging.judged import judge
from finbench.benchmarks.methods import run_method
from finbench.models.instance import Instance
from finbench.models.result import Status


@dataclass(frozen=True)
class Truth:
    """What is known of a case."""

    known: bool
    optimum: float | None = None
    """Least objective (eq. 3); None where no deployment satisfies the constraints."""


UNKNOWN = Truth(known=False)

_found: dict[tuple[str, str], Truth] = {}


def truth_of(case: Case, method: str) -> Truth:
    """Return what is known of a case: by enumeration; by `milp-flow` where enumeration itself is tested.

    Raises
    ------
    RuntimeError
        If neither proves an optimum or infeasibility, or the evaluator contradicts it.
    """
    if not case.solvable:
        return UNKNOWN
    by = "milp-flow" if method == "exhaustive" else "exhaustive"
    key = (case.instance.content_hash, by)
    if key not in _found:
        _found[key] = _proven(case.instance, by)
    return _found[key]


def _proven(instance: Instance, by: str) -> Truth:
    judged = judge(instance, by, {}, run_method(instance, by))
    if judged.result.status is Status.INFEASIBLE:
        return Truth(True, None)
    if judged.result.status is not Status.OPTIMAL or judged.contradictions or not judged.found:
        raise RuntimeError(f"{instance.name}: {by} finds no truth to hold methods against: {judged.result.reason}")
    return Truth(True, judged.objective)
