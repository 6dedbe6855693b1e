"""Numbers as people read them: digits that compare, percentages, times in a unit that suits."""

from __future__ import annotations

from typing import Any

from finbench.models import tolerances


def number(value: float | None, digits: int = 7) -> str:
    """Return a number with enough digits to compare by eye; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def rounded_up(value: float | None, digits: int = 7) -> str:
    """Return a number of at most so many digits that is not below `value`; a dash where there is none."""
    nearest = number(value, digits)
    if value is None or float(nearest) >= value:
        return nearest
    return number(tolerances.rounded_up(value, digits), digits)


def percent(value: float | None) -> str:
    """Return a fraction as a percentage; tiny ones keep their magnitude."""
    if value is None:
        return "–"
    return f"{100 * value:.4f}" if value == 0 or abs(value) >= 1e-6 else f"{100 * value:.1e}"


def fixed_percent(fraction: float, decimals: int = 2) -> str:
    """Return a fraction as a percentage with so many decimals, without the sign."""
    return f"{100 * fraction:.{decimals}f}"


def plural(count: int, noun: str) -> str:
    """Return a noun as it follows a count."""
    return noun if count == 1 else f"{noun}s"


TIME_UNITS = ((1.0, "s"), (1e-3, "ms"), (0.0, "µs"))


def seconds(value: Any) -> str:
    """Return a time of three digits in a unit that suits it."""
    size, unit = next((size, unit) for size, unit in TIME_UNITS if value >= size)
    return f"{value / (size or 1e-6):.3g} {unit}"


PREFIXES = (
    *((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")),
    *((1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p")),
)


def quantity(value: float | None, unit: str, digits: int = 4) -> str:
    """Return a value of so many digits with the prefix of its unit that makes it at least 1; a dash for none."""
    if value is None:
        return "–"
    if value == 0:
        return f"0 {unit}"
    rounded = float(f"{value:.{digits}g}")
    prefixes = PREFIXES[4:] if unit == "s" else PREFIXES  # nobody counts in kiloseconds
    size, prefix = next((pair for pair in prefixes if abs(rounded) >= pair[0]), PREFIXES[-1])
    shown = f"{rounded / size:.{digits}g}"
    return f"{float(shown):,.0f} {prefix}{unit}" if "e" in shown else f"{shown} {prefix}{unit}"
