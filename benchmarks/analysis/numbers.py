"""Numbers as people read them: digits that compare, and percentages. Numbers with units are `units`."""

from __future__ import annotations

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
