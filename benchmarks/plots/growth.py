"""Log-log plots of a scale campaign: time and memory against arcs, a row of panels for each ladder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from finbench.benchmarks.analysis.growth import GrowthFit
from finbench.benchmarks.analysis.ladder_growth import FLOOR_BYTES, Fits, censored, growths
from finbench.benchmarks.analysis.table_methods import method_text
from finbench.benchmarks.plots.axis_scales import set_log
from finbench.benchmarks.plots.line_names import LineEnd, add_legend, name_line_ends
from finbench.benchmarks.plots.style import Paper, literal, method_styles, paper, shortened

CENSORED_MARKER = "2"

MIB = 2.0**20

Styles = Mapping[str, Mapping[str, Any]]


def draw_growth(runs: pd.DataFrame, on: Paper | None = None) -> Figure:
    """Return a figure of runs as points and fits as lines, their exponents at the lines' ends.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame` makes it, of the rows of `execution.ladder.run_ladders`.
    on : Paper, optional
        Size and style; by default for a screen.
    """
    on = on or paper()
    ladders = list(dict.fromkeys(runs["group"]))
    styles = method_styles(runs["variant"])
    fits = growths(runs)
    down, across = (len(ladders), 2) if on.across > 1 else (2 * len(ladders), 1)
    with mpl.rc_context(on.rc):
        figure = Figure(figsize=(on.width_in, 2.3 * down), layout="constrained")
        panels = figure.subplots(down, across, squeeze=False).reshape(len(ladders), 2)
        ends = []
        for (left, right), ladder in zip(panels, ladders, strict=True):
            here = runs[runs["group"] == ladder]
            of_ladder = {variant: fit for (group, variant), fit in fits.items() if group == ladder}
            ends.append((left, draw_times(left, here, of_ladder, styles)))
            ends.append((right, draw_memory(right, here, of_ladder, styles)))
            left.set_title(literal(shortened(str(ladder), 60)), loc="left")
        names = {method_text(variant): {**_points(style), **style, "linewidth": 1} for variant, style in styles.items()}
        add_legend(figure, names, 0, _kinds(runs))
        for axes, told in ends:
            name_line_ends(axes, told, mpl.rcParams["legend.fontsize"])
    return figure


def _kinds(runs: pd.DataFrame) -> list[Any]:
    black: Any = {"color": "black", "linestyle": ""}
    ended = [Line2D([], [], marker=CENSORED_MARKER, label="ended by its limit", **black)]
    floor = Line2D([], [], color="black", linestyle=":", linewidth=0.8, label="memory below is left out of the fits")
    return [*(ended if censored(runs).any() else []), floor]


def draw_times(axes: Axes, runs: pd.DataFrame, fits: Mapping[str, Fits], styles: Styles) -> list[LineEnd]:
    """Draw times of one ladder and their fits; runs ended by a limit stand at it, marked. Return the fits' ends."""
    ends = []
    for variant, style in styles.items():
        here = runs[runs["variant"] == variant]
        cut = censored(here)
        done = here[~cut & here["found"].astype(bool)]
        axes.plot(done["arcs"], done["time_s"].astype(float), **_points(style))
        axes.plot(here.loc[cut, "arcs"], here.loc[cut, "limit_s"], **{**_points(style), "marker": CENSORED_MARKER})
        if variant in fits:
            ends += _draw_fit(axes, here["arcs"], fits[variant][0], 1.0, style)
    _log_axes(axes, "time [s]")
    return ends


def draw_memory(axes: Axes, runs: pd.DataFrame, fits: Mapping[str, Fits], styles: Styles) -> list[LineEnd]:
    """Draw peak memory of one ladder and its fits, over the runs above the floor that enter them; return their ends.

    Below the floor runs are told apart from nothing by noise alone: they are pale, and no line goes there.
    """
    ends = []
    for variant, style in styles.items():
        here = runs[(runs["variant"] == variant) & runs["peak_bytes"].notna()]
        done = here[~censored(here) & (here["peak_bytes"].astype(float) > 0)]
        peaks = done["peak_bytes"].astype(float)
        above = peaks > FLOOR_BYTES
        axes.plot(done.loc[above, "arcs"], peaks[above] / MIB, **_points(style))
        axes.plot(done.loc[~above, "arcs"], peaks[~above] / MIB, **{**_points(style), "alpha": 0.2})
        if variant in fits and above.any():
            ends += _draw_fit(axes, done.loc[above, "arcs"], fits[variant][1], 1 / MIB, style, FLOOR_BYTES / MIB)
    axes.axhline(FLOOR_BYTES / MIB, color="black", linestyle=":", linewidth=0.8, zorder=1)
    _log_axes(axes, "peak memory [MiB]")
    return ends


def _points(style: Mapping[str, Any]) -> dict[str, Any]:
    """Return the style of a method's points; variants beyond its first are hollow."""
    hollow = {} if style["linestyle"] == "-" else {"markerfacecolor": "white"}
    return {**style, **hollow, "linestyle": "", "alpha": 0.7}


def _draw_fit(
    axes: Axes,
    arcs: pd.Series[int],
    fit: GrowthFit | None,
    unit: float,
    style: Mapping[str, Any],
    floor: float = 0.0,
) -> list[LineEnd]:
    """Draw a fit over the sizes of its runs, where it lies above the floor; return its end."""
    if fit is None:
        return []
    ends = [float(arcs.min()), float(arcs.max())]
    if unit * fit.predict(ends[0]) < floor and fit.exponent > 0:
        ends[0] = min((floor / (unit * fit.factor)) ** (1 / fit.exponent), ends[1])
    values = [unit * fit.predict(size) for size in ends]
    axes.plot(ends, values, linestyle=style["linestyle"], color=style["color"], linewidth=1)
    return [LineEnd(ends[1], values[1], f"{fit.exponent:.2f}", style["color"])]


def _log_axes(axes: Axes, quantity: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel="layered arcs", ylabel=quantity)
    axes.margins(x=0.05, y=0.08)
    axes.autoscale_view()
    set_log(axes.xaxis)
    set_log(axes.yaxis)
