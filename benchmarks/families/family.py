"""What an instance family is: a generator with a seed, and the sizes it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.instance import Instance


@dataclass(frozen=True)
class Size:
    """Size of an instance."""

    nodes: int
    blocks: int
    exits: int


@dataclass(frozen=True)
class Family:
    """An entry of the registry."""

    name: str
    title: str
    """One line for people."""
    draw: Callable[[np.random.Generator, Size], Instance]
    """Draws an instance whose target is still to be placed (`targets.place_target`)."""
    fewest_blocks: int = 1
    most_blocks: int = 1000
