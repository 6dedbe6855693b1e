"""The catalogue as rows, all of it or what some words find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from finbench.models.catalogue import CatalogueDevice, ExitTable, LinkKind, Runtime, all_entries
from finbench.models.catalogue_files import load_entry
from finbench.models.instance import DNN, Network

Row = tuple[str, str, str, str]
"""Kind, name as an instance's file says it, what it is, and where it comes from."""


def catalogue_rows(words: Sequence[str]) -> list[Row]:
    """Return a row for every entry in which all words occur, whatever their case; of a device one for each runtime."""
    rows = []
    for kind, _, path in all_entries():
        entry = load_entry(kind, path)
        for name, what, text in _described(entry):
            said = f"{kind} {name} {what} {text}".lower()
            if all(word.lower() in said for word in words):
                rows.append((kind, name, what, " ".join(text.split())))
    return rows


def _described(entry: BaseModel) -> Iterator[tuple[str, str, str]]:
    """Yield name, what it is, and where it comes from."""
    if isinstance(entry, CatalogueDevice):
        for runtime in entry.runtimes:
            yield f"{entry.name}/{runtime.name}", _of_runtime(runtime), f"{entry.provenance} {runtime.provenance}"
    elif isinstance(entry, LinkKind):
        up, down = entry.up, entry.downward
        ends = [(each.tx_energy_j_per_bit + each.rx_energy_j_per_bit) * 1e9 for each in (up, down)]
        yield entry.name, f"{ends[0]:.4g} nJ/bit up, {ends[1]:.4g} nJ/bit down", entry.provenance
    elif isinstance(entry, Network):
        yield entry.name, f"{len(entry.nodes)} nodes, {len(entry.links)} links", entry.provenance
    elif isinstance(entry, DNN):
        ops, size = sum(b.ops for b in entry.blocks), sum(b.parameter_bytes for b in entry.blocks)
        parts = f"{len(entry.blocks)} blocks, {len(entry.exits)} exits"
        yield entry.name, f"{parts}, {ops / 1e9:.4g} Gop, {size / 1e6:.4g} MB", entry.provenance
    elif isinstance(entry, ExitTable):
        exits = len(entry.settings[0].exit_fractions)
        yield entry.name, f"{entry.task}, {exits} exits, {len(entry.settings)} settings", entry.provenance


def _of_runtime(runtime: Runtime) -> str:
    rate = "" if runtime.compute_ops_per_s is None else f"{_rate(runtime.compute_ops_per_s)}, "
    return f"{rate}{runtime.power_w:.4g} W; measured: {', '.join(runtime.measured)}"


def _rate(ops_per_s: float) -> str:
    size, unit = (1e12, "Top/s") if ops_per_s >= 1e12 else (1e9, "Gop/s")
    return f"{ops_per_s / size:.4g} {unit}"
