"""What an import of a model may be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from finbench.models.io import InputError

BITS = (8, 16, 32)
"""Sizes of a number that transfers may be asked for [bit]."""


class CountingUnit(StrEnum):
    """What one operation is, in a DNN and so in the rates of nodes."""

    MACS = "macs"
    """A multiply-add; everything else counts nothing, as tools that report MACs have it."""
    OPS = "ops"
    """An addition, product, comparison or function of one number: a multiply-add is two."""


def count_of(text: str) -> CountingUnit:
    """Return what is counted, by name; raise InputError for other names."""
    if text not in list(CountingUnit):
        raise InputError("count", f"{text[:60]!r}: must be {' or '.join(CountingUnit)}")
    return CountingUnit(text)


@dataclass(frozen=True)
class DnnRequest:
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
    bits: int | None = None
    """Size of a floating-point number in a transfer [bit]; None: as the model stores it."""
    input_bits: int | None = None
    """The same for the sample."""
    count: CountingUnit = CountingUnit.OPS

    def __post_init__(self) -> None:
        for field_, value in (("bits", self.bits), ("input bits", self.input_bits)):
            if value is not None and value not in BITS:
                raise InputError(field_, f"{value}: must be {', '.join(map(str, BITS))} or left out")
        if self.blocks is not None and self.blocks < 1:
            raise InputError("blocks", f"{self.blocks}: must be at least 1")


DEFAULT_BLOCKS = 16
"""Blocks that a model is grouped to where no number is asked for."""
