"""Parameters of which a few stand for all in daily work; the many others are marked slow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def few_and_many(values: Iterable[Any], few: int) -> list[Any]:
    """Return the values as parameters, of which all but the first `few` are marked slow."""
    return [value if k < few else slow(value) for k, value in enumerate(values)]


def slow(*values: Any) -> Any:
    """Return one set of parameters, marked slow."""
    return pytest.param(*values, marks=pytest.mark.slow)
