"""A day of drift: what runs at which power, where blocks move, where rules are broken, and what it all adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import matplotlib as mpl
import matplotlib.ticker
from matplotlib.figure import Figure

from finbench.benchmarks.plots.style import Paper, group_styles, literal, paper, shortened
from finbench.benchmarks.replanning.policies import Course, Planner, Policy
from finbench.models.day import Day
from finbench.models.instance import Instance

HOUR_S = 3600.0
WIDE = 0.38
"""Width of a bar."""

ROOM_ABOVE = 1.45
"""Height of the totals' axis over their highest bar: the legend stands above all bars."""

KILO_FROM = 1e4
"""From which total on, thousands are counted."""


def draw_day(day: Day, instance: Instance, courses: Sequence[Course], on: Paper | None = None) -> Figure:
    """Return a figure: above the objective over the day for each planner, below what each policy adds up to.

    Moves are dots, broken rules crosses.
    """
    on = on or paper()
    planners = [planner for planner in Planner if any(one.planner is planner for one in courses)]
    style = group_styles([policy.value for policy in Policy])
    with mpl.rc_context(on.rc):
        figure = Figure(figsize=(on.width_in, 4.9), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(1.25, 1))
        above, below = parts
        panels = above.subplots(1, len(planners), sharey=True, squeeze=False)[0]
        for axes, planner in zip(panels, planners, strict=True):
            own = [one for one in courses if one.planner is planner]
            _draw_courses(axes, day, own, style)
            axes.set_title(f"Plans by {own[0].method}", loc="left")
        panels[0].set_ylabel(f"objective [{instance.objective_unit}]")
        handles = [mpl.lines.Line2D([], [], **{**style[p.value], "marker": ""}, label=p.value) for p in Policy]
        for marker, text in (("o", "moves"), ("x", "broken")):
            handles.append(mpl.lines.Line2D([], [], marker=marker, color="black", linestyle="", label=text))
        above.legend(handles=handles, loc="outside lower center", ncols=6)
        _draw_totals(below.subplots(), instance, courses)
    return figure


def _draw_courses(axes: Any, day: Day, courses: Sequence[Course], style: dict[str, dict[str, Any]]) -> None:
    edges = [0.0, *accumulate(period.duration_s / HOUR_S for period in day.periods)]
    for place, one in enumerate(courses):
        colour = style[one.policy.value]["color"]
        heights = [period.objective if period.objective is not None else float("nan") for period in one.periods]
        wide = 1.0 + 0.9 * (len(courses) - 1 - place)
        axes.stairs(heights, edges, color=colour, linewidth=wide, baseline=None)
        for height, period, begin, end in zip(heights, one.periods, edges, edges[1:], strict=False):
            if period.moved:
                axes.plot([begin], [height], "o", color=colour, markersize=5)
            if period.broken:
                axes.plot([(begin + end) / 2], [height], "x", color=colour, markersize=4 + 2.5 * (len(courses) - place))
    axes.set_xlabel("time [h]")
    axes.set_xlim(0, edges[-1])
    if 12 <= edges[-1] <= 48:
        axes.xaxis.set_major_locator(mpl.ticker.MultipleLocator(6))
    axes.set_ylim(bottom=0)


def _draw_totals(axes: Any, instance: Instance, courses: Sequence[Course]) -> None:
    names = [literal(shortened(f"{one.policy.value}\n{one.method}", 24)) for one in courses]
    most = max(one.running + one.moving for one in courses)
    size, prefix = (1e3, "k") if most >= KILO_FROM else (1.0, "")
    running, moving = ([getattr(one, part) / size for one in courses] for part in ("running", "moving"))
    places = range(len(courses))
    axes.bar(places, running, WIDE * 1.6, color="#8FB3D1", label="running")
    axes.bar(places, moving, WIDE * 1.6, bottom=running, color="#D55E00", label="moving")
    for k, one in enumerate(courses):
        if one.broken_s:
            text = f"broken\n{one.broken_s / HOUR_S:.3g} h"
            axes.text(k, running[k] + moving[k], text, ha="center", va="bottom", fontsize=7, color="#A02010")
    if most > 0:
        axes.set_ylim(0, ROOM_ABOVE * most / size)
    axes.set_xticks(places, names, fontsize=7)
    axes.grid(axis="x", visible=False)
    axes.set_ylabel(f"over the day [{prefix}{instance.inference_unit}]")
    axes.legend(loc="upper left", ncols=2)
