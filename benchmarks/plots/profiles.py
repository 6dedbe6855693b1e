"""Performance profiles of a set of results, a panel for each group of instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from finbench.benchmarks.analysis.aggregate import SOLVED_GAP, profiles
from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.analysis.statistics import Profile
from finbench.benchmarks.analysis.table_methods import method_text
from finbench.benchmarks.plots.axis_scales import set_log
from finbench.benchmarks.plots.curves import BACK, MOST_NAMED, panel_height
from finbench.benchmarks.plots.line_names import LineEnd, add_legend, fit_at_ends, lines_of, name_line_ends
from finbench.benchmarks.plots.style import Paper, in_order, literal, method_styles, nested, paper, shortened

Profiles = Mapping[str, Profile]
"""Of every method of a group, by its variant."""


def draw_profiles(
    runs: pd.DataFrame, gap: float = SOLVED_GAP, on: Paper | None = None, *, named: int = MOST_NAMED
) -> Figure | None:
    """Return a figure of the part of the instances solved over the ratio to the fastest method's time.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it, of the methods and groups to compare.
    gap : float
        Largest gap to the best proven bound that counts as solved.
    on : Paper, optional
        Size and style; by default for a screen.
    named : int
        Of more methods, so many of the best are named, the rest is grey.

    Returns
    -------
    Figure or None
        None where in no group the methods share an instance.
    """
    by_group = profiles(runs, gap)
    if not by_group:
        return None
    on = on or paper()
    variants = in_order(variant for made in by_group.values() for variant in made)
    best = best_profiles(list(by_group.values()), named)
    styles = {variant: style for variant, style in method_styles(variants).items() if variant in best}
    across = min(on.across, len(by_group))
    down = ceil(len(by_group) / across)
    with mpl.rc_context(on.rc):
        figure = Figure(figsize=(on.width_in, panel_height(on, across) * down + 0.2), layout="constrained")
        panels = list(figure.subplots(down, across, squeeze=False).flat)
        characters = int(on.width_in / across * 72 / (0.68 * mpl.rcParams["font.size"]))
        ends = []
        for (group, made), axes in zip(by_group.items(), panels, strict=False):
            ends = draw_profile(axes, made, styles)
            count = next(iter(made.values())).instances
            told = f" ({count} {plural(count, 'instance')})"
            axes.set_title(literal(shortened(group, max(characters - len(told), 12)) + told), loc="left")
        for axes in panels[len(by_group) :]:
            axes.remove()
        figure.suptitle(f"Solved: a gap of at most {100 * gap:g} % to the best proven bound", fontsize="medium")
        names = [method_text(variant) for variant in styles]
        direct = len(by_group) == 1 and fit_at_ends(names)
        shown = {} if direct else dict(zip(names, styles.values(), strict=True))
        add_legend(figure, shown, len(variants) - len(styles))
        if direct:
            name_line_ends(panels[0], ends, mpl.rcParams["legend.fontsize"])
    return figure


def best_profiles(groups: Sequence[Profiles], count: int) -> list[str]:
    """Return the variants with the largest mean areas below their profiles, over the logarithm of τ."""
    areas: dict[str, list[float]] = {}
    for made in groups:
        end = _end(made)
        for variant, profile in made.items():
            area = sum(log(end / ratio) for ratio in profile.ratios) / (profile.instances * log(end))
            areas.setdefault(variant, []).append(area)
    means = {variant: sum(each) / len(each) for variant, each in areas.items()}
    return sorted(means, key=lambda variant: -means[variant])[:count]


def _end(made: Profiles) -> float:
    """Return the largest ratio that is drawn."""
    return max(2.0, *(1.3 * profile.ratios[-1] for profile in made.values() if profile.ratios), 2.0)


def profile_lines(made: Profiles) -> list[Line2D]:
    """Return what a legend beside `draw_profile` shows: a line for each method."""
    return lines_of({method_text(variant): style for variant, style in method_styles(made).items()})


def draw_profile(axes: Axes, made: Profiles, styles: Mapping[str, Mapping[str, Any]] | None = None) -> list[LineEnd]:
    """Draw the profiles of one group on an Axes.

    Parameters
    ----------
    axes : Axes
    made : mapping of str to Profile
        As `analysis.aggregate.profiles` makes them for a group.
    styles : mapping, optional
        Of the methods to show in their colours; the others are grey. By default all, as `style.method_styles` has them.

    Returns
    -------
    list of LineEnd
        Where the lines end, for `line_names.name_line_ends`.
    """
    styles = method_styles(made) if styles is None else styles
    end = _end(made)
    axes.set(xlim=(1, end), ylim=(-2, 102), ylabel="solved [%]", xlabel="time over fastest method's, τ")
    set_log(axes.xaxis)
    front = [variant for variant in styles if variant in made]
    ends = []
    for variant in [*(one for one in made if one not in styles), *front]:
        corners = [1.0, *made[variant].ratios, end]
        solved = [100 * made[variant].solved_fraction(ratio) for ratio in corners]
        style: dict[str, Any] = dict(BACK)
        if variant in styles:
            k = front.index(variant)
            style = {**styles[variant], "markevery": (0.02 + 0.018 * k, 0.3), **nested(k, len(front))}
            ends.append(LineEnd(end, solved[-1], method_text(variant), style["color"]))
        axes.plot(corners, solved, drawstyle="steps-post", clip_on=False, **style)
    return ends
