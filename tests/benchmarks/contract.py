"""What every method of the registry must do for its callers, checked from outside: none of its claims is believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from time import perf_counter

from finbench.benchmarks.judging.judged import Judged, judge
from finbench.benchmarks.methods import METHODS, run_method
from finbench.models.instance import Instance
from finbench.models.result import Result, Status
from finbench.models.tolerances import ENERGY_TOLERANCE, equal_energy

TIME_LIMIT_S = 30.0
STOP_S = 20.0
"""Within which a method must stop where its limit is 0 [s]."""


def breaches(name: str, instance: Instance, optimum: float | None) -> list[str]:
    """Return the faults of a method, one line each.

    Parameters
    ----------
    name : str
    instance : Instance
    optimum : float or None
        Least objective of the instance, found without any method; None where no deployment satisfies its constraints.
    """
    first = _run(name, instance)
    if first.result.status is Status.UNSUPPORTED:
        return [] if first.result.reason and first.evaluation is None else ["refuses without a reason"]
    found = [*_untrue(first, optimum), *_incomplete(first, optimum)]
    if _told(_run(name, instance)) != _told(first):
        found.append("says something else when it runs again with the same seed")
    found += [f"seed 1: {line}" for line in _untrue(_run(name, instance, seed=1), optimum)]
    begun = perf_counter()
    hurried = _run(name, instance, time_limit_s=0.0)
    if perf_counter() - begun > STOP_S:
        found.append("does not stop at its limit")
    return [*found, *(f"limit 0: {line}" for line in _untrue(hurried, optimum))]


def _run(name: str, instance: Instance, *, time_limit_s: float = TIME_LIMIT_S, seed: int = 0) -> Judged:
    result = run_method(instance, name, time_limit_s=time_limit_s, seed=seed)
    assert isinstance(result, Result)
    return judge(instance, name, {}, result)


def _told(run: Judged) -> tuple[object, ...]:
    result = run.result
    return result.status, result.deployment, result.claimed_objective, result.lower_bound, result.reason


def _untrue(run: Judged, optimum: float | None) -> Iterator[str]:
    """Yield the method's claims that are false."""
    yield from run.contradictions
    status, bound, objective = run.result.status, run.result.lower_bound, run.objective
    if run.found and (optimum is None or _below(objective, optimum)):
        yield f"finds {objective!r}, the least is {optimum!r}"
    if run.found and run.result.claimed_objective is None:
        yield "claims no objective for its deployment"
    if status is Status.OPTIMAL and (optimum is None or objective is None or not equal_energy(objective, optimum)):
        yield f"says {objective!r} is optimal, the least is {optimum!r}"
    if status is Status.FEASIBLE and not run.found:
        yield "says feasible, has no feasible deployment"
    if status is Status.INFEASIBLE and optimum is not None:
        yield f"says infeasible, the least is {optimum!r}"
    if bound is not None and optimum is not None and _below(optimum, bound):
        yield f"proves {bound!r}, the least is {optimum!r}"
    if any(seconds < 0 or not isfinite(seconds) for seconds in run.result.times_s.values()):
        yield f"times {run.result.times_s}"
    json.dumps(run.to_json(), allow_nan=False)


def _incomplete(run: Judged, optimum: float | None) -> Iterator[str]:
    """Yield what an exact method lacks although it had enough time."""
    proof = Status.INFEASIBLE if optimum is None else Status.OPTIMAL
    if METHODS[str(run.method)].exact and run.result.status is not proof:
        yield f"is exact and says {run.result.status}, with time for {proof}"


def _below(energy: float | None, bound: float) -> bool:
    return energy is None or energy < bound - ENERGY_TOLERANCE * abs(bound)
