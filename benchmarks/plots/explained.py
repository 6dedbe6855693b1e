"""A system with its loads, shadow prices and upgrades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from finbench.fin_graph.joint.explanation.explain import Explanation


def draw_explanation(instance: Instance, explanation: Explanation) -> Figure:
    """Draw the system with its loads, shadow prices, and what the best upgrades would save."""
    from finbench.benchmarks.plots.system import draw_system

    deployment = explanation.result.deployment
    prices = {f"{price.subject}: {price.resource}": price.price for price in explanation.prices}
    for upgrade in explanation.upgrades.ranked:
        best = upgrade.savings[-1]
        if best.saving > 0:
            prices[f"{upgrade.subject}: saved at {best.factor:g} × the speed"] = best.saving
    return draw_system(instance, None if deployment is None else evaluate(instance, deployment), prices)
