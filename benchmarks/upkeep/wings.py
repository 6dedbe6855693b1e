"""The house as it stands: which wing imports which, read from the sources, and its picture.

A wing imports only wings on lower rungs of `LADDER`; neighbours on a rung do not know each other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

import finbench
from finbench.benchmarks.plots.style import COLOURS, STYLE

LADDER: tuple[tuple[str, ...], ...] = (
    ("models",),
    ("models.programs", "fin_graph.options"),
    ("models.milp.solvers", "fin_graph.paths"),
    ("models.milp", "models.cp_sat", "fin_graph.stages", "fin_graph.joint.system"),
    ("fin_graph.joint.fin",),
    ("fin_graph.joint.columns", "fin_graph.joint.greedy"),
    ("fin_graph.joint.explanation",),
    ("fin_graph",),
    ("benchmarks.methods", "benchmarks.families"),
    ("benchmarks.campaigns", "benchmarks.judging"),
    ("benchmarks.records",),
    ("benchmarks.execution", "benchmarks.analysis"),
    ("benchmarks.plots", "benchmarks.terminal"),
    ("benchmarks.report", "benchmarks.upkeep"),
    ("benchmarks.cli",),
)
"""Wings from the lowest rung up. A module belongs to the longest name here that begins its own."""

RUNG = {wing: rung for rung, wings in enumerate(LADDER) for wing in wings}

Arrow = tuple[str, str]
"""A wing, and another that it imports."""


def wing_of(module: str) -> str:
    """Return the wing of a module, whose name is given without `finbench.`."""
    parts = module.split(".")
    return next(name for k in range(len(parts), 0, -1) if (name := ".".join(parts[:k])) in RUNG)


def imports() -> Iterator[tuple[str, str]]:
    """Yield every import of the house by another part of it, as names of modules without `finbench.`."""
    root = Path(finbench.__file__).resolve().parents[1]
    for package in ("models", "fin_graph", "benchmarks"):
        for file in sorted((root / package).rglob("*.py")):
            module = ".".join(file.relative_to(root).with_suffix("").parts)
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("finbench."):
                    yield from ((module, f"{node.module}.{name.name}".removeprefix("finbench.")) for name in node.names)


def arrows() -> set[Arrow]:
    """Return every pair of wings of which the first imports the second."""
    pairs = {(wing_of(module), wing_of(imported)) for module, imported in imports()}
    return {(one, other) for one, other in pairs if one != other}


def draw_wings() -> Figure:
    """Draw the wings on their rungs, and the arrows that do not follow from others."""
    found = arrows()
    places = {wing: _place(rung, k) for rung, wings in enumerate(LADDER) for k, wing in enumerate(wings)}
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(7.2, 8.4), layout="constrained")
        axes = figure.subplots()
        for one, other in sorted(_needed(found)):
            (x, y), (to_x, to_y) = places[one], places[other]
            axes.annotate(
                "",
                xy=(to_x, to_y + 0.3),
                xytext=(x, y - 0.3),
                arrowprops={"arrowstyle": "-|>", "color": "#777777", "lw": 0.7, "shrinkA": 0, "shrinkB": 0},
            )
        for wing, (x, y) in places.items():
            colour = COLOURS[("models", "fin_graph", "benchmarks").index(wing.partition(".")[0])]
            box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour, "linewidth": 1.4}
            axes.text(x, y, wing, ha="center", va="center", bbox=box, zorder=3)
        axes.set(xlim=(-0.2, 4.2), ylim=(-0.7, len(LADDER) - 0.3))
        axes.axis("off")
        axes.set_title("Who imports whom: every arrow points down", loc="left")
    return figure


def _place(rung: int, k: int) -> tuple[float, float]:
    wings = LADDER[rung]
    return 4 * (k + 0.5) / len(wings), float(rung)


def _needed(found: set[Arrow]) -> set[Arrow]:
    """Return the arrows that no longer way of other arrows explains."""
    below: dict[str, set[str]] = {}
    for wing in sorted(RUNG, key=RUNG.__getitem__):
        direct = {other for one, other in found if one == wing}
        below[wing] = direct.union(*(below[other] for other in direct if RUNG[other] < RUNG[wing]))
    return {
        (one, other)
        for one, other in found
        if not any((one, middle) in found and other in below[middle] for middle in RUNG if middle != other)
    }
