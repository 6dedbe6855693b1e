"""The network: nodes, and the directed links between them."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from finbench.models.fields import (
    Frozen,
    Name,
    NonNegative,
    OptionalName,
    Positive,
    PositiveShare,
    check_known,
    check_unique,
    since_version_2,
)


class Node(Frozen):
    """A mobile device, edge server or cloud server."""

    name: Name
    """Unique name."""
    tier: OptionalName = ""
    """A label for people and pictures (mobile, edge, cloud), which permissions may name (eq. 28)."""
    compute_ops_per_s: Positive | None = None
    """Processing rate C_n [operations/s]; left out: only blocks that were measured on its device run here. Where none
    was, it is a transit node: data passes, no block runs."""
    power_w: NonNegative
    """Power drawn while computing P_n [W]; a run of t seconds takes P_n t, where its energy was not measured."""
    carbon_g_per_j: NonNegative = since_version_2(0.0)
    """Carbon emitted for every Joule that is spent here [g/J] (eq. 31)."""
    price_per_j: NonNegative = since_version_2(0.0)
    """Price of every Joule that is spent here [money/J] (eq. 31)."""
    price_per_busy_s: NonNegative = since_version_2(0.0)
    """Price of every second that a block runs here [money/s] (eq. 31)."""
    device: Name | None = since_version_2(None)
    """What kind of machine it is, as measurements name it (eq. 26)."""
    parallel: Annotated[int, Field(ge=1)] = since_version_2(1)
    """Executions K_n that run here at the same time, each as fast as one alone (eqs. 11, 22)."""
    wait_s: NonNegative = since_version_2(0.0)
    """Time ω_n that passes before each run here begins, as where blocks wait for others [s] (eq. 2); it takes neither
    compute nor energy."""
    memory_bytes: NonNegative | None = None
    """Memory for block parameters M_n [byte]; absent means unlimited."""
    compute_shares: Annotated[tuple[PositiveShare, ...], Field(min_length=1, strict=False)] = (1.0,)
    """Menu of shares r of C_n: every block that runs here reserves one of them (eqs. 21, 22) and takes 1/r as long. The
    default, one share of 1, reserves nothing: blocks then share the node (eq. 11)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for one, two in pairwise(self.compute_shares):
            if two <= one:
                raise ValueError(
                    f"node '{self.name}': compute_shares = {two:g}: must be greater than the share before it ({one:g})"
                )
        return self

    @property
    def reserves(self) -> bool:
        """Whether blocks reserve shares here."""
        return self.compute_shares != (1.0,)


class Link(Frozen):
    """A directed link (n, m)."""

    source: Name
    """Node that sends."""
    target: Name
    """Node that receives."""
    bandwidth_bit_per_s: Positive
    """Rate B_nm [bit/s]."""
    tx_energy_j_per_bit: NonNegative
    """Energy per bit paid at the sender [J/bit]."""
    rx_energy_j_per_bit: NonNegative
    """Energy per bit paid at the receiver [J/bit]."""
    delay_s: NonNegative = 0.0
    """Propagation delay τ_nm [s]."""


class Network(Frozen):
    """Nodes and directed links."""

    name: Name
    """Name of the network."""
    provenance: str = ""
    """Where the numbers come from."""
    nodes: Annotated[tuple[Node, ...], Field(min_length=1, strict=False)]
    """All nodes; names are unique."""
    links: Annotated[tuple[Link, ...], Field(strict=False)] = ()
    """All directed links, at most one for each ordered pair of nodes."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [node.name for node in self.nodes]
        check_unique("node", names)
        known = set(names)
        pairs: set[tuple[str, str]] = set()
        for link in self.links:
            label = f"link '{link.source}->{link.target}'"
            for field, end in (("source", link.source), ("target", link.target)):
                check_known(label, field, end, known, "node of the network")
            if link.source == link.target:
                raise ValueError(f"{label}: target = {link.target!r}: a link must join two different nodes")
            if (link.source, link.target) in pairs:
                raise ValueError(f"{label}: source, target: duplicate link, one for each ordered pair of nodes")
            pairs.add((link.source, link.target))
        return self

    @cached_property
    def node_by_name(self) -> dict[str, Node]:
        """Nodes by name."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def link_by_pair(self) -> dict[tuple[str, str], Link]:
        """Links by (source, target)."""
        return {(link.source, link.target): link for link in self.links}
