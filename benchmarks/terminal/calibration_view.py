"""What measurements change in an instance and its best deployment, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finbench.benchmarks.analysis.units import sized
from finbench.benchmarks.measuring.corrections import Correction
from finbench.benchmarks.measuring.plan_change import PlanChange
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.deployment import Deployment

COLUMNS = ("figure of", "quantity", "old", "measured", "factor")


def print_calibration(corrections: Sequence[Correction], change: PlanChange) -> None:
    """Print every figure that was measured beside the old one, and what becomes of the best deployment."""
    rows = [_row(each) for each in corrections]
    console.output().print(console.table("Old figures and measured ones", COLUMNS, rows, text_columns=2))
    worst = farthest(corrections)
    if worst is not None and worst.factor is not None:
        print(f"farthest off: {worst.quantity} of {printable(worst.subject)}, by a factor of {worst.factor:.3g}")
    for line in told(change):
        print(line)


def farthest(corrections: Sequence[Correction]) -> Correction | None:
    """Return the figure that was off by the largest factor, up or down; None where there is none to compare."""
    factors = [(max(each.factor, 1 / each.factor), each) for each in corrections if each.factor]
    return max(factors, key=lambda pair: pair[0])[1] if factors else None


def told(change: PlanChange) -> list[str]:
    """Return in words what becomes of the best deployment."""
    unit = change.after.instance.objective_unit
    method = change.after.method
    if not change.before.found:
        return [f"before: no deployment was found by {method} ({change.before.result.status})", *_after(change, unit)]
    old = f"best deployment before: {_decisions(change.old_deployment)}, {sized(change.before.objective, unit, 5)}"
    plan = change.old_plan
    if plan is None:
        return [old, *_after(change, unit)]
    broken = [f"it breaks: {printable(violation.message)}" for violation in plan.violations]
    return [old, f"the same under the new figures: {sized(plan.objective, unit, 5)}", *broken, *_after(change, unit)]


def _after(change: PlanChange, unit: str) -> list[str]:
    if change.stays_best:
        return ["the best deployment stays the same"]
    if not change.after.found:
        return [f"no deployment was found under the new figures ({change.after.result.status})"]
    return [
        f"best deployment now: {_decisions(change.after.result.deployment)}, {sized(change.after.objective, unit, 5)}"
    ]


def _decisions(deployment: Deployment | None) -> str:
    if deployment is None:
        return "none"
    one = [f"{printable(' '.join(each.placement))}, exit {each.last_exit}" for each in deployment.deployments]
    return one[0] if len(one) == 1 else f"{len(one)} applications served, {len(deployment.rejected)} rejected"


def to_json(corrections: Sequence[Correction], change: PlanChange) -> dict[str, Any]:
    """Return the same as a JSON-compatible table."""
    plan = change.old_plan
    return {
        "figures": [
            {
                "subject": each.subject,
                "quantity": each.quantity,
                "unit": each.unit,
                "old": each.before,
                "measured": each.after,
                "factor": each.factor,
            }
            for each in corrections
        ],
        "before": change.before.to_json(),
        "after": change.after.to_json(),
        "old_deployment": None
        if plan is None
        else {"objective": plan.objective, "violations": [violation.message for violation in plan.violations]},
        "stays_best": change.stays_best,
    }


def _row(each: Correction) -> tuple[str, ...]:
    return (
        printable(each.subject),
        each.quantity,
        sized(each.before, each.unit, 4),
        sized(each.after, each.unit, 4),
        "–" if each.factor is None else f"{each.factor:.3g}",
    )
