"""The order in which methods stand everywhere on the page: exact ones first, then by kind, γ by its value."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from finbench.benchmarks.methods import METHODS

_KINDS = {name: place for place, name in enumerate(METHODS)}
"""The registry lists exact methods first, then bounds, then heuristics."""

_NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)")

Key = tuple[int, tuple[tuple[int, float, str], ...]]


def place_of(variant: str) -> Key:
    """Return what variants are sorted by: the kind of their method, then their text with numbers by value."""
    name = variant.split(" (", 1)[0]
    parts = (part for part in _NUMBER.split(variant) if part)
    by_value = tuple((0, float(part), "") if _NUMBER.fullmatch(part) else (1, 0.0, part) for part in parts)
    return _KINDS.get(name, len(_KINDS)), by_value


def in_order(variants: Iterable[str]) -> list[str]:
    """Return distinct variants in the order of the page."""
    return sorted(dict.fromkeys(variants), key=place_of)


def by_method(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of runs group by group as they come, within each in the order of methods, else unchanged."""
    groups = {name: place for place, name in enumerate(dict.fromkeys(runs["group"]))}
    methods = {variant: place for place, variant in enumerate(in_order(runs["variant"]))}
    keys = pd.DataFrame({"group": runs["group"].map(groups), "variant": runs["variant"].map(methods)}, index=runs.index)
    return runs.loc[keys.sort_values(["group", "variant"], kind="stable").index]
