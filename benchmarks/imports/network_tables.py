"""Topologies from two tables in CSV that people write by hand: one of nodes, one of links.

Nodes have a column `name`, and may have `latitude`, `longitude` and the fields of a node. Links have `source` and
`target`, and may have `one_way`, `length_km` and the fields of a link. Links lead both ways unless `one_way` is yes. A
number may carry a unit ("10 Gbit/s").
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finbench.benchmarks.imports.csv_rows import CsvRow, header_of, rows_of
from finbench.benchmarks.imports.graphml import OF_LINKS, OF_NODES
from finbench.benchmarks.imports.topology import MOST_CABLES, MOST_SITES, Cable, Site, SiteGraph

NODE_COLUMNS = ("name", "latitude", "longitude", *OF_NODES)
LINK_COLUMNS = ("source", "target", "one_way", "length_km", "bandwidth_bit_per_s", *OF_LINKS)
WORDS = ("name", "source", "target", "tier", "device", "one_way")
"""Columns of words; all others are of numbers."""

YES, NO = ("yes", "true", "1"), ("no", "false", "0", "")

Cells = dict[str, Any]


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
            raise row.refused("name", "latitude, longitude: both or neither")
        if cells["name"] in names:
            raise row.refused("name", "stands twice; links could not tell")
        names.add(cells["name"])
        said = {name: cells[name] for name in OF_NODES if name in cells}
        where = None if place[0] is None or place[1] is None else (place[0], place[1])
        sites.append(Site(cells["name"], cells["name"], where, said=said))
    cables = [
        Cable(
            (cells["source"], cells["target"]),
            cells.get("bandwidth_bit_per_s"),
            cells.get("length_km"),
            _said_yes(row, cells.get("one_way", "")),
            {name: cells[name] for name in OF_LINKS if name in cells},
        )
        for row, cells in _rows(links, LINK_COLUMNS, ("source", "target"), MOST_CABLES)
    ]
    return SiteGraph(nodes.stem, f"{nodes.name} and {links.name}", tuple(sites), tuple(cables))


def _said_yes(row: CsvRow, text: str) -> bool:
    if text.lower() not in (*YES, *NO):
        raise row.refused("one_way", "must be yes or no")
    return text.lower() in YES


def _rows(file: Path, columns: tuple[str, ...], needed: tuple[str, ...], most: int) -> Iterator[tuple[CsvRow, Cells]]:
    """Yield every row with its cells, numbers as numbers; empty cells are left out."""
    for row in rows_of(file, header_of(file, needed, columns), most=most, ragged=True):
        yield row, {name: _value(row, name) for name, text in row.cells.items() if name in needed or text.strip()}


def _value(row: CsvRow, column: str) -> Any:
    if column in WORDS:
        return row.word(column)
    number = row.quantity(column)
    return int(number) if column == "parallel" and number.is_integer() else number
