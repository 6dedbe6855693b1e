"""The independent judge: instance + deployment → energy, latency, accuracy, loads, violations.

Imports no method. Every number that a table shows comes from here, computed after the method's clock has stopped.

For application h with last exit f, placement x and routes (README eqs. 1, 2, 4):

    (1) energy(h)   = Σ_{i≤b(f)} e_i (o_i P_{x_i}/C_{x_i} + d_{i-1} Σ_{(n,m)∈route_i} (e^tx_nm + e^rx_nm))
    (2) latency(h)  = Σ_{i≤b(f)} l_i (o_i/C_{x_i} + Σ_{(n,m)∈route_i} (d_{i-1}/B_nm + τ_nm))
    (3) objective   = Σ_h λ_h energy(h)
    (4) accuracy(h) = α_f

with weights e_i, l_i = s_i (`expected`) or 1 (`full_depth`). A constraint holds when it is met within
`FEASIBILITY_TOLERANCE` relative to its right-hand side.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from models.deployment import ApplicationDeployment, Deployment
from models.instance import Application, Instance, Link

FEASIBILITY_TOLERANCE = 1e-6
"""Relative tolerance of every constraint, after scaling by its right-hand side."""

ENERGY_TOLERANCE = 1e-6
"""Two energies are equal when |a − b| ≤ ENERGY_TOLERANCE · max(|a|, |b|)."""


class ViolationKind(StrEnum):
    """Which rule a deployment breaks."""

    APPLICATION = "application"
    EXIT = "exit"
    PLACEMENT = "placement"
    NODE = "node"
    ROUTE = "route"
    LINK = "link"
    PIN = "pin"
    LATENCY = "latency"
    ACCURACY = "accuracy"
    COMPUTE = "compute"
    MEMORY = "memory"
    BANDWIDTH = "bandwidth"


@dataclass(frozen=True)
class Violation:
    """One broken rule, by how much, and one line for people."""

    kind: ViolationKind
    subject: str
    """The application, node or link (`n->m`) concerned."""
    message: str
    value: float | None = None
    limit: float | None = None

    @property
    def excess(self) -> float | None:
        """How far the value lies beyond the limit, in the constraint's unit; None for structural rules."""
        return None if self.value is None or self.limit is None else abs(self.value - self.limit)


@dataclass(frozen=True)
class ApplicationEvaluation:
    """Costs of one application's deployment, per inference."""

    application: str
    compute_energy_j: float
    transfer_energy_j: float
    latency_s: float
    accuracy: float

    @property
    def energy_j(self) -> float:
        """Energy per inference (eq. 1) [J]."""
        return self.compute_energy_j + self.transfer_energy_j


@dataclass(frozen=True)
class Loads:
    """What the deployment asks of every node and link that it uses."""

    compute_ops_per_s: dict[str, float] = field(default_factory=dict)
    memory_bytes: dict[str, float] = field(default_factory=dict)
    bandwidth_bit_per_s: dict[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """The judgement. Costs are None where the decisions do not describe a deployment (a structural violation)."""

    violations: tuple[Violation, ...]
    applications: tuple[ApplicationEvaluation, ...]
    loads: Loads
    objective: float | None
    """Σ_h λ_h energy(h) (eq. 3): J where the single application has no rate, else W."""

    @property
    def feasible(self) -> bool:
        """Whether every constraint holds."""
        return not self.violations

    @property
    def energy_j(self) -> float | None:
        """Energy per inference, summed over applications [J]."""
        return None if self.objective is None else sum(app.energy_j for app in self.applications)


def equal_energy(a: float, b: float) -> bool:
    """Whether two energies are the same within `ENERGY_TOLERANCE` (relative)."""
    return abs(a - b) <= ENERGY_TOLERANCE * max(abs(a), abs(b))


def evaluate(instance: Instance, deployment: Deployment) -> Evaluation:
    """Judge `deployment` on `instance`.

    Parameters
    ----------
    instance : Instance
    deployment : Deployment

    Returns
    -------
    Evaluation
        With one `Violation` for every broken rule; costs are given where the structure is sound.
    """
    violations: list[Violation] = []
    chosen = _match_applications(instance, deployment, violations)
    sound: list[tuple[Application, ApplicationDeployment]] = []
    for app, decision in chosen:
        broken = _structural_violations(instance, app, decision)
        violations += broken
        if not any(v.kind is not ViolationKind.PIN for v in broken):
            sound.append((app, decision))
    evaluations = tuple(_costs(instance, app, decision) for app, decision in sound)
    for (app, _), costs in zip(sound, evaluations, strict=True):
        violations += _target_violations(app, costs)
    loads = _loads(instance, sound)
    violations += _capacity_violations(instance, loads)
    complete = len(sound) == len(instance.applications)
    objective = (
        sum(app.weight * costs.energy_j for (app, _), costs in zip(sound, evaluations, strict=True))
        if complete
        else None
    )
    return Evaluation(tuple(violations), evaluations, loads, objective)


def _match_applications(
    instance: Instance, deployment: Deployment, violations: list[Violation]
) -> list[tuple[Application, ApplicationDeployment]]:
    """Pair applications with their decisions; report unknown, repeated and missing ones."""
    known = {app.name: app for app in instance.applications}
    matched: dict[str, ApplicationDeployment] = {}
    for decision in deployment.deployments:
        name = decision.application
        if name not in known:
            violations.append(Violation(ViolationKind.APPLICATION, name, f"unknown application '{name}'"))
        elif name in matched:
            violations.append(Violation(ViolationKind.APPLICATION, name, f"application '{name}' is deployed twice"))
        else:
            matched[name] = decision
    for name in known.keys() - matched.keys():
        violations.append(Violation(ViolationKind.APPLICATION, name, f"application '{name}' has no deployment"))
    return [(known[name], decision) for name, decision in matched.items()]


def _structural_violations(instance: Instance, app: Application, decision: ApplicationDeployment) -> list[Violation]:
    """Rules that must hold before costs mean anything, and pins."""
    dnn, nodes, links = instance.dnn_of(app), instance.network.node_by_name, instance.network.link_by_pair
    found: list[Violation] = []

    def report(kind: ViolationKind, message: str) -> None:
        found.append(Violation(kind, app.name, f"application '{app.name}': {message}"))

    if decision.last_exit > len(dnn.exits):
        report(ViolationKind.EXIT, f"last_exit = {decision.last_exit}: DNN '{dnn.name}' has {len(dnn.exits)} exits")
        return found
    depth = dnn.exits[decision.last_exit - 1].after_block
    if len(decision.placement) != depth:
        report(
            ViolationKind.PLACEMENT,
            f"placement names {len(decision.placement)} nodes, exit {decision.last_exit} follows block {depth}",
        )
        return found
    for i, name in enumerate(decision.placement, start=1):
        if name not in nodes:
            report(ViolationKind.NODE, f"block {i} is placed on unknown node '{name}'")
        if app.pins.get(i, name) != name:
            report(ViolationKind.PIN, f"block {i} is placed on '{name}', pinned to '{app.pins[i]}'")
    routes = decision.routes_from(app.source)
    if len(routes) != depth:
        report(ViolationKind.ROUTE, f"routes lists {len(routes)} transfers, must be {depth}")
        return found
    stops = (app.source, *decision.placement)
    for i, route in enumerate(routes, start=1):
        start, end = stops[i - 1], stops[i]
        if start == end and len(route) <= 1 and set(route) <= {start}:
            continue
        if len(route) < 2 or route[0] != start or route[-1] != end:
            report(ViolationKind.ROUTE, f"route into block {i} must lead from '{start}' to '{end}'")
        for pair in pairwise(route):
            if pair not in links:
                report(ViolationKind.LINK, f"route into block {i} uses '{pair[0]}->{pair[1]}', which is no link")
    return found


def _hops(instance: Instance, route: tuple[str, ...]) -> list[Link]:
    return [instance.network.link_by_pair[pair] for pair in pairwise(route)]


def _costs(instance: Instance, app: Application, decision: ApplicationDeployment) -> ApplicationEvaluation:
    """Equations (1), (2) and (4) for one application."""
    dnn, nodes = instance.dnn_of(app), instance.network.node_by_name
    energy_weights, latency_weights = instance.energy_weights(app), instance.latency_weights(app)
    compute_energy = transfer_energy = latency = 0.0
    for i, (name, route) in enumerate(zip(decision.placement, decision.routes_from(app.source), strict=True), start=1):
        node, ops, bits = nodes[name], dnn.blocks[i - 1].ops, dnn.transfer_bits(i)
        hops = _hops(instance, route)
        compute_energy += energy_weights[i - 1] * ops * node.power_w / node.compute_ops_per_s
        transfer_energy += (
            energy_weights[i - 1] * bits * sum(hop.tx_energy_j_per_bit + hop.rx_energy_j_per_bit for hop in hops)
        )
        transfer_time = sum(bits / hop.bandwidth_bit_per_s + hop.delay_s for hop in hops)
        latency += latency_weights[i - 1] * (ops / node.compute_ops_per_s + transfer_time)
    accuracy = dnn.exits[decision.last_exit - 1].accuracy
    return ApplicationEvaluation(app.name, compute_energy, transfer_energy, latency, accuracy)


def _target_violations(app: Application, costs: ApplicationEvaluation) -> list[Violation]:
    """Latency (eq. 8) and accuracy (eq. 9) of one application."""
    found = []
    if exceeds(costs.latency_s, app.max_latency_s):
        message = f"application '{app.name}': latency {costs.latency_s:.6g} s exceeds {app.max_latency_s:.6g} s"
        found.append(Violation(ViolationKind.LATENCY, app.name, message, costs.latency_s, app.max_latency_s))
    if costs.accuracy < app.min_accuracy - FEASIBILITY_TOLERANCE:
        message = f"application '{app.name}': accuracy {costs.accuracy:.6g} is below {app.min_accuracy:.6g}"
        found.append(Violation(ViolationKind.ACCURACY, app.name, message, costs.accuracy, app.min_accuracy))
    return found


def _loads(instance: Instance, chosen: list[tuple[Application, ApplicationDeployment]]) -> Loads:
    """Left-hand sides of the capacity rows (eqs. 11–13); rates of 0 where an application has none."""
    compute: defaultdict[str, float] = defaultdict(float)
    memory: defaultdict[str, float] = defaultdict(float)
    bandwidth: defaultdict[tuple[str, str], float] = defaultdict(float)
    for app, decision in chosen:
        dnn, rate = instance.dnn_of(app), app.rate_per_s or 0.0
        for i, (name, route) in enumerate(
            zip(decision.placement, decision.routes_from(app.source), strict=True), start=1
        ):
            block, share = dnn.blocks[i - 1], dnn.survival[i - 1]
            compute[name] += rate * share * block.ops
            memory[name] += block.parameter_bytes
            for pair in pairwise(route):
                bandwidth[pair] += rate * share * dnn.transfer_bits(i)
    return Loads(dict(compute), dict(memory), dict(bandwidth))


def _capacity_violations(instance: Instance, loads: Loads) -> list[Violation]:
    found = []
    for node in instance.network.nodes:
        rows = [(ViolationKind.COMPUTE, loads.compute_ops_per_s.get(node.name, 0.0), node.compute_ops_per_s, "op/s")]
        if node.memory_bytes is not None:
            rows.append((ViolationKind.MEMORY, loads.memory_bytes.get(node.name, 0.0), node.memory_bytes, "byte"))
        for kind, load, limit, unit in rows:
            if exceeds(load, limit):
                message = f"node '{node.name}': {kind} load {load:.6g} {unit} exceeds {limit:.6g} {unit}"
                found.append(Violation(kind, node.name, message, load, limit))
    for pair, load in loads.bandwidth_bit_per_s.items():
        limit = instance.network.link_by_pair[pair].bandwidth_bit_per_s
        if exceeds(load, limit):
            name = f"{pair[0]}->{pair[1]}"
            message = f"link '{name}': load {load:.6g} bit/s exceeds {limit:.6g} bit/s"
            found.append(Violation(ViolationKind.BANDWIDTH, name, message, load, limit))
    return found


def exceeds(value: float, limit: float) -> bool:
    """Whether value ≤ limit is broken beyond `FEASIBILITY_TOLERANCE`, the row scaled by its right-hand side."""
    return value > limit * (1 + FEASIBILITY_TOLERANCE)
