"""What plans cost against the share of samples that they keep in time: energy paid for each nine."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finbench.benchmarks.planning.comparison import PlanKind, PricedPlan, nines
from finbench.benchmarks.plots.style import COLOURS, Paper, literal, paper, shortened
from finbench.models.instance import Instance

MARKERS = {PlanKind.NAIVE: "s", PlanKind.HEADROOM: "o", PlanKind.SIMULATED: "D"}
MOST_NINES = 5.0
"""Nines at which a share of 1 is drawn; no simulation tells more from it."""

TICKS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999)
"""Shares that the axis names."""


def draw_nines(instance: Instance, found: Sequence[PricedPlan], on: Paper | None = None) -> Figure:
    """Return a figure of plans: along, the share of samples within δ of the worst application; up, the objective.

    Raises
    ------
    ValueError
        If no way of planning found a plan.
    """
    on = on or paper()
    with mpl.rc_context(on.rc):
        figure = Figure(figsize=(on.width_in, 0.62 * on.width_in), layout="constrained")
        axes = figure.subplots()
        draw_nines_on(axes, instance, found)
        axes.set_title(f"{literal(shortened(instance.name, 40))}: what each nine costs", loc="left")
        axes.legend(loc="best")
    return figure


def draw_nines_on(axes: Axes, instance: Instance, found: Sequence[PricedPlan]) -> None:
    """Draw the plans on Axes, each kind with a marker of its own; hollow where a plan holds less than was asked for."""
    points = [(one, min(nines(one.plan.within), MOST_NINES), one.plan.objective) for one in found if one.plan]
    if not points:
        raise ValueError("no plan was found: there is nothing to draw")
    for number, kind in enumerate(PlanKind):
        own = sorted((x, y, one.at) for one, x, y in points if one.kind is kind)
        colour, line = COLOURS[number % len(COLOURS)], "" if kind is PlanKind.NAIVE else ":"
        if own:
            along, up, _ = zip(*own, strict=True)
            axes.plot(along, up, MARKERS[kind] + line, color=colour, label=kind.value, zorder=3)
        short = [(x, y) for one, x, y in points if one.kind is kind and one.falls_short]
        if short:
            along, up = zip(*short, strict=True)
            axes.plot(along, up, MARKERS[kind], color=colour, markerfacecolor="white", zorder=4)
        _tell(axes, [(x, y, f"{at:g}") for x, y, at in own if at is not None], above=kind is PlanKind.SIMULATED)
    right = max(x for _, x, _ in points)
    ticks = [share for share in TICKS if nines(share) <= right + 0.4]
    axes.set_xticks([nines(share) for share in ticks], [f"{share * 100:g} %" for share in ticks])
    axes.set_xlim(-0.06 * max(right, 0.5), 1.12 * max(right, 0.5))
    axes.set_xlabel("samples within the target, of the application that keeps it least")
    axes.set_ylabel(f"objective [{instance.objective_unit}]")


def _tell(axes: Axes, told: Sequence[tuple[float, float, str]], *, above: bool) -> None:
    """Write beside each point what it was asked for; of points that coincide, all of it at once."""
    by_place: dict[tuple[float, float], list[str]] = {}
    for x, y, text in told:
        by_place.setdefault((float(np.round(x, 6)), float(np.round(y, 9))), []).append(text)
    for place, texts in by_place.items():
        offset, align, side = ((-4, 4), "bottom", "right") if above else ((5, -4), "top", "left")
        axes.annotate(", ".join(texts), place, textcoords="offset points", xytext=offset, ha=side, va=align, fontsize=7)
