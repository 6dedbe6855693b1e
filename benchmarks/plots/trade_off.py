"""Energy against carbon or money: the corners of their convex hull, joined by lines that nothing lies below."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.figure import Figure

from finbench.benchmarks.analysis.units import HEADINGS, Quantity
from finbench.benchmarks.judging.trade_off import TradeOff
from finbench.benchmarks.plots.axis_scales import axis_unit, headed
from finbench.benchmarks.plots.line_names import add_legend
from finbench.benchmarks.plots.style import Paper, group_styles, literal, paper, shortened
from finbench.models.instance import OBJECTIVE_UNITS, Instance


def draw_trade_offs(instance: Instance, cases: Mapping[str, TradeOff], on: Paper | None = None) -> Figure:
    """Return a figure with a line for each case of an instance.

    Parameters
    ----------
    instance : Instance
    cases : mapping from str to TradeOff
        By the name that the legend gives them; all against the same objective, with at least one point.
    on : Paper, optional
    """
    on = on or paper()
    points = [point for found in cases.values() for point in found.points]
    other = Quantity(OBJECTIVE_UNITS[next(iter(cases.values())).other][0])
    x_unit = axis_unit(Quantity.JOULES, [point.energy_j for point in points])
    y_unit = axis_unit(other, [point.other for point in points])
    with mpl.rc_context(on.rc):
        figure = Figure(figsize=(on.width_in, max(0.5 * on.width_in, 2.6)), layout="constrained")
        axes = figure.subplots()
        styles = group_styles(list(cases))
        for (_, found), style in zip(cases.items(), styles.values(), strict=True):
            energies = [point.energy_j / x_unit.size for point in found.points]
            axes.plot(energies, [point.other / y_unit.size for point in found.points], **style)
        axes.set(
            xlabel=headed("energy per inference", x_unit), ylabel=headed(f"{HEADINGS[other]} per inference", y_unit)
        )
        characters = int(on.width_in * 72 / (0.6 * mpl.rcParams["font.size"])) - 36
        name = literal(shortened(instance.name, max(characters, 12)))
        axes.set_title(f"{name}: energy against {HEADINGS[other]}", loc="left")
        if len(cases) > 1:
            add_legend(figure, styles, 0)
    return figure
