"""Units that suit a size, and digits that a measurement is worth."""

from __future__ import annotations

from math import inf

import pytest

from finbench.benchmarks.analysis.units import (
    Quantity,
    digits_of,
    one_unit_serves,
    significant,
    sized,
    unit_of,
    with_unit,
)


@pytest.mark.parametrize(
    ("quantity", "values", "symbol"),
    [
        (Quantity.SECONDS, [0.0005], "µs"),
        (Quantity.SECONDS, [0.001], "ms"),
        (Quantity.SECONDS, [0.0004, 0.14], "ms"),
        (Quantity.SECONDS, [12.0, inf, 0.0], "s"),
        (Quantity.JOULES, [0.0214], "mJ"),
        (Quantity.JOULES, [0.02139545], "mJ"),
        (Quantity.WATTS, [3594.6], "kW"),
        (Quantity.BYTES, [3 * 2**20], "MiB"),
        (Quantity.FRACTION, [1e-9], "%"),
        (Quantity.JOULES, [], "J"),
        (Quantity.JOULES, [1e-30], "pJ"),
    ],
)
def test_a_unit_suits_the_middle_of_the_values(quantity: Quantity, values: list[float], symbol: str) -> None:
    assert unit_of(quantity, values).symbol == symbol


@pytest.mark.parametrize(("noise", "digits"), [(0.9, 1), (0.3, 1), (0.05, 2), (0.01, 3), (1e-3, 4), (1e-12, 5), (0, 5)])
def test_digits_follow_from_the_noise(noise: float, digits: int) -> None:
    assert digits_of(noise) == digits


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.5, 2, "0.50"),
        (0.0521, 2, "0.052"),
        (123456.0, 2, "120000"),
        (9.996, 3, "10.0"),
        (-0.021, 3, "-0.0210"),
        (0.0, 3, "0"),
        (inf, 3, "∞"),
        (3e-12, 2, "3.0e-12"),
        (4.2e12, 2, "4.2e+12"),
    ],
)
def test_significant_digits_are_kept_and_no_more(value: float, digits: int, text: str) -> None:
    assert significant(value, digits) == text


def test_values_far_apart_share_no_unit() -> None:
    assert one_unit_serves([1e-3, 10.0, 0.0, inf])
    assert not one_unit_serves([1e-3, 10.1])
    assert one_unit_serves([])
    assert with_unit(0.00052, Quantity.SECONDS, 2) == "520 µs"
    assert with_unit(20, Quantity.SECONDS, 3) == "20.0 s"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123, "12.3 mJ"), (999.9999, "1 kJ"), (1.0, "1 J"), (5e-6, "5 µJ"), (0.0, "0 J"), (None, "–"),
        (4.5e12, "4.5 TJ"), (1e15, "1,000 TJ"), (1e-15, "0.001 pJ"), (1e-18, "1e-06 pJ"), (-0.002, "-2 mJ"),
    ],
)  # fmt: skip
def test_one_value_has_the_prefix_that_suits_its_size(value: float | None, text: str) -> None:
    assert sized(value, "J", 3) == text


def test_seconds_take_no_prefix_above_one_and_money_takes_none() -> None:
    assert sized(12345.0, "s", 5) == "12345 s"
    assert [sized(value, "money") for value in (0.00123, 12345.0)] == ["0.00123 money", "12,300 money"]
    assert [sized(2e6, unit) for unit in ("B", "bit/s", "")] == ["2 MB", "2 Mbit/s", "2,000,000"]
