"""Measurements put into an instance: profiles of its nodes' machines, and rates of its links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finbench.benchmarks.measuring.link_rates import LinkRate, read_link_rates
from finbench.models.instance import DNN, Device, Instance, MeasuredRun, Node
from finbench.models.io import InputError, load_device, validate

Runs = dict[str, dict[int, MeasuredRun]]
"""Measured runs by name of the DNN and block."""


@dataclass(frozen=True)
class Measurements:
    """What was measured of an instance's nodes and links."""

    devices: Mapping[str, tuple[Device, ...]]
    """By name of the node."""
    links: tuple[LinkRate, ...]
    files: tuple[str, ...]
    """As they were given."""


def read_measurements(instance: Instance, given: Sequence[str]) -> Measurements:
    """Read what was measured of an instance.

    Parameters
    ----------
    instance : Instance
    given : sequence of str
        Device files as `NODE=FILE`, or as `FILE` for all nodes whose device has the name that the file says; tables of
        links as `FILE.csv`.

    Raises
    ------
    InputError
        If a file cannot be read, or says nothing of the instance.
    """
    devices: dict[str, tuple[Device, ...]] = {}
    links: list[LinkRate] = []
    for each in given:
        if each.endswith(".csv"):
            links += _known_links(instance, Path(each))
            continue
        device, names = _assigned(instance, each)
        for name in names:
            devices[name] = (*devices.get(name, ()), device)
    _check_links_once(links)
    return Measurements(devices, tuple(links), tuple(given))


def _assigned(instance: Instance, given: str) -> tuple[Device, list[str]]:
    """Return the device of a file, and the names of the nodes that it was measured for."""
    node, equals, file = given.partition("=")
    nodes = instance.network.node_by_name
    if equals and (node in nodes or not Path(given).exists()):
        if node not in nodes:
            raise InputError(given, f"'{node[:60]}' is no node of the instance; nodes: {_some(nodes)}")
        names = [node]
    else:
        file, names = given, []
    device = load_device(file)
    names = names or [each.name for each in instance.network.nodes if each.device == device.name]
    if not names:
        raise InputError(file, f"device '{device.name}' is that of no node: say NODE={file}; nodes: {_some(nodes)}")
    if not device.measured.keys() & instance.dnn_by_name.keys():
        dnns = f"{_some(device.measured)}; the instance has {_some(instance.dnn_by_name)}"
        raise InputError(file, f"device '{device.name}': was measured for none of the instance's DNNs, but for {dnns}")
    return device, names


def _known_links(instance: Instance, path: Path) -> tuple[LinkRate, ...]:
    links = read_link_rates(path)
    for link in links:
        if (link.source, link.target) not in instance.network.link_by_pair:
            raise InputError(path, f"link '{link.source[:60]}->{link.target[:60]}': is none of the instance")
    return links


def _check_links_once(links: Iterable[LinkRate]) -> None:
    seen: set[tuple[str, str]] = set()
    for link in links:
        if (link.source, link.target) in seen:
            raise InputError(f"link '{link.source}->{link.target}'", "was measured in two tables")
        seen.add((link.source, link.target))


def calibrated(instance: Instance, measured: Measurements) -> Instance:
    """Return the instance with what was measured in place of what it says.

    A measured block replaces its old figure on the node; blocks, energies and delays that were not measured keep
    theirs. Each node names the device that it was measured as; where another node has a device of that name, and was
    not measured, the node's name is put behind.

    Raises
    ------
    InputError
        If two files measured one block of one node, or the instance would break a rule.
    """
    tables = {name: _runs(instance, name, devices) for name, devices in measured.devices.items()}
    names = _device_names(instance, measured, tables)
    said: dict[str, Device] = {}
    for node, name in names.items():
        text = "\n".join(dict.fromkeys(device.provenance for device in measured.devices[node] if device.provenance))
        runs = {dnn: {str(k): run for k, run in blocks.items()} for dnn, blocks in tables[node].items()}
        said[name] = Device(name=name, provenance=text, measured=runs)
    nodes = [
        node.model_copy(update={"device": names[node.name]}) if node.name in names else node
        for node in instance.network.nodes
    ]
    gone = {node.device for node in instance.network.nodes} - {node.device for node in nodes}
    replaced = gone.union(said)
    document = instance.model_dump(mode="json")
    document["provenance"] = "\n".join(filter(None, (instance.provenance, f"measured: {', '.join(measured.files)}")))
    document["network"]["nodes"] = [node.model_dump(mode="json") for node in nodes]
    document["network"]["links"] = _links(instance, measured.links)
    kept = [device for device in instance.devices if device.name not in replaced]
    document["devices"] = [device.model_dump(mode="json") for device in (*kept, *said.values())]
    for dnn in document["dnns"]:
        dnn["measured"] = {name: one for name, one in dnn.get("measured", {}).items() if name not in replaced}
    return validate(document, Instance, f"calibrated {instance.name}")


def _runs(instance: Instance, name: str, devices: Iterable[Device]) -> Runs:
    """Return all measured runs of a node: those of files, and old ones of blocks that these do not have."""
    node = instance.network.node_by_name[name]
    new: Runs = {}
    for device in devices:
        for dnn in device.measured.keys() & instance.dnn_by_name.keys():
            for block, run in device.measured[dnn].items():
                if new.setdefault(dnn, {}).setdefault(int(block), run) != run:
                    raise InputError(f"node '{name}'", f"block {block} of '{dnn}' was measured twice, with other times")
    runs = {dnn.name: dict(instance.measurements(dnn, node)) | new.get(dnn.name, {}) for dnn in instance.dnns}
    return {dnn: dict(sorted(blocks.items())) for dnn, blocks in runs.items() if blocks}


def _device_names(instance: Instance, measured: Measurements, tables: Mapping[str, Runs]) -> dict[str, str]:
    """Return by which name of a device each measured node goes; nodes with one name have the same runs."""
    others = {node.device for node in instance.network.nodes if node.name not in tables}
    of_name: dict[str, Runs] = {}
    names = {}
    for node, runs in tables.items():
        name = measured.devices[node][0].name
        if name in others or of_name.get(name, runs) != runs:
            name = f"{name} at {node}"
        of_name[name] = runs
        names[node] = name
    return names


def _links(instance: Instance, links: Iterable[LinkRate]) -> list[dict[str, Any]]:
    known = {(link.source, link.target): link for link in links}
    made = []
    for link in instance.network.links:
        found = known.get((link.source, link.target))
        update: dict[str, float] = {}
        if found is not None:
            update["bandwidth_bit_per_s"] = found.bits_per_s
            update |= {} if found.delay_s is None else {"delay_s": found.delay_s}
        made.append(link.model_copy(update=update).model_dump(mode="json"))
    return made


def _some(names: Iterable[str]) -> str:
    listed = [name[:60] for name in names]
    return ", ".join(listed[:8]) + (", …" if len(listed) > 8 else "")


def measured_blocks(instance: Instance, measured: Measurements) -> list[tuple[Node, DNN, int]]:
    """Return every block of a DNN that was measured on a node, in the instance's order."""
    found = []
    for node in instance.network.nodes:
        devices = measured.devices.get(node.name, ())
        for dnn in instance.dnns:
            blocks = {int(block) for device in devices for block in device.measured.get(dnn.name, ())}
            found += [(node, dnn, block) for block in sorted(blocks)]
    return found
