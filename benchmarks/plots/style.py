"""Figures from real runs. Colours after Okabe and Ito, told apart also by line style and marker."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from finbench.models.evaluate import ENERGY_TOLERANCE
from finbench.models.io import InputError, write_bytes

PICTURE_SUFFIXES = (".png", ".pdf", ".svg")

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SMALLEST_GAP = 1e-2
"""Below this the gap axis is linear down to 0 [%]."""

FEWEST_GAMMAS = 4
"""A group is drawn over γ if it was run at this many."""

STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
}


def campaign_figures(runs: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw what the runs support.

    Parameters
    ----------
    runs : DataFrame
        As `metrics.frame` makes it.
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


def gap_by_gamma(runs: pd.DataFrame) -> pd.DataFrame:
    """FIN against the proven optimum, for each group and γ.

    Returns
    -------
    DataFrame
        `group`, `gamma`, `mean` and `worst` gap over the deployments found [%], and the shares `found` and
        `matched` of the instances with a proven optimum [%].
    """
    fin = runs[(runs["method"] == "fin") & runs["proven"]]
    rows = []
    for _, here in fin.groupby(["group", "gamma"], sort=False):
        gaps = here["gap_to_best_known"].dropna().astype(float)
        matched = (gaps <= ENERGY_TOLERANCE).sum()
        rows.append(
            {
                "group": here["group"].iloc[0],
                "gamma": int(here["gamma"].iloc[0]),
                "mean": 100 * gaps.mean(),
                "worst": 100 * gaps.max(),
                "found": 100 * len(gaps) / len(here),
                "matched": 100 * matched / len(here),
            }
        )
    return pd.DataFrame(rows, columns=["group", "gamma", "mean", "worst", "found", "matched"])


def draw_gap_by_gamma(table: pd.DataFrame) -> Figure:
    """Two panels over γ: how far above the optimum, and how often found and matched.

    Parameters
    ----------
    table : DataFrame
        As `gap_by_gamma` makes it.
    """
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    gaps, shares = figure.subplots(1, 2)
    for k, group in enumerate(table["group"].unique()):
        here = table[table["group"] == group].sort_values("gamma")
        style: Any = {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[k % len(MARKERS)], "clip_on": False}
        gaps.plot(here["gamma"], here["worst"], label=group, **style)
        gaps.plot(here["gamma"], here["mean"], linestyle="--", markerfacecolor="white", **style)
        shares.plot(here["gamma"], here["matched"], label=group, **style)
        shares.plot(here["gamma"], here["found"], linestyle="--", markerfacecolor="white", **style)
    _gap_axis(gaps)
    _share_axis(shares)
    _gamma_axes(table, gaps, shares)
    figure.legend(*gaps.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    _style_legend(gaps, "worst", "mean", "upper right")
    _style_legend(shares, "optimum met", "any deployment", "lower right")
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


def _share_axis(axes: Axes) -> None:
    axes.set_title("Solvable points where FIN succeeds", loc="left")
    axes.margins(y=0.06)
    axes.set_ylabel("share [%]")


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


def save_picture(figure: Figure, path: Path) -> None:
    """Write a picture whole or not at all; its suffix decides the format.

    Raises
    ------
    InputError
        If the suffix is none of `PICTURE_SUFFIXES`, or the file cannot be written.
    """
    if path.suffix not in PICTURE_SUFFIXES:
        raise InputError(path, f"file name must end in {', '.join(PICTURE_SUFFIXES)}")
    picture = BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(picture, format=path.suffix[1:])
    write_bytes(path, picture.getvalue())
