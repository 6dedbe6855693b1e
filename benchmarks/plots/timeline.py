"""The first stays of a simulation: who waits where, and who is served when."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.figure import Figure

from finbench.benchmarks.analysis.units import Quantity
from finbench.benchmarks.plots.axis_scales import axis_unit, headed
from finbench.benchmarks.plots.style import COLOURS, GREY, Paper, literal, paper, shortened
from finbench.benchmarks.simulation.simulate import Simulation

MOST_ROWS = 24
"""Stations that are drawn at most, those first that samples come to first."""


NARROW = 0.005
"""Part of the time up to which a bar has no white edge, which would hide it."""


def draw_timeline(found: Simulation, on: Paper | None = None) -> Figure:
    """Return a figure with a row for each station: bars while samples are served, grey below while they wait."""
    on = on or paper()
    stays = found.stays
    rows = list(dict.fromkeys(station for _, station, *_ in stays))[:MOST_ROWS]
    names = list(dict.fromkeys(application for application, *_ in stays))
    colour = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(names)}
    begin, end = min(came for *_, came, _, _ in stays), max(left for *_, left in stays)
    unit = axis_unit(Quantity.SECONDS, [end - begin] if end > begin else [])
    with mpl.rc_context(on.rc):
        figure = Figure(figsize=(on.width_in, 0.9 + 0.34 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for application, station, _, came, served, left in stays:
            if station in rows:
                y, at = len(rows) - 1 - rows.index(station), (came - begin) / unit.size
                axes.barh(y - 0.38, (served - came) / unit.size, left=at, height=0.14, color=GREY)
                edge = "white" if left - served > NARROW * (end - begin) else colour[application]
                axes.barh(
                    y, (left - served) / unit.size, left=(served - begin) / unit.size, height=0.6,
                    color=colour[application], edgecolor=edge, linewidth=0.3,
                )  # fmt: skip
        axes.set_yticks(range(len(rows)), [literal(shortened(name, 28)) for name in reversed(rows)])
        axes.set_xlabel(headed("time since the first sample", unit))
        axes.grid(axis="y", visible=False)
        axes.set_title("The first samples: served (bars), and waiting for it (grey below)", loc="left")
        if 1 < len(names) <= len(COLOURS):
            handles = [mpl.patches.Patch(color=colour[name], label=literal(shortened(name, 20))) for name in names]
            figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure
