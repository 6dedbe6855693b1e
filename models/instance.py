"""The problem's data: network, DNN, application, instance.

All classes are immutable; every quantity carries its SI unit in its name. A value that breaks a rule never gets
past construction: fields are checked where they are declared, relations where both sides are known.

Symbols (`docs/problem.md`) beside the fields:

==========  =========================================  =========================================
n, C_n      `Node.name`, `Node.compute_ops_per_s`      a node and its processing rate
P_n, M_n    `Node.power_w`, `Node.memory_bytes`        power while computing, memory
κ_n, β_n    `Node.carbon_g_per_j`, `.price_per_j`,     what a Joule, and a second of running, weigh in the objective
            `.price_per_busy_s`
K_n, ω_n    `Node.parallel`, `Node.wait_s`             executions at the same time, time before a run begins
r           `Node.compute_shares`                      shares of C_n that a block may reserve
t_in, ε_in  `MeasuredRun.time_s`, `.energy_j`          what block i was measured to take on the device of n
B_nm, τ_nm  `Link.bandwidth_bit_per_s`, `.delay_s`     rate and propagation delay of link (n, m)
e^tx, e^rx  `Link.tx_energy_j_per_bit`, `.rx_…`        energy per bit at the sender, at the receiver
o_i, w_i    `Block.ops`, `Block.parameter_bytes`       operations and parameters of block i
v_i         `Block.working_bytes`                      memory that block i needs besides while it runs
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
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from math import inf, isfinite
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from finbench.models.application import Application
from finbench.models.dnn import DNN, Block, Device, Exit, MeasuredRun, check_measured_blocks
from finbench.models.fields import (
    SCHEMA_VERSION,
    Frozen,
    Name,
    NonNegative,
    PositiveShare,
    SchemaVersion,
    Share,
    broken_rule,
    check_known,
    check_unique,
    since_version_2,
)
from finbench.models.network import Link, Network, Node
from finbench.models.tolerances import SUM_NOISE

__all__ = [
    "DNN",
    "OBJECTIVE_UNITS",
    "Accounting",
    "Application",
    "Block",
    "Device",
    "Exit",
    "Instance",
    "LatencyKind",
    "Link",
    "MeasuredRun",
    "Name",
    "Network",
    "Node",
    "NonNegative",
    "Objective",
    "PositiveShare",
    "Share",
]


class Accounting(StrEnum):
    """How energy is counted per inference (eq. 1): weighted by survival, or every block in full."""

    EXPECTED = "expected"
    FULL_DEPTH = "full_depth"


class LatencyKind(StrEnum):
    """Which latency meets the target (eq. 2): the last sample's to leave, the expected one, or that of a share."""

    FULL_DEPTH = "full_depth"
    EXPECTED = "expected"
    QUANTILE = "quantile"


class Objective(StrEnum):
    """What is minimised (eq. 31): the energy, or what it emits or costs where it is spent."""

    ENERGY = "energy"
    CARBON = "carbon"
    MONEY = "money"


OBJECTIVE_UNITS = {
    Objective.ENERGY: ("J", "W"),
    Objective.CARBON: ("g", "g/s"),
    Objective.MONEY: ("money", "money/s"),
}
"""Units of an objective: of one inference, and of rates of inferences."""


class Instance(Frozen):
    """A network, the DNNs, and the applications that share it."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of the file format."""
    name: Name
    """Name of the instance."""
    provenance: str = ""
    """Where it comes from; for a generated one the family and its parameters."""
    accounting: Annotated[Accounting, Field(strict=False)] = Accounting.EXPECTED
    """Energy accounting (eq. 1)."""
    latency_kind: Annotated[LatencyKind, Field(strict=False)] = LatencyKind.FULL_DEPTH
    """Latency that must meet the target (eq. 2)."""
    latency_quantile: PositiveShare | None = since_version_2(None)
    """Share q of all samples that leave within the target, with `latency_kind` `quantile` (eq. 30)."""
    objective: Annotated[Objective, Field(strict=False, exclude_if=lambda value: value == Objective.ENERGY)] = (
        Objective.ENERGY
    )
    """What is minimised (eqs. 3, 31); penalties are in its unit."""
    network: Network
    """The network."""
    dnns: Annotated[tuple[DNN, ...], Field(min_length=1, strict=False)]
    """DNN profiles that applications name."""
    applications: Annotated[tuple[Application, ...], Field(min_length=1, strict=False)]
    """The applications."""
    devices: Annotated[tuple[Device, ...], Field(strict=False)] = since_version_2(())
    """Kinds of machines with what was measured on them, beside what the DNNs themselves say."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.latency_kind is LatencyKind.QUANTILE) != (self.latency_quantile is not None):
            kind = f"latency_kind = '{self.latency_kind}'"
            raise ValueError(f"latency_quantile = {self.latency_quantile}: goes with latency_kind 'quantile'; {kind}")
        check_unique("dnn", [dnn.name for dnn in self.dnns])
        check_unique("application", [app.name for app in self.applications])
        for app in self.applications:
            label = f"application '{app.name}'"
            for name in app.alternatives:
                check_known(label, "dnns" if app.dnns else "dnn", name, self.dnn_by_name, "DNN of the instance")
            check_known(label, "source", app.source, self.network.node_by_name, "node of the network")
            blocks = min(len(self.dnn_by_name[name].blocks) for name in app.alternatives)
            exists = "that every alternative has" if app.dnns else "that exists"
            for block, node in app.pins.items():
                if block > blocks:
                    raise ValueError(f"{label}: pinned = {block}: must be a block {exists} (1..{blocks})")
                check_known(label, f"pinned.{block}", node, self.network.node_by_name, "node of the network")
            self._check_allowed(app, blocks)
            if app.rate_per_s is None and len(self.applications) > 1:
                raise ValueError(f"{label}: rate_per_s: required where several applications share the system")
        self._check_devices()
        self._check_finite()
        return self

    def _check_allowed(self, app: Application, blocks: int) -> None:
        """Refuse permissions for blocks, nodes or tiers that there are not, and pins that they forbid."""
        if not app.allowed:
            return
        label, nodes = f"application '{app.name}'", self.network.node_by_name
        known = {name for node in nodes.values() for name in (node.name, node.tier) if name}
        for key, names in app.allowed.items():
            if key.isdigit() and int(key) > blocks:
                exists = "that every alternative has" if app.dnns else "that exists"
                raise ValueError(f"{label}: allowed = {key}: must be a block {exists} (1..{blocks}), or all")
            for name in names:
                check_known(label, f"allowed.{key}", name, known, "node or tier of the network")
        for block, name in app.pins.items():
            if not app.permits(block, nodes[name]):
                raise ValueError(f"{label}: pinned.{block} = {name!r}: must be where allowed lets the block run")

    def _check_devices(self) -> None:
        """Refuse measurements of unknown DNNs or blocks, and two of one DNN on one device."""
        check_unique("device", [device.name for device in self.devices])
        for device in self.devices:
            label = f"device '{device.name}'"
            for name, measured in device.measured.items():
                check_known(label, "measured", name, self.dnn_by_name, "DNN of the instance")
                check_measured_blocks(f"{label}: measured.{name}", measured, self.dnn_by_name[name])
                if device.name in self.dnn_by_name[name].measured:
                    raise ValueError(f"{label}: measured.{name}: the DNN itself has measurements of this device")

    def _check_finite(self) -> None:
        """Refuse numbers whose products or sums (eqs. 1–3, 8, 11–13) could overflow, whatever is decided."""
        total, load, greatest = 0.0, 0.0, dict[str, tuple[float, float]]()
        joule, second = _dearest(self.network.nodes)
        for app in (choice for one in self.applications for choice in one.choices):
            dnn = self.dnn_of(app)
            if dnn.name not in greatest:  # applications are many, and their DNNs few
                greatest[dnn.name] = self._greatest(dnn)
            energy, latency = greatest[dnn.name]
            energy = energy * joule + (latency * second if second > 0 else 0.0)
            load += sum(b.parameter_bytes + b.working_bytes + app.weight * b.ops for b in dnn.blocks)
            load += app.weight * (dnn.total_bits + latency)
            total += app.weight * energy + (app.rejection_penalty_w or 0.0)
            amounts = {"energy": energy, "latency": latency + 2 * app.max_latency_s, "load": load, "objective": total}
            for name, amount in amounts.items():
                if not isfinite(amount):
                    raise ValueError(
                        f"application '{app.name}': {name}: could exceed {sys.float_info.max:.2g}; "
                        "numbers that large are beyond what floating point can decide"
                    )

    def _greatest(self, dnn: DNN) -> tuple[float, float]:
        """Return what no energy [J] and no latency [s] of `dnn` exceeds; infinite where a product overflows."""
        energy, latency = _greatest_by_rates(self.network, dnn)
        latency += len(dnn.blocks) * max(node.wait_s for node in self.network.nodes)
        for node in self.network.nodes:
            for measured in self.measurements(dnn, node).values():
                energy += node.power_w * measured.time_s if measured.energy_j is None else measured.energy_j
                latency += measured.time_s / node.compute_shares[0]
        return energy, latency

    @cached_property
    def dnn_by_name(self) -> dict[str, DNN]:
        """DNNs by name."""
        return {dnn.name: dnn for dnn in self.dnns}

    def dnn_of(self, app: Application) -> DNN:
        """Return the DNN that `app` runs; of one with alternatives, each of its `choices` runs another.

        Raises
        ------
        ValueError
            If `app` has alternatives and none is chosen.
        """
        if app.dnn is None:
            raise ValueError(
                f"application '{app.name}' has alternatives: {', '.join(app.dnns)}; choose one of them first"
            )
        return self.dnn_by_name[app.dnn]

    def dnns_of(self, app: Application) -> tuple[DNN, ...]:
        """Return the DNNs that `app` may run: one, or its alternatives."""
        return tuple(self.dnn_by_name[name] for name in app.alternatives)

    @cached_property
    def _measurements(self) -> dict[tuple[str, str], dict[int, MeasuredRun]]:
        """Measurements by names of DNN and device, and block."""
        of_dnns = [((dnn.name, name), one) for dnn in self.dnns for name, one in dnn.measured.items()]
        of_devices = [((name, device.name), one) for device in self.devices for name, one in device.measured.items()]
        return {key: {int(block): m for block, m in one.items()} for key, one in (*of_dnns, *of_devices)}

    @property
    def has_measurements(self) -> bool:
        """Whether any block was measured on any device."""
        return bool(self._measurements)

    def measurements(self, dnn: DNN, node: Node) -> Mapping[int, MeasuredRun]:
        """Return what running blocks of `dnn` at `node` was measured to take, by 1-based block."""
        return {} if node.device is None else self._measurements.get((dnn.name, node.device), {})

    @property
    def objective_unit(self) -> str:
        """Unit of the objective (eq. 3): J, g or money for one application without a rate, else that per second."""
        return OBJECTIVE_UNITS[self.objective][self.applications[0].rate_per_s is not None]

    @property
    def inference_unit(self) -> str:
        """Unit of what one inference adds to the objective: J, g or money."""
        return OBJECTIVE_UNITS[self.objective][0]

    def energy_weights(self, app: Application) -> tuple[float, ...]:
        """Return the weight of block i, and of the transfer that feeds it, in the energy (eq. 1), for i = 1..L."""
        dnn = self.dnn_of(app)
        return dnn.survival if self.accounting is Accounting.EXPECTED else (1.0,) * len(dnn.blocks)

    def latency_weights(self, app: Application) -> tuple[float, ...]:
        """Return the weight of block i, and of the transfer that feeds it, in the latency (eq. 2), for i = 1..L.

        (30) With a quantile q the weight is 1 where more than 1 − q of all samples reach the block, else 0: a share of
        at least q has left before it.
        """
        dnn, q = self.dnn_of(app), self.latency_quantile
        if q is not None:
            return tuple(float(share - (1 - q) > SUM_NOISE) for share in dnn.survival)
        return dnn.survival if self.latency_kind is LatencyKind.EXPECTED else (1.0,) * len(dnn.blocks)

    def with_overrides(
        self,
        *,
        max_latency_s: float | None = None,
        min_accuracy: float | None = None,
        accounting: Accounting | None = None,
        latency_kind: LatencyKind | None = None,
        latency_quantile: float | None = None,
        objective: Objective | None = None,
    ) -> Instance:
        """Return a copy with other targets or choices; None keeps what is there.

        Another latency kind drops a quantile, and a quantile alone makes the kind `quantile`.

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
        kind = self.latency_kind if latency_quantile is None else LatencyKind.QUANTILE
        kind = kind if latency_kind is None else latency_kind
        quantile = self.latency_quantile if kind is LatencyKind.QUANTILE else None
        data = {
            **{field: getattr(self, field) for field in Instance.model_fields},
            "applications": apps,
            "accounting": self.accounting if accounting is None else accounting,
            "latency_kind": kind,
            "latency_quantile": quantile if latency_quantile is None else latency_quantile,
            "objective": self.objective if objective is None else objective,
        }
        try:
            return Instance(**data)
        except ValidationError as error:  # its parts are sound: one rule that they break together
            raise ValueError(broken_rule(error)) from None

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over everything that decides (names included, provenance and defaults left out)."""
        data = self.model_dump(mode="json", exclude_defaults=True)
        for part in (data, data["network"], *data["dnns"], *data.get("devices", ())):
            part.pop("provenance", None)
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _dearest(nodes: tuple[Node, ...]) -> tuple[float, float]:
    """Return the most that a Joule, and a second of running, weigh in any objective (eq. 31)."""
    joule = max(max(node.carbon_g_per_j, node.price_per_j) for node in nodes)
    return max(1.0, joule), max(node.price_per_busy_s for node in nodes)


def _greatest_by_rates(network: Network, dnn: DNN) -> tuple[float, float]:
    """Return what no energy [J] and no latency [s] exceeds where runs take o_i/C_n; infinite on overflow."""
    ops, bits, hops = sum(block.ops for block in dnn.blocks), dnn.total_bits, len(network.nodes)
    rates = (node.compute_ops_per_s * node.compute_shares[0] for node in network.nodes if node.compute_ops_per_s)
    rate = min(rates, default=inf)
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
