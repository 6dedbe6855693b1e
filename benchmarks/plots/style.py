"""How figures look: sizes, fonts, and one colour and marker for each method everywhere.

Colours are those of Okabe and Ito, and of Tol's muted palette for methods beyond them; both are made for readers with
any colour vision. Methods are told apart by marker too, and variants of one method (its γ, its options) by line style
and shade.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from math import log10
from pathlib import Path
from typing import Any
from zlib import crc32

import matplotlib as mpl
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from finbench.benchmarks.plots.formats import PICTURE_SUFFIXES, Look, Width
from finbench.models.io import InputError, write_bytes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)))
"""Line styles: lines beyond the number of colours take the colours again with the next one."""

GREY = "#B5B9C0"
"""Of lines that stand back."""

TEXT_COLOUR = "#2B2F36"

STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
}

IEEE_STYLE: Any = {
    **STYLE,
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.2,
    "savefig.dpi": 600,
}
"""As IEEE asks: a font like Times, which comes with Matplotlib, 8 points, embedded as TrueType (Type 42), 600 dpi."""

INCHES = {Width.COLUMN: 3.5, Width.PAGE: 7.16}
"""Widths of IEEE's figures."""


@dataclass(frozen=True)
class Paper:
    """What a figure is drawn on: its style, and how wide it is."""

    rc: Any
    width_in: float

    @property
    def across(self) -> int:
        """How many panels stand side by side."""
        return 1 if self.width_in < 5 else 2


def paper(look: Look = Look.SCREEN, width: Width = Width.PAGE) -> Paper:
    """Return what a figure of this look and width is drawn on."""
    return Paper(IEEE_STYLE if look is Look.IEEE else STYLE, INCHES[width])


_METHODS = {
    "milp-flow": ("#0072B2", "s"),
    "milp-assignment": ("#56B4E9", "D"),
    "cp-sat": ("#332288", "h"),
    "label-setting": ("#009E73", "^"),
    "exhaustive": ("#555555", "*"),
    "column-generation": ("#CC79A7", "P"),
    "branch-price-and-cut": ("#44AA99", "p"),
    "fin": ("#D55E00", "o"),
    "greedy": ("#882255", "<"),
    "larac": ("#000000", "X"),
    "mcp": ("#E69F00", "v"),
    "single-node": ("#999933", ">"),
}
"""Colour and marker of every method that ships."""

_OTHERS = ("#88CCEE", "#AA4499", "#117733", "#6699CC", "#661100", "#888888")
"""Colours of other methods, by their names."""


def method_colour(method: str) -> str:
    """Return the colour of a method, the same everywhere."""
    return _METHODS[method][0] if method in _METHODS else _OTHERS[crc32(method.encode()) % len(_OTHERS)]


def method_marker(method: str) -> str:
    """Return the marker of a method, the same everywhere."""
    return _METHODS[method][1] if method in _METHODS else MARKERS[crc32(method[::-1].encode()) % len(MARKERS)]


def in_order(variants: Iterable[str]) -> list[str]:
    """Return variants with those of one method together, its γ ascending; methods as they come first."""
    distinct = list(dict.fromkeys(variants))
    methods = list(dict.fromkeys(map(_method_of, distinct)))
    return sorted(distinct, key=lambda variant: (methods.index(_method_of(variant)), _gamma_of(variant) or 0))


def method_styles(variants: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return colour, marker and line style of methods by their variants, in the order of `in_order`.

    A variant is a method with its options in parentheses. Variants of one method take the line styles in turn; the
    smaller their γ, the paler they are, from γ = 1,000 down.
    """
    styles: dict[str, dict[str, Any]] = {}
    seen: dict[str, int] = {}
    for variant in in_order(variants):
        method, gamma = _method_of(variant), _gamma_of(variant)
        place = seen[method] = seen.get(method, -1) + 1
        shade = 1.0 if gamma is None else min(0.4 + 0.6 * log10(max(gamma, 1)) / 3, 1.0)
        styles[variant] = {
            "color": _mixed(method_colour(method), shade),
            "marker": method_marker(method),
            "linestyle": DASHES[place % len(DASHES)],
        }
    return styles


def _method_of(variant: str) -> str:
    return variant.split(" (", maxsplit=1)[0]


def _gamma_of(variant: str) -> int | None:
    named = re.search(r"\bgamma=(\d+)", variant)
    return int(named[1]) if named else None


def _mixed(colour: str, strength: float) -> str:
    red, green, blue = to_rgb(colour)
    return to_hex((1 - strength * (1 - red), 1 - strength * (1 - green), 1 - strength * (1 - blue)))


def group_styles(groups: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return colour, marker and line style of groups, by their place in a figure."""
    return {
        group: {
            "color": COLOURS[k % len(COLOURS)],
            "marker": MARKERS[(k + k // len(COLOURS)) % len(MARKERS)],
            "linestyle": DASHES[k // len(COLOURS) % len(DASHES)],
        }
        for k, group in enumerate(groups)
    }


def nested(place: int, lines: int) -> dict[str, float]:
    """Return widths of line and marker that shrink from the first line drawn to the last: those that coincide all show.

    In the style that holds when it is called.
    """
    more = 0.8 * (lines - 1 - place) / max(lines - 1, 1)
    width, size = (float(mpl.rcParams[name]) for name in ("lines.linewidth", "lines.markersize"))
    return {"linewidth": width * (1 + more), "markersize": size * (1 + more / 2)}


def literal(text: str) -> str:
    """Return a text as Matplotlib draws it character by character.

    Two dollar signs would enclose a formula, and a legend leaves out what begins with an underscore.
    """
    escaped = text.replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped


def shortened(text: str, characters: int = 28) -> str:
    """Return a text of at most so many characters, its middle left out where it is longer."""
    if len(text) <= characters:
        return text
    head = (characters - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (characters - 1 - head) :]}"


def save_picture(figure: Figure, path: Path, look: Look = Look.SCREEN) -> None:
    """Write a picture whole or not at all; its suffix decides the format.

    Raises
    ------
    InputError
        If the suffix is none of `PICTURE_SUFFIXES`, or the file cannot be written.
    """
    if path.suffix not in PICTURE_SUFFIXES:
        raise InputError(path, f"file name must end in {', '.join(PICTURE_SUFFIXES)}")
    picture = BytesIO()
    with mpl.rc_context(paper(look).rc):
        figure.savefig(picture, format=path.suffix[1:])
    write_bytes(path, picture.getvalue())
