"""What cannot all be true of runs on one instance, and the relative gap that everyone uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from finbench.models.result import Status
from finbench.models.tolerances import ENERGY_TOLERANCE, SUM_NOISE, equal_energy

CLAIMS_FEASIBLE = (Status.OPTIMAL, Status.FEASIBLE, Status.TIME_LIMIT, Status.MEMORY_LIMIT)
"""Statuses under which a deployment, if there is one, is claimed to satisfy every constraint."""


class Verdict(Protocol):
    """What a run claims and what is true of it: enough to find contradictions. A `Judged` is one, and so is a row."""

    @property
    def variant(self) -> str:
        """Method and the options that matter."""

    @property
    def status(self) -> str:
        """A `Status`, as the method claims."""

    @property
    def found(self) -> bool:
        """Whether there is a deployment that satisfies every constraint."""

    @property
    def objective(self) -> float | None:
        """Evaluated objective (eq. 3)."""

    @property
    def claimed_objective(self) -> float | None:
        """The objective that the method claims."""

    @property
    def lower_bound(self) -> float | None:
        """Proven lower bound on the objective."""

    @property
    def violated(self) -> Sequence[str]:
        """Rules that the deployment breaks, a line each."""


def relative_gap(energy: float | None, bound: float | None) -> float | None:
    """Return (E − LB)/LB; None where it says nothing.

    0 where the difference is float noise, and where E is below the bound within the tolerance of equal energies.
    """
    if energy is None or bound is None:
        return None
    if abs(energy - bound) <= SUM_NOISE * abs(bound) or (energy < bound and equal_energy(energy, bound)):
        return 0.0
    return (energy - bound) / bound if bound > 0 else None


def contradictions(runs: Sequence[Verdict]) -> list[str]:
    """Return what cannot all be true of runs on one instance, one line each; an empty list when everything agrees.

    A deployment with violations under a status that claims none; a claimed energy that is not the evaluated one;
    a feasible energy below a proven bound; two optima that differ; infeasibility "proven" against a deployment.
    """
    found = [line for run in runs for line in _own_contradictions(run)]
    feasible = [run for run in runs if run.found]
    if not feasible:
        return found
    best = min(feasible, key=_objective)
    for run in runs:
        if run.status == Status.INFEASIBLE:
            found.append(f"{run.variant} says infeasible, {best.variant} has a feasible deployment")
        bound = run.lower_bound
        if bound is not None and _below(_objective(best), bound):
            found.append(f"{best.variant} has {_objective(best)!r}, below the bound {bound!r} proven by {run.variant}")
    optima = [run for run in feasible if run.status == Status.OPTIMAL]
    for run in optima:
        if _below(_objective(best), _objective(run)):
            found.append(f"{run.variant} says {_objective(run)!r} is optimal, {best.variant} has {_objective(best)!r}")
    return found


def _own_contradictions(run: Verdict) -> list[str]:
    found = []
    judged = run.objective is not None or bool(run.violated)
    if run.status in CLAIMS_FEASIBLE:
        found += [f"{run.variant} says {run.status}, but {rule}" for rule in run.violated]
    if run.status in (Status.OPTIMAL, Status.FEASIBLE) and not judged:
        found.append(f"{run.variant} says {run.status}, but gives no deployment")
    claimed = run.claimed_objective
    if claimed is not None and run.objective is not None and not equal_energy(claimed, run.objective):
        found.append(f"{run.variant} claims {claimed!r}, the evaluator finds {run.objective!r}")
    return found


def _objective(run: Verdict) -> float:
    assert run.objective is not None
    return run.objective


def _below(energy: float, bound: float) -> bool:
    return energy < bound - ENERGY_TOLERANCE * abs(bound)
