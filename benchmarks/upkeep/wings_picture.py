"""The picture of the wings: three packages side by side, every wing above those that it imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations, permutations, product
from math import inf
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finbench.benchmarks.plots.style import COLOURS, STYLE
from finbench.benchmarks.upkeep.wings import RUNG, Arrow, arrows, needed

WIDTHS = {"benchmarks": 4.0, "fin_graph": 3.0, "models": 2.0}
"""Packages from left to right, each of which imports those to its right; how many wings stand side by side there."""

OWN_FILES = {"models": "instance,\nevaluate, …", "fin_graph": "fin, mcp, …"}
"""What a package's wing of files that lie in no folder is called."""

HALF_WIDTH, HALF_HEIGHT = 0.35, 0.24
"""Of a wing's box, in widths of a lane and distances of rows."""

GAP = 0.35
"""Between packages, in widths of a lane."""

HEAD = 0.15
"""Of a package's name above the place of the highest wing, in distances of rows."""

Place = tuple[float, float]


def draw_wings() -> Figure:
    """Draw the wings of every package and, within it, the arrows that do not follow from others."""
    found = arrows()
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(8.6, 4.9), layout="constrained")
        axes = figure.subplots()
        left = 0.0
        tallest = max(len(_rows(package, found)) for package in WIDTHS)
        for colour, (package, width) in zip(COLOURS, WIDTHS.items(), strict=False):
            _draw_package(axes, package, left, tallest, colour, found)
            left += width + GAP
            if package != "models":
                _draw_between(axes, left - GAP, tallest + HEAD)
        axes.set(xlim=(-0.1, left - GAP + 0.1), ylim=(-0.6, tallest + 0.55))
        axes.axis("off")
        axes.set_title("Arrows: imports. benchmarks imports both other packages, fin_graph imports models.", loc="left")
    return figure


def _draw_package(axes: Axes, package: str, left: float, top: int, colour: str, found: set[Arrow]) -> None:
    inside = {arrow for arrow in found if all(_package(wing) == package for wing in arrow)}
    middle = left + WIDTHS[package] / 2
    axes.axvspan(left, left + WIDTHS[package], 0.0, 1.0, color=colour, alpha=0.08, linewidth=0)
    axes.text(middle, top + HEAD, package, ha="center", va="center", fontsize=11, fontweight="bold", color=colour)
    places = {wing: (left + x, y) for wing, (x, y) in places_of(package, needed(inside), found).items()}
    for one, other in sorted(needed(inside)):
        _draw_arrow(axes, places[one], places[other])
    box = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": colour, "linewidth": 1.2}
    for wing, (x, y) in places.items():
        axes.text(x, y, _label(wing), ha="center", va="center", fontsize=8, linespacing=1.0, bbox=box, zorder=3)


def _draw_between(axes: Axes, left: float, height: float) -> None:
    """Draw a broad arrow from a package to the next."""
    style: dict[str, Any] = {"arrowstyle": "-|>,head_width=0.35,head_length=0.6", "color": "#666666", "lw": 2.5}
    axes.annotate("", xy=(left + GAP + 0.1, height), xytext=(left - 0.1, height), arrowprops=style)


def _draw_arrow(axes: Axes, start: Place, end: Place) -> None:
    style: dict[str, Any] = {"arrowstyle": "-|>", "color": "#666666", "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
    begin, tip = (start[0], start[1] - HALF_HEIGHT), (end[0], end[1] + HALF_HEIGHT)
    axes.annotate("", xy=tip, xytext=begin, arrowprops=style, zorder=1)


def _package(wing: str) -> str:
    return wing.partition(".")[0]


def _label(wing: str) -> str:
    if wing in OWN_FILES:
        return OWN_FILES[wing]
    return wing.partition(".")[2].replace(".", "\n")


def _rows(package: str, found: set[Arrow]) -> list[list[str]]:
    """Return the rows of a package from the bottom: a wing is above all it imports, and close below an importer."""
    row: dict[str, int] = {}
    rising = sorted((wing for wing in RUNG if _package(wing) == package), key=RUNG.__getitem__)
    for wing in rising:
        row[wing] = 1 + max((row[other] for one, other in found if one == wing and other in row), default=-1)
    for wing in reversed(rising):
        row[wing] = min((row[one] - 1 for one, other in found if other == wing and one in row), default=row[wing])
    return [[wing for wing in row if row[wing] == height] for height in range(1 + max(row.values()))]


def places_of(package: str, drawn: set[Arrow], found: set[Arrow]) -> dict[str, Place]:
    """Return where the wings stand, so that arrows are short and pass behind no other wing.

    Three rows at a time are put in their best order, up and down the package, until no three can be improved.
    """
    ways = [list(_spread(row, WIDTHS[package])) for row in _rows(package, found)]
    choice = [way[0] for way in ways]
    windows = [range(y, min(y + 3, len(ways))) for y in range(max(1, len(ways) - 2))]
    least, before = inf, None
    while before != least:
        before = least
        for rows in chain(windows, reversed(windows)):
            for some in product(*(ways[y] for y in rows)):
                tried = [*choice[: rows.start], *some, *choice[rows.stop :]]
                cost = cost_of(_stacked(tried), drawn)
                if cost < least:
                    choice, least = tried, cost
    return _stacked(choice)


def _stacked(choice: Sequence[Mapping[str, float]]) -> dict[str, Place]:
    return {wing: (x, float(y)) for y, row in enumerate(choice) for wing, x in row.items()}


def _spread(row: Sequence[str], width: float) -> Iterator[dict[str, float]]:
    """Yield every way to put a row's wings on lanes, or on the middle."""
    lanes = [0.5 + k for k in range(int(width))]
    ways = chain.from_iterable(permutations(chosen) for chosen in combinations(lanes, len(row)))
    for way in chain(ways, [(width / 2,)] if len(row) == 1 else []):
        yield dict(zip(row, way, strict=True))


def cost_of(places: Mapping[str, Place], drawn: set[Arrow]) -> float:
    """Return the width of all arrows; one that passes behind a wing costs as much as ten lanes."""
    width = sum(abs(places[one][0] - places[other][0]) for one, other in drawn)
    hidden = sum(
        passes_behind(places[one], places[other], place)
        for one, other in drawn
        for wing, place in places.items()
        if wing not in (one, other)
    )
    return width + 10.0 * hidden


def passes_behind(start: Place, end: Place, wing: Place) -> bool:
    """Return whether a straight arrow down passes behind a wing's box."""
    if not end[1] < wing[1] < start[1]:
        return False
    edges = [wing[1] - HALF_HEIGHT, wing[1] + HALF_HEIGHT]
    crossings = [start[0] + (end[0] - start[0]) * (start[1] - y) / (start[1] - end[1]) for y in edges]
    return min(crossings) < wing[0] + HALF_WIDTH and max(crossings) > wing[0] - HALF_WIDTH
