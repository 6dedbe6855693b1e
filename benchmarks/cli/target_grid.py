"""A grid of targets and definitions on the command line: values separated by commas, every combination once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from finbench.benchmarks.cli.options import OVERRIDES, Declared
from finbench.models.io import InputError


def _listed(one: Declared) -> Declared:
    return replace(one, kind=str, values=(), help=f"{one.help.rstrip('.')}; several: separated by commas.")


GRID = [_listed(one) for one in OVERRIDES]
"""Flags that replace an instance's targets and definitions, each by one value or by several."""


def grid_points(given: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return every combination of the values given, as overrides; one without any where nothing is given.

    Raises
    ------
    InputError
        If a target is no number.
    """
    kinds = {one.name: one for one in OVERRIDES}
    values = [[_value(kinds[name], text.strip()) for text in texts.split(",")] for name, texts in given.items()]
    return [dict(zip(given, point, strict=True)) for point in product(*values)]


def _value(one: Declared, text: str) -> Any:
    """Return a value as its override has it; the words of a definition are checked with the override."""
    if one.kind is not float:
        return text
    try:
        return float(text)
    except ValueError:
        raise InputError(one.spelling, f"{text!r}: must be a number, or numbers separated by commas") from None
