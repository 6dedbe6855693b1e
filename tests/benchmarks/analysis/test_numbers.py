"""Numbers as people read them."""

from __future__ import annotations

import pytest

from finbench.benchmarks.analysis.numbers import fixed_percent, number, percent, plural, rounded_up


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.001, 7, "0.001"),
        (0.0012345671, 7, "0.001234568"),
        (0.0012345670, 7, "0.001234567"),
        (1.0000001, 7, "1.000001"),
        (9.9999999, 7, "10"),
        (1 / 3, 6, "0.333334"),
        (1234567.1, 7, "1234568"),
        (0.0, 7, "0"),
        (None, 7, "–"),
    ],
)
def test_rounded_up_is_never_below(value: float | None, digits: int, text: str) -> None:
    assert rounded_up(value, digits) == text
    assert value is None or float(text) >= value


def test_percentages_have_fixed_digits() -> None:
    assert [percent(value) for value in (None, 0.0, 0.25, 1e-7)] == ["–", "0.0000", "25.0000", "1.0e-05"]
    assert [fixed_percent(0.12345), fixed_percent(0.12345, 0)] == ["12.35", "12"]


def test_a_noun_follows_its_count() -> None:
    assert [plural(count, "run") for count in (0, 1, 2)] == ["runs", "run", "runs"]
    assert number(None) == "–"
