"""Names of lines: at the lines' ends where they find room, else in a legend below; no two overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from finbench.benchmarks.plots.style import GREY, literal, shortened

LINE_HEIGHT = 1.15
"""Distance of names at least, in font sizes."""

MOST_AT_ENDS = 8
LONGEST_AT_ENDS = 26
"""Characters of a name up to which it stands at its line's end."""

LEGEND_NAME = 60


@dataclass(frozen=True)
class LineEnd:
    """Where a line ends, in the data's coordinates, and what it is called."""

    x: float
    y: float
    text: str
    colour: Any


def name_line_ends(axes: Axes, ends: Sequence[LineEnd], size_pt: float) -> None:
    """Write names to the right of an Axes, each as near to its line's end as the others allow.

    Call it when limits and layout are as they will be; a thin line leads from a name that had to move to its line.
    """
    if not ends:
        return
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    pixels = axes.transData.transform([(end.x, end.y) for end in ends])
    box = axes.get_window_extent()
    heights = np.clip(pixels[:, 1], box.y0, box.y1)
    apart = LINE_HEIGHT * size_pt * figure.dpi / 72
    for end, at, place in zip(ends, heights, spread(heights, apart, box.y0, box.y1), strict=True):
        moved = abs(place - at) > apart / 3 or end.x < axes.get_xlim()[1] * 0.999
        axes.annotate(
            literal(end.text),
            xy=(end.x, end.y),
            xytext=(1.04, (place - box.y0) / box.height),
            textcoords="axes fraction",
            fontsize=size_pt,
            color=end.colour,
            va="center",
            ha="left",
            annotation_clip=False,
            arrowprops=_LEADER if moved else None,
        )


_LEADER: Any = {
    "arrowstyle": "-",
    "color": "#8A8F98",
    "linewidth": 0.6,
    "linestyle": ":",
    "shrinkA": 1,
    "shrinkB": 3,
    "relpos": (0, 0.5),
}
"""A line from a name to its line that nobody takes for one of the lines."""


def spread(heights: Sequence[float] | Any, apart: float, low: float, high: float) -> list[float]:
    """Return heights near those given that lie at least `apart` from each other, within [low, high] if they can."""
    order = np.argsort(heights, kind="stable")
    wanted = np.asarray(heights, float)[order]
    steps = apart * np.arange(len(wanted))
    # The nearest heights in the same order: isotonic regression of what is wanted, less the steps.
    placed = _isotonic(wanted - steps) + steps
    top = high if high - low >= steps[-1] else low + steps[-1]
    placed = np.minimum(placed, top - steps[::-1])
    placed = np.maximum(placed, low + steps)
    result = np.empty(len(wanted))
    result[order] = placed
    return [float(place) for place in result]


def _isotonic(values: Any) -> Any:
    from scipy.optimize import isotonic_regression

    return isotonic_regression(values).x


def fit_at_ends(names: Sequence[str]) -> bool:
    """Return whether names are few and short enough to stand at the ends of their lines."""
    return len(names) <= MOST_AT_ENDS and all(len(name) <= LONGEST_AT_ENDS for name in names)


def lines_of(styles: Mapping[str, Mapping[str, Any]]) -> list[Line2D]:
    """Return a line for each style, called as a legend has it."""
    return [Line2D([], [], label=literal(shortened(name, LEGEND_NAME)), **style) for name, style in styles.items()]


def add_legend(figure: Figure, styles: Mapping[str, Mapping[str, Any]], others: int, extra: Sequence[Any] = ()) -> None:
    """Add a legend below a figure, in as many columns as fit; the figure grows by its height.

    Parameters
    ----------
    figure : Figure
        With constrained layout.
    styles : mapping
        Of the lines named, by what they are called.
    others : int
        How many grey lines are not named.
    extra : sequence of artists
        Further handles, with labels.
    """
    size = FontProperties(size=_legend_size()).get_size_in_points()
    room = 0.92 * figure.get_figwidth() * 72 - 5 * size  # on screens, hinting makes letters wider
    handles: list[Any] = [Line2D([], [], label=_fitting(name, room, size), **style) for name, style in styles.items()]
    if others:
        handles.append(Line2D([], [], color=GREY, linewidth=0.8, label=f"{others} other{'s' if others > 1 else ''}"))
    handles += extra
    if not handles:
        return
    widest = max(_width(handle.get_label(), size) for handle in handles)
    columns = max(1, min(len(handles), int(figure.get_figwidth() * 72 / (widest + 4.5 * size))))
    rows = -(-len(handles) // columns)
    figure.set_figheight(figure.get_figheight() + rows * 1.35 * size / 72)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def _fitting(name: str, room_pt: float, size_pt: float) -> str:
    """Return a name as a legend has it, its middle left out where it would be too wide."""
    shown = shortened(name, LEGEND_NAME)
    while len(shown) > 8 and _width(literal(shown), size_pt) > room_pt:
        shown = shortened(name, len(shown) - 1)
    return literal(shown)


def _width(text: str, size_pt: float) -> float:
    """Return the width of a text in the font that holds [pt]."""
    return float(TextPath((0, 0), text, size=size_pt).get_extents().width)


def _legend_size() -> Any:
    import matplotlib as mpl

    return mpl.rcParams["legend.fontsize"]
