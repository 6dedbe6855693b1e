"""What a figure of the page is made of: plain numbers, drawn by the page itself and downloaded from it as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal

Kind = Literal["line", "step", "points", "fit", "band", "halo"]


@dataclass(frozen=True)
class Axis:
    """One axis; `key` names its column in the CSV."""

    label: str
    key: str
    scale: Literal["linear", "log", "symlog"] = "linear"
    unit: str = ""
    """Unit whose prefix (m, µ, …) the ticks choose; empty: plain numbers."""
    ticks: Sequence[float] = ()
    """Ticks; left out: round numbers."""
    threshold: float = 0.0
    """Below this a symlog axis is linear down to 0."""
    least: float | None = None
    most: float | None = None
    """Ends of the axis; None: where the data ends."""


@dataclass(frozen=True)
class Series:
    """One line, staircase, set of points, line without points (fit), band, or wide line beneath the others (halo)."""

    name: str
    """Name in tooltips and in the CSV."""
    entry: str
    """Entry of the legend that shows and hides it."""
    x: Sequence[float]
    y: Sequence[float]
    kind: Kind = "line"
    dashed: bool = False
    high: Sequence[float] = ()
    """Upper edge of a band, whose lower edge is `y`."""
    limit: bool = False
    """Drawn as `ended by its limit`."""


@dataclass(frozen=True)
class Panel:
    """Axes and what is drawn in them."""

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]


@dataclass(frozen=True)
class View:
    """Panels shown together; a figure of several lets the reader choose."""

    name: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Chart:
    """A figure."""

    key: str
    """Its id, and the stem of its CSV."""
    title: str
    caption: str
    styles: dict[str, int]
    """Legend entries, in order, and the number of each one's style; below 0: drawn in the colour of text."""
    views: Sequence[View]
    choice: str = ""
    """What the reader chooses between views by."""
    start: int = 0
    """The view shown first."""

    def to_json(self) -> dict[str, Any]:
        """Return the object that the page draws."""
        return asdict(self)


def entries(names: Iterable[str]) -> dict[str, int]:
    """Return a style for each name, in order."""
    return {name: k for k, name in enumerate(dict.fromkeys(names))}


def finite(pairs: Iterable[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Return abscissae and ordinates of the pairs that can be drawn."""
    kept = [(float(x), float(y)) for x, y in pairs if isfinite(x) and isfinite(y)]
    return [x for x, _ in kept], [y for _, y in kept]
