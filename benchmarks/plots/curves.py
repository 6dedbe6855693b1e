"""A measure against a dimension: gap, time, energy, saving or a share against nodes, blocks, load, γ or a target.

A panel for each group, a line for each method, with the measure's band around it. A hollow marker says that instances
without a deployment are left out of the value; a marker at the upper edge, that fewer than half of the runs answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, isnan
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from finbench.benchmarks.analysis.dimensions import Dimension
from finbench.benchmarks.analysis.measures import Measure, Share
from finbench.benchmarks.analysis.table_methods import method_text
from finbench.benchmarks.analysis.units import HEADINGS, Quantity, Unit, quantity_of_objectives
from finbench.benchmarks.plots.axis_scales import (
    LOG_FROM,
    SMALLEST_GAP,
    axis_unit,
    headed,
    set_gaps,
    set_log,
    set_values,
    side_by_side,
    spans_decades,
)
from finbench.benchmarks.plots.line_names import LineEnd, add_legend, fit_at_ends, name_line_ends
from finbench.benchmarks.plots.style import (
    GREY,
    TEXT_COLOUR,
    Paper,
    in_order,
    literal,
    method_styles,
    nested,
    paper,
    shortened,
)

MOST_NAMED = 8
"""Lines that are named by default; of more, the best are, and the rest is grey."""

MOST_BANDS = 4
"""Named lines up to which each has a band; of more, bands would hide each other, and thin lines stand for them."""

NOTHING = "no deployments to compare"

HIGHER_IS_BETTER = ("answered", "optimal", "solved", "saving")

BEYOND, HOLLOW = "fewer than half answered", "hollow: failures left out"


def curves_figure(
    table: pd.DataFrame, measure: Measure, dimension: Dimension, on: Paper | None = None, *, named: int = MOST_NAMED
) -> Figure:
    """Return a figure with a panel for each group.

    Parameters
    ----------
    table : DataFrame
        As `analysis.curves.curves` makes it; not empty.
    measure, dimension : Measure, Dimension
        What it shows.
    on : Paper, optional
        Size and style; by default for a screen.
    named : int
        Of more lines, so many of the best are named, the rest is grey.
    """
    on = on or paper()
    groups = list(dict.fromkeys(table["group"]))
    variants = in_order(table["variant"])
    kept = variants if len(variants) <= named else best_variants(table, measure, named)
    styles = method_styles(variants)
    across = min(on.across, len(groups))
    down = ceil(len(groups) / across)
    with mpl.rc_context(on.rc):
        figure = Figure(figsize=(on.width_in, panel_height(on, across) * down), layout="constrained")
        panels = list(figure.subplots(down, across, squeeze=False).flat)
        ends = []
        for group, axes in zip(groups, panels, strict=False):
            here = table[table["group"] == group]
            ends.append((axes, draw_curves(axes, here, measure, dimension, styles, kept)))
            if len(groups) > 1:
                _title(axes, group, across, on)
        for axes in panels[len(groups) :]:
            axes.remove()
        chosen = {variant: styles[variant] for variant in kept}
        _name(figure, ends, table, measure, chosen, len(variants) - len(kept))
    return figure


def panel_height(on: Paper, across: int) -> float:
    """Return the height of a panel with its title and names, of so many side by side [in]."""
    return min(max(0.62 * on.width_in / across, 2.2), 3.2)


def _title(axes: Axes, group: str, across: int, on: Paper) -> None:
    characters = int(on.width_in / across * 72 / (0.68 * mpl.rcParams["font.size"]))
    axes.set_title(literal(shortened(group, characters)), loc="left")


def best_variants(table: pd.DataFrame, measure: Measure, count: int) -> list[str]:
    """Return the methods of best mean rank over groups and values, in the table's order."""
    values = table["value"].fillna(-np.inf if measure.name in HIGHER_IS_BETTER else np.inf)
    better = -values if measure.name in HIGHER_IS_BETTER else values
    ranks = better.groupby([table["group"], table["at"]], dropna=False).rank(method="average")
    best = ranks.groupby(table["variant"], sort=False).mean().nsmallest(count).index
    return [variant for variant in in_order(table["variant"]) if variant in best]


def draw_curves(
    axes: Axes,
    table: pd.DataFrame,
    measure: Measure,
    dimension: Dimension,
    styles: Mapping[str, Mapping[str, Any]] | None = None,
    named: Sequence[str] | None = None,
) -> list[LineEnd]:
    """Draw the methods of one group on an Axes.

    Parameters
    ----------
    axes : Axes
    table : DataFrame
        Rows of one group, as `analysis.curves.curves` makes them.
    measure, dimension : Measure, Dimension
    styles : mapping, optional
        Of each variant; by default as `style.method_styles` has them.
    named : sequence of str, optional
        Variants drawn in their colours; the others are grey. By default all.

    Returns
    -------
    list of LineEnd
        Where the lines of the named methods end, for `line_names.name_line_ends`.
    """
    variants = in_order(table["variant"])
    styles = styles or method_styles(variants)
    front = variants if named is None else [variant for variant in variants if variant in named]
    scales = _scales(table, measure, dimension)
    lines = {variant: scales.scaled(table[table["variant"] == variant]) for variant in variants}
    if len(scales.places) == 1:
        lines = side_by_side(lines)
    _scale_axes(axes, scales, lines, measure)
    for variant in variants:
        if variant not in front:
            _draw_line(axes, lines[variant], scales, BACK if len(scales.places) > 1 else {**BACK, "marker": "o"})
    ends = []
    hollow, is_banded = not measure.counts_failures, len(front) <= MOST_BANDS and len(scales.places) > 1
    for k, variant in enumerate(front):
        style = {**styles[variant], **nested(k, len(front))}
        _draw_line(axes, lines[variant], scales, style)
        _draw_marks(axes, lines[variant], style, hollow=hollow, is_banded=is_banded)
        ends += _line_end(lines[variant], scales, variant, style)
    if not table["value"].notna().any():
        axes.set_yticks([])
        axes.text(0.5, 0.5, NOTHING, transform=axes.transAxes, ha="center", va="center", color=TEXT_COLOUR)
    return ends


@dataclass(frozen=True)
class _Scales:
    """Units, names and ends of both axes."""

    x: Unit
    y: Unit
    x_name: str
    y_name: str
    places: tuple[float, ...]
    """Values of the dimension, ascending, in `x`."""
    log_x: bool

    @property
    def ends(self) -> tuple[float, float]:
        return (self.places[0], self.places[-1]) if self.places else (0.0, 1.0)

    def scaled(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows in the units of the axes."""
        values = {name: rows[name] / self.y.size for name in ("value", "low", "high")}
        return rows.assign(at=rows["at"] / self.x.size, **values)


def _scales(table: pd.DataFrame, measure: Measure, dimension: Dimension) -> _Scales:
    quantity = quantity_of_objectives(table["unit"]) if measure.quantity is Quantity.JOULES else measure.quantity
    x = axis_unit(dimension.quantity, table["at"].dropna())
    y = axis_unit(quantity, table["value"].dropna())
    places = tuple(sorted(set(table["at"].dropna() / x.size)))
    return _Scales(
        x,
        y,
        headed(dimension.heading, x),
        headed(HEADINGS.get(quantity, measure.heading), y),
        places,
        spans_decades(places),
    )


BACK = {"color": GREY, "linestyle": "-", "marker": "", "linewidth": 0.8, "zorder": 1.5}
"""Style of lines that stand back."""


def _draw_line(axes: Axes, line: pd.DataFrame, scales: _Scales, style: Mapping[str, Any]) -> None:
    """Draw one method; one without a place in the dimension is a line across."""
    across, placed = line[line["at"].isna()], line[line["at"].notna()]
    for value in across["value"]:
        if isfinite(value):
            axes.plot(scales.ends, [value, value], **{**style, "marker": ""})
    told = placed[np.isfinite(placed["value"])]
    if len(told):
        values = placed["value"].where(np.isfinite(placed["value"]))
        axes.plot(placed["at"], values, **{"zorder": 3, "clip_on": False, **style})


def _draw_marks(axes: Axes, line: pd.DataFrame, style: Mapping[str, Any], *, hollow: bool, is_banded: bool) -> None:
    """Draw a method's band, hollow markers where values leave instances out, and marks at the edge for ∞."""
    marker = {**style, "linestyle": "", "markerfacecolor": "white", "zorder": 3.5, "clip_on": False}
    placed = line[line["at"].notna()]
    left_out = placed[(placed["counted"] < placed["instances"]) & np.isfinite(placed["value"])]
    if hollow and len(left_out):
        axes.plot(left_out["at"], left_out["value"], **marker)
    beyond = placed.loc[np.isinf(placed["value"]), "at"]
    if len(beyond):
        axes.plot(beyond, np.full(len(beyond), 1.0), transform=axes.get_xaxis_transform(), **marker)
    told = placed[np.isfinite(placed["low"]) & placed["high"].notna()]
    if told.empty:
        return
    low, high = (told[name].clip(*axes.get_ylim()) for name in ("low", "high"))
    if is_banded:
        axes.fill_between(told["at"], low, high, color=style["color"], alpha=0.13, linewidth=0, zorder=1)
    else:
        axes.vlines(told["at"], low, high, color=style["color"], alpha=0.45, linewidth=0.8, zorder=2)


def _line_end(line: pd.DataFrame, scales: _Scales, variant: str, style: Mapping[str, Any]) -> list[LineEnd]:
    told = line[np.isfinite(line["value"])]
    if told.empty:
        return []
    last = told.iloc[-1]
    x = scales.ends[1] if isnan(last["at"]) else float(last["at"])
    return [LineEnd(x, float(last["value"]), method_text(variant), style["color"])]


def _scale_axes(axes: Axes, scales: _Scales, lines: Mapping[str, pd.DataFrame], measure: Measure) -> None:
    """Set limits, scales, ticks and names, before anything is drawn."""
    told = np.concatenate([line[["value", "low", "high"]].to_numpy(float).ravel() for line in lines.values()])
    values = told[np.isfinite(told)].tolist()
    if measure.quantity is Quantity.FRACTION and measure.is_log:
        axes.set_ylim(0, max([SMALLEST_GAP, *(1.5 * value for value in values)]))
        set_gaps(axes.yaxis)
    elif isinstance(measure.measured, Share):
        axes.set_ylim(-3, 103)
    elif values:
        log = spans_decades(values, LOG_FROM if measure.is_log else 1e3)
        axes.set_ylim(*_padded(min(values), max(values), log=log))
        if log:
            set_log(axes.yaxis)
    low, high = scales.ends
    axes.set_xlim(*_padded(low, high, log=scales.log_x))
    set_values(axes.xaxis, scales.places or (0.0,), log=scales.log_x)
    axes.set(xlabel=scales.x_name, ylabel=scales.y_name)


def _padded(low: float, high: float, *, log: bool) -> tuple[float, float]:
    """Return limits a little beyond the values, and around a single one."""
    if log:
        factor = (high / low) ** 0.06
        return low / factor, high * factor
    room = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
    return low - room, high + room


def _name(
    figure: Figure,
    ends: Sequence[tuple[Axes, list[LineEnd]]],
    table: pd.DataFrame,
    measure: Measure,
    styles: Mapping[str, Mapping[str, Any]],
    others: int,
) -> None:
    """Name lines at their ends where there is one panel and room, else below; say below what bands and marks mean."""
    names = [method_text(variant) for variant in styles]
    direct = len(ends) == 1 and fit_at_ends(names) and len(ends[0][1]) == len(names)
    shown = {} if direct else dict(zip(names, styles.values(), strict=True))
    add_legend(figure, shown, others, _explained(table, measure, styles))
    if direct:
        name_line_ends(ends[0][0], ends[0][1], mpl.rcParams["legend.fontsize"])


def _band_handle(measure: Measure, *, is_banded: bool) -> Any:
    if is_banded:
        return Patch(color=TEXT_COLOUR, alpha=0.13, linewidth=0, label=measure.band_name)
    bar: Any = {"color": TEXT_COLOUR, "alpha": 0.45, "linestyle": "", "marker": "|", "markersize": 8}
    return Line2D([], [], label=measure.band_name, **bar)


def _explained(table: pd.DataFrame, measure: Measure, styles: Mapping[str, Any]) -> list[Any]:
    """Return handles for the band and the marks that the figure has."""
    marker: Any = {"color": TEXT_COLOUR, "linestyle": "", "marker": "o", "markerfacecolor": "white"}
    handles: list[Any] = []
    if table["low"].notna().any():
        handles.append(_band_handle(measure, is_banded=len(styles) <= MOST_BANDS))
    partial = (table["counted"] < table["instances"]) & np.isfinite(table["value"])
    if not measure.counts_failures and partial.any():
        handles.append(Line2D([], [], label=HOLLOW, **marker))
    if np.isinf(table["value"]).any():
        handles.append(Line2D([], [], label=BEYOND, **marker))
    return handles
