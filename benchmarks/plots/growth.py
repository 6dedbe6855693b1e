"""Log-log plots of a scale campaign: time and memory against arcs, a row of panels for each ladder."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finbench.benchmarks.analysis.growth import GrowthFit
from finbench.benchmarks.analysis.ladder_growth import censored, growths
from finbench.benchmarks.plots.style import COLOURS, MARKERS, STYLE, literal

CENSORED_MARKER = "2"


def draw_growth(runs: pd.DataFrame) -> Figure:
    """Draw runs as points and fits as lines with their exponents; runs ended by a limit stand at it, marked.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame` makes it, of the rows of `execution.ladder.run_ladders`.
    """
    ladders, methods = list(dict.fromkeys(runs["group"])), list(dict.fromkeys(runs["label"]))
    styles: dict[str, dict[str, Any]] = {
        method: {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[k % len(MARKERS)]}
        for k, method in enumerate(methods)
    }
    fits = growths(runs)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 2.5 * len(ladders) + 0.5), layout="constrained")
        panels = figure.subplots(len(ladders), 2, squeeze=False)
        for (left, right), ladder in zip(panels, ladders, strict=True):
            for method in methods:
                here = runs[(runs["group"] == ladder) & (runs["label"] == method)]
                if not here.empty:
                    time_fit, memory_fit = fits[ladder, method]
                    _draw_times(left, here, time_fit, styles[method])
                    _draw_memory(right, here, memory_fit, styles[method])
            _name_axes(left, right, ladder)
        for method in methods:
            panels[0][0].plot([], [], linestyle="-", label=literal(method), **styles[method])
        panels[0][0].plot([], [], linestyle="", color="black", marker=CENSORED_MARKER, label="ended by its limit")
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _draw_times(axes: Axes, runs: pd.DataFrame, fit: GrowthFit | None, style: dict[str, Any]) -> None:
    cut = censored(runs)
    done = runs[~cut & runs["found"].astype(bool)]
    axes.plot(done["arcs"], done["time_s"].astype(float), linestyle="", alpha=0.7, **style)
    ended = runs[cut]
    axes.plot(ended["arcs"], ended["limit_s"], linestyle="", color=style["color"], marker=CENSORED_MARKER)
    _draw_fit(axes, runs["arcs"], fit, 1.0, style["color"])


def _draw_memory(axes: Axes, runs: pd.DataFrame, fit: GrowthFit | None, style: dict[str, Any]) -> None:
    done = runs[~censored(runs) & runs["peak_bytes"].notna()]
    megabytes = np.maximum(done["peak_bytes"].astype(float) / 2**20, 0.1)
    axes.plot(done["arcs"], megabytes, linestyle="", alpha=0.7, **style)
    _draw_fit(axes, done["arcs"], fit, 2**-20, style["color"])


def _draw_fit(axes: Axes, arcs: pd.Series[int], fit: GrowthFit | None, unit: float, colour: str) -> None:
    if fit is None:
        return
    ends = [float(arcs.min()), float(arcs.max())]
    axes.plot(ends, [unit * fit.predict(size) for size in ends], "-", color=colour, linewidth=1)
    axes.annotate(
        f"{fit.exponent:.2f}",
        (ends[1], unit * fit.predict(ends[1])),
        textcoords="offset points",
        xytext=(4, -2),
        color=colour,
        fontsize=7,
    )


def _name_axes(left: Axes, right: Axes, ladder: str) -> None:
    for axes, quantity in ((left, "time [s]"), (right, "peak memory [MiB]")):
        axes.set(xscale="log", yscale="log", xlabel="layered arcs", ylabel=quantity)
        axes.margins(x=0.12)
    left.set_title(literal(ladder), loc="left")
