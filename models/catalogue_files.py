"""Entries of the catalogue, read from their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from finbench.models.catalogue import CatalogueDevice, ExitTable, LinkKind, Runtime, entries, entry_file
from finbench.models.instance import DNN, Device, Network
from finbench.models.io import InputError, read_document, validate

CLASSES: dict[str, type[BaseModel]] = {
    "devices": CatalogueDevice,
    "links": LinkKind,
    "networks": Network,
    "dnns": DNN,
    "exits": ExitTable,
}
"""What an entry of each kind of the catalogue is."""

Entry = TypeVar("Entry", bound=BaseModel)


def load_link_kind(name: str, file: str) -> LinkKind:
    """Return a kind of links; `file` is named in the error where there is none."""
    return _entry("links", name, LinkKind, file)


def load_catalogue_network(name: str, file: str) -> Network:
    """Return a network of the catalogue; `file` is named in the error where there is none."""
    return _entry("networks", name, Network, file)


def load_catalogue_dnn(name: str, file: str) -> DNN:
    """Return a DNN of the catalogue; `file` is named in the error where there is none."""
    return _entry("dnns", name, DNN, file)


def load_catalogue_device(name: str, file: str) -> tuple[CatalogueDevice, Runtime]:
    """Return a device of the catalogue with one of its runtimes.

    Parameters
    ----------
    name : str
        Such as `raspberry-pi-4/tflite`; without a runtime: the device's first.
    file : str
        Named in errors.

    Raises
    ------
    InputError
        If there is no such device or runtime.
    """
    device, _, runtime = name.partition("/")
    entry = _entry("devices", device, CatalogueDevice, file)
    for each in entry.runtimes:
        if runtime in ("", each.name):
            return entry, each
    names = ", ".join(each.name for each in entry.runtimes)
    raise InputError(file, f"device = {name[:60]!r}: '{device}' has no such runtime; runtimes: {names}")


def load_entry(kind: str, path: Path) -> BaseModel:
    """Return an entry of a kind from its file, as an object of the kind's class."""
    document = read_document(path)
    document.pop("schema_version", None)
    return validate(document, CLASSES[kind], path)


def of_catalogue(node: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Return what a file says of a node, with what the catalogue says of its device where the file says nothing.

    A device that the catalogue does not have is the file's own, unless the node says no power either.

    Raises
    ------
    InputError
        If the catalogue would have to know the device.
    """
    name = node["device"]
    if name.partition("/")[0] not in entries("devices") and "power_w" in node:
        return dict(node)
    entry, runtime = load_catalogue_device(name, file)
    return {**entry.node_fields(runtime), **node}


def measured_devices(network: Network, dnns: Iterable[DNN], known: Iterable[str]) -> tuple[Device, ...]:
    """Return what the catalogue has measured of some DNNs, for the devices of a network that are not among `known`."""
    measured_there = {name for dnn in dnns for name in dnn.measured} | set(known)
    names = dict.fromkeys(node.device for node in network.nodes if node.device and "/" in node.device)
    devices = []
    for name in names:
        device, _, runtime = name.partition("/")
        if name in measured_there or device not in entries("devices"):
            continue
        entry = _entry("devices", device, CatalogueDevice, name)
        found = next((each for each in entry.runtimes if each.name == runtime), None)
        measured = (
            {} if found is None else {dnn.name: found.measured[dnn.name] for dnn in dnns if dnn.name in found.measured}
        )
        if measured:
            devices.append(Device(name=name, provenance=entry.provenance, measured=measured))
    return tuple(devices)


def _entry(kind: str, name: str, model: type[Entry], file: str) -> Entry:
    try:
        path: Path = entry_file(kind, name)
    except ValueError as error:
        raise InputError(file, f"{kind.rstrip('s')} = {error}") from None
    document = read_document(path)
    document.pop("schema_version", None)
    return validate(document, model, path)
