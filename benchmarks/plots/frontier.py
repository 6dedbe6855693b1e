"""Least energy against the latency budget, in units that suit both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from finbench.benchmarks.analysis.numbers import fixed_percent
from finbench.benchmarks.analysis.units import HEADINGS, Quantity
from finbench.benchmarks.plots.axis_scales import axis_unit, headed
from finbench.benchmarks.plots.line_names import add_legend, lines_of
from finbench.benchmarks.plots.style import Paper, group_styles, literal, nested, paper, shortened
from finbench.fin_graph.frontier import ExitFrontier
from finbench.models.instance import Instance

MARKED = 15
"""Corners of one exit up to which each gets a marker."""


def draw_frontiers(instance: Instance, gamma: int, found: Sequence[ExitFrontier], on: Paper | None = None) -> Figure:
    """Return a figure of energy against latency budget: a staircase for each exit, exact solid, FIN dashed."""
    return draw_frontiers_side_by_side(instance, gamma, {"": found}, on)


def draw_frontiers_side_by_side(
    instance: Instance, gamma: int, panels: Mapping[str, Sequence[ExitFrontier]], on: Paper | None = None
) -> Figure:
    """Return a figure of the frontiers of several cases of an instance, each in a panel; all have the same axes.

    Parameters
    ----------
    instance : Instance
    gamma : int
        FIN's number of steps.
    panels : mapping from str to sequence of ExitFrontier
        Frontiers by the title of their panel.
    on : Paper, optional
    """
    on = on or paper()
    every = [one for found in panels.values() for one in found]
    with mpl.rc_context(on.rc):
        figure = Figure(figsize=(on.width_in, max(0.5 * on.width_in, 2.6)), layout="constrained")
        row = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (title, found) in zip(row, panels.items(), strict=True):
            draw_frontier(axes, found, every)
            axes.set_title(literal(title), loc="left")
            axes.label_outer()
        characters = int(on.width_in * 72 / (0.6 * mpl.rcParams["font.size"])) - 36
        name = f"{literal(shortened(instance.name, max(characters, 12)))}: what latency costs"
        if len(panels) == 1:
            row[0].set_title(name, loc="left")
        else:
            figure.suptitle(name, x=0.01, ha="left")
        add_legend(figure, frontier_styles(every), 0, [_fin_line(gamma)])
    return figure


def frontier_lines(found: Sequence[ExitFrontier]) -> list[Line2D]:
    """Return what a legend beside `draw_frontier` shows: a line for each exit, and FIN's."""
    return [*lines_of(frontier_styles(found)), _fin_line(None)]


def _fin_line(gamma: int | None) -> Line2D:
    label = "FIN" if gamma is None else f"FIN, γ = {gamma}"
    return Line2D([], [], linestyle="--", color="black", marker="o", markerfacecolor="white", label=label)


def frontier_styles(found: Sequence[ExitFrontier]) -> dict[str, dict[str, Any]]:
    """Return the style of each exit's staircase, by the name that a legend gives it."""
    return group_styles(list(dict.fromkeys(map(_name, found))))


def _name(one: ExitFrontier) -> str:
    return f"exit {one.exit_name}, accuracy {fixed_percent(one.accuracy, 1)} %"


def draw_frontier(axes: Axes, found: Sequence[ExitFrontier], every: Sequence[ExitFrontier] | None = None) -> None:
    """Draw the staircases of all exits on an Axes: exact solid with filled markers, FIN dashed with hollow ones.

    Units, styles and ends of the axes are those that suit `every` frontier of a figure; left out: these alone.
    """
    every = every or found
    styles = frontier_styles(every)
    corners = [corner for one in every for corner in (*one.fin, *(one.exact or ()))]
    x_unit = axis_unit(Quantity.SECONDS, [budget for budget, _ in corners])
    quantity = Quantity(every[0].unit)
    y_unit = axis_unit(quantity, [energy for _, energy in corners])
    longest = max(budget for budget, _ in corners) / x_unit.size
    for k, one in enumerate(found):
        style = styles[_name(one)]
        look = {**style, **nested(k, len(found))}
        for stairs, dash, fill in ((one.exact or (), "-", style["color"]), (one.fin, "--", "white")):
            if stairs:
                budgets = [budget / x_unit.size for budget, _ in stairs]
                energies = [energy / y_unit.size for _, energy in stairs]
                line = {"linestyle": dash, "color": style["color"], "linewidth": look["linewidth"]}
                axes.step([*budgets, 1.05 * longest], [*energies, energies[-1]], where="post", **line)
                if len(stairs) <= MARKED:
                    axes.plot(budgets, energies, **{**look, "linestyle": "", "markerfacecolor": fill})
    axes.set(
        xlabel=headed("latency budget δ", x_unit), ylabel=headed(f"least {HEADINGS[quantity]} per inference", y_unit)
    )
    axes.set_ylim(0, 1.05 * max(cost for _, cost in corners) / y_unit.size if len(every) > len(found) else None)
    axes.set_xlim(right=1.05 * longest)
