"""Parameters of families that a user sets: a field of all nodes of a tier, or of the links that they send over.

A setting such as `edge.compute_ops_per_s=1e11..5e11` draws the field of every edge node anew, log-uniformly within the
range; one value sets it. All else stays as the family draws it, power and rate apart from each other. Settings take
nothing from the family's own stream, so that equal seeds differ in what was set alone. Latency targets and loads are
placed afterwards, for the network as it was set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TypeVar

import numpy as np

from finbench.models.instance import Link, Network, Node
from finbench.models.io import InputError
from finbench.models.units import number_or_quantity

OF_NODES = ("compute_ops_per_s", "power_w")
OF_LINKS = ("bandwidth_bit_per_s", "delay_s", "tx_energy_j_per_bit", "rx_energy_j_per_bit")
"""Fields that can be set."""

Part = TypeVar("Part", Node, Link)

_SETTING = re.compile(r"(?P<name>[^=]{1,100})=(?P<least>[^=]{1,40}?)(?:\.\.(?P<most>[^=]{1,40}))?")


@dataclass(frozen=True)
class Setting:
    """A field and the range that it is drawn from."""

    tier: str
    field: str
    least: float
    most: float

    def __str__(self) -> str:
        values = f"{self.least:g}" if self.least == self.most else f"{self.least:g}..{self.most:g}"
        return f"{self.tier}.{self.field}={values}"

    def drawn(self, rng: np.random.Generator) -> float:
        """Draw a value log-uniformly, to six significant digits."""
        if self.least == self.most:
            return self.least
        return float(f"{np.exp(rng.uniform(log(self.least), log(self.most))):.6g}")


def parameters_of(tiers: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all parameters of a family whose nodes are of these tiers."""
    return tuple(f"{tier}.{field}" for tier in tiers for field in (*OF_NODES, *OF_LINKS))


def read_settings(family: str, texts: Sequence[str], tiers: Sequence[str]) -> tuple[Setting, ...]:
    """Return what texts such as `edge.power_w=100..200` set, for a family of these tiers.

    Raises
    ------
    InputError
        If a text is no setting, its parameter is none of the family's or set twice, or its range is empty.
    """
    settings = tuple(_read(family, text, tiers) for text in texts)
    names = [f"{each.tier}.{each.field}" for each in settings]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"family '{family}'", f"set {name}: stands twice")
    return settings


def _read(family: str, text: str, tiers: Sequence[str]) -> Setting:
    label, found = f"family '{family}'", _SETTING.fullmatch(text.strip())
    if found is None:
        rule = "must be PARAMETER=VALUE or PARAMETER=LEAST..MOST, such as edge.power_w=100..200"
        raise InputError(label, f"set {text[:60]!r}: {rule}")
    name = found["name"].strip()
    if name not in parameters_of(tiers):
        fields = ", ".join((*OF_NODES, *OF_LINKS))
        known = f"tiers: {', '.join(tiers)}; fields: {fields}" if tiers else "this family has none"
        raise InputError(label, f"set {name[:60]!r}: no such parameter; {known}")
    tier, _, field = name.rpartition(".")
    least = _number(label, field, found["least"])
    most = least if found["most"] is None else _number(label, field, found["most"])
    if not 0 < least <= most < float("inf"):
        raise InputError(label, f"set {text[:60]!r}: must be greater than 0, the least before the most")
    return Setting(tier, field, least, most)


def _number(label: str, field: str, text: str) -> float:
    try:
        return number_or_quantity(text, field)
    except ValueError as error:
        raise InputError(label, f"set {error}") from None


def settled(network: Network, settings: Sequence[Setting], rng: np.random.Generator) -> Network:
    """Return the network with every field that is set drawn anew."""
    if not settings:
        return network
    tier_of = {node.name: node.tier for node in network.nodes}
    return Network(
        name=network.name,
        provenance=network.provenance,
        nodes=tuple(_redrawn(node, node.tier, OF_NODES, settings, rng) for node in network.nodes),
        links=tuple(_redrawn(link, tier_of[link.source], OF_LINKS, settings, rng) for link in network.links),
    )


def _redrawn(
    part: Part, tier: str, fields: Sequence[str], settings: Sequence[Setting], rng: np.random.Generator
) -> Part:
    """Return a node, or a link that a node of `tier` sends over, with those of `fields` drawn anew that are set."""
    drawn = {each.field: each.drawn(rng) for each in settings if each.tier == tier and each.field in fields}
    return part.model_copy(update=drawn) if drawn else part
