"""Topologies from GraphML, as the Internet Topology Zoo and `networkx` write it.

The file is looked over before it is read: no document type (and so no entities), bounded size, depth and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.parsers import expat

from finbench.benchmarks.imports.speeds import number_of, speed_of
from finbench.benchmarks.imports.topology import MOST_CABLES, MOST_SITES, Cable, Site, SiteGraph
from finbench.models.io import InputError, content_of

MOST_BYTES = 16 * 2**20
DEEPEST = 50
"""GraphML nests five deep."""

MOST_OF = {"node": MOST_SITES, "edge": MOST_CABLES, "key": 1000, "data": 5_000_000}
"""Elements of a kind at most."""

LATITUDE = ("Latitude", "latitude", "lat", "Lat")
LONGITUDE = ("Longitude", "longitude", "lon", "Lon", "lng")
LENGTH = ("length_km",)
"""Names of attributes that say where a node is, and how long an edge is [km]."""

OF_NODES = ("tier", "compute_ops_per_s", "power_w", "memory_bytes", "parallel", "device")
OF_LINKS = ("delay_s", "tx_energy_j_per_bit", "rx_energy_j_per_bit")
"""Attributes that are taken as fields of nodes and links."""


def read_graphml(path: Path) -> SiteGraph:
    """Read a GraphML file.

    Raises
    ------
    InputError
        If it is no GraphML, has a document type, is too large or too deep, or cannot be read.
    """
    text = content_of(path, MOST_BYTES)
    _look_over(path, text)
    import networkx as nx

    try:
        graph = nx.parse_graphml(text.decode("utf-8-sig"))
    except (nx.NetworkXError, ValueError, KeyError, TypeError, AttributeError, SyntaxError) as error:
        raise InputError(path, f"is no GraphML that can be read: {_told(error)}") from None
    source = f"{path.name} (GraphML)"
    said = dict(graph.graph)
    if said.get("Creator") == "Topology Zoo Toolset":
        source = (
            f"Internet Topology Zoo (CC BY 4.0), network {said.get('label', path.stem)}, {said.get('DateYear', '')}"
        )
    return topology_of(graph, str(said.get("label") or said.get("name") or path.stem)[:100], source.strip(", "))


def _look_over(path: Path, text: bytes) -> None:
    """Refuse what could expand or nest without bounds, before anything is built from it."""
    counts: dict[str, int] = {}
    depth = 0

    def opened(name: str, _attributes: Mapping[str, str]) -> None:
        nonlocal depth
        depth += 1
        kind = name.rpartition(":")[2]
        counts[kind] = counts.get(kind, 0) + 1 if kind in MOST_OF or kind == "graphml" else 0
        if depth > DEEPEST:
            raise InputError(path, f"is nested too deeply: GraphML has at most {DEEPEST} levels")
        if counts[kind] > MOST_OF.get(kind, 1):
            raise InputError(path, f"has more than {MOST_OF.get(kind, 1)} elements '{kind}'")

    def closed(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def document_type(*_: Any) -> None:
        raise InputError(path, "has a document type (DOCTYPE), which GraphML does not need: it may define entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    parser.StartDoctypeDeclHandler = document_type
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise InputError(path, f"is not valid XML: {_told(error)}") from None
    if "graphml" not in counts:
        raise InputError(path, "is no GraphML: it has no element 'graphml'")


def _told(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 150 else f"{text[:150]}…"


def topology_of(graph: Any, name: str, source: str) -> SiteGraph:
    """Return a networkx graph as a topology; the edges of a directed one lead one way."""
    if graph.number_of_nodes() > MOST_SITES or graph.number_of_edges() > MOST_CABLES:
        raise InputError(name, f"has more than {MOST_SITES} nodes or {MOST_CABLES} edges")
    sites = tuple(_site(str(key), said) for key, said in graph.nodes(data=True))
    cables = tuple(
        Cable((str(one), str(other)), speed_of(said), _first(said, LENGTH), graph.is_directed(), _taken(said, OF_LINKS))
        for one, other, said in graph.edges(data=True)
    )
    return SiteGraph(name, source, sites, cables)


def _site(key: str, said: Mapping[str, Any]) -> Site:
    latitude, longitude = _first(said, LATITUDE), _first(said, LONGITUDE)
    place = said.get("pos")
    if latitude is None and isinstance(place, (list, tuple)) and len(place) == 2:  # as topohub writes it
        longitude, latitude = (number_of(each) for each in place)
    where = None if latitude is None or longitude is None else (latitude, longitude)
    label = str(said.get("label") or said.get("name") or key)
    external = number_of(said.get("Internal")) == 0
    return Site(key, label, where, external, _taken(said, OF_NODES))


def _first(said: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    return next((number for name in names if (number := number_of(said.get(name))) is not None), None)


def _taken(said: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: said[name] for name in names if said.get(name) not in (None, "")}
