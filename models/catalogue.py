"""The catalogue: devices, kinds of links, networks, DNNs and exits that are shipped, each with its source.

A file of an instance may name entries. `network = "catalogue:geant2009"` and `dnns = ["catalogue:resnet-50"]` stand for
the entry's file. A node's `device = "raspberry-pi-4/tflite"` is a device and the runtime that it was measured with: the
node then has the entry's rate and power where it says none of its own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from finbench.models.dnn import MeasuredBlocks
from finbench.models.fields import Frozen, Name, NonNegative, OptionalName, Positive, Share

PREFIX = "catalogue:"

KINDS = ("devices", "links", "networks", "dnns", "exits")
"""Folders of the catalogue."""


class Runtime(Frozen):
    """A device with the software that ran on it, and what was measured."""

    name: Name
    """What follows the slash in the device of a node."""
    provenance: str
    """What was measured, by whom."""
    compute_ops_per_s: Positive | None = None
    """Operations of the measured DNN over its measured time [operations/s]; a multiply-add is two. Left out: only DNNs
    that were measured run here."""
    power_w: NonNegative
    """Measured energy over measured time [W]."""
    measured: dict[Name, MeasuredBlocks] = Field(default_factory=dict)
    """What running blocks took, by DNN and block (eq. 26)."""
    parallel: Annotated[int, Field(ge=1)] = 1
    """Measured throughput over what one after the other would make."""


class CatalogueDevice(Frozen):
    """A device of the catalogue; the first runtime stands for it where none is named."""

    name: Name
    provenance: str
    tier: OptionalName = ""
    memory_bytes: NonNegative | None = None
    runtimes: Annotated[tuple[Runtime, ...], Field(min_length=1, strict=False)]

    def node_fields(self, runtime: Runtime) -> dict[str, Any]:
        """Return what a node that is this device says, for one of its runtimes."""
        fields: dict[str, Any] = {"device": f"{self.name}/{runtime.name}", "power_w": runtime.power_w}
        optional: dict[str, Any] = {"compute_ops_per_s": runtime.compute_ops_per_s, "memory_bytes": self.memory_bytes}
        optional |= {"tier": self.tier or None, "parallel": runtime.parallel if runtime.parallel > 1 else None}
        return fields | {name: value for name, value in optional.items() if value is not None}


class LinkCosts(Frozen):
    """What one direction of a link costs."""

    tx_energy_j_per_bit: NonNegative
    rx_energy_j_per_bit: NonNegative
    bandwidth_bit_per_s: Positive | None = None
    """Typical bandwidth, where the source gives one."""


class LinkKind(Frozen):
    """A kind of links: Joule per bit from a published source."""

    name: Name
    provenance: str
    up: LinkCosts
    """From a device to the network."""
    down: LinkCosts | None = None
    """From the network to a device; left out: as upward."""

    @property
    def downward(self) -> LinkCosts:
        """Costs from the network to a device."""
        return self.up if self.down is None else self.down


class ExitSetting(Frozen):
    """Where samples leave at one setting of the thresholds."""

    setting: Name
    """The thresholds, in words."""
    exit_fractions: Annotated[tuple[Share, ...], Field(min_length=1, strict=False)]
    """Share of samples that leaves at each exit, in order."""
    accuracy: Share | None = None
    """Accuracy over all samples."""
    accuracy_of_leavers: Annotated[tuple[Share, ...], Field(strict=False)] = ()
    """Accuracy of those that leave at each exit; empty: not published."""


class ExitTable(Frozen):
    """What somebody published of the early exits of a DNN."""

    name: Name
    provenance: str
    task: Name
    """Data set."""
    settings: Annotated[tuple[ExitSetting, ...], Field(min_length=1, strict=False)]


def catalogue_directory() -> Path:
    """Return the folder of the catalogue, which lies beside the package `models`."""
    return Path(__file__).resolve().parent.parent / "data" / "catalogue"


def entries(kind: str) -> dict[str, Path]:
    """Return the files of the catalogue's entries of one kind, by name."""
    return {path.stem: path for path in sorted((catalogue_directory() / kind).glob("*.toml"))}


def entry_file(kind: str, name: str) -> Path:
    """Return the file of an entry.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    known = entries(kind)
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"{kind} of the catalogue: {', '.join(known) or 'none'}"
    raise ValueError(f"{name[:60]!r}: the catalogue has no such entry; {hint}")


def all_entries() -> Iterator[tuple[str, str, Path]]:
    """Yield kind, name and file of every entry."""
    for kind in KINDS:
        yield from ((kind, name, path) for name, path in entries(kind).items())
