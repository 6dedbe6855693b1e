"""FIN's gap against γ, beside the share of points that it misses: what a mean over deployments found leaves out."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from finbench.benchmarks.plots.axis_scales import SMALLEST_GAP, set_gaps, set_values
from finbench.benchmarks.plots.line_names import add_legend
from finbench.benchmarks.plots.style import Paper, group_styles, nested, paper


def draw_gap_by_gamma(table: pd.DataFrame, on: Paper | None = None) -> Figure:
    """Return a figure over γ: how far above the optimum, how often nothing was found, how often the optimum.

    Parameters
    ----------
    table : DataFrame
        As `analysis.gaps.gap_by_gamma` makes it.
    on : Paper, optional
        Size and style; by default for a screen.
    """
    on = on or paper()
    groups = list(dict.fromkeys(table["group"]))
    with mpl.rc_context(on.rc):
        if on.across > 1:
            figure = Figure(figsize=(on.width_in, 3.3), layout="constrained")
            panels = figure.subplot_mosaic([["gaps", "matched"], ["missed", "matched"]], height_ratios=(2.2, 1))
        else:
            figure = Figure(figsize=(on.width_in, 4.9), layout="constrained")
            panels = figure.subplot_mosaic([["gaps"], ["missed"], ["matched"]], height_ratios=(2.2, 1, 1.6))
        draw_gaps(panels["gaps"], table)
        draw_missed(panels["missed"], table)
        draw_matched(panels["matched"], table)
        panels["gaps"].set(xlabel="", xticklabels=[])
        add_legend(figure, group_styles(groups), 0, gap_lines(table))
    return figure


def gap_lines(table: pd.DataFrame) -> list[Line2D]:
    """Return what a legend beside `draw_gaps` shows whatever the group: what solid, dashed and hollow mean."""
    black: Any = {"color": "black", "marker": ""}
    hollow = bool((table["found"] < 100).any())
    lines = [Line2D([], [], label="worst", **black), Line2D([], [], label="mean", linestyle="--", **black)]
    marker: Any = {"color": "black", "linestyle": "", "marker": "o", "markerfacecolor": "white"}
    return [*lines, *([Line2D([], [], label="hollow: failures left out", **marker)] if hollow else [])]


def draw_gaps(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the worst gap (solid) and the mean gap (dashed) of each group over the deployments found.

    Markers are hollow where FIN missed any: those points are in neither line.
    """
    styles = group_styles(list(dict.fromkeys(table["group"])))
    gaps = [*table["worst"].dropna(), *table["mean"].dropna()]
    axes.set_ylim(0, max([SMALLEST_GAP, *(1.6 * gap for gap in gaps)]))
    set_gaps(axes.yaxis)
    for k, (group, style) in enumerate(styles.items()):
        here = table[table["group"] == group].sort_values("gamma")
        partial = here[here["found"] < 100]
        for name, dash in (("worst", style["linestyle"]), ("mean", (0, (3, 1.5)))):
            look = {**style, **nested(k, len(styles)), "clip_on": False}
            axes.plot(here["gamma"], here[name], **{**look, "linestyle": dash})
            if partial[name].notna().any():
                axes.plot(partial["gamma"], partial[name], **{**look, "linestyle": "", "markerfacecolor": "white"})
    axes.set_title("Energy above the optimum, where found", loc="left")
    axes.set_ylabel("gap [%]")
    _gammas(axes, table)


def draw_missed(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the part of the solvable points of each group for which FIN found nothing."""
    _draw_shares(axes, table.assign(missed=100 - table["found"]), "missed")
    top = float((100 - table["found"]).max())
    axes.set_ylim(0, max(1.15 * top, 1.0))
    axes.set_ylabel("missed [%]")


def draw_matched(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the part of the solvable points of each group for which FIN found the optimum."""
    _draw_shares(axes, table, "matched")
    axes.set_title("Optimum met, of all solvable points", loc="left")
    axes.set_ylabel("points [%]")
    axes.margins(y=0.06)


def _draw_shares(axes: Axes, table: pd.DataFrame, column: str) -> None:
    styles = group_styles(list(dict.fromkeys(table["group"])))
    for k, (group, style) in enumerate(styles.items()):
        here = table[table["group"] == group].sort_values("gamma")
        axes.plot(here["gamma"], here[column], clip_on=False, **{**style, **nested(k, len(styles))})
    _gammas(axes, table)


def _gammas(axes: Axes, table: pd.DataFrame) -> None:
    axes.set_xlim(table["gamma"].min() / 1.15, table["gamma"].max() * 1.15)
    set_values(axes.xaxis, table["gamma"], log=True)
    axes.set_xlabel("FIN's resolution γ")
