"""The application: a DNN, the node where its samples arise, and its targets."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from finbench.models.fields import (
    BlockKey,
    Frozen,
    Name,
    NonNegative,
    Positive,
    Share,
    check_unique,
    since_version_2,
)
from finbench.models.network import Node

ALL_BLOCKS = "all"
"""Key of `Application.allowed` for every block."""

AllowedKey = Annotated[str, Field(pattern=rf"^([1-9][0-9]*|{ALL_BLOCKS})$")]


class Application(Frozen):
    """One user of the system: a DNN, where its samples arise, and the targets."""

    name: Name
    """Unique name."""
    dnn: Annotated[Name | None, Field(exclude_if=lambda value: value is None)] = None
    """Name of its DNN; left out where `dnns` names alternatives."""
    dnns: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)] = since_version_2(())
    """Names of its alternatives, in the place of `dnn`: DNNs that do the same task, of which one is chosen (eq. 29)."""
    source: Name
    """Node s where samples arise."""
    rate_per_s: Positive | None = None
    """Inference rate λ [1/s]; may be left out only where the application is alone."""
    max_latency_s: NonNegative
    """Latency target δ [s]."""
    min_accuracy: Share
    """Accuracy target α."""
    pinned: dict[BlockKey, Name] = Field(default_factory=dict)
    """Pinned blocks: 1-based block index (a string, as file keys are) to node name; every alternative has the block."""
    allowed: dict[AllowedKey, Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]] = since_version_2({})
    """Where blocks may run (eq. 28): nodes or tiers, by 1-based block index, or for every block by `all`. What is left
    out may run anywhere."""
    rejection_penalty_w: NonNegative | None = None
    """What turning it away adds to the objective ψ [W]; left out: it must be served."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.dnn is None and not self.dnns:
            raise ValueError("dnn: required field is missing")
        if self.dnn is not None and self.dnns:
            raise ValueError(f"dnns: stands in the place of dnn, which is {self.dnn!r} already; give one of the two")
        check_unique("alternative", list(self.dnns))
        if self.rejection_penalty_w is not None and self.rate_per_s is None:
            raise ValueError("rate_per_s: required where rejection_penalty_w is given, so that both are powers")
        return self

    @property
    def alternatives(self) -> tuple[str, ...]:
        """Names of the DNNs that it may run: one, or its alternatives."""
        return self.dnns or (() if self.dnn is None else (self.dnn,))

    @property
    def choices(self) -> tuple[Application, ...]:
        """The application once for each DNN that it may run (eq. 29), in each with that one chosen."""
        return (self,) if self.dnn is not None else self._choices

    @cached_property
    def _choices(self) -> tuple[Application, ...]:
        return tuple(self.model_copy(update={"dnn": name}) for name in self.dnns)

    @property
    def named_dnn(self) -> str | None:
        """What its deployment names: the chosen alternative; None where it has only one DNN."""
        return self.dnn if self.dnns else None

    def choice(self, named_dnn: str | None) -> Application | None:
        """Return the choice that a deployment names; None where that is none, or it names none of several."""
        if named_dnn is None:
            return self.choices[0] if len(self.alternatives) == 1 else None
        return next((one for one in self.choices if one.dnn == named_dnn), None)

    @property
    def weight(self) -> float:
        """Weight of its energy in the objective (eq. 3): λ, or 1 where no rate is given."""
        return 1.0 if self.rate_per_s is None else self.rate_per_s

    @cached_property
    def pins(self) -> dict[int, str]:
        """Pinned blocks by 1-based block index."""
        return {int(block): node for block, node in self.pinned.items()}

    def permits(self, block: int, node: Node) -> bool:
        """Return whether `allowed` lets block i = `block` (1-based) run at `node`."""
        lists = (self.allowed[key] for key in (str(block), ALL_BLOCKS) if key in self.allowed)
        return all(node.name in names or node.tier in names for names in lists)
