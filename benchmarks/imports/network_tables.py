"""Topologies from two tables in CSV that people write by hand: one of nodes, one of links.

Nodes have a column `name`, and may have `latitude`, `longitude` and the fields of a node. Links have `source` and
`target`, and may have `one_way`, `length_km` and the fields of a link. Links lead both ways unless `one_way` is yes. A
number may carry a unit ("10 Gbit/s").
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from finbench.benchmarks.imports.graphml import MOST_BYTES, OF_LINKS, OF_NODES
from finbench.benchmarks.imports.speeds import number_of
from finbench.benchmarks.imports.topology import MOST_CABLES, MOST_SITES, Cable, Site, SiteGraph
from finbench.models.io import InputError
from finbench.models.units import si_number, unit_of

NODE_COLUMNS = ("name", "latitude", "longitude", *OF_NODES)
LINK_COLUMNS = ("source", "target", "one_way", "length_km", "bandwidth_bit_per_s", *OF_LINKS)
WORDS = ("name", "source", "target", "tier", "device", "one_way")
"""Columns of words; all others are of numbers."""

YES, NO = ("yes", "true", "1"), ("no", "false", "0", "")

Cells = Mapping[str, Any]


def read_tables(nodes: Path, links: Path) -> SiteGraph:
    """Read a topology from its two tables.

    Raises
    ------
    InputError
        If a table cannot be read, lacks a column or has an unknown one, or a cell is a formula or no number.
    """
    sites: list[Site] = []
    names: set[str] = set()
    for row, cells in _rows(nodes, NODE_COLUMNS, ("name",), MOST_SITES):
        place = (cells.get("latitude"), cells.get("longitude"))
        if (place[0] is None) != (place[1] is None):
            raise InputError(nodes, f"row {row}: latitude, longitude: both or neither")
        if cells["name"] in names:
            raise InputError(nodes, f"row {row}: name = {cells['name'][:60]!r}: stands twice; links could not tell")
        names.add(cells["name"])
        said = {name: cells[name] for name in OF_NODES if name in cells}
        where = None if place[0] is None or place[1] is None else (place[0], place[1])
        sites.append(Site(cells["name"], cells["name"], where, said=said))
    cables = [
        Cable(
            (cells["source"], cells["target"]),
            cells.get("bandwidth_bit_per_s"),
            cells.get("length_km"),
            _said_yes(links, row, cells.get("one_way", "")),
            {name: cells[name] for name in OF_LINKS if name in cells},
        )
        for row, cells in _rows(links, LINK_COLUMNS, ("source", "target"), MOST_CABLES)
    ]
    return SiteGraph(nodes.stem, f"{nodes.name} and {links.name}", tuple(sites), tuple(cables))


def _said_yes(file: Path, row: int, text: str) -> bool:
    if text.lower() not in (*YES, *NO):
        raise InputError(file, f"row {row}: one_way = {text[:60]!r}: must be yes or no")
    return text.lower() in YES


def _rows(file: Path, columns: tuple[str, ...], needed: tuple[str, ...], most: int) -> Iterator[tuple[int, Cells]]:
    """Yield number and cells of every row that is not empty, numbers as numbers; empty cells are left out."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InputError(file, f"file has {file.stat().st_size} bytes: must have at most {MOST_BYTES}")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(file, "cannot be read: is not UTF-8") from None
    table = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(table, [])]
        _check_header(file, header, columns, needed)
        for row, cells in enumerate(table, start=2):
            if row - 1 > most:
                raise InputError(file, f"has more than {most} rows")
            if any(cell.strip() for cell in cells):
                yield row, _cells(file, row, header, cells, needed)
    except csv.Error as error:
        raise InputError(file, f"row {table.line_num}: is not valid CSV: {error}") from None


def _check_header(file: Path, header: list[str], columns: tuple[str, ...], needed: tuple[str, ...]) -> None:
    for name in header:
        if name not in columns:
            raise InputError(file, f"column {name[:60]!r}: unknown; known columns: {', '.join(columns)}")
        if header.count(name) > 1:
            raise InputError(file, f"column {name!r}: stands twice")
    for name in needed:
        if name not in header:
            raise InputError(file, f"column {name!r}: is missing")


def _cells(file: Path, row: int, header: list[str], cells: list[str], needed: tuple[str, ...]) -> Cells:
    if len(cells) > len(header):
        raise InputError(file, f"row {row}: has {len(cells)} cells, the header {len(header)}")
    said = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
    for name in needed:
        if name not in said:
            raise InputError(file, f"row {row}: {name}: is missing")
    return {name: _value(file, row, name, text) for name, text in said.items()}


def _value(file: Path, row: int, column: str, text: str) -> Any:
    """Return the value of a cell; a word that table programs would take for a formula is refused."""
    if column in WORDS:
        if text[0] in "=+-@" or not text.isprintable() or len(text) > 200:
            rule = "must be a printable name of at most 200 characters that does not begin like a formula (=, +, -, @)"
            raise InputError(file, f"row {row}: {column} = {text[:60]!r}: {rule}")
        return text
    number = number_of(text)
    if number is None and unit_of(column) is not None:
        try:
            number = si_number(text, column)
        except ValueError as error:
            raise InputError(file, f"row {row}: {error}") from None
    if number is None:
        raise InputError(file, f"row {row}: {column} = {text[:60]!r}: must be a finite number")
    return int(number) if column == "parallel" and number.is_integer() else number
