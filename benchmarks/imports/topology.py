"""What a file says of a network, before rules make an instance's network of it: sites, and cables between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_SITES = 20_000
"""A larger topology is taken for a mistake."""

MOST_CABLES = 200_000


@dataclass(frozen=True)
class Site:
    """A place in a topology."""

    key: str
    """How the file's cables name it."""
    label: str
    """Name for people, which several sites may share."""
    place: tuple[float, float] | None = None
    """Latitude and longitude [degree], where the file says both."""
    external: bool = False
    """Whether it belongs to another network."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `Node` that the file gives."""


@dataclass(frozen=True)
class Cable:
    """A connection of two sites."""

    ends: tuple[str, str]
    """Keys of its sites."""
    bandwidth_bit_per_s: float | None = None
    length_km: float | None = None
    one_way: bool = False
    """Whether it leads from the first site to the second alone."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `Link` that the file gives, beside the bandwidth."""


@dataclass(frozen=True)
class SiteGraph:
    """A network as its file has it."""

    name: str
    source: str
    """What the provenance says of where it comes from."""
    sites: tuple[Site, ...]
    cables: tuple[Cable, ...]
