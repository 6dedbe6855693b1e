"""What an import of a model may be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Bits = Literal[8, 16, 32]


class Count(StrEnum):
    """What one operation is, in a DNN and so in the rates of nodes."""

    MACS = "macs"
    """A multiply-add; everything else counts nothing, as tools that report MACs have it."""
    OPS = "ops"
    """An addition, product, comparison or function of one number: a multiply-add is two."""


@dataclass(frozen=True)
class Asked:
    """What an import of a model is asked for."""

    name: str | None = None
    """Name of the DNN; None: that of the file."""
    blocks: int | None = None
    """Number of blocks; None: at most `DEFAULT_BLOCKS`, or as many as the cuts that are asked for make."""
    cuts: tuple[str, ...] = ()
    """Tensors or operators after which a block must end."""
    exit_after: tuple[str, ...] = ()
    """Tensors or operators after which an exit is added that the model does not have."""
    final: tuple[str, ...] = ()
    """Outputs that are the last answer; empty: the one with the most work before it. The others are exits."""
    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Sizes of inputs by name; the name of the only input may be empty."""
    bits: Bits | None = None
    """Size of a floating-point number in a transfer [bit]; None: as the model stores it."""
    input_bits: Bits | None = None
    """The same for the sample."""
    count: Count = Count.MACS


DEFAULT_BLOCKS = 16
"""Blocks that a model is grouped to where no number is asked for."""
