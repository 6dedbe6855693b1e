"""Units that suit a size, and as many digits as a measurement is worth.

A column of a table, or an axis of a figure, has one unit: the largest that the middle between its smallest and its
largest value, on a logarithmic scale, reaches. The digits of a
number follow from its relative noise σ: 1 + ⌊−log10 σ⌋ of them are significant, so that the last one moves by less than
five where the measurement is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import floor, isfinite, log10, sqrt


class Quantity(StrEnum):
    """What is counted, by the unit in which files and rows say it."""

    SECONDS = "s"
    JOULES = "J"
    WATTS = "W"
    GRAMS = "g"
    GRAM_RATE = "g/s"
    MONEY = "money"
    MONEY_RATE = "money/s"
    BIT_RATE = "bit/s"
    BYTES = "byte"
    DECIMAL_BYTES = "B"
    FRACTION = "fraction"
    PLAIN = ""


@dataclass(frozen=True)
class Unit:
    """A unit as it is written, and how much of the quantity's own unit it is."""

    symbol: str
    size: float


def _prefixed(symbol: str, *powers: tuple[str, float]) -> tuple[Unit, ...]:
    return tuple(Unit(prefix + symbol, size) for prefix, size in powers)


_LARGE = (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
_SMALL = (("", 1.0), ("m", 1e-3), ("µ", 1e-6), ("n", 1e-9), ("p", 1e-12))

UNITS: dict[Quantity, tuple[Unit, ...]] = {
    Quantity.SECONDS: _prefixed("s", *_SMALL[:4]),
    Quantity.JOULES: _prefixed("J", *_LARGE, *_SMALL),
    Quantity.WATTS: _prefixed("W", *_LARGE, *_SMALL),
    Quantity.GRAMS: _prefixed("g", *_LARGE, *_SMALL),
    Quantity.GRAM_RATE: _prefixed("g/s", *_LARGE, *_SMALL),
    Quantity.MONEY: _prefixed("money", ("", 1.0)),
    Quantity.MONEY_RATE: _prefixed("money/s", ("", 1.0)),
    Quantity.BIT_RATE: _prefixed("bit/s", *_LARGE, *_SMALL[:1]),
    Quantity.BYTES: _prefixed("B", ("Gi", 2.0**30), ("Mi", 2.0**20), ("Ki", 2.0**10), ("", 1.0)),
    Quantity.DECIMAL_BYTES: _prefixed("B", *_LARGE, ("", 1.0)),  # of axes whose ticks are powers of ten
    Quantity.FRACTION: (Unit("%", 0.01),),
    Quantity.PLAIN: (Unit("", 1.0),),
}
"""Units of each quantity, the largest first."""

HEADINGS = {
    Quantity.JOULES: "energy",
    Quantity.WATTS: "power",
    Quantity.GRAMS: "carbon",
    Quantity.GRAM_RATE: "carbon rate",
    Quantity.MONEY: "money",
    Quantity.MONEY_RATE: "money rate",
}
"""What an objective is called in tables and figures, by the quantity of its unit."""


OBJECTIVE_WORDS = {
    **dict.fromkeys((Quantity.JOULES, Quantity.WATTS), "energy"),
    **dict.fromkeys((Quantity.GRAMS, Quantity.GRAM_RATE), "carbon"),
    **dict.fromkeys((Quantity.MONEY, Quantity.MONEY_RATE), "money"),
}
"""What an objective counts, per inference or per second, by the quantity of its unit."""


def total_heading(quantity: Quantity) -> str:
    """Return what an objective is called on an axis."""
    return "total power" if quantity is Quantity.WATTS else HEADINGS.get(quantity, "objective")


def objective_word(units: Iterable[str]) -> str:
    """Return what is least in the best deployments whose objectives are in these units: energy, carbon or money."""
    words = {OBJECTIVE_WORDS.get(Quantity(unit), "objective") for unit in units}
    return words.pop() if len(words) == 1 else "objective"


def quantity_of_objectives(units: Iterable[str]) -> Quantity:
    """Return the quantity that objectives in these units are; none of its own where they differ."""
    there = set(units)
    return Quantity(there.pop()) if len(there) == 1 else Quantity.PLAIN


MOST_DIGITS = 5

WIDEST_RANGE = 1e4
"""Ratio of the largest to the smallest value up to which one unit serves all of them."""


def unit_of(quantity: Quantity, values: Iterable[float]) -> Unit:
    """Return the unit in which these values read best; infinite values and zeros do not count."""
    sizes = [abs(value) for value in values if isfinite(value) and value != 0]
    units = UNITS[quantity]
    if not sizes:
        return next((unit for unit in units if unit.size == 1), units[0])
    middle = sqrt(min(sizes)) * sqrt(max(sizes)) * (1 + 1e-9)
    return next((unit for unit in units if unit.size <= middle), units[-1])


def one_unit_serves(values: Iterable[float]) -> bool:
    """Return whether values are near enough to each other to share a unit."""
    sizes = [abs(value) for value in values if isfinite(value) and value != 0]
    return not sizes or max(sizes) <= WIDEST_RANGE * min(sizes)


def digits_of(noise: float) -> int:
    """Return how many digits of a number are significant whose relative noise is `noise`; 1 to `MOST_DIGITS`."""
    if noise <= 10.0**-MOST_DIGITS:
        return MOST_DIGITS
    return min(max(1 + floor(-log10(noise)), 1), MOST_DIGITS)


def significant(value: float, digits: int) -> str:
    """Return a number with so many significant digits, written out: no exponent, trailing zeros kept.

    Numbers beyond 10^7 and below 10^-6 keep an exponent, as `1.2e-09`.
    """
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else "∞"
    rounded = float(f"{value:.{digits - 1}e}")
    magnitude = floor(log10(abs(rounded)))
    if not -6 <= magnitude <= 7:
        return f"{value:.{digits - 1}e}"
    return f"{rounded:.{max(0, digits - 1 - magnitude)}f}"


def with_unit(value: float, quantity: Quantity, digits: int) -> str:
    """Return one value in the unit that suits it, such as `0.52 ms`."""
    unit = unit_of(quantity, [value])
    number = significant(value / unit.size, digits)
    return f"{number} {unit.symbol}".rstrip()


def sized(value: float | None, unit: str, digits: int = 3) -> str:
    """Return one value of at most so many digits in the largest unit that it reaches, such as `1 kJ`; a dash for none.

    Trailing zeros go, unlike those of `with_unit`: the digits are for the eye, and say nothing of noise.
    """
    if value is None:
        return "–"
    if value == 0:
        return f"0 {unit}"
    rounded = float(f"{value:.{digits}g}")
    chosen = next((one for one in UNITS[Quantity(unit)] if abs(rounded) >= one.size), UNITS[Quantity(unit)][-1])
    shown = f"{rounded / chosen.size:.{digits}g}"
    return (f"{float(shown):,.0f}" if "e+" in shown else shown) + f" {chosen.symbol}".rstrip()
