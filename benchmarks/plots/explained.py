"""A system with its loads, shadow prices and upgrades, or with what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finbench.benchmarks.analysis.numbers import percent, rounded_up
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from finbench.fin_graph.joint.explanation.explain import Explanation, Need


def draw_explanation(instance: Instance, explanation: Explanation) -> Figure:
    """Draw the system with its loads, prices and what upgrades would save; where nothing fits, with what is missing."""
    from finbench.benchmarks.plots.system import draw_system

    deployment = explanation.result.deployment
    prices = {f"{price.subject}: {price.resource}": price.price for price in explanation.prices}
    for upgrade in explanation.upgrades.ranked:
        best = upgrade.savings[-1]
        if best.saving > 0:
            prices[f"{upgrade.subject}: saved at {best.factor:g} × the speed"] = best.saving
    evaluation = None if deployment is None else evaluate(instance, deployment)
    return draw_system(instance, evaluation, prices, missing=_missing(explanation))


def _missing(explanation: Explanation) -> dict[str, str]:
    """Return what capacities would have to grow by, and which parts would do by being faster."""
    missing = {f"{need.subject}: {need.resource}": _grown(need) for need in explanation.needs}
    enablers = () if explanation.enablers is None else explanation.enablers.found
    for enabler in enablers:
        for part in enabler.parts:
            missing.setdefault(
                f"{part.subject}: {ENOUGH[len(enabler.parts) > 1]}", f"× {rounded_up(enabler.factor, 3)}"
            )
    return missing


ENOUGH = ("speed, enough alone", "speed, with another")
"""What is said of a part that would do by being faster, and of one of two."""


def _grown(need: Need) -> str:
    return (
        f"+{percent(need.relative)} %" if need.relative is not None else f"+{rounded_up(need.missing, 3)} {need.unit}"
    )
