"""The DNN: a chain of blocks with exits, and what running its blocks was measured to take."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from finbench.models.fields import BlockKey, Frozen, Index, Name, NonNegative, OptionalName, Share, since_version_2
from finbench.models.tolerances import EXIT_SHARE_TOLERANCE


class Block(Frozen):
    """One block of the DNN's chain."""

    name: OptionalName = ""
    """A label for people."""
    ops: NonNegative
    """Operations o_i, its exit head included."""
    output_bits: NonNegative
    """Size of the block's output d_i [bit]."""
    parameter_bytes: NonNegative = 0.0
    """Memory w_i that its parameters take [byte]."""
    working_bytes: NonNegative = since_version_2(0.0)
    """Memory v_i that it needs besides while it runs [byte]: it runs only where w_i + v_i fit (eq. 27)."""


class Exit(Frozen):
    """An early exit, or the DNN's final one."""

    name: OptionalName = ""
    """A label for people."""
    after_block: Index
    """1-based index b(e) of the block the exit is attached to."""
    exit_fraction: Share
    """Share φ_e of all samples that leave here when the whole DNN is deployed."""
    accuracy: Share
    """Accuracy α_e of the DNN when this is its last deployed exit."""


class MeasuredRun(Frozen):
    """A measured run: what running one block once on a device takes."""

    time_s: NonNegative
    """Time t [s]."""
    energy_j: NonNegative | None = None
    """Energy ε [J]; left out: the node's power times the time."""


MeasuredBlocks = dict[BlockKey, MeasuredRun]
"""Measurements by 1-based block, for as many blocks as were measured."""


class DNN(Frozen):
    """A chain of blocks with exits."""

    name: Name
    """Name of the DNN, unique in an instance."""
    provenance: str = ""
    """Where the numbers come from."""
    input_bits: NonNegative
    """Size of the raw sample d_0 [bit]."""
    blocks: Annotated[tuple[Block, ...], Field(min_length=1, strict=False)]
    """Blocks 1..L in order."""
    exits: Annotated[tuple[Exit, ...], Field(min_length=1, strict=False)]
    """Exits in order of their block, at most one per block, the last after the last block."""
    measured: dict[Name, MeasuredBlocks] = since_version_2({})
    """What running its blocks was measured to take, by device and block (eq. 26); it replaces o_i/C_n there."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for k, exit_ in enumerate(self.exits, start=1):
            if exit_.after_block > len(self.blocks):
                raise ValueError(
                    f"exit {k}: after_block = {exit_.after_block}: must be a block that exists (1..{len(self.blocks)})"
                )
        for k, (one, two) in enumerate(pairwise(self.exits), start=2):
            if two.after_block <= one.after_block:
                raise ValueError(f"exit {k}: after_block = {two.after_block}: must be greater than exit {k - 1}'s")
        if self.exits[-1].after_block != len(self.blocks):
            raise ValueError(
                f"exit {len(self.exits)}: after_block = {self.exits[-1].after_block}: "
                f"the last exit must follow the last block ({len(self.blocks)})"
            )
        total = sum(exit_.exit_fraction for exit_ in self.exits)
        if abs(total - 1) > EXIT_SHARE_TOLERANCE:
            raise ValueError(f"exits: exit_fraction sums to {total:.6g}: must sum to 1 within {EXIT_SHARE_TOLERANCE}")
        for device, measurements in self.measured.items():
            check_measured_blocks(f"measured.{device}", measurements, self)
        return self

    @cached_property
    def survival(self) -> tuple[float, ...]:
        """Share of samples that reach block i, s_i = 1 − Σ_{e: b(e) < i} φ_e, for i = 1..L (s_1 = 1)."""
        left_after = {exit_.after_block: exit_.exit_fraction for exit_ in self.exits}
        shares, share = [], 1.0
        for i in range(1, len(self.blocks) + 1):
            shares.append(share)
            share = max(0.0, share - left_after.get(i, 0.0))
        return tuple(shares)

    @property
    def total_bits(self) -> float:
        """Bits of the sample and of every output together."""
        return self.input_bits + sum(block.output_bits for block in self.blocks)

    def transfer_bits(self, block: int) -> float:
        """Return the bits d_{i-1} that the transfer feeding block i = `block` (1-based) carries."""
        return self.input_bits if block == 1 else self.blocks[block - 2].output_bits


class Device(Frozen):
    """A kind of machine, and what running DNNs on it was measured to take."""

    name: Name
    """Name, as `Node.device` gives it; unique in an instance."""
    provenance: str = ""
    """Where the numbers come from."""
    measured: Annotated[dict[Name, MeasuredBlocks], Field(min_length=1)]
    """What running blocks takes, by the name of their DNN and block (eq. 26)."""


def check_measured_blocks(label: str, measured: MeasuredBlocks, dnn: DNN) -> None:
    """Refuse measurements of blocks that `dnn` does not have."""
    for block in measured:
        if int(block) > len(dnn.blocks):
            raise ValueError(f"{label} = {block}: must be a block that exists (1..{len(dnn.blocks)})")
