"""Least energy against the latency budget."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from finbench.benchmarks.plots.style import COLOURS, MARKERS, STYLE, literal
from finbench.fin_graph.frontier import ExitFrontier
from finbench.models.instance import Instance

MARKED = 15
"""Corners of one exit up to which each gets a marker."""


def draw_frontiers(instance: Instance, gamma: int, found: Sequence[ExitFrontier]) -> Figure:
    """Draw energy against latency budget: a staircase for each exit, exact solid, FIN dashed."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.subplots()
        longest = max(budget for one in found for budget, _ in (*one.fin, *(one.exact or ())))
        for k, one in enumerate(found):
            colour, marker = COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]
            label = f"exit {one.last_exit}, accuracy {one.accuracy:.1%}"
            for corners, style, fill in ((one.exact or (), "-", colour), (one.fin, "--", "white")):
                if corners:
                    budgets, energies = zip(*corners, strict=True)
                    axes.step([*budgets, 1.05 * longest], [*energies, energies[-1]], style, where="post", color=colour)
                    if len(corners) <= MARKED:
                        axes.plot(budgets, energies, marker, color=colour, markerfacecolor=fill)
            axes.plot([], [], "-", color=colour, marker=marker, label=label)
        axes.plot([], [], "--", color="black", marker="o", markerfacecolor="white", label=f"FIN, γ = {gamma}")
        axes.set(xlabel="latency budget δ [s]", ylabel="least energy per inference [J]", ylim=(0, None))
        axes.set_title(f"{literal(instance.name)}: what latency and accuracy cost", loc="left")
        axes.ticklabel_format(axis="both", style="sci", scilimits=(-2, 3), useMathText=True)
        axes.legend()
    return figure
