"""Where an instance comes from: a family and its parameters, a file at a point of a target grid, or its text."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Protocol

from finbench.benchmarks.campaigns.overrides import Overrides
from finbench.benchmarks.library.library import shipped_library
from finbench.models.instance import (
    Instance,
)
from finbench.models.io import dump_instance, load_instance


class Origin(Protocol):
    """Where an instance comes from; hashable and picklable, so that equal origins may share the instance they make."""

    def __hash__(self) -> int:
        """Return a hash that equal origins share."""

    @property
    def name(self) -> str:
        """What the instance is called before it exists."""

    def build(self) -> Instance:
        """Make the instance."""

    def columns(self) -> dict[str, Any]:
        """Return what a row says about where the instance comes from."""

    def portable(self) -> Origin:
        """Return the same origin for a machine that may not have this one's files."""


def _columns(member: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a generated instance as columns of a row; choices that were not made are left out."""
    settings = " ".join(member.pop("settings"))
    columns = {**member, "instance_seed": member.pop("seed")}
    columns.pop("seed", None)
    for choice in ("tightness", "dnns"):
        if columns.get(choice, "") is None:
            del columns[choice]
    return {**columns, "settings": settings} if settings else columns


@dataclass(frozen=True)
class Member:
    """One generated instance, not yet generated."""

    family: str
    nodes: int
    blocks: int
    exits: int
    tightness: float
    seed: int
    links: str | None = None
    settings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the instance is called before it exists."""
        links = "" if self.links is None else f", {self.links} links"
        return f"{self.family}, {self.nodes} nodes{links}, seed {self.seed}"

    def build(self) -> Instance:
        """Generate the instance."""
        from finbench.benchmarks.families import generate

        return generate(
            self.family,
            nodes=self.nodes,
            blocks=self.blocks,
            exits=self.exits,
            seed=self.seed,
            tightness=self.tightness,
            links=self.links,
            settings=self.settings,
        )

    def columns(self) -> dict[str, Any]:
        """Return what the rows say about where the instance comes from."""
        return _columns(asdict(self))

    def portable(self) -> Member:
        """Return the origin itself: it needs no file."""
        return self


@dataclass(frozen=True)
class SharedMember:
    """One generated system that many applications share, not yet generated."""

    family: str
    nodes: int
    applications: int
    load: float
    seed: int
    penalty: float | None
    shares: tuple[float, ...] | None
    tightness: float | None = None
    dnns: str | None = None
    settings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the instance is called before it exists."""
        return f"{self.family}, {self.applications} applications on {self.nodes} nodes, load {self.load:g}"

    def build(self) -> Instance:
        """Generate the instance."""
        from finbench.benchmarks.families import generate_shared

        sizes = asdict(self)
        return generate_shared(sizes.pop("family"), **sizes)

    def columns(self) -> dict[str, Any]:
        """Return what the rows say about where the instance comes from."""
        return _columns(asdict(self))

    def portable(self) -> SharedMember:
        """Return the origin itself: it needs no file."""
        return self


@dataclass(frozen=True)
class TargetPoint:
    """An instance from a file, with the overrides of one point of a grid."""

    file: Path
    overrides: Overrides

    @property
    def name(self) -> str:
        """Name of its file."""
        return self.file.stem

    def build(self) -> Instance:
        """Read the instance from its file."""
        return self.overrides.apply(_loaded(self.file))

    def columns(self) -> dict[str, Any]:
        """Return nothing beyond what the instance itself says."""
        return {}

    def portable(self) -> Given:
        """Return the instance as text."""
        return Given(self.name, _text(self))


@dataclass(frozen=True)
class LibraryMember:
    """An instance of the library, not yet made, with the overrides of one point of a grid."""

    name: str
    """Its name in the library."""
    overrides: Overrides

    def build(self) -> Instance:
        """Make the instance; raise InputError where it is not the one that the library means."""
        return self.overrides.apply(shipped_library().entry(self.name).build())

    def columns(self) -> dict[str, Any]:
        """Return what the rows say about where the instance comes from."""
        entry = shipped_library().entry(self.name)
        if entry.family is None:
            return {}
        given = {field: value for field, value in entry.parameters.items() if value is not None}
        return _columns({"family": entry.family, **given, "settings": ()})

    def portable(self) -> LibraryMember:
        """Return the origin itself: every machine with this version has the library."""
        return self


_loaded = cache(load_instance)
"""A grid reads its instance once."""


@dataclass(frozen=True)
class Given:
    """An instance as JSON text, for a machine that does not have its file."""

    name: str
    text: str

    def build(self) -> Instance:
        """Parse the text."""
        return Instance.model_validate(json.loads(self.text))

    def columns(self) -> dict[str, Any]:
        """Return nothing beyond what the instance itself says."""
        return {}

    def portable(self) -> Given:
        """Return the origin itself: it needs no file."""
        return self


@lru_cache(maxsize=4)
def _text(origin: TargetPoint) -> str:
    return dump_instance(origin.build())
