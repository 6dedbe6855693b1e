"""One instance of the library: where it comes from, how large and how hard it is, and the hash of its content."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from finbench.models.instance import Accounting, Instance, LatencyKind, Objective
from finbench.models.io import InputError, load_instance

NAME = r"[a-z0-9][a-z0-9-]*"
"""What names of instances of the library are made of; solvers and file systems take all of it."""

Count = Annotated[int, Field(ge=1)]

SHOWN = 12
"""Digits of a content hash that people are shown."""


class LibraryTier(StrEnum):
    """How hard an instance was when it came into the library."""

    TINY = "tiny"
    """Every exact method proves the optimum at once."""
    SMALL = "small"
    """Two methods that share no code prove the optimum in seconds."""
    MEDIUM = "medium"
    """Two such methods prove the optimum, and another exact method met the limit."""
    LARGE = "large"
    """One method proves the optimum; a second proof that shares no code with it is the checker's, or missing."""
    OPEN = "open"
    """Nobody has proven an optimum."""


OVERRIDDEN = ("max_latency_s", "min_accuracy", "accounting", "latency_kind", "latency_quantile", "objective")
"""Fields by which an entry differs from the shipped instance that it is made from."""

ALONE = ("blocks", "exits", "tightness", "links")
SHARED = ("applications", "load", "penalty", "shares")
"""Parameters of families of one application and of many."""


class LibraryEntry(BaseModel):
    """A row of `instances.csv`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=f"^{NAME}$", max_length=60)]
    """Its name, which never means another instance."""
    tier: LibraryTier
    """How hard it is."""
    nodes: Count
    """Nodes of its network."""
    blocks: Count
    """Blocks of its longest DNN."""
    exits: Count
    """Exits of its DNN with most of them."""
    applications: Count
    """Its applications."""
    family: str | None = None
    """The family that makes it; None: it is a shipped instance."""
    tightness: float | None = None
    """One application: where δ lies between least latency and least energy."""
    links: str | None = None
    """The family's choice of links; None: its first."""
    load: float | None = None
    """Many applications: how full the fullest resource is."""
    penalty: float | None = None
    """Rejecting an application costs this many times its least power; None: none may be rejected."""
    shares: str | None = None
    """Compute shares that edge servers reserve, separated by spaces; None: nothing is reserved."""
    seed: int | None = None
    """The family's seed."""
    instance: str | None = None
    """The shipped instance that it is; None: a family makes it."""
    max_latency_s: float | None = None
    """Its latency target in place of the shipped instance's [s]."""
    min_accuracy: float | None = None
    """Its accuracy target in place of the shipped instance's."""
    accounting: Accounting | None = None
    """How energy is counted, in place of the shipped instance's."""
    latency_kind: LatencyKind | None = None
    """Which latency counts, in place of the shipped instance's."""
    latency_quantile: float | None = None
    """Share of samples that leave in time, for the latency kind `quantile`."""
    objective: Objective | None = None
    """What is minimised, in place of the shipped instance's."""
    content_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Content hash of the instance."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.family is None) == (self.instance is None):
            raise ValueError("family, instance: exactly one of the two is required")
        if self.family is not None and self.seed is None:
            raise ValueError("seed: required beside a family")
        of_others = OVERRIDDEN if self.family is not None else (*ALONE[2:], *SHARED[1:], "seed")
        for field in of_others:
            if getattr(self, field) is not None:
                owner = "a shipped instance" if self.family is not None else "a family"
                raise ValueError(f"{field} = {getattr(self, field)}: goes with {owner} only")
        if (self.load is None) == (self.tightness is None) and self.family is not None:
            raise ValueError("tightness, load: exactly one of the two is required beside a family")
        return self

    @property
    def group(self) -> str:
        """The family, or `shipped`."""
        return self.family or "shipped"

    @property
    def parameters(self) -> dict[str, Any]:
        """What the family is asked for; empty for a shipped instance."""
        if self.family is None:
            return {}
        own: dict[str, Any] = {"nodes": self.nodes, "seed": self.seed}
        if self.load is None:
            return own | {field: getattr(self, field) for field in ALONE}
        shares = None if self.shares is None else tuple(float(share) for share in self.shares.split())
        return own | {field: getattr(self, field) for field in SHARED} | {"shares": shares}

    @property
    def overrides(self) -> dict[str, Any]:
        """What differs from the shipped instance."""
        return {field: value for field in OVERRIDDEN if (value := getattr(self, field)) is not None}

    def made(self) -> Instance:
        """Return the instance that the parameters make, whatever its content hash is.

        Raises
        ------
        InputError
            If its family or the shipped instance refuses the parameters.
        """
        try:
            if self.instance is not None:
                return load_instance(self.instance).with_overrides(**self.overrides)
            from finbench.benchmarks.families import generate, generate_shared

            make = generate if self.load is None else generate_shared
            return make(str(self.family), **self.parameters)
        except ValueError as error:
            raise InputError(f"library:{self.name}", str(error)) from None

    def build(self) -> Instance:
        """Make the instance again.

        Raises
        ------
        InputError
            If it is not the one that the library means: its content hash is another.
        """
        made = self.made()
        if made.content_hash != self.content_hash:
            raise InputError(
                f"library:{self.name}",
                f"content_hash = {made.content_hash[:SHOWN]}…: must be {self.content_hash[:SHOWN]}…; this finbench, "
                "Python or NumPy makes another instance of the same parameters",
            )
        return made
