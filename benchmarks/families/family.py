"""What an instance family is: a generator with a seed, and the sizes it makes.

A `Family` makes instances of one application and a drawn DNN. A `SharedFamily` makes systems that many applications
share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from finbench.benchmarks.families.service_dnns import PUBLISHED
from finbench.benchmarks.families.settings import Setting
from finbench.benchmarks.families.tiered_links import FAST
from finbench.models.instance import Instance

MOST_LINKED_NODES = 1_000
"""Most nodes of a completely linked network; it has a million links then."""


@dataclass(frozen=True)
class Size:
    """Size of an instance."""

    nodes: int
    blocks: int
    exits: int
    links: str = FAST
    """One of `Family.links`; families without a choice of links take no notice of it."""
    settings: tuple[Setting, ...] = ()
    """Parameters that the user sets; `generate` applies them to what the family draws."""


@dataclass(frozen=True)
class Family:
    """A family of instances with one application, as the registry holds it."""

    name: str
    title: str
    """One line for people."""
    draw: Callable[[np.random.Generator, Size], Instance]
    """Draws an instance whose target is still to be placed (`targets.place_target`)."""
    fewest_blocks: int = 1
    most_blocks: int = 1000
    most_nodes: int = 100_000
    links: tuple[str, ...] = ()
    """The choices of links, the default first; empty: there is no choice."""
    tiers: tuple[str, ...] = ()
    """Tiers of its nodes, whose parameters can be set (`settings`)."""


@dataclass(frozen=True)
class SharedSize:
    """Size of an instance of many applications, and how full it is."""

    nodes: int
    applications: int
    load: float
    """Utilisation of the fullest node or link under the family's own balanced deployment."""
    penalty: float | None = None
    """Cost of rejecting an application, in multiples of the least power it could take; None: nobody is rejected."""
    shares: tuple[float, ...] | None = None
    """Menu of compute shares that edge servers reserve (eqs. 21, 22); None: they reserve nothing."""
    tightness: float | None = None
    """Where every latency target lies, from the quickest split (0) to the most frugal (1) and beyond; None: drawn."""
    dnns: str = PUBLISHED
    """One of `SharedFamily.dnns`."""
    settings: tuple[Setting, ...] = ()
    """Parameters that the user sets; the family applies them to its network before it places targets and loads."""


@dataclass(frozen=True)
class SharedFamily:
    """A family of instances with many applications, as the registry holds it."""

    name: str
    title: str
    """One line for people."""
    draw: Callable[[np.random.Generator, SharedSize], Instance]
    """Draws an instance, latency targets included."""
    fewest_nodes: int
    most_nodes: int = 10_000
    most_applications: int = 10_000
    tiers: tuple[str, ...] = ()
    """Tiers of its nodes, whose parameters can be set (`settings`)."""
    dnns: tuple[str, ...] = (PUBLISHED,)
    """The choices of DNNs that applications run (`service_dnns`), the default first."""
