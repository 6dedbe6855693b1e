"""What measurements do to the best deployment of an instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finbench.benchmarks.judging.judged import Judged, judge
from finbench.benchmarks.methods import find_method, run_method
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Evaluation, evaluate
from finbench.models.instance import Instance
from finbench.models.tolerances import ENERGY_TOLERANCE

METHODS = ("label-setting", "milp-flow")
"""Exact methods that are asked, the first that takes the instance."""


@dataclass(frozen=True)
class PlanChange:
    """The best deployment before and after, and what the old one comes to under the new figures."""

    before: Judged
    after: Judged
    old_plan: Evaluation | None
    """The deployment found before, under the new figures; None where none was found."""

    @property
    def stays_best(self) -> bool | None:
        """Whether the old deployment is still a best one; None where that is not known."""
        if self.old_plan is None or self.after.objective is None or self.old_plan.objective is None:
            return None
        worst = self.after.objective + ENERGY_TOLERANCE * abs(self.after.objective)
        return self.old_plan.feasible and self.old_plan.objective <= worst

    @property
    def old_deployment(self) -> Deployment | None:
        """The deployment that was found before."""
        return self.before.result.deployment if self.before.found else None


def plan_change(old: Instance, new: Instance, time_limit_s: float | None = None, seed: int = 0) -> PlanChange:
    """Return the best deployments of an instance under its old and its new figures."""
    before, after = (_best(each, time_limit_s, seed) for each in (old, new))
    deployment = before.result.deployment if before.found else None
    return PlanChange(before, after, None if deployment is None else evaluate(new, deployment))


def _best(instance: Instance, time_limit_s: float | None, seed: int) -> Judged:
    name = _exact_method(instance, METHODS)
    result = run_method(instance, name, time_limit_s=time_limit_s, seed=seed)
    return judge(instance, name, {}, result)


def _exact_method(instance: Instance, names: Sequence[str]) -> str:
    """Return the first of some methods that takes an instance, the last one where none does."""
    methods = [find_method(name) for name in names]
    takes = (each.name for each in methods if each.module().supports(instance, each.checked({})) is None)
    return next(takes, names[-1])
