"""Topologies by their name in `topohub`, an optional package of real ones with lengths."""

from __future__ import annotations

import re

from finbench.benchmarks.imports.graphml import topology_of
from finbench.benchmarks.imports.topology import SiteGraph
from finbench.models.io import InputError
from finbench.models.versions import package_version

PREFIX = "topohub:"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*){1,3}")


def read_topohub(name: str) -> SiteGraph:
    """Return the topology that `topohub` has under a name such as `sndlib/polska`.

    Raises
    ------
    InputError
        If the package is not installed, or has no such topology.
    """
    label = f"{PREFIX}{name}"
    try:
        import topohub
    except ImportError:
        raise InputError(label, "needs the package topohub: pip install 'finbench[topologies]'") from None
    if not _NAME.fullmatch(name):
        raise InputError(label, "must be a name such as topozoo/Abilene, sndlib/polska or backbone/africa")
    try:
        found = topohub.get(name)
    except KeyError:
        raise InputError(label, "topohub has no topology of that name") from None
    import networkx as nx

    graph = nx.node_link_graph(found, edges="edges")
    return topology_of(graph, name.rpartition("/")[2], f"topohub {package_version('topohub')}, topology {name}")
