"""The checks of the contract: what each asks, and how a single run is held against it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from math import isfinite

from finbench.benchmarks.judging.contract.trial import Trial
from finbench.benchmarks.judging.contract.truth import Truth
from finbench.benchmarks.judging.contradictions import CLAIMS_FEASIBLE
from finbench.benchmarks.judging.judged import Judged
from finbench.models.result import Status
from finbench.models.tolerances import ENERGY_TOLERANCE, equal_energy

GRACE_S = 1.0
"""How long a method may overstay its limit, where 10 % of the limit is less [s]."""


class Check(StrEnum):
    """Names of the checks."""

    OPTIONS = "options"
    REFUSALS = "refusals"
    ANSWERS = "answers"
    DEPLOYMENTS = "deployments"
    OBJECTIVES = "objectives"
    OPTIMALITY = "optimality"
    BOUNDS = "bounds"
    INFEASIBILITY = "infeasibility"
    PROOFS = "proofs"
    DETERMINISM = "determinism"
    LIMITS = "limits"
    INSTANCE = "instance"
    RECORDS = "records"


ASKED: dict[Check, str] = {
    Check.OPTIONS: "every option has a default and a line of help, and each word it allows is understood",
    Check.REFUSALS: "`supports` says None, or in words why not, and the same when asked again; not all is refused",
    Check.ANSWERS: "it returns a Result with what its status says, and raises nothing",
    Check.DEPLOYMENTS: "its deployments break no rule, as the evaluator finds",
    Check.OBJECTIVES: "it claims the objective that the evaluator finds",
    Check.OPTIMALITY: "what it calls optimal is",
    Check.BOUNDS: "its bounds lie below the optimum",
    Check.INFEASIBILITY: "what it calls infeasible is",
    Check.PROOFS: "an exact method proves, given time, that its answer is optimal or that there is none",
    Check.DETERMINISM: "with the same seed it says the same again",
    Check.LIMITS: f"it ends within {GRACE_S:g} s, or 10 %, of its limit",
    Check.INSTANCE: "it leaves the instance as it was",
    Check.RECORDS: "its times and facts can be recorded",
}
"""What must hold, for people."""

Finding = tuple[Check, str]
"""A check that fails, and how."""


def findings(trial: Trial, truth: Truth) -> Iterator[Finding]:
    """Yield what is wrong with a run, whatever its seed and limit are."""
    if trial.changed is not None:
        yield Check.INSTANCE, trial.changed
    if trial.judged is None:
        yield Check.ANSWERS, str(trial.raised)
        return
    for check in (_answers, _deployments, _objectives, _records):
        yield from check(trial.judged)
    if truth.known:
        yield from _against(trial.judged, truth.optimum)


def lacks_proof(judged: Judged, truth: Truth) -> Iterator[Finding]:
    """Yield what an exact method lacks that had enough time."""
    proof = Status.INFEASIBLE if truth.optimum is None else Status.OPTIMAL
    if judged.result.status not in (proof, Status.UNSUPPORTED):
        yield Check.PROOFS, f"is exact and says {judged.result.status}, with time for {proof}"


def _answers(judged: Judged) -> Iterator[Finding]:
    status, reason = judged.result.status, judged.result.reason
    if status in (Status.OPTIMAL, Status.FEASIBLE) and judged.result.deployment is None:
        yield Check.ANSWERS, f"says {status}, gives no deployment"
    if status in (Status.ERROR, Status.MEMORY_LIMIT):
        yield Check.ANSWERS, f"fails: {status}: {reason}"
    if status is Status.INFEASIBLE and judged.result.deployment is not None:
        yield Check.ANSWERS, "says infeasible, and gives a deployment"


def _deployments(judged: Judged) -> Iterator[Finding]:
    if judged.result.status in CLAIMS_FEASIBLE:
        yield from ((Check.DEPLOYMENTS, f"says {judged.status}, but {rule}") for rule in judged.violated)


def _objectives(judged: Judged) -> Iterator[Finding]:
    claimed, objective = judged.result.claimed_objective, judged.objective
    if judged.found and claimed is None:
        yield Check.OBJECTIVES, "claims no objective for its deployment"
    if claimed is not None and objective is None:
        yield Check.OBJECTIVES, f"claims {claimed!r} without a deployment that has an objective"
    elif claimed is not None and objective is not None and not equal_energy(claimed, objective):
        yield Check.OBJECTIVES, f"claims {claimed!r}, the evaluator finds {objective!r}"


def _records(judged: Judged) -> Iterator[Finding]:
    if any(not isfinite(seconds) or seconds < 0 for seconds in judged.result.times_s.values()):
        yield Check.RECORDS, f"times_s = {dict(judged.result.times_s)}"
    try:
        json.dumps(judged.to_json(), allow_nan=False)
    except (TypeError, ValueError) as error:
        yield Check.RECORDS, f"cannot be written as JSON: {error}"


def _against(judged: Judged, optimum: float | None) -> Iterator[Finding]:
    """Yield the claims that a known optimum (None: no deployment is feasible) contradicts."""
    status, bound, objective = judged.result.status, judged.result.lower_bound, judged.objective
    least = "there is no deployment" if optimum is None else f"the least is {optimum!r}"
    if judged.found and (optimum is None or _below(objective, optimum)):
        yield Check.DEPLOYMENTS, f"finds {objective!r}, {least}"
    if status is Status.OPTIMAL and judged.found and (optimum is None or not _equal(objective, optimum)):
        yield Check.OPTIMALITY, f"says {objective!r} is optimal, {least}"
    if status is Status.INFEASIBLE and optimum is not None:
        yield Check.INFEASIBILITY, f"says infeasible, {least}"
    if bound is not None and not bound <= float("inf"):
        yield Check.BOUNDS, f"the bound {bound!r} is no number"
    if bound is not None and optimum is not None and _below(optimum, bound):
        yield Check.BOUNDS, f"proves {bound!r}, {least}"


def _equal(objective: float | None, optimum: float) -> bool:
    return objective is not None and equal_energy(objective, optimum)


def _below(energy: float | None, bound: float) -> bool:
    return energy is not None and energy < bound - ENERGY_TOLERANCE * abs(bound)
