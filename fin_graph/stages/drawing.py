"""A picture of FIN's three stages: blocks as columns, nodes as rows, latency used upwards within a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch
from numpy.typing import NDArray

from finbench.fin_graph.stages.extended import Vertex, path_costs
from finbench.fin_graph.stages.inference import FinStages
from finbench.fin_graph.stages.labels import Replica
from finbench.models.instance import OBJECTIVE_UNITS, Objective

PATH_COLOUR = "#D55E00"
"""Vermilion; with `GRAPH_COLOUR` and `END_COLOUR` from the Okabe–Ito palette, told apart by colour-blind readers."""
GRAPH_COLOUR = "#56B4E9"
END_COLOUR = "#0072B2"
UNUSED_COLOUR = "#D0D3D8"
TEXT_COLOUR = "#2B2F36"
BAND_COLOUR = "#F5F6F8"

_ROW_PITCH, _ROW_HEIGHT = 1.0, 0.7
_SMALL = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"))
_TIME_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))

Place = tuple[float, float]


def _cost(stages: FinStages, value: float) -> str:
    """Return what a part of an inference costs, in the unit of what is minimised."""
    unit: str = stages.extended.graph["unit"]
    if unit == OBJECTIVE_UNITS[Objective.MONEY][0]:
        return f"{value:.3g} {unit}"
    return _quantity(value, tuple((size, f"{prefix}{unit}") for size, prefix in _SMALL))


def draw_fin(stages: FinStages, title: str) -> Figure:
    """Draw the feasible graph's replicas, the inference graph's edges and the chosen path.

    Parameters
    ----------
    stages : FinStages
        Readable up to about γ = 20, 8 blocks and 8 nodes.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = _rows(stages)
    columns = 1 + max(i for i, _ in stages.extended)
    figure = Figure(figsize=(2.6 + 1.65 * columns, 2.2 + 1.45 * len(rows)), facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.15, h_pad=0.12)  # type: ignore[call-arg, union-attr]
    axes = figure.add_subplot()
    axes.set(xlim=(-0.45, columns - 0.55), ylim=(-0.2, len(rows) * _ROW_PITCH - 0.02))
    axes.set_axis_off()
    places = {replica: _place(replica, rows, stages) for replica in stages.feasible}
    _draw_rows(axes, rows, stages, columns)
    _draw_columns(axes, stages, columns, len(rows) * _ROW_PITCH)
    _draw_graph(axes, stages, places)
    _draw_path(axes, stages, places)
    _draw_titles(axes, stages, title)
    _draw_legend(figure, stages.extended.graph["minimised"], entries_per_line=4 if columns >= 5 else 2)
    return figure


def _rows(stages: FinStages) -> dict[str, float]:
    """Return the base line of every row: the nodes that the feasible graph reaches, those of a tier together."""
    tiers = {name: str(data["tier"]) for (_, name), data in stages.extended.nodes(data=True)}
    order = list(dict.fromkeys(tiers.values()))
    used = {name for _, name, _ in stages.feasible}
    names = sorted((name for name in tiers if name in used), key=lambda name: order.index(tiers[name]))
    return {name: row * _ROW_PITCH for row, name in enumerate(names)}


def _place(replica: Replica, rows: Mapping[str, float], stages: FinStages) -> Place:
    i, name, k = replica
    return float(i), rows[name] + _ROW_HEIGHT * k / stages.feasible.graph["gamma"]


def _draw_rows(axes: Axes, rows: Mapping[str, float], stages: FinStages, columns: int) -> None:
    """Draw a band for every node, with its name and a scale of the latency used."""
    gamma = stages.feasible.graph["gamma"]
    for name, base in rows.items():
        axes.add_patch(
            FancyBboxPatch(
                (-0.28, base - 0.07),
                columns - 0.44,
                _ROW_HEIGHT + 0.14,
                boxstyle="round,pad=0,rounding_size=0.06",
                facecolor=BAND_COLOUR,
                edgecolor="none",
                zorder=0,
            )
        )
        tier = stages.extended.nodes[0, name]["tier"]
        middle = base + _ROW_HEIGHT / 2
        label: dict[str, Any] = {"color": TEXT_COLOUR, "ha": "right", "va": "center"}
        axes.text(-0.62, middle, name, fontsize=11, fontweight="bold", **label)
        if tier not in ("", name):
            axes.text(-0.62, middle - 0.14, tier, fontsize=8.5, alpha=0.7, **label)
        axes.text(-0.42, middle, "latency used", fontsize=7, alpha=0.7, rotation=90, **label)
        for k, text in ((0, "0"), (gamma, "δ")):
            axes.text(-0.34, base + _ROW_HEIGHT * k / gamma, text, fontsize=8.5, alpha=0.7, **label)
        axes.annotate(
            "",
            xy=(-0.37, base + _ROW_HEIGHT - 0.07),
            xytext=(-0.37, base + 0.07),
            arrowprops={"arrowstyle": "->", "color": TEXT_COLOUR, "alpha": 0.45, "lw": 0.8},
        )


def _draw_columns(axes: Axes, stages: FinStages, columns: int, top: float) -> None:
    """Write the headings: the sample, the blocks, and which of them carry an accepted exit."""
    exits = {i: f for (i, _), f in stages.extended.graph["ends"].items()}
    for i in range(columns):
        axes.text(
            i, top - 0.1, f"block {i}" if i else "sample", fontsize=10.5, color=TEXT_COLOUR, ha="center", va="bottom"
        )
        if i in exits:
            axes.text(i, top - 0.12, f"exit {exits[i]}", fontsize=9, color=END_COLOUR, ha="center", va="top")


def _draw_graph(axes: Axes, stages: FinStages, places: Mapping[Replica, Place]) -> None:
    """Draw the replicas of stage 2 as dots, and the edges and ends of stage 3."""
    useful = stages.inference
    curves = [_curve(places[a], places[b]) for a, b in useful.edges]
    opacity = float(np.clip(5 / np.sqrt(1 + len(curves)), 0.2, 0.6))
    axes.add_collection(LineCollection(curves, colors=GRAPH_COLOUR, linewidths=0.8, alpha=opacity, zorder=1))
    room = (55 / useful.graph["gamma"]) ** 2  # area [pt²] of a marker that leaves the next replica's free
    _scatter(axes, (places[r] for r in stages.feasible if r not in useful), s=9, color=UNUSED_COLOUR, zorder=2)
    _scatter(axes, (places[r] for r in useful), s=min(15, room), color=GRAPH_COLOUR, zorder=3)
    ends = (places[r] for r in useful.graph["ends"])
    _scatter(axes, ends, s=min(40, room), facecolor="white", edgecolor=END_COLOUR, linewidth=1.2, zorder=4)


def _scatter(axes: Axes, places: Iterable[Place], **style: Any) -> None:
    points = np.array(list(places)).reshape(-1, 2)
    axes.scatter(points[:, 0], points[:, 1], **style)


def _curve(start: Place, end: Place) -> NDArray[np.float64]:
    """Return the points of an edge's line: an S between columns, a bow to the right within one; shape (25, 2)."""
    t = np.linspace(0, 1, 25)
    if start[0] == end[0]:
        bow = 0.1 + 0.06 * abs(end[1] - start[1])
        return np.column_stack((start[0] + 4 * bow * t * (1 - t), start[1] + t * (end[1] - start[1])))
    return np.column_stack((start[0] + t, start[1] + (3 * t**2 - 2 * t**3) * (end[1] - start[1])))


def _draw_path(axes: Axes, stages: FinStages, places: Mapping[Replica, Place]) -> None:
    """Draw the chosen path, and beside it the energy and latency of each block with the transfer that feeds it."""
    steps = list(zip(stages.path, stages.path[1:], strict=False))
    curves = [_curve(places[a], places[b]) for a, b in steps]
    axes.add_collection(LineCollection(curves, colors=PATH_COLOUR, linewidths=2.8, zorder=5, capstyle="round"))
    _scatter(axes, (places[r] for r in stages.path), s=46, facecolor=PATH_COLOUR, edgecolor="white", zorder=6)
    _scatter(axes, (places[r] for r in stages.path[-1:]), s=85, facecolor="none", edgecolor=END_COLOUR, zorder=6)
    for _, group in groupby(steps, key=lambda step: step[1][0] if step[1][0] > step[0][0] else step[0][0] + 1):
        into_block = list(group)
        if into_block[-1][0][0] == into_block[-1][1][0]:
            continue  # relays after the last block
        vertices: list[Vertex] = [into_block[0][0][:2], *(b[:2] for _, b in into_block)]
        energy, latency = path_costs(stages.extended, vertices)
        start, end = (places[r] for r in into_block[-1])
        axes.text(
            (start[0] + end[0]) / 2,
            (start[1] + end[1]) / 2,
            f"{_cost(stages, energy)}\n{_quantity(latency, _TIME_UNITS)}",
            fontsize=8.5,
            color=PATH_COLOUR,
            ha="center",
            va="center",
            zorder=7,
            bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": PATH_COLOUR, "linewidth": 0.8},
        )


def _draw_titles(axes: Axes, stages: FinStages, title: str) -> None:
    gamma, budget = stages.feasible.graph["gamma"], stages.feasible.graph["max_latency_s"]
    scale = f"budget δ = {_quantity(budget, _TIME_UNITS)} in γ = {gamma} steps"
    if stages.energy_j is None or stages.latency_s is None or stages.deployment is None:
        found = "no path to an accepted exit"
    else:
        found = (
            f"chosen: {_cost(stages, stages.energy_j)} in {_quantity(stages.latency_s, _TIME_UNITS)}, "
            f"last exit {stages.deployment.last_exit}"
        )
    above: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "color": TEXT_COLOUR}
    axes.annotate(title, (-0.28, 1), xytext=(0, 50), fontsize=15, fontweight="bold", **above)
    axes.annotate(f"{found}   ·   {scale}", (-0.28, 1), xytext=(0, 30), fontsize=10, **above)


def _draw_legend(figure: Figure, minimised: str, entries_per_line: int) -> None:
    dot: dict[str, Any] = {"linestyle": "none", "marker": "o"}
    handles = [
        Line2D([], [], color=PATH_COLOUR, lw=2.8, label=f"least-{minimised} path ({minimised}, latency)"),
        Line2D([], [], color=GRAPH_COLOUR, lw=1, marker="o", markersize=4, label="feasible inference graph"),
        Line2D([], [], markerfacecolor="white", color=END_COLOUR, markersize=6, label="accepted end", **dot),
        Line2D([], [], color=UNUSED_COLOUR, markersize=4, label="feasible, leads to no end", **dot),
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=entries_per_line,
        frameon=False,
        fontsize=9,
        labelcolor=TEXT_COLOUR,
    )


def _quantity(value: float, units: tuple[tuple[float, str], ...]) -> str:
    """Return a value with three digits, in the largest unit that makes it at least 1."""
    size, unit = next(((size, unit) for size, unit in units if value >= size), units[-1])
    return f"{value / size:.3g} {unit}" if value else f"0 {units[0][1]}"
