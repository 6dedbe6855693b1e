"""The independent judge: instance + deployment → energy, latency, accuracy, loads, violations.

It imports no method. Every number that a table shows comes from here, computed after the method's clock has stopped.

For application h with last exit f, placement x and routes (eqs. 1, 2, 4):

    (1) energy(h)   = Σ_{i≤b(f)} e_i (ε_{i,x_i} + d_{i-1} Σ_{(n,m)∈route_i} (e^tx_nm + e^rx_nm))
    (2) latency(h)  = Σ_{i≤b(f)} l_i (t_{i,x_i}/r_i + Σ_{(n,m)∈route_i} (d_{i-1}/B_nm + τ_nm))
    (3) objective   = Σ_{h served} λ_h energy(h) + Σ_{h rejected} ψ_h       or with the carbon or price of h (31)
    (4) accuracy(h) = α_f

with weights e_i, l_i = s_i (`expected`) or 1 (`full_depth`; for `quantile` (30): l_i = 1 where s_i > 1 − q, else 0),
run costs t and ε by eq. (26), and reserved shares r_i (1 where a node reserves nothing).
A constraint holds when it is met within `FEASIBILITY_TOLERANCE` relative to its right-hand side. Loads and their rows
(eqs. 11–13, 21) are in `models.loads`, the terms of all sums in `models.step_costs`. A reserved share must keep up with
its block:

    (22) λ_h s_i t_{i,x_i} ≤ r_i K_{x_i}      where x_i reserves shares

of an application's alternatives its deployment names exactly one (29), and a block runs only where it fits and may:

    (27) w_i + v_i ≤ M_{x_i}                  (28) x_i is among the nodes that `allowed` names for block i
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Application, Instance, Node, Objective
from finbench.models.loads import UNITS, Loads, Resource, Use, loads_of, tier_objective, uses
from finbench.models.step_costs import StepCosts, run_once, step_costs, worth
from finbench.models.tolerances import accurate_enough, exceeds


class ViolationKind(StrEnum):
    """Which rule a deployment breaks."""

    APPLICATION = "application"
    ALTERNATIVE = "alternative"
    EXIT = "exit"
    PLACEMENT = "placement"
    NODE = "node"
    ROUTE = "route"
    LINK = "link"
    PIN = "pin"
    FIT = "fit"
    PERMISSION = "permission"
    LATENCY = "latency"
    ACCURACY = "accuracy"
    COMPUTE = "compute"
    MEMORY = "memory"
    BANDWIDTH = "bandwidth"
    SHARE = "share"
    STABILITY = "stability"
    RESERVATION = "reservation"
    REJECTION = "rejection"


NOT_STRUCTURAL = (ViolationKind.PIN, ViolationKind.FIT, ViolationKind.PERMISSION)
"""Rules of a placement without which costs mean something all the same."""


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
    carbon_g: float = 0.0
    """Carbon per inference (eq. 31) [g]."""
    money: float = 0.0
    """Price per inference (eq. 31)."""

    def cost(self, objective: Objective) -> float:
        """Return what one inference adds to an objective, before its rate [J, g or money]."""
        if objective is Objective.ENERGY:
            return self.energy_j
        return self.carbon_g if objective is Objective.CARBON else self.money

    @property
    def energy_j(self) -> float:
        """Energy per inference (eq. 1) [J]."""
        return self.compute_energy_j + self.transfer_energy_j


@dataclass(frozen=True)
class Evaluation:
    """The judgement. Costs are None where the decisions do not describe a deployment (a structural violation)."""

    violations: tuple[Violation, ...]
    applications: tuple[ApplicationEvaluation, ...]
    loads: Loads
    objective: float | None
    """Eq. (3), in `Instance.objective_unit`."""
    rejected: tuple[str, ...] = ()
    """Applications that are turned away."""
    penalty_w: float = 0.0
    """What the rejections add to the objective, in its unit."""
    tiers: dict[str, float] = field(default_factory=dict)
    """The objective without penalties by the tier that spends it; the unit is the objective's."""

    @property
    def feasible(self) -> bool:
        """Whether every constraint holds."""
        return not self.violations

    @property
    def energy_j(self) -> float | None:
        """Energy per inference, summed over the applications that are served [J]."""
        return None if self.objective is None else sum(app.energy_j for app in self.applications)


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
    chosen, rejected = _match_applications(instance, deployment, violations)
    sound: list[tuple[Application, ApplicationDeployment]] = []
    for app, decision in chosen:
        choice = app.choice(decision.dnn)
        if choice is None:
            violations.append(_no_choice(app, decision))
            continue
        broken = _structural_violations(instance, choice, decision)
        violations += broken
        if all(v.kind in NOT_STRUCTURAL for v in broken):
            sound.append((choice, decision))
    served = [(app, list(step_costs(instance, app, decision))) for app, decision in sound]
    evaluations = tuple(
        _costs(instance, app, decision.last_exit, steps)
        for (app, steps), (_, decision) in zip(served, sound, strict=True)
    )
    for (app, steps), costs in zip(served, evaluations, strict=True):
        violations += [*_target_violations(app, costs), *_stability_violations(app, steps)]
    loads = loads_of(served)
    violations += _capacity_violations(instance, loads)
    complete = len(sound) + len(rejected) == len(instance.applications)
    kind = instance.objective
    spent = sum(app.weight * costs.cost(kind) for (app, _), costs in zip(sound, evaluations, strict=True))
    penalty = sum(app.rejection_penalty_w or 0.0 for app in rejected)
    return Evaluation(
        violations=tuple(violations),
        applications=evaluations,
        loads=loads,
        objective=spent + penalty if complete else None,
        rejected=tuple(app.name for app in rejected),
        penalty_w=penalty,
        tiers=tier_objective(kind, served),
    )


def _match_applications(
    instance: Instance, deployment: Deployment, violations: list[Violation]
) -> tuple[list[tuple[Application, ApplicationDeployment]], list[Application]]:
    """Pair applications with their decisions, list the rejected ones; report unknown, repeated and missing ones."""
    known = {app.name: app for app in instance.applications}
    matched: dict[str, ApplicationDeployment] = {}
    rejected: dict[str, Application] = {}

    def report(name: str, message: str) -> None:
        violations.append(Violation(ViolationKind.APPLICATION, name, message))

    for decision in deployment.deployments:
        name = decision.application
        if name not in known:
            report(name, f"unknown application '{name}'")
        elif name in matched:
            report(name, f"application '{name}' is deployed twice")
        else:
            matched[name] = decision
    for name in deployment.rejected:
        if name not in known:
            report(name, f"unknown application '{name}'")
        elif name in matched or name in rejected:
            report(name, f"application '{name}' is rejected, and deployed or rejected before")
        else:
            rejected[name] = known[name]
            if known[name].rejection_penalty_w is None:
                message = f"application '{name}' is rejected, but has no rejection_penalty_w"
                violations.append(Violation(ViolationKind.REJECTION, name, message))
    for name in known:
        if name not in matched and name not in rejected:
            report(name, f"application '{name}' has no deployment")
    return [(known[name], decision) for name, decision in matched.items()], list(rejected.values())


def _structural_violations(instance: Instance, app: Application, decision: ApplicationDeployment) -> list[Violation]:
    """Return which rules are broken that must hold before costs mean anything, and where blocks must not run."""
    dnn = instance.dnn_of(app)
    if decision.last_exit > len(dnn.exits):
        message = f"last_exit = {decision.last_exit}: DNN '{dnn.name}' has {len(dnn.exits)} exits"
        return [_structural(app, ViolationKind.EXIT, message)]
    depth, routes = dnn.exits[decision.last_exit - 1].after_block, decision.routes_from(app.source)
    if len(decision.placement) != depth:
        message = f"placement names {len(decision.placement)} nodes, exit {decision.last_exit} follows block {depth}"
        return [_structural(app, ViolationKind.PLACEMENT, message)]
    if len(decision.share_of_block) != depth:
        message = f"shares lists {len(decision.share_of_block)} blocks, must be {depth}"
        return [_structural(app, ViolationKind.SHARE, message)]
    found = list(_placement_violations(instance, app, decision))
    if len(routes) != depth:
        message = f"routes lists {len(routes)} transfers, must be {depth}"
        return [*found, _structural(app, ViolationKind.ROUTE, message)]
    return [*found, *_route_violations(instance, app, (app.source, *decision.placement), routes)]


def _no_choice(app: Application, decision: ApplicationDeployment) -> Violation:
    """Return what is broken of (29) where a deployment chooses none of an application's DNNs."""
    named = "names no dnn" if decision.dnn is None else f"dnn = {decision.dnn!r}"
    known = ", ".join(repr(name) for name in app.alternatives)
    return _structural(app, ViolationKind.ALTERNATIVE, f"{named}; must be {'one of ' if app.dnns else ''}{known}")


def _structural(app: Application, kind: ViolationKind, message: str) -> Violation:
    return Violation(kind, app.name, f"application '{app.name}': {message}")


def _placement_violations(instance: Instance, app: Application, decision: ApplicationDeployment) -> Iterator[Violation]:
    nodes = instance.network.node_by_name
    for i, (name, share) in enumerate(zip(decision.placement, decision.share_of_block, strict=True), start=1):
        if app.pins.get(i, name) != name:
            message = f"block {i} is placed on '{name}', pinned to '{app.pins[i]}'"
            yield _structural(app, ViolationKind.PIN, message)
        if name not in nodes:
            yield _structural(app, ViolationKind.NODE, f"block {i} is placed on unknown node '{name}'")
            continue
        yield from _where_it_must_not_run(instance, app, i, nodes[name])
        if run_once(instance, instance.dnn_of(app), i, nodes[name]) is None:
            message = f"block {i} is placed on '{name}', where it cannot run: no rate, and no measurement of the block"
            yield _structural(app, ViolationKind.NODE, message)
        elif share not in nodes[name].compute_shares:
            menu = ", ".join(f"{entry:g}" for entry in nodes[name].compute_shares)
            message = f"block {i} reserves {share:g} of node '{name}', which offers {menu}"
            yield _structural(app, ViolationKind.SHARE, message)


def _where_it_must_not_run(instance: Instance, app: Application, i: int, node: Node) -> Iterator[Violation]:
    """Yield what is broken of (27) and (28); where a block needs no working memory, (12) says all of (27)."""
    if not app.permits(i, node):
        message = f"block {i} is placed on '{node.name}', where it is not allowed"
        yield _structural(app, ViolationKind.PERMISSION, message)
    block = instance.dnn_of(app).blocks[i - 1]
    needs, limit = block.parameter_bytes + block.working_bytes, node.memory_bytes
    if block.working_bytes > 0 and limit is not None and exceeds(needs, limit):
        message = f"application '{app.name}': block {i} needs {needs:.6g} byte, node '{node.name}' has {limit:.6g}"
        yield Violation(ViolationKind.FIT, app.name, message, needs, limit)


def _route_violations(
    instance: Instance, app: Application, stops: tuple[str, ...], routes: tuple[tuple[str, ...], ...]
) -> Iterator[Violation]:
    links = instance.network.link_by_pair
    for i, (route, (start, end)) in enumerate(zip(routes, pairwise(stops), strict=True), start=1):
        if start == end and len(route) <= 1 and set(route) <= {start}:
            continue
        if len(route) < 2 or route[0] != start or route[-1] != end:
            message = f"route into block {i} must lead from '{start}' to '{end}'"
            yield _structural(app, ViolationKind.ROUTE, message)
        for pair in pairwise(route):
            if pair not in links:
                message = f"route into block {i} uses '{pair[0]}->{pair[1]}', which is no link"
                yield _structural(app, ViolationKind.LINK, message)


def _costs(instance: Instance, app: Application, last_exit: int, steps: Sequence[StepCosts]) -> ApplicationEvaluation:
    """Return eqs. (1), (2) and (4) for one application."""
    return ApplicationEvaluation(
        application=app.name,
        compute_energy_j=sum((step.compute_energy_j for step in steps), 0.0),
        transfer_energy_j=sum((step.transfer_energy_j for step in steps), 0.0),
        latency_s=sum((step.latency_s for step in steps), 0.0),
        accuracy=instance.dnn_of(app).exits[last_exit - 1].accuracy,
        carbon_g=_spent(steps, Objective.CARBON),
        money=_spent(steps, Objective.MONEY),
    )


def _spent(steps: Sequence[StepCosts], objective: Objective) -> float:
    """Return what all steps together weigh in an objective (eq. 31)."""
    return sum((worth(objective, *where) for step in steps for where in step.spent), 0.0)


def _target_violations(app: Application, costs: ApplicationEvaluation) -> list[Violation]:
    """Return what is broken of one application's latency (eq. 8) and accuracy (eq. 9)."""
    found = []
    if exceeds(costs.latency_s, app.max_latency_s):
        message = f"application '{app.name}': latency {costs.latency_s:.6g} s exceeds {app.max_latency_s:.6g} s"
        found.append(Violation(ViolationKind.LATENCY, app.name, message, costs.latency_s, app.max_latency_s))
    if not accurate_enough(costs.accuracy, app.min_accuracy):
        message = f"application '{app.name}': accuracy {costs.accuracy:.6g} is below {app.min_accuracy:.6g}"
        found.append(Violation(ViolationKind.ACCURACY, app.name, message, costs.accuracy, app.min_accuracy))
    return found


def _stability_violations(app: Application, steps: Sequence[StepCosts]) -> list[Violation]:
    """Return a violation for every reserved share that its block outruns (eq. 22)."""
    found = []
    for i, step in enumerate(steps, start=1):
        load, limit, name = step.executions, step.share * step.node.parallel, step.node.name
        if step.node.reserves and exceeds(load, limit):
            asked = f"block {i} asks for {load:.6g} executions, its share of '{name}' is {limit:.6g}"
            message = f"application '{app.name}': {asked}"
            found.append(Violation(ViolationKind.STABILITY, app.name, message, load, limit))
    return found


def _capacity_violations(instance: Instance, loads: Loads) -> list[Violation]:
    """Return every broken capacity row (eqs. 11–13, 21)."""
    return [
        Violation(ViolationKind(use.resource.value), use.subject, _capacity_message(use), use.load, use.limit)
        for use in uses(instance, loads)
        if exceeds(use.load, use.limit)
    ]


def _capacity_message(use: Use) -> str:
    kind = "link" if use.resource is Resource.BANDWIDTH else "node"
    unit = UNITS[use.resource]
    return f"{kind} '{use.subject}': {use.resource} load {use.load:.6g} {unit} exceeds {use.limit:.6g} {unit}"
