"""A plan that holds whatever deviates, by one of the methods that can make one, and judged at its worst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from finbench.benchmarks.methods import find_method
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Violation, evaluate
from finbench.models.instance import Instance
from finbench.models.io import InputError
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.result import Result
from finbench.models.tolerances import equal_energy
from finbench.models.uncertainty import Uncertainty, worst_case

ROBUST_METHODS = ("milp-flow", "label-setting")
"""Methods that take a budget of deviations."""


@dataclass(frozen=True)
class RobustPlan:
    """What a method found, and what is true of it."""

    uncertainty: Uncertainty
    result: Result
    """Claims are of the worst objective."""
    planned: float | None
    """The objective where nothing deviates."""
    worst: float | None
    """The largest objective."""
    violations: tuple[Violation, ...]
    """What is broken as planned or at worst."""

    @property
    def deployment(self) -> Deployment | None:
        """The plan; None where there is none."""
        return self.result.deployment

    @property
    def contradiction(self) -> str | None:
        """What the method claims and is not so; None where all is true."""
        if self.deployment is None:
            return None
        if self.violations:
            return self.violations[0].message
        claimed = self.result.claimed_objective
        if claimed is None or self.worst is None or not equal_energy(claimed, self.worst):
            return f"the method claims {claimed} at worst, it is {self.worst}"
        return None


def solve_robust(
    instance: Instance,
    uncertainty: Uncertainty,
    method: str = "milp-flow",
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> RobustPlan:
    """Find the plan whose worst objective is least, and judge it.

    Parameters
    ----------
    instance : Instance
    uncertainty : Uncertainty
    method : {"milp-flow", "label-setting"}
    time_limit_s : float, optional
        Limit [s].
    seed : int
    options : mapping, optional
        Of the method.

    Returns
    -------
    RobustPlan

    Raises
    ------
    InputError
        If the method cannot make robust plans, or does not have an option.
    """
    if method not in ROBUST_METHODS:
        find_method(method)
        raise InputError("--robust", f"method '{method}' makes no robust plans; {' and '.join(ROBUST_METHODS)} do")
    checked = find_method(method).checked(dict(options or {}))
    if isinstance(checked, MilpFlowOptions):
        from finbench.models.milp import robust

        result = robust.solve_robust(instance, uncertainty, checked, time_limit_s=time_limit_s, seed=seed)
    else:
        from finbench.fin_graph import one_worst

        if checked.model_dump().get("k", 1) > 1:
            raise InputError("--robust", "goes with one deployment; leave --k out")
        result = one_worst.solve_robust(instance, uncertainty, time_limit_s=time_limit_s, seed=seed)
    if result.deployment is None:
        return RobustPlan(uncertainty, result, None, None, ())
    worst = worst_case(instance, result.deployment, uncertainty)
    planned = evaluate(instance, result.deployment).objective
    return RobustPlan(uncertainty, result, planned, worst.objective, worst.violations)
