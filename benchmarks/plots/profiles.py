"""Performance profiles of a set of results, a panel for each group of instances."""

from __future__ import annotations

from math import ceil
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from finbench.benchmarks.analysis.aggregate import SOLVED_GAP, profiles
from finbench.benchmarks.analysis.statistics import Profile
from finbench.benchmarks.plots.style import COLOURS, DASHES, MARKERS, STYLE, literal

PANELS_PER_ROW = 2


def draw_profiles(runs: pd.DataFrame, gap: float = SOLVED_GAP) -> Figure | None:
    """Draw the part of the instances solved over the ratio to the fastest method's time.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    gap : float
        Largest gap to the best proven bound that counts as solved.

    Returns
    -------
    Figure or None
        None where in no group the methods share an instance.
    """
    by_group = profiles(runs, gap)
    if not by_group:
        return None
    across = min(PANELS_PER_ROW, len(by_group))
    down = ceil(len(by_group) / across)
    styles = {label: _style(k) for k, label in enumerate(dict.fromkeys(runs["label"]))}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.6 * across, 2.6 * down + 0.8), layout="constrained")
        panels = figure.subplots(down, across, squeeze=False).flat
        for (group, made), axes in zip(by_group.items(), panels, strict=False):
            _draw_panel(axes, group, made, styles)
        for axes in panels:  # those that no group has filled
            axes.remove()
        lines = {literal(label): figure.axes[0].plot([], [], **style)[0] for label, style in styles.items()}
        figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=1 + across)
        figure.suptitle(f"Solved: a gap of at most {100 * gap:g} % to the best proven bound", fontsize=9)
    return figure


def _style(k: int) -> dict[str, Any]:
    """Return colour, line and marker of the k-th method; markers lie apart, for curves that coincide."""
    turn = k // len(COLOURS)
    return {
        "color": COLOURS[k % len(COLOURS)],
        "linestyle": DASHES[turn % len(DASHES)],
        "marker": MARKERS[(k + turn) % len(MARKERS)],
        "markevery": (0.02 + 0.018 * k, 0.3),
        "markersize": 4,
    }


def _draw_panel(axes: Axes, group: str, made: dict[str, Profile], styles: dict[str, dict[str, Any]]) -> None:
    widest = max((profile.ratios[-1] for profile in made.values() if profile.ratios), default=1.0)
    end = max(1.3 * widest, 2.0)
    for label, profile in made.items():
        corners = [1.0, *profile.ratios, end]
        solved = [100 * profile.solved_fraction(ratio) for ratio in corners]
        axes.plot(corners, solved, drawstyle="steps-post", clip_on=False, **styles[label])
    instances = next(iter(made.values())).instances
    axes.set_title(f"{literal(group)} ({instances} instances)", loc="left")
    axes.set(xscale="log", xlim=(1, end), ylim=(-2, 102), ylabel="solved [%]", xlabel="time over fastest method's, τ")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
