"""What pictures are written as; apart from `style`, so that the command line is checked without loading Matplotlib."""

from __future__ import annotations

from enum import StrEnum

PICTURE_SUFFIXES = (".png", ".pdf", ".svg")


class Look(StrEnum):
    """What a figure is made for."""

    SCREEN = "screen"
    IEEE = "ieee"


class Width(StrEnum):
    """How wide a table or figure is: a column or the page of a journal with two columns."""

    COLUMN = "column"
    PAGE = "page"
