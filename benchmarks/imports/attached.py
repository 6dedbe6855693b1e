"""Devices of the catalogue put at the nodes of a network, or around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from finbench.models.catalogue import LinkCosts, LinkKind
from finbench.models.catalogue_files import load_catalogue_device, load_link_kind
from finbench.models.fields import Frozen, Name, NonNegative, OptionalName, Positive
from finbench.models.instance import Network
from finbench.models.io import InputError, read_document, validate

MOST_NODES = 100_000
"""A network of more nodes is taken for a mistake."""

_SHORT = re.compile(r"(?P<device>\S+)(?: +[x×] *(?P<count>[1-9][0-9]{0,8}))?")


class Attachment(Frozen):
    """Devices at nodes of a network, or around them."""

    device: Name
    """Device of the catalogue, such as `raspberry-pi-4/tflite`."""
    at: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """Nodes by name; left out: every node of the network."""
    count: Annotated[int, Field(ge=1, le=10_000)] = 1
    """How many at each."""
    link: Name | None = None
    """Kind of the links that join them to the node; left out: the node itself is the device, or several at once."""
    bandwidth_bit_per_s: Positive | None = None
    """Bandwidth of these links; left out: that of their kind."""
    delay_s: NonNegative = 0.0
    """Delay of these links."""
    tier: OptionalName = ""
    """Tier of the devices."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.link is None and (self.bandwidth_bit_per_s is not None or self.delay_s):
            raise ValueError("bandwidth_bit_per_s, delay_s: only with link, for devices around a node")
        return self


class DeviceMap(Frozen):
    """What a file of devices says."""

    schema_version: Annotated[int, Field(ge=1, le=1)] = 1
    """Version of the file format."""
    devices: Annotated[tuple[Attachment, ...], Field(min_length=1, strict=False)]
    """Devices and where they are."""


def read_devices(file: Path) -> tuple[Attachment, ...]:
    """Read a file that says which devices are where; raise InputError if it cannot be read or breaks a rule."""
    return validate(read_document(file), DeviceMap, file).devices


def attachment(text: str, **around: Any) -> Attachment:
    """Return what a text such as "raspberry-pi-4 x 3" says, for every node.

    Raises
    ------
    InputError
        If it is no such text.
    """
    found = _SHORT.fullmatch(text.strip())
    if found is None:
        raise InputError("--attach", f'{text[:60]!r}: must be a device and a number, such as "raspberry-pi-4 x 3"')
    return validate({"device": found["device"], "count": int(found["count"] or 1), **around}, Attachment, "--attach")


def with_devices(network: Network, attachments: Sequence[Attachment], file: str) -> Network:
    """Return the network with devices at its nodes, or around them.

    Raises
    ------
    InputError
        If a device, a kind of link or a node is unknown, two devices share a node, or the network grows too large.
    """
    nodes = {node.name: node.model_dump(exclude_defaults=True) for node in network.nodes}
    links = [link.model_dump(exclude_defaults=True) for link in network.links]
    own, told = frozenset(nodes), [network.provenance]
    for one in attachments:
        entry, runtime = load_catalogue_device(one.device, file)
        fields = entry.node_fields(runtime)
        places = one.at or tuple(name for name in nodes if name in own)
        _check_places(one, places, own, len(nodes), file)
        told.append(f"Device {fields['device']}: {entry.provenance} {runtime.provenance}")
        for place in places:
            if one.link is None:
                _put_at(nodes[place], fields, one, file)
            else:
                _put_around(nodes, links, place, fields, one, load_link_kind(one.link, file), file)
    if len(attachments) and any(one.link is not None for one in attachments):
        told.append("Energy per bit of the links to devices: kinds of the catalogue, as their names say.")
    document = {
        "name": network.name,
        "provenance": " ".join(filter(None, dict.fromkeys(told))),
        "nodes": list(nodes.values()),
        "links": links,
    }
    return validate(document, Network, file)


def _check_places(one: Attachment, places: Sequence[str], own: frozenset[str], nodes: int, file: str) -> None:
    for place in places:
        if place not in own:
            raise InputError(file, f"device '{one.device[:60]}': at = {place[:60]!r}: must be a node of the network")
    if one.link is not None and nodes + one.count * len(places) > MOST_NODES:
        grown = nodes + one.count * len(places)
        rule = f"would make {grown} nodes; must be at most {MOST_NODES}"
        raise InputError(file, f"device '{one.device[:60]}': count = {one.count}: {rule}")


def _put_at(node: dict[str, Any], fields: dict[str, Any], one: Attachment, file: str) -> None:
    if "device" in node or "compute_ops_per_s" in node:
        raise InputError(
            file, f"node '{node['name'][:60]}': already computes; give link to put '{one.device}' beside it"
        )
    node.update(fields)
    if one.count > 1 or "parallel" in fields:
        node["parallel"] = one.count * fields.get("parallel", 1)
    if one.tier:
        node["tier"] = one.tier


def _put_around(
    nodes: dict[str, dict[str, Any]],
    links: list[dict[str, Any]],
    place: str,
    fields: dict[str, Any],
    one: Attachment,
    kind: LinkKind,
    file: str,
) -> None:
    taken = sum(name.startswith(f"{place}/{one.device}") for name in nodes) if f"{place}/{one.device} 1" in nodes else 0
    for number in range(taken + 1, taken + one.count + 1):
        name = f"{place}/{one.device} {number}"
        nodes[name] = {"name": name, **fields, **({"tier": one.tier} if one.tier else {})}
        links.append(_link(name, place, kind.up, one, file))
        links.append(_link(place, name, kind.downward, one, file))


def _link(source: str, target: str, costs: LinkCosts, one: Attachment, file: str) -> dict[str, Any]:
    bandwidth = one.bandwidth_bit_per_s or costs.bandwidth_bit_per_s
    if bandwidth is None:
        rule = "its kind has no typical one, so bandwidth_bit_per_s must be given (--attach-bandwidth)"
        raise InputError(file, f"device '{one.device[:60]}': link = '{one.link}': {rule}")
    return {
        "source": source,
        "target": target,
        "bandwidth_bit_per_s": bandwidth,
        "tx_energy_j_per_bit": costs.tx_energy_j_per_bit,
        "rx_energy_j_per_bit": costs.rx_energy_j_per_bit,
        "delay_s": one.delay_s,
    }
