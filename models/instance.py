"""The problem's data: network, DNN, application, instance.

All classes are immutable; every quantity carries its SI unit in its name. A value that breaks a rule never gets
past construction: fields are checked where they are declared, relations where both sides are known.

Symbols (README, section "The problem") beside the fields:

==========  =========================================  =========================================
n, C_n      `Node.name`, `Node.compute_ops_per_s`      a node and its processing rate
P_n, M_n    `Node.power_w`, `Node.memory_bytes`        power while computing, memory
r           `Node.compute_shares`                      shares of C_n that a block may reserve
B_nm, τ_nm  `Link.bandwidth_bit_per_s`, `.delay_s`     rate and propagation delay of link (n, m)
e^tx, e^rx  `Link.tx_energy_j_per_bit`, `.rx_…`        energy per bit at the sender, at the receiver
o_i, w_i    `Block.ops`, `Block.parameter_bytes`       operations and parameters of block i
d_i         `Block.output_bits` (d_0: `input_bits`)    what a transfer out of block i carries
b(e)        `Exit.after_block`                         the block an exit is attached to
φ_e, α_e    `Exit.exit_fraction`, `Exit.accuracy`      share leaving there, accuracy if last exit
λ, δ, α     `Application.rate_per_s`, `.max_latency_s`, `.min_accuracy`
ψ           `Application.rejection_penalty_w`          what it costs to turn the application away
==========  =========================================  =========================================
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from math import inf, isfinite
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finbench.models.tolerances import EXIT_SHARE_TOLERANCE

SCHEMA_VERSION = 1
"""Version of the file format that this package writes, and the newest that it reads."""

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
OptionalName = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""A name that may be left out. Neither kind holds control characters: names are printed."""
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
Index = Annotated[int, Field(ge=1)]


class Accounting(StrEnum):
    """How energy is counted per inference (eq. 1): weighted by survival, or every block in full."""

    EXPECTED = "expected"
    FULL_DEPTH = "full_depth"


class LatencyKind(StrEnum):
    """Which latency meets the target (eq. 2): that of the last sample to leave, or the expected one."""

    FULL_DEPTH = "full_depth"
    EXPECTED = "expected"


class _Frozen(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with `update` in place of its fields; nothing computed from the old ones is carried over."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


class Node(_Frozen):
    """A mobile device, edge server or cloud server."""

    name: Name
    """Unique name."""
    tier: OptionalName = ""
    """A label for people and pictures (mobile, edge, cloud); no rule depends on it."""
    compute_ops_per_s: Positive
    """Processing rate C_n [operations/s]."""
    power_w: NonNegative
    """Power drawn while computing P_n [W]; energy per operation is P_n / C_n."""
    memory_bytes: NonNegative | None = None
    """Memory for block parameters M_n [byte]; absent means unlimited."""
    compute_shares: Annotated[tuple[PositiveShare, ...], Field(min_length=1, strict=False)] = (1.0,)
    """Menu of shares r of C_n: every block that runs here reserves one of them (eqs. 21, 22) and runs at r C_n. The
    default, one share of 1, reserves nothing: blocks then share the node's rate (eq. 11)."""

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


class Link(_Frozen):
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


class Network(_Frozen):
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
        _check_unique("node", names)
        known = set(names)
        pairs: set[tuple[str, str]] = set()
        for link in self.links:
            label = f"link '{link.source}->{link.target}'"
            for field, end in (("source", link.source), ("target", link.target)):
                _check_known(label, field, end, known, "node of the network")
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


class Block(_Frozen):
    """One block of the DNN's chain."""

    name: OptionalName = ""
    """A label for people."""
    ops: NonNegative
    """Operations o_i, its exit head included."""
    output_bits: NonNegative
    """Size of the block's output d_i [bit]."""
    parameter_bytes: NonNegative = 0.0
    """Memory w_i that its parameters take [byte]."""


class Exit(_Frozen):
    """An early exit, or the DNN's final one."""

    name: OptionalName = ""
    """A label for people."""
    after_block: Index
    """1-based index b(e) of the block the exit is attached to."""
    exit_fraction: Share
    """Share φ_e of all samples that leave here when the whole DNN is deployed."""
    accuracy: Share
    """Accuracy α_e of the DNN when this is its last deployed exit."""


class DNN(_Frozen):
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


class Application(_Frozen):
    """One user of the system: a DNN, where its samples arise, and the targets."""

    name: Name
    """Unique name."""
    dnn: Name
    """Name of its DNN."""
    source: Name
    """Node s where samples arise."""
    rate_per_s: Positive | None = None
    """Inference rate λ [1/s]; may be left out only where the application is alone."""
    max_latency_s: NonNegative
    """Latency target δ [s]."""
    min_accuracy: Share
    """Accuracy target α."""
    pinned: dict[Annotated[str, Field(pattern=r"^[1-9][0-9]*$")], Name] = Field(default_factory=dict)
    """Pinned blocks: 1-based block index (a string, as file keys are) to node name."""
    rejection_penalty_w: NonNegative | None = None
    """What turning it away adds to the objective ψ [W]; left out: it must be served."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.rejection_penalty_w is not None and self.rate_per_s is None:
            raise ValueError("rate_per_s: required where rejection_penalty_w is given, so that both are powers")
        return self

    @property
    def weight(self) -> float:
        """Weight of its energy in the objective (eq. 3): λ, or 1 where no rate is given."""
        return 1.0 if self.rate_per_s is None else self.rate_per_s

    @cached_property
    def pins(self) -> dict[int, str]:
        """Pinned blocks by 1-based block index."""
        return {int(block): node for block, node in self.pinned.items()}


class Instance(_Frozen):
    """A network, the DNNs, and the applications that share it."""

    schema_version: Literal[1] = 1
    """Version of the file format."""
    name: Name
    """Name of the instance."""
    provenance: str = ""
    """Where it comes from; for a generated one the family and its parameters."""
    accounting: Annotated[Accounting, Field(strict=False)] = Accounting.EXPECTED
    """Energy accounting (eq. 1)."""
    latency_kind: Annotated[LatencyKind, Field(strict=False)] = LatencyKind.FULL_DEPTH
    """Latency that must meet the target (eq. 2)."""
    network: Network
    """The network."""
    dnns: Annotated[tuple[DNN, ...], Field(min_length=1, strict=False)]
    """DNN profiles that applications name."""
    applications: Annotated[tuple[Application, ...], Field(min_length=1, strict=False)]
    """The applications."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_unique("dnn", [dnn.name for dnn in self.dnns])
        _check_unique("application", [app.name for app in self.applications])
        for app in self.applications:
            label = f"application '{app.name}'"
            _check_known(label, "dnn", app.dnn, self.dnn_by_name, "DNN of the instance")
            _check_known(label, "source", app.source, self.network.node_by_name, "node of the network")
            blocks = len(self.dnn_by_name[app.dnn].blocks)
            for block, node in app.pins.items():
                if block > blocks:
                    raise ValueError(f"{label}: pinned = {block}: must be a block that exists (1..{blocks})")
                _check_known(label, f"pinned.{block}", node, self.network.node_by_name, "node of the network")
            if app.rate_per_s is None and len(self.applications) > 1:
                raise ValueError(f"{label}: rate_per_s: required where several applications share the system")
        self._check_finite()
        return self

    def _check_finite(self) -> None:
        """Refuse numbers whose products or sums (eqs. 1–3, 8, 11–13) could overflow, whatever is decided."""
        network, total, load = self.network, 0.0, 0.0
        for app in self.applications:
            dnn = self.dnn_of(app)
            energy, latency = _greatest(network, dnn)
            load += sum(block.parameter_bytes + app.weight * block.ops for block in dnn.blocks)
            load += app.weight * dnn.total_bits
            total += app.weight * energy + (app.rejection_penalty_w or 0.0)
            amounts = {"energy": energy, "latency": latency + 2 * app.max_latency_s, "load": load, "objective": total}
            for name, amount in amounts.items():
                if not isfinite(amount):
                    raise ValueError(
                        f"application '{app.name}': {name}: could exceed {sys.float_info.max:.2g}; "
                        "numbers that large are beyond what floating point can decide"
                    )

    @cached_property
    def dnn_by_name(self) -> dict[str, DNN]:
        """DNNs by name."""
        return {dnn.name: dnn for dnn in self.dnns}

    def dnn_of(self, app: Application) -> DNN:
        """Return the DNN that `app` runs."""
        return self.dnn_by_name[app.dnn]

    @property
    def objective_unit(self) -> str:
        """Unit of the objective (eq. 3): J for one application without a rate, else W."""
        return "J" if self.applications[0].rate_per_s is None else "W"

    def energy_weights(self, app: Application) -> tuple[float, ...]:
        """Return the weight of block i, and of the transfer that feeds it, in the energy (eq. 1), for i = 1..L."""
        return self._weights(app, self.accounting is Accounting.EXPECTED)

    def latency_weights(self, app: Application) -> tuple[float, ...]:
        """Return the weight of block i, and of the transfer that feeds it, in the latency (eq. 2), for i = 1..L."""
        return self._weights(app, self.latency_kind is LatencyKind.EXPECTED)

    def _weights(self, app: Application, expected: bool) -> tuple[float, ...]:
        dnn = self.dnn_of(app)
        return dnn.survival if expected else (1.0,) * len(dnn.blocks)

    def with_overrides(
        self,
        *,
        max_latency_s: float | None = None,
        min_accuracy: float | None = None,
        accounting: Accounting | None = None,
        latency_kind: LatencyKind | None = None,
    ) -> Instance:
        """Return a copy with other targets or choices; None keeps what is there.

        Raises
        ------
        ValueError
            If targets are given for an instance of several applications, or a value breaks its field's rule.
        """
        targets = {"max_latency_s": max_latency_s, "min_accuracy": min_accuracy}
        targets = {field: value for field, value in targets.items() if value is not None}
        if targets and len(self.applications) > 1:
            raise ValueError(f"{', '.join(targets)}: overrides need an instance of a single application")
        apps = tuple(
            Application.model_validate({**app.model_dump(), **targets}) if targets else app for app in self.applications
        )
        data = {
            **{field: getattr(self, field) for field in Instance.model_fields},
            "applications": apps,
            "accounting": self.accounting if accounting is None else accounting,
            "latency_kind": self.latency_kind if latency_kind is None else latency_kind,
        }
        try:
            return Instance(**data)
        except ValidationError as error:  # its parts are sound: one rule that they break together
            raise ValueError(str(error.errors()[0]["ctx"]["error"])) from None

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over everything that decides (names included, provenance and defaults left out)."""
        data = self.model_dump(mode="json", exclude_defaults=True)
        for part in (data, data["network"], *data["dnns"]):
            part.pop("provenance", None)
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _greatest(network: Network, dnn: DNN) -> tuple[float, float]:
    """Return what no energy [J] and no latency [s] of `dnn` exceeds; infinite where a product overflows."""
    ops, bits, hops = sum(block.ops for block in dnn.blocks), dnn.total_bits, len(network.nodes)
    rate = min(node.compute_ops_per_s * node.compute_shares[0] for node in network.nodes)
    power = max(node.power_w for node in network.nodes)
    per_bit = max((link.tx_energy_j_per_bit + link.rx_energy_j_per_bit for link in network.links), default=0.0)
    bandwidth = min((link.bandwidth_bit_per_s for link in network.links), default=inf)
    delay = max((link.delay_s for link in network.links), default=0.0)
    energy = max(ops * power, _ratio(ops * power, rate)) + hops * bits * per_bit
    latency = _ratio(ops, rate) + hops * (_ratio(bits, bandwidth) + len(dnn.blocks) * delay)
    return energy, latency


def _ratio(amount: float, rate: float) -> float:
    """Return amount/rate; infinite where the rate is so small that it rounds to 0."""
    return amount / rate if rate > 0 else inf


def _check_unique(kind: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{kind} '{name}': name: duplicate, names must be unique")
        seen.add(name)


def _check_known(label: str, field: str, name: str, known: Iterable[str], what: str) -> None:
    if name not in known:
        raise ValueError(f"{label}: {field} = {name!r}: must be a {what}")
