"""Texts whose numbers keep their units on one line."""

from __future__ import annotations

import re

NO_BREAK = "\u00a0"

_UNIT = re.compile(r"(?<=\d) (?=(?:%|[TGMkmµn]?(?:s|J|W|B|bit|bit/s|iB)(?![\w-])))")
_SIGN = re.compile(r"(?<=[=<>≤≥]) (?=\d)|(?<=\b[αγδ]) (?=[=≤≥])")


def together(value: object) -> object:
    """Return a text with no line break between a number and its unit or sign; anything else as it is.

    Text that is markup already, such as a file that is quoted as it stands, is left alone.
    """
    return _SIGN.sub(NO_BREAK, _UNIT.sub(NO_BREAK, value)) if type(value) is str else value
