"""A network from what others have made: GraphML, two tables, `topohub`, the catalogue, or a file of this suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from finbench.benchmarks.imports.attached import Attachment, with_devices
from finbench.benchmarks.imports.graphml import read_graphml
from finbench.benchmarks.imports.network_rules import ImportedNetwork, ImportRules, network_of
from finbench.benchmarks.imports.network_tables import read_tables
from finbench.benchmarks.imports.topohub_graphs import PREFIX, read_topohub
from finbench.benchmarks.imports.topology import SiteGraph
from finbench.models import catalogue
from finbench.models.catalogue_files import load_catalogue_network, load_link_kind
from finbench.models.instance import Network
from finbench.models.io import InputError, read_document, validate

DEFAULT_KIND = "core-router"
"""Kind of links whose energy per bit a file does not say."""

GRAPHML_ENDINGS = (".graphml", ".xml")


def imported_network(
    source: str,
    *,
    links: Path | None = None,
    rules: ImportRules | None = None,
    kind: str = DEFAULT_KIND,
    attachments: Sequence[Attachment] = (),
) -> ImportedNetwork:
    """Return the network that a source describes, with devices where they were asked for.

    Parameters
    ----------
    source : str
        A GraphML file, a CSV table of nodes, a network file of this suite, `topohub:NAME` or `catalogue:NAME`.
    links : Path, optional
        The CSV table of links, beside a table of nodes.
    rules : ImportRules, optional
    kind : str
        Kind of links of the catalogue, for the energies per bit that the source does not say.
    attachments : sequence of Attachment
        Devices at the nodes, or around them.

    Raises
    ------
    InputError
        If the source cannot be read, or the rules refuse what it says.
    """
    ready = _ready(source)
    if links is not None and not source.endswith(".csv"):
        raise InputError(links, "a table of links goes with a table of nodes (.csv)")
    if ready is None:
        made = network_of(_topology(source, links), rules or ImportRules(), load_link_kind(kind, "--link"), source)
    else:
        made = ImportedNetwork(ready, ())
    return replace(made, network=with_devices(made.network, attachments, source)) if attachments else made


def _ready(source: str) -> Network | None:
    """Return a network that is one already, None where `source` is a topology."""
    if source.startswith(catalogue.PREFIX):
        return load_catalogue_network(source.removeprefix(catalogue.PREFIX), source)
    if source.endswith((".toml", ".json")):
        document = read_document(Path(source))
        document.pop("schema_version", None)
        return validate(document, Network, source)
    return None


def _topology(source: str, links: Path | None) -> SiteGraph:
    if source.startswith(PREFIX):
        return read_topohub(source.removeprefix(PREFIX))
    path = Path(source)
    if path.suffix in GRAPHML_ENDINGS:
        return read_graphml(path)
    if path.suffix == ".csv":
        if links is None:
            raise InputError(path, "a table of nodes needs the table of links beside it (--links links.csv)")
        return read_tables(path, links)
    endings = ", ".join((*GRAPHML_ENDINGS, ".csv", ".toml", ".json"))
    raise InputError(source, f"must end in {endings}, or be {PREFIX}NAME or {catalogue.PREFIX}NAME")
