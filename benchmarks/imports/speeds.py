"""The speed of a cable from what people wrote about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

CARRIERS = {"OC": 51.84e6, "STM": 155.52e6}
"""Bit/s of OC-1 and STM-1; OC-n and STM-n carry n times as much (ITU-T G.707, SONET)."""

LINES = {"E1": 2.048e6, "E3": 34.368e6, "T1": 1.544e6, "DS1": 1.544e6, "T3": 44.736e6, "DS3": 44.736e6}
"""Bit/s of plesiochronous lines (ITU-T G.702)."""

PREFIXES = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}

_CARRIER = re.compile(r"\b(OC|STM)-?(\d{1,4})c?\b", re.IGNORECASE)
_LINE = re.compile(r"\b(E1|E3|T1|DS1|T3|DS3)\b", re.IGNORECASE)
_RATE = re.compile(r"(?<![\w.,<>-])(\d{1,6}(?:\.\d{1,6})?) ?([kKMGT])(?:b|bit|bits)?(?:ps|/s|it/s)?\b(?!\w)")
_BOUND = re.compile(r"[<>≤≥~]|\d ?(?:-|–|to) ?\d+(?:\.\d+)? ?[kKMGT]")


def speed_of(said: Mapping[str, Any]) -> float | None:
    """Return the bit/s that the attributes of a cable say, None where they say none, or not exactly one.

    In this order: `bandwidth_bit_per_s` and `LinkSpeedRaw` [bit/s]; `LinkSpeed` with `LinkSpeedUnits`; texts such as
    "OC-192", "STM-16", "E3", "155 Mbps" in `LinkSpeed`, `LinkLabel` or `LinkType`. A bound ("< 10 Gbps") or a range is
    no speed.
    """
    for name in ("bandwidth_bit_per_s", "LinkSpeedRaw"):
        number = number_of(said.get(name))
        if number is not None and number > 0:
            return number
    number, prefix = number_of(said.get("LinkSpeed")), PREFIXES.get(str(said.get("LinkSpeedUnits", ""))[:1])
    if number is not None and number > 0 and prefix is not None:
        return number * prefix
    for name in ("LinkSpeed", "LinkLabel", "LinkType"):
        found = _speeds_in(str(said.get(name, ""))[:200])
        if len(found) == 1:
            return found.pop()
    return None


def number_of(value: Any) -> float | None:
    """Return a finite number from an attribute, None where it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) else None


def _speeds_in(text: str) -> set[float]:
    if _BOUND.search(text):
        return set()
    carriers = {CARRIERS[kind.upper()] * int(count) for kind, count in _CARRIER.findall(text) if int(count)}
    lines = {LINES[name.upper()] for name in _LINE.findall(text)}
    rates = {float(number) * PREFIXES[prefix] for number, prefix in _RATE.findall(text) if float(number)}
    return carriers or lines or rates
