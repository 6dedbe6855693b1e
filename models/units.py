"""Numbers with units, such as "25 Mbit/s", as the SI numbers that the fields hold.

The unit of a field stands at the end of its name (`bandwidth_bit_per_s`). What a unit is, and what it converts to, says
`pint`, over a registry of what this problem measures: time, energy, information, operations, mass. Bits and operations
are quantities of their own there, so that 25 MHz is no bandwidth. A prefix before the field's own unit ("25 Mbit/s",
"5 ms") is a power of ten that needs no registry; pint, which takes a third of a second to import, is where the first
other unit is met.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pint import Unit, UnitRegistry

FIELD_UNITS = {
    "_bit_per_s": "bit/s",
    "_ops_per_s": "op/s",
    "_j_per_bit": "J/bit",
    "_g_per_j": "g/J",
    "_per_j": None,  # money has no unit
    "_per_busy_s": None,
    "_per_s": "1/s",
    "_bytes": "B",
    "_bits": "bit",
    "_gib": "GiB",
    "_km": "km",
    "_w": "W",
    "_j": "J",
    "_s": "s",
    "ops": "op",
}
"""Unit by the end of a field's name, the first that fits."""

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*((?:1 ?/|/)?[A-Za-zµμ][^\d]{0,29})")
_UNIT = re.compile(r"[A-Za-zµμ]+(?: ?(?:/|per|·|\*) ?[A-Za-zµμ]+){0,2}|(?:1 ?/|/|per) ?[A-Za-zµμ]+")
"""No digits and no powers: what a unit says is read, never computed."""

PREFIXES = {"": 0, "p": -12, "n": -9, "µ": -6, "μ": -6, "u": -6, "m": -3, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12}
"""Powers of ten that a letter before a unit stands for; pint's registry has them too, and more."""

_WITHOUT_PREFIX = ("km", "GiB")
"""Units that have a prefix already."""

_DEFINITIONS = """
nano- = 1e-9 = n-
micro- = 1e-6 = µ- = μ- = u-
milli- = 1e-3 = m-
pico- = 1e-12 = p-
kilo- = 1e3 = k- = K-
mega- = 1e6 = M-
giga- = 1e9 = G-
tera- = 1e12 = T-
peta- = 1e15 = P-
exa- = 1e18 = E-
kibi- = 2**10 = Ki-
mebi- = 2**20 = Mi-
gibi- = 2**30 = Gi-
tebi- = 2**40 = Ti-
second = [time] = s = sec
minute = 60 * second = min
hour = 60 * minute = h
day = 24 * hour = d
meter = [length] = m = metre
joule = [energy] = J
watt = joule / second = W
watt_hour = watt * hour = Wh
gram = [mass] = g
bit = [information]
byte = 8 * bit = B
bit_per_second = bit / second = bps
operation = [operations] = op = ops = FLOP = flop
operation_per_second = operation / second = OPS = FLOPS = flops
hertz = 1 / second = Hz
"""


def unit_of(field: str) -> str | None:
    """Return the unit of a field, None where its name has none."""
    return next((unit for end, unit in FIELD_UNITS.items() if field.endswith(end)), None)


def si_number(text: str, field: str) -> float:
    """Return a quantity such as "25 Mbit/s" in the unit of a field.

    Parameters
    ----------
    text : str
        A number and a unit.
    field : str
        Name of the field, which ends in its unit.

    Raises
    ------
    ValueError
        One line: what the text lacks, or that its unit measures something else.

    Examples
    --------
    >>> si_number("25 Mbit/s", "bandwidth_bit_per_s")
    25000000.0
    """
    own, shown = unit_of(field), f"{field} = {text[:60]!r}"
    if own is None:
        raise ValueError(f"{shown}: must be a number; this field has no unit")
    found = _QUANTITY.fullmatch(text.strip()) if len(text) <= 100 else None
    if found is None or not _UNIT.fullmatch(found[2].strip()):
        raise ValueError(f'{shown}: must be a number, or a number and a unit such as "5 {_prefixed(own)}"')
    value = _converted(found[1], found[2].strip(), own, shown)
    if not isfinite(value):
        raise ValueError(f"{shown}: must be a finite number")
    return value


def number_or_quantity(said: float | str, field: str) -> float:
    """Return a finite number as it is, or a quantity such as "25 Mbit/s" in the unit of a field.

    Raises
    ------
    ValueError
        As `si_number` does.
    """
    try:
        number = float(said)
    except ValueError:
        number = nan
    return number if isfinite(number) else si_number(str(said), field)


def _converted(number: str, unit: str, own: str, shown: str) -> float:
    power = PREFIXES.get(unit.removesuffix(own)) if unit.endswith(own) else None
    if power is not None and (unit == own or own not in _WITHOUT_PREFIX):
        return float(Decimal(number).scaleb(power))
    from pint import DimensionalityError, UndefinedUnitError

    registry = _registry()
    try:
        factor = registry.Quantity(Decimal(1), _parsed(unit)).to(_parsed(own)).magnitude
    except UndefinedUnitError:
        raise ValueError(f"{shown}: '{unit}' is no unit known here; this field is in {own}") from None
    except DimensionalityError:
        raise ValueError(f"{shown}: '{unit}' measures something else; this field is in {own}") from None
    return float(Decimal(number) * factor)  # in decimals, so that "8.2 MB" is the float that 8.2e6 is


@cache
def _parsed(unit: str) -> Unit:
    """Return a unit; what stands under a bare fraction bar is a rate."""
    bare = re.fullmatch(r"(?:1 ?/|/|per) ?([A-Za-zµμ]+)", unit)
    return _registry().parse_units(f"dimensionless/{bare[1]}" if bare else unit.replace("·", "*"))


def _prefixed(unit: str) -> str:
    return {"s": "ms", "bit/s": "Mbit/s", "B": "MB", "op": "Gop", "op/s": "Gop/s", "J/bit": "nJ/bit"}.get(unit, unit)


@cache
def _registry() -> UnitRegistry[Any]:
    from pint import UnitRegistry

    registry: UnitRegistry[Any] = UnitRegistry(None, non_int_type=Decimal)
    registry.load_definitions(_DEFINITIONS.strip().splitlines())
    return registry
