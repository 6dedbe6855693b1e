"""FIN's gap against γ: the figures that a campaign with several γ gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from finbench.benchmarks.analysis.gaps import FEWEST_GAMMAS, gap_by_gamma
from finbench.benchmarks.plots.style import COLOURS, MARKERS, STYLE, literal, save_picture

SMALLEST_GAP = 1e-2
"""Below this the gap axis is linear down to 0 [%]."""


def campaign_figures(runs: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw what the runs support.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    folder : Path

    Returns
    -------
    list of Path
        The files written, PNG and PDF of each figure.
    """
    table = gap_by_gamma(runs)
    table = table[table.groupby("group")["gamma"].transform("size") >= FEWEST_GAMMAS]
    if table.empty:
        return []
    with mpl.rc_context(STYLE):
        return _saved(draw_gap_by_gamma(table), folder, "gap_by_gamma")


def draw_gap_by_gamma(table: pd.DataFrame) -> Figure:
    """Draw two panels over γ: how far above the optimum, and how often found and matched.

    Parameters
    ----------
    table : DataFrame
        As `gap_by_gamma` makes it.
    """
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    gaps, successes = figure.subplots(1, 2)
    for k, group in enumerate(table["group"].unique()):
        here = table[table["group"] == group].sort_values("gamma")
        style: Any = {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[k % len(MARKERS)], "clip_on": False}
        gaps.plot(here["gamma"], here["worst"], label=literal(group), **style)
        gaps.plot(here["gamma"], here["mean"], linestyle="--", markerfacecolor="white", **style)
        successes.plot(here["gamma"], here["matched"], label=literal(group), **style)
        successes.plot(here["gamma"], here["found"], linestyle="--", markerfacecolor="white", **style)
    _gap_axis(gaps)
    _success_axis(successes)
    _gamma_axes(table, gaps, successes)
    figure.legend(*gaps.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    _style_legend(gaps, "worst", "mean", "upper right")
    _style_legend(successes, "optimum met", "any deployment", "lower right")
    return figure


def _style_legend(axes: Axes, solid: str, dashed: str, place: Literal["upper right", "lower right"]) -> None:
    lines = [Line2D([], [], color="black", linestyle=style) for style in ("-", "--")]
    axes.legend(lines, [solid, dashed], loc=place)


def _gap_axis(axes: Axes) -> None:
    axes.set_title("Energy of FIN above the proven optimum", loc="left")
    axes.set_yscale("symlog", linthresh=SMALLEST_GAP)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("gap [%]")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def _success_axis(axes: Axes) -> None:
    axes.set_title("Solvable points where FIN succeeds", loc="left")
    axes.margins(y=0.06)
    axes.set_ylabel("points [%]")


def _gamma_axes(table: pd.DataFrame, *panels: Axes) -> None:
    gammas = sorted(table["gamma"].unique())
    for axes in panels:
        axes.set_xscale("log")
        axes.set_xticks(gammas, [str(gamma) for gamma in gammas])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("FIN's resolution γ")


def _saved(figure: Figure, folder: Path, name: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{suffix}" for suffix in ("png", "pdf")]
    for path in paths:
        save_picture(figure, path)
    return paths
