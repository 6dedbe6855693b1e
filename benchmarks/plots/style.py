"""Figures from real runs. Colours after Okabe and Ito, told apart also by line style and marker."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from finbench.benchmarks.plots.formats import PICTURE_SUFFIXES
from finbench.models.io import InputError, write_bytes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
}


def literal(text: str) -> str:
    """Return a text as Matplotlib draws it character by character.

    Two dollar signs would enclose a formula, and a legend leaves out what begins with an underscore.
    """
    escaped = text.replace("$", r"\$")
    return f" {escaped}" if escaped.startswith("_") else escaped


def save_picture(figure: Figure, path: Path) -> None:
    """Write a picture whole or not at all; its suffix decides the format.

    Raises
    ------
    InputError
        If the suffix is none of `PICTURE_SUFFIXES`, or the file cannot be written.
    """
    if path.suffix not in PICTURE_SUFFIXES:
        raise InputError(path, f"file name must end in {', '.join(PICTURE_SUFFIXES)}")
    picture = BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(picture, format=path.suffix[1:])
    write_bytes(path, picture.getvalue())


DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)))
"""Line styles: methods beyond the number of colours take the colours again with the next one."""
