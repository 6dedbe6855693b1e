"""The picture of the wings: three packages side by side, every wing above those that it imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import chain, combinations, permutations
from math import inf
from random import Random
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finbench.benchmarks.plots.style import COLOURS, STYLE
from finbench.benchmarks.upkeep.wings import RUNG, Arrow, arrows, needed

WIDTHS = {"benchmarks": 5.0, "fin_graph": 3.0, "models": 2.0}
"""Packages from left to right, each of which imports those to its right; how many wings stand side by side there."""

OWN_FILES = {"models": "instance,\nevaluate, …", "fin_graph": "fin, mcp, …"}
"""What a package's wing of files that lie in no folder is called."""

HALF_WIDTH, HALF_HEIGHT = 0.35, 0.24
"""Of a wing's box, in widths of a lane and distances of rows."""

GAP = 0.35
"""Between packages, in widths of a lane."""

HEAD = 0.15
"""Of a package's name above the place of the highest wing, in distances of rows."""

STARTS = 20
"""Orders from which the search for the best one begins."""

Place = tuple[float, float]


def draw_wings() -> Figure:
    """Draw the wings of every package and, within it, the arrows that do not follow from others."""
    found = arrows()
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(9.6, 5.2), layout="constrained")
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
    placed = places_of(package, frozenset(needed(inside)), frozenset(found))
    places = {wing: (left + x, y) for wing, (x, y) in placed.items()}
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


def _rows(package: str, found: AbstractSet[Arrow]) -> list[list[str]]:
    """Return the rows of a package from the bottom: a wing is above all it imports, and close below an importer."""
    row: dict[str, int] = {}
    rising = sorted((wing for wing in RUNG if _package(wing) == package), key=RUNG.__getitem__)
    for wing in rising:
        row[wing] = 1 + max((row[other] for one, other in found if one == wing and other in row), default=-1)
    for wing in reversed(rising):
        row[wing] = min((row[one] - 1 for one, other in found if other == wing and one in row), default=row[wing])
    _thin_out(row, int(WIDTHS[package]), found)
    return [[wing for wing in row if row[wing] == height] for height in range(1 + max(row.values()))]


def _thin_out(row: dict[str, int], most: int, found: AbstractSet[Arrow]) -> None:
    """Move wings down from rows that hold more than `most`, as long as they stay above all that they import."""
    for height in range(max(row.values()), 0, -1):
        below = {wing for wing in row if row[wing] == height - 1}
        free = [wing for wing in row if row[wing] == height and not any((wing, other) in found for other in below)]
        for wing in free[: max(0, sum(each == height for each in row.values()) - most)]:
            row[wing] -= 1


@cache
def places_of(package: str, drawn: frozenset[Arrow], found: frozenset[Arrow]) -> dict[str, Place]:
    """Return where the wings stand, so that arrows are short and pass behind no other wing.

    From each of `STARTS` drawn beginnings one row after the other is put in its best order, until none can be improved.
    """
    ways = [list(_spread(row, WIDTHS[package])) for row in _rows(package, found)]
    draw = Random(package)
    found_places = (_improved([draw.choice(way) for way in ways], ways, drawn) for _ in range(STARTS))
    return _stacked(min(found_places, key=lambda choice: cost_of(_stacked(choice), drawn)))


Choice = list[Mapping[str, float]]
"""For every row the places of its wings."""


def _improved(choice: Choice, ways: Sequence[Sequence[Mapping[str, float]]], drawn: AbstractSet[Arrow]) -> Choice:
    """Return a choice of which no single row can be improved."""
    least, before = cost_of(_stacked(choice), drawn), inf
    while before != least:
        before = least
        for y, way in enumerate(ways):
            for row in way:
                tried = [*choice[:y], row, *choice[y + 1 :]]
                cost = cost_of(_stacked(tried), drawn)
                if cost < least:
                    choice, least = tried, cost
    return choice


def _stacked(choice: Sequence[Mapping[str, float]]) -> dict[str, Place]:
    return {wing: (x, float(y)) for y, row in enumerate(choice) for wing, x in row.items()}


def _spread(row: Sequence[str], width: float) -> Iterator[dict[str, float]]:
    """Yield every way to put a row's wings on lanes, or on the middle."""
    lanes = [0.5 + k for k in range(int(width))]
    ways = chain.from_iterable(permutations(chosen) for chosen in combinations(lanes, len(row)))
    for way in chain(ways, [(width / 2,)] if len(row) == 1 else []):
        yield dict(zip(row, way, strict=True))


def cost_of(places: Mapping[str, Place], drawn: AbstractSet[Arrow]) -> float:
    """Return the width of all arrows; one that passes behind a wing costs as much as ten lanes."""
    width = sum(abs(places[one][0] - places[other][0]) for one, other in drawn)
    rows: defaultdict[int, list[Place]] = defaultdict(list)
    for place in places.values():
        rows[int(place[1])].append(place)
    hidden = sum(
        passes_behind(places[one], places[other], place)
        for one, other in drawn
        for between in range(int(places[other][1]) + 1, int(places[one][1]))
        for place in rows[between]
    )
    return width + 10.0 * hidden


def passes_behind(start: Place, end: Place, wing: Place) -> bool:
    """Return whether a straight arrow down passes behind a wing's box."""
    if not end[1] < wing[1] < start[1]:
        return False
    edges = [wing[1] - HALF_HEIGHT, wing[1] + HALF_HEIGHT]
    crossings = [start[0] + (end[0] - start[0]) * (start[1] - y) / (start[1] - end[1]) for y in edges]
    return min(crossings) < wing[0] + HALF_WIDTH and max(crossings) > wing[0] - HALF_WIDTH
