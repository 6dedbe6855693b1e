"""Scales and numbers of axes: units by size, logarithms where values span them, ticks that read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite

import numpy as np
import pandas as pd
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from finbench.benchmarks.analysis.units import Quantity, Unit, unit_of

LOG_FROM = 12.0
"""Ratio of values from which a dimension's axis is logarithmic."""

SMALLEST_GAP = 1e-2
"""Below this the gap axis is linear down to 0 [%]."""

MOST_TICKS = 9
"""Values of a dimension up to which each may have a tick."""


def axis_unit(quantity: Quantity, values: Iterable[float]) -> Unit:
    """Return the unit of an axis; of logarithmic axes over many decades too."""
    return unit_of(quantity, values)


def headed(heading: str, unit: Unit) -> str:
    """Return the name of an axis with its unit."""
    return f"{heading} [{unit.symbol}]" if unit.symbol else heading


def spans_decades(values: Iterable[float], ratio: float = LOG_FROM) -> bool:
    """Return whether positive values lie so far apart that an axis should be logarithmic."""
    sizes = [value for value in values if isfinite(value)]
    return bool(sizes) and min(sizes) > 0 and max(sizes) >= ratio * min(sizes)


def plain_number(value: float, _: object = None) -> str:
    """Return a tick's number, without an exponent between 10^-4 and 10^5."""
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e5:
        return f"{value:.6g}"
    return _power(value)


def _power(value: float) -> str:
    exponent = int(np.floor(np.log10(abs(value)) + 1e-9))
    factor = value / 10.0**exponent
    head = "" if abs(factor - 1) < 1e-6 else f"{factor:.3g}\\cdot "
    return f"${head}10^{{{exponent}}}$"


def log_number(value: float, _: object = None) -> str:
    """Return a tick's number on a logarithmic axis: from 10^4 and below 10^-3 as a power of ten."""
    return plain_number(value) if 1e-3 <= abs(value) < 0.99e4 else _power(value)


def set_log(axis: Axis) -> None:
    """Make an axis logarithmic with numbers that people read."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})  # type: ignore[attr-defined]
    low, high = sorted(axis.get_view_interval())
    decades = np.log10(high / low) if low > 0 else 1.0
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 1.5 else (1,), numticks=8))
    axis.set_major_formatter(FuncFormatter(log_number))
    axis.set_minor_formatter(NullFormatter())


def set_values(axis: Axis, values: Iterable[float], *, log: bool) -> None:
    """Put ticks at the values of a dimension where they are few; a logarithmic axis leaves out those too near."""
    places = sorted(set(values))
    if log:
        set_log(axis)
    if len(places) > MOST_TICKS:
        if not log:
            axis.set_major_locator(MaxNLocator(6))
        return
    axis.set_ticks(_apart(places, log=log))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(plain_number))


def _apart(places: list[float], *, log: bool) -> list[float]:
    """Return values that lie at least a ninth of their range from each other."""
    scaled = np.log(places) if log else np.asarray(places)
    least = (scaled[-1] - scaled[0]) / 9
    kept = [0]
    for k in range(1, len(places)):
        if scaled[k] - scaled[kept[-1]] >= least:
            kept.append(k)
    return [places[k] for k in kept]


def set_gaps(axis: Axis) -> None:
    """Make an axis one of gaps in per cent: linear up to `SMALLEST_GAP`, logarithmic beyond, from 0."""
    axis.axes.set_yscale("symlog", linthresh=SMALLEST_GAP)
    axis.axes.set_ylim(bottom=0)
    axis.set_major_formatter(FuncFormatter(plain_number))
    axis.set_minor_locator(NullLocator())


def side_by_side(lines: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return lines of one place beside each other around it, so that none hides another."""
    middle, count = (len(lines) - 1) / 2, len(lines)
    return {
        variant: line.assign(at=line["at"] + (line["at"].abs() + (line["at"] == 0)) * 0.8 * (k - middle) / count)
        for k, (variant, line) in enumerate(lines.items())
    }
