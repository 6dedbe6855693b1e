"""Measured rates of links, from a table in CSV: from, to, bits_per_s and, where it was measured, delay_s."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from finbench.benchmarks.imports.csv_rows import CsvRow, header_of, rows_of
from finbench.models.io import InputError

REQUIRED = ("from", "to", "bits_per_s")
DELAY = "delay_s"


@dataclass(frozen=True)
class LinkRate:
    """What was measured of a directed link."""

    source: str
    target: str
    bits_per_s: float
    delay_s: float | None
    """Propagation delay [s]; None: not measured."""


def read_link_rates(path: Path) -> tuple[LinkRate, ...]:
    """Return the measured links of a table; of several rows for one link the medians.

    Raises
    ------
    InputError
        If the table cannot be read, has no rows, lacks a column or has an unknown one, or a cell is no number that can
        be.
    """
    header = header_of(path, REQUIRED, (*REQUIRED, DELAY))
    rows: dict[tuple[str, str], list[CsvRow]] = {}
    for row in rows_of(path, header):
        rows.setdefault((row.cells["from"].strip(), row.cells["to"].strip()), []).append(row)
    if not rows:
        raise InputError(path, "has no rows")
    return tuple(_link_rate(pair, measured) for pair, measured in rows.items())


def _link_rate(pair: tuple[str, str], rows: list[CsvRow]) -> LinkRate:
    rates = [_rate(row) for row in rows]
    delays = [row.number(DELAY) for row in rows if row.cells.get(DELAY, "").strip()]
    return LinkRate(*pair, median(rates), median(delays) if delays else None)


def _rate(row: CsvRow) -> float:
    rate = row.number("bits_per_s")
    if rate == 0:
        raise row.refused("bits_per_s", "must be greater than 0")
    return rate
