"""What deployments are made of, as stacked bars: a row of panels for each group, a panel for each method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch

from finbench.benchmarks.analysis.compositions import Composition
from finbench.benchmarks.analysis.dimensions import Dimension
from finbench.benchmarks.analysis.table_methods import method_text
from finbench.benchmarks.analysis.units import HEADINGS, Quantity
from finbench.benchmarks.plots.axis_scales import axis_unit, headed, plain_number
from finbench.benchmarks.plots.line_names import add_legend
from finbench.benchmarks.plots.style import COLOURS, Paper, in_order, literal, paper, shortened

FIRST_PARTS = ("computing", "transfers", "mobile", "edge", "cloud")
"""Parts that come first in a stack, in this order; others follow by name."""

FEWEST_PT = 23.0
"""Width that the number below a bar needs [pt]."""

PANEL_IN = 2.1
"""Height of a row of panels with its names [in]."""

ROW_GAP_IN = 0.15
"""Room above and below every row of panels, and once more at the top [in]."""


@dataclass(frozen=True)
class _Drawing:
    """What all panels of a figure share."""

    composition: Composition
    dimension: Dimension
    parts: dict[str, str]
    """Colours of the parts, from the bottom of a stack up."""
    on: Paper
    across: int
    """Panels side by side."""


def compositions_figure(
    table: pd.DataFrame, composition: Composition, dimension: Dimension, on: Paper | None = None
) -> Figure:
    """Return a figure of stacked bars.

    Parameters
    ----------
    table : DataFrame
        As `analysis.compositions.compositions` makes it; not empty.
    composition : Composition
    dimension : Dimension
    on : Paper, optional
        Size and style; by default for a screen.
    """
    on = on or paper()
    blocks = [(group, here, in_order(here["variant"])) for group, here in table.groupby("group", sort=False)]
    across = min(2 * on.across, max(len(variants) for _, _, variants in blocks))
    drawing = _Drawing(composition, dimension, stacked_parts(table), on, across)
    downs = [ceil(len(variants) / across) for _, _, variants in blocks]
    with mpl.rc_context(on.rc):
        height = PANEL_IN * sum(downs) + ROW_GAP_IN
        layout = ConstrainedLayoutEngine(h_pad=ROW_GAP_IN, rect=(0, 0, 1, 1 - ROW_GAP_IN / height))
        figure = Figure(figsize=(on.width_in, height), layout=layout)
        panels = figure.subplots(sum(downs), across, squeeze=False)
        first = 0
        for (group, here, variants), down in zip(blocks, downs, strict=True):
            own: list[Axes] = list(panels[first : first + down].flat)
            _draw_group(own[: len(variants)], str(group), here, variants, drawing)
            for axes in own[len(variants) :]:
                axes.remove()
            first += down
        styles = [Patch(color=colour, label=literal(part)) for part, colour in drawing.parts.items()]
        add_legend(figure, {}, 0, styles)
    return figure


def stacked_parts(table: pd.DataFrame) -> dict[str, str]:
    """Return the parts from the bottom of a stack up, each with its colour."""
    there = set(table["part"])
    order = [part for part in FIRST_PARTS if part in there]
    order += sorted(there - set(order))
    return {part: COLOURS[k % len(COLOURS)] for k, part in enumerate(order)}


def _draw_group(
    panels: Sequence[Axes], group: str, table: pd.DataFrame, variants: Sequence[str], drawing: _Drawing
) -> None:
    """Draw the panels of one group on axes of the same units and height."""
    composition, dimension, on = drawing.composition, drawing.dimension, drawing.on
    quantity = Quantity(table["quantity"].iloc[0])
    totals = table.groupby(["variant", "at"])["value"].sum()
    y, x = axis_unit(quantity, [float(totals.max())]), axis_unit(dimension.quantity, table["at"])
    places = sorted(float(at) for at in table["at"].unique())
    heading = composition.heading if composition.is_share else HEADINGS.get(quantity, composition.heading)
    top = 1.0 / y.size if composition.is_share else 1.06 * float(totals.max()) / y.size or 1.0
    characters = int(0.84 * on.width_in / drawing.across * 72 / (0.6 * mpl.rcParams["axes.titlesize"]))
    for k, (axes, variant) in enumerate(zip(panels, variants, strict=True)):
        _draw_stacks(axes, table[table["variant"] == variant], drawing.parts, places, y.size)
        axes.set_ylim(0, top)
        _name_bars(axes, [place / x.size for place in places], on.width_in / drawing.across)
        axes.set_xlabel(headed(dimension.heading, x))
        if k % drawing.across == 0:
            axes.set_ylabel(headed(heading, y))
        else:
            axes.tick_params(labelleft=False)
        axes.set_title(literal(shortened(method_text(variant), characters)), loc="left")
    _name_group(panels[0], group, on)


def _name_group(first: Axes, group: str, on: Paper) -> None:
    """Write the name of a group above its first panel, in the room that `ROW_GAP_IN` leaves."""
    size = float(mpl.rcParams["axes.titlesize"])
    name = literal(shortened(group, int(0.9 * on.width_in * 72 / (0.62 * size))))
    text = first.annotate(
        name, (0, 1), xytext=(0, size + 8), xycoords="axes fraction", textcoords="offset points", fontsize=size,
        fontweight="bold", va="bottom", annotation_clip=False,
    )  # fmt: skip
    text.set_in_layout(False)


def _draw_stacks(axes: Axes, table: pd.DataFrame, parts: dict[str, str], places: list[float], unit: float) -> None:
    """Draw a bar at each place, its parts upon each other; no bar where nothing was found."""
    base = np.zeros(len(places))
    values = table.pivot_table(index="at", columns="part", values="value", aggfunc="sum").reindex(places)
    for part, colour in parts.items():
        if part in values:
            heights = values[part].fillna(0.0).to_numpy(float) / unit
            axes.bar(range(len(places)), heights, 0.8, bottom=base, color=colour, linewidth=0)
            base = base + heights
    axes.grid(visible=False, axis="x")


def _name_bars(axes: Axes, values: Sequence[float], width_in: float) -> None:
    """Write the values below the bars of a panel of that width, as many as have room."""
    every = ceil(len(values) * FEWEST_PT / (0.75 * width_in * 72))
    shown = range(0, len(values), every)
    names: list[Any] = [plain_number(float(f"{values[k]:.3g}")) for k in shown]
    axes.set_xticks(list(shown), names)
    axes.set_xlim(-0.6, len(values) - 0.4)
