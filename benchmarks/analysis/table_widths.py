"""How wide a text is in LaTeX, from metrics of fonts, so that a table fits its column before anyone compiles it.

Times (as IEEE's class sets it) and Computer Modern (as LaTeX's own classes do) are both measured, and the wider one
counts: what fits here fits in either.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

FOOTNOTE_PT = 8.0
"""Size of \\footnotesize in a class of 10 pt, as IEEE's are [pt]."""

FONTS = (("STIXGeneral.ttf", 1.0), ("cmr10.ttf", 1.0625))
"""Font files with the metrics of Times and Computer Modern; cmr8 is wider than cmr10 at 8 pt, by the factor."""

UNKNOWN_EM = 1.0
"""Width taken for a character that no font has [em]."""


def text_width(text: str, size_pt: float = FOOTNOTE_PT) -> float:
    """Return the width of a line of text without kerning [pt]."""
    return size_pt * sum(_em(character) for character in text)


@lru_cache(maxsize=4096)
def _em(character: str) -> float:
    widths = [factor * width for name, factor in FONTS if (width := _advance(name, character)) is not None]
    return max(widths, default=UNKNOWN_EM)


def _advance(name: str, character: str) -> float | None:
    """Return a character's width in a font [em]; None where it has none."""
    font = _font(name)
    if not font.get_char_index(ord(character)):
        return None
    return font.load_char(ord(character)).linearHoriAdvance / 65536 / _SIZE


_SIZE = 100


@lru_cache(maxsize=len(FONTS))
def _font(name: str) -> FT2Font:
    import matplotlib as mpl
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name))
    font.set_size(_SIZE, 72)
    return font


def wrapped(text: str, width_pt: float) -> list[str]:
    """Return a text in lines of at most `width_pt`; a wider word is cut, after - _ / . or , if it can be."""
    lines: list[str] = []
    rest = text
    while text_width(rest) > width_pt and len(rest) > 1:
        cut = max(1, _fitting(rest, width_pt))
        ends = [k + 1 for k, character in enumerate(rest[:cut]) if character in " -_/.,"]
        if rest[cut] == " ":
            ends.append(cut)
        cut = ends[-1] if ends and ends[-1] > cut // 3 else cut
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*lines, rest]


def _fitting(text: str, width_pt: float) -> int:
    """Return how many characters of a text fit."""
    used = 0.0
    for k, character in enumerate(text):
        used += FOOTNOTE_PT * _em(character)
        if used > width_pt:
            return k
    return len(text)
