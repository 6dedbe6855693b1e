"""What breaks, by what is disturbed and by how much."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from finbench.benchmarks.analysis.numbers import fixed_percent
from finbench.benchmarks.plots.style import Paper, literal, paper, shortened
from finbench.benchmarks.robustness.disturbances import DisturbanceKind
from finbench.benchmarks.robustness.stress import Stress, Stressed

FIRM, BROKEN = "#E6F0E9", "#C8442E"
"""Colours of nothing broken and of everything broken; cells say the number as well."""


def draw_stress(found: Stress, applications: int, on: Paper | None = None) -> Figure:
    """Return a heat map: a row for each node and link, a column for each severity, with how many applications break.

    Below the number stands what planning anew comes to: the change of the objective, or that no plan was found.
    """
    on = on or paper()
    cells = {(_row(one), _column(one)): one for one in found.results}
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = sorted({column for _, column in cells}, key=_order)
    share = np.full((len(rows), len(columns)), np.nan)
    for (row, column), one in cells.items():
        share[rows.index(row), columns.index(column)] = _share(one, applications)
    with mpl.rc_context(on.rc):
        figure = Figure(figsize=(on.width_in, 1.3 + 0.42 * len(rows)), layout="constrained")
        axes = figure.subplots()
        colours = LinearSegmentedColormap.from_list("broken", [FIRM, BROKEN])
        image = axes.imshow(share, cmap=colours, vmin=0, vmax=1, aspect="auto")
        for (row, column), one in cells.items():
            ink = "white" if _share(one, applications) > 0.6 else "black"
            x, y = columns.index(column), rows.index(row)
            axes.text(x, y, _text(one, found.planned), ha="center", va="center", color=ink, fontsize=7)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), [literal(shortened(row, 30)) for row in rows])
        axes.grid(visible=False)
        axes.set_xlabel("how much slower; of rates, how much higher or lower")
        axes.set_title("Applications whose targets break; below, what a new plan changes", loc="left")
        bar = figure.colorbar(image, ax=axes, pad=0.02, fraction=0.04)
        bar.set_label("applications broken")
        bar.ax.yaxis.set_major_formatter(mpl.ticker.PercentFormatter(1.0, symbol=" %"))
    return figure


def _row(one: Stressed) -> str:
    what = one.disturbance
    if what.kind is DisturbanceKind.RATES:
        return "rates, higher" if what.severity > 0 else "rates, lower"
    return f"{what.kind} {what.subject}".strip()


def _column(one: Stressed) -> str:
    return "fails" if one.disturbance.fails else f"{fixed_percent(abs(one.disturbance.severity), 0)} %"


def _order(column: str) -> float:
    return 2.0 if column == "fails" else float(column.rstrip("%")) / 100


def _share(one: Stressed, applications: int) -> float:
    return 1.0 if one.overloaded and not one.broken else len(one.broken) / applications


def _text(one: Stressed, planned: float) -> str:
    broken = "overloaded" if one.overloaded and not one.broken else str(len(one.broken))
    if one.replanned is None:
        return f"{broken}\nno plan"
    return f"{broken}\n{100 * (one.replanned / planned - 1):+.1f} %" if planned > 0 else broken
