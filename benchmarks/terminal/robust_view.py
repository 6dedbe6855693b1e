"""A robust plan on a terminal."""

from __future__ import annotations

from typing import Any

from finbench.benchmarks.replanning.robust import RobustPlan
from finbench.benchmarks.terminal.console import output, table
from finbench.benchmarks.terminal.stress_view import amount
from finbench.models.instance import Instance


def print_robust(instance: Instance, method: str, plan: RobustPlan) -> None:
    """Print where blocks run, and what the plan costs as planned and at worst."""
    console, asked = output(), plan.uncertainty
    console.print(
        f"{method}, at most {asked.budget} of the exit shares and rates deviate by {asked.deviation:.3g} each"
    )
    if plan.deployment is None or plan.planned is None or plan.worst is None:
        console.print(f"{plan.result.status.value}: {plan.result.reason or 'no plan was found'}")
        return
    rows = [
        (one.application, one.dnn or "", str(one.last_exit), " ".join(one.placement))
        for one in plan.deployment.deployments
    ]
    rows += [(name, "", "", "rejected") for name in plan.deployment.rejected]
    console.print(table("Plan", ("application", "DNN", "last exit", "nodes of its blocks"), rows, text_columns=4))
    bound = plan.result.lower_bound
    numbers = [("as planned", amount(plan.planned, instance)), ("at worst", amount(plan.worst, instance))]
    numbers += [] if bound is None else [("proven bound of the worst", amount(bound, instance))]
    console.print(table(f"Objective ({plan.result.status.value})", ("case", "objective"), numbers))
    if plan.contradiction is not None:
        console.print(f"contradiction: {plan.contradiction}")


def to_json(instance: Instance, method: str, plan: RobustPlan) -> dict[str, Any]:
    """Return all numbers for `--json`."""
    return {
        "instance": instance.name,
        "method": method,
        "budget": plan.uncertainty.budget,
        "deviation": plan.uncertainty.deviation,
        "status": plan.result.status.value,
        "reason": plan.result.reason,
        "unit": instance.objective_unit,
        "planned": plan.planned,
        "worst": plan.worst,
        "lower_bound": plan.result.lower_bound,
        "violations": [one.message for one in plan.violations],
        "contradiction": plan.contradiction,
        "deployment": None if plan.deployment is None else plan.deployment.model_dump(mode="json"),
    }
