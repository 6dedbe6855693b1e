"""Judges what a method returns. Every number that is shown comes from `models.evaluate`, after the clock has stopped.

Energies are compared as objective values (eq. 3); relative to a bound the unit does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from math import isfinite
from typing import Any

from finbench.benchmarks.judging.contradictions import CLAIMS_FEASIBLE, contradictions, relative_gap
from finbench.benchmarks.methods import variant
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Evaluation, Violation, evaluate
from finbench.models.instance import Instance, Objective
from finbench.models.loads import UNITS, Use, uses
from finbench.models.result import Result, Status

MOST_CHOSEN = 1000
"""Characters of a list of chosen alternatives at most."""


@dataclass(frozen=True)
class Rejection:
    """An application that is turned away."""

    application: str
    penalty_w: float | None
    """None where the instance does not allow it (then it is a violation)."""
    reason: str | None
    """The method's one line; None from a file."""


@dataclass(frozen=True)
class Judged:
    """One run with the evaluator's verdict beside the method's claims."""

    instance: Instance
    method: str | None
    """None where the deployment came from a file."""
    options: Mapping[str, Any]
    result: Result
    evaluation: Evaluation | None
    """None where there is no deployment."""
    named: tuple[str, ...] = ()
    """Options that the variant tells at their defaults too: they tell runs apart that stand side by side."""

    @property
    def variant(self) -> str:
        """Method and the options that matter, for people."""
        return "file" if self.method is None else variant(self.method, self.options, self.named)

    @property
    def found(self) -> bool:
        """Whether there is a deployment that satisfies every constraint, as the evaluator sees it."""
        return self.evaluation is not None and self.evaluation.feasible

    @property
    def claims_feasible(self) -> bool:
        """Whether the method says of its deployment that it satisfies every constraint."""
        return self.evaluation is not None and self.result.status in CLAIMS_FEASIBLE

    @cached_property
    def contradictions(self) -> list[str]:
        """Claims of the method that cannot be true, a line each, found without any other run.

        Violations under a status that claims none, no deployment under one that claims it, a claimed objective that is
        not the evaluated one, an objective below the method's own bound. The exit code of a command follows from it.
        """
        return contradictions([self])

    @property
    def chosen_dnn(self) -> str | None:
        """The alternative that runs (eq. 29), of many applications how many run each; None where none was chosen."""
        deployment = self.result.deployment
        if not self.found or deployment is None:
            return None
        counts = Counter(one.dnn for one in deployment.deployments if one.dnn is not None)
        if len(self.instance.applications) == 1:
            return next(iter(counts), None)
        return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))[:MOST_CHOSEN] or None

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every rule the deployment breaks."""
        return () if self.evaluation is None else self.evaluation.violations

    @property
    def violated(self) -> tuple[str, ...]:
        """Every rule the deployment breaks, a line each."""
        return tuple(violation.message for violation in self.violations)

    @property
    def claimed_objective(self) -> float | None:
        """The objective that the method claims."""
        return self.result.claimed_objective

    @property
    def lower_bound(self) -> float | None:
        """The method's proven lower bound on the objective."""
        return self.result.lower_bound

    @property
    def objective(self) -> float | None:
        """Evaluated objective (eq. 3): J for a single application without a rate, else W."""
        return None if self.evaluation is None else self.evaluation.objective

    @property
    def gap(self) -> float | None:
        """(E − LB)/LB against the method's own proven bound; None without one, or where a bound of 0 says nothing."""
        return relative_gap(self.objective, self.result.lower_bound) if self.found else None

    @property
    def time_s(self) -> float:
        """Seconds over all phases but `load`, in which a process fetches compiled code for the first time."""
        return sum(seconds for phase, seconds in self.result.times_s.items() if phase != "load")

    def to_json(self) -> dict[str, Any]:
        """Return the object that `solve --json` and `evaluate --json` print.

        `latency_s` and `accuracy` are the worst over the applications that are served. For a single application claimed
        energy and bound are per inference; several have only a joint power: `claimed_power_w` and `lower_bound_w`.
        Where there are rates, `_shared` adds power, rejections and loads.
        """
        apps = self.evaluation.applications if self.evaluation is not None and self.objective is not None else ()
        deployment = self.result.deployment
        return {
            "instance": self.instance.name,
            "method": self.method,
            "options": dict(self.options),
            "status": self.status,
            "reason": self.result.reason,
            "energy_j": sum(app.energy_j for app in apps) if apps else None,
            "compute_energy_j": sum(app.compute_energy_j for app in apps) if apps else None,
            "transfer_energy_j": sum(app.transfer_energy_j for app in apps) if apps else None,
            "latency_s": max((app.latency_s for app in apps), default=None),
            "accuracy": min((app.accuracy for app in apps), default=None),
            **self._shared(),
            "violations": [{**asdict(v), "kind": v.kind.value, "excess": v.excess} for v in self.violations],
            **self.claims(),
            **self._minimised(),
            "gap": self.gap,
            "times_s": dict(self.result.times_s),
            "applications": [{**asdict(app), "energy_j": app.energy_j} for app in apps],
            "deployments": deployment.model_dump(mode="json")["deployments"] if deployment is not None else [],
            "info": dict(self.result.info),
        }

    @property
    def status(self) -> str:
        """The method's status; for a deployment from a file `feasible` or `violated`."""
        if self.method is None:
            return Status.FEASIBLE.value if self.found else "violated"
        return self.result.status.value

    def claims(self) -> dict[str, float | None]:
        """Return the claimed objective and lower bound: energy per inference, for several applications joint power."""
        claimed, bound = self.result.claimed_objective, self.result.lower_bound
        if len(self.instance.applications) > 1:
            power = self.instance.objective is Objective.ENERGY
            return {
                "claimed_energy_j": None,
                "claimed_power_w": claimed if power else None,
                "lower_bound_j": None,
                "lower_bound_w": bound if power else None,
            }
        weight = self.instance.applications[0].weight
        if self.instance.objective is not Objective.ENERGY:
            return {"claimed_energy_j": None, "lower_bound_j": None}
        return {
            "claimed_energy_j": None if claimed is None else claimed / weight,
            "lower_bound_j": None if bound is None else bound / weight,
        }

    @property
    def rated(self) -> bool:
        """Whether applications have rates, so that they load the system and the objective is a power."""
        return all(app.rate_per_s is not None for app in self.instance.applications)

    @property
    def uses(self) -> list[Use]:
        """Every limited resource that is used, the fullest first; empty without rates."""
        return uses(self.instance, self.evaluation.loads) if self.evaluation is not None and self.rated else []

    @property
    def rejections(self) -> list[Rejection]:
        """The applications that are turned away, in the deployment's order."""
        reasons = self.result.info.get("rejected", {})
        penalties = {app.name: app.rejection_penalty_w for app in self.instance.applications}
        names = () if self.evaluation is None else self.evaluation.rejected
        return [Rejection(name, penalties[name], reasons.get(name)) for name in names]

    def _minimised(self) -> dict[str, Any]:
        """Return objective, claim, bound and penalties in the objective's unit where it is not the energy (eq. 31)."""
        if self.instance.objective is Objective.ENERGY:
            return {}
        evaluation = self.evaluation
        return {
            "minimised": self.instance.objective.value,
            "objective_unit": self.instance.objective_unit,
            "objective": self.objective,
            "claimed_objective": self.claimed_objective,
            "lower_bound": self.lower_bound,
            "penalty": None if evaluation is None else evaluation.penalty_w,
            "tiers": {} if evaluation is None else evaluation.tiers,
        }

    def _shared(self) -> dict[str, Any]:
        """Return what rates add: power [W], penalties, power of each tier, rejections; loads, the fullest first."""
        if not self.rated:
            return {}
        evaluation, power = self.evaluation, self.instance.objective is Objective.ENERGY
        return {
            "total_power_w": self.objective if power else self._power(),
            "penalty_w": None if evaluation is None or not power else evaluation.penalty_w,
            "tiers_w": {} if evaluation is None or not power else evaluation.tiers,
            "rejected": [asdict(rejection) for rejection in self.rejections],
            "loads": [_use_json(use) for use in self.uses],
        }

    def _power(self) -> float | None:
        """Return the power of the served applications [W]; None without a deployment of all."""
        if self.evaluation is None or self.objective is None:
            return None
        weight = {app.name: app.weight for app in self.instance.applications}
        return sum(weight[costs.application] * costs.energy_j for costs in self.evaluation.applications)


def _use_json(use: Use) -> dict[str, Any]:
    """Return a use for JSON. An infinite utilisation, of a resource without capacity, becomes null."""
    utilisation = use.utilisation if isfinite(use.utilisation) else None
    return {**asdict(use), "resource": use.resource.value, "unit": UNITS[use.resource], "utilisation": utilisation}


def judge(
    instance: Instance, method: str, options: Mapping[str, Any], result: Result, named: tuple[str, ...] = ()
) -> Judged:
    """Evaluate what a method returned.

    Parameters
    ----------
    instance : Instance
    method : str
    options : mapping
        The options as given, for the row.
    result : Result
    named : tuple of str
        Options that the variant tells at their defaults too.

    Returns
    -------
    Judged
    """
    evaluation = None if result.deployment is None else evaluate(instance, result.deployment)
    return Judged(instance, method, options, result, evaluation, named)


def judge_deployment(instance: Instance, deployment: Deployment) -> Judged:
    """Evaluate a deployment that no method claims anything about."""
    return Judged(instance, None, {}, Result(Status.FEASIBLE, deployment), evaluate(instance, deployment))
