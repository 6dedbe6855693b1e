"""A deployment in exact arithmetic: its objective, and every constraint with its slack.

The equations are those of `docs/problem.md`: (1)–(4) costs, (8)–(13), (21), (22), (27) rows. Rules of structure (an
exit that exists, a placement of the right length, routes over links) have no slack: they hold or are listed as broken.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Application, Instance
from finbench.models.verify.costs import (
    TOLERANCE,
    Weights,
    rate_of,
    run_once,
    send_cost,
    send_seconds,
    weight_of,
)


@dataclass(frozen=True)
class Row:
    """One constraint, value ≤ limit (for accuracy: value ≥ limit)."""

    equation: int
    """Its number in `docs/problem.md`."""
    subject: str
    """The application, node or link (`n->m`) concerned."""
    value: Fraction
    limit: Fraction

    @property
    def slack(self) -> Fraction:
        """How far the value may still move before the constraint is broken; negative where it is."""
        return self.value - self.limit if self.equation == _ACCURACY else self.limit - self.value

    @property
    def relative_slack(self) -> Fraction:
        """The slack over the limit; the slack itself where the limit is 0."""
        return self.slack / self.limit if self.limit else self.slack

    @property
    def holds(self) -> bool:
        """Whether it is met within the tolerance of the suite."""
        allowed = TOLERANCE if self.equation == _ACCURACY else TOLERANCE * self.limit
        return self.slack >= -allowed


_LATENCY, _ACCURACY, _COMPUTE, _MEMORY, _BANDWIDTH, _RESERVATION, _STABILITY, _FIT = 8, 9, 11, 12, 13, 21, 22, 27


@dataclass(frozen=True)
class ExactEvaluation:
    """What a deployment is and costs, without rounding."""

    objective: Fraction | None
    """Eq. (3); None where the structure is broken."""
    rows: tuple[Row, ...]
    broken: tuple[str, ...]
    """Rules of structure that are broken, one line each."""

    @property
    def feasible(self) -> bool:
        """Whether every rule holds within the tolerance of the suite."""
        return not self.broken and all(row.holds for row in self.rows)

    @property
    def strictly_feasible(self) -> bool:
        """Whether every rule holds without any tolerance."""
        return not self.broken and all(row.slack >= 0 for row in self.rows)


def evaluate_exactly(instance: Instance, deployment: Deployment) -> ExactEvaluation:
    """Judge a deployment without rounding.

    Parameters
    ----------
    instance : Instance
    deployment : Deployment

    Returns
    -------
    ExactEvaluation
        Rows of eqs. (8), (9), (11)–(13), (21), (22), (27): of applications in the instance's order, then of resources.
    """
    decisions = {decision.application: decision for decision in deployment.deployments}
    broken = [*_misnamed(instance, deployment)]
    objective, rows, loads = Fraction(0), list[Row](), _Loads(instance)
    for app in instance.applications:
        decision = decisions.get(app.name)
        if decision is None:
            objective += Fraction(app.rejection_penalty_w or 0)
            continue
        choice = app.choice(decision.dnn)
        if choice is None:
            broken.append(f"application '{app.name}': of its alternatives (29) {decision.dnn or 'none'} is named")
            continue
        faults, away = list(_faults(instance, choice, decision)), _away(instance, choice, decision)
        broken += [f"application '{app.name}': {fault}" for fault in (*faults, *away)]
        if not faults:
            cost, own = _costs(instance, choice, decision, loads)
            objective += weight_of(app) * cost
            rows += own
    return ExactEvaluation(None if broken else objective, (*rows, *loads.rows()), tuple(broken))


def _misnamed(instance: Instance, deployment: Deployment) -> Iterator[str]:
    """Yield what is wrong with who is served and who is rejected."""
    named = Counter((*(decision.application for decision in deployment.deployments), *deployment.rejected))
    rejected, known = set(deployment.rejected), {app.name: app for app in instance.applications}
    for name in sorted(named.keys() - known.keys()):
        yield f"application '{name}': unknown"
    for name, app in known.items():
        if named[name] != 1:
            yield f"application '{name}': {'named more than once' if named[name] else 'no deployment'}"
        if name in rejected and app.rejection_penalty_w is None:
            yield f"application '{name}': rejected, but has no rejection_penalty_w"


def _faults(instance: Instance, app: Application, decision: ApplicationDeployment) -> Iterator[str]:
    """Yield the rules that one application breaks and without which it has no costs."""
    dnn, nodes, links = instance.dnn_of(app), instance.network.node_by_name, instance.network.link_by_pair
    if decision.last_exit > len(dnn.exits):
        yield f"there is no exit {decision.last_exit}"
        return
    depth, routes = dnn.exits[decision.last_exit - 1].after_block, decision.routes_from(app.source)
    lengths = {"placement": decision.placement, "shares": decision.share_of_block, "routes": routes}
    wrong = [f"{name} has {len(part)} entries, not {depth}" for name, part in lengths.items() if len(part) != depth]
    if wrong:
        yield from wrong
        return
    at = app.source
    for i, (name, share, route) in enumerate(zip(decision.placement, decision.share_of_block, routes, strict=True), 1):
        if name not in nodes:
            yield f"block {i}: there is no node '{name}'"
        elif run_once(instance, app, i, nodes[name]) is None:
            yield f"block {i} cannot run at '{name}'"
        elif share not in nodes[name].compute_shares:
            yield f"block {i}: node '{name}' has no share {share:g}"
        stays = name == at and set(route) <= {at} and len(route) <= 1
        if not stays and (len(route) < 2 or (route[0], route[-1]) != (at, name)):
            yield f"the route into block {i} does not lead from '{at}' to '{name}'"
        yield from (f"there is no link {n}->{m}" for n, m in pairwise(route) if (n, m) not in links)
        at = name


def _away(instance: Instance, app: Application, decision: ApplicationDeployment) -> Iterator[str]:
    """Yield the blocks that are not where they are pinned (eq. 10) or may be (eq. 28)."""
    for i, name in enumerate(decision.placement, start=1):
        node = instance.network.node_by_name.get(name)
        if app.pins.get(i, name) != name:
            yield f"block {i} is not where it is pinned"
        if node is not None and i <= len(instance.dnn_of(app).blocks) and not app.permits(i, node):
            yield f"block {i} is where it is not allowed"


def _costs(
    instance: Instance, app: Application, decision: ApplicationDeployment, loads: _Loads
) -> tuple[Fraction, list[Row]]:
    """Return what an inference adds to the objective (eqs. 1, 31), and the rows of one application; add its loads."""
    dnn, nodes, links = instance.dnn_of(app), instance.network.node_by_name, instance.network.link_by_pair
    weights, rate = Weights.of(instance, app), rate_of(app)
    total, latency, own = Fraction(0), Fraction(0), list[Row]()
    decided = zip(decision.placement, decision.share_of_block, decision.routes_from(app.source), strict=True)
    for i, (name, share, route) in enumerate(decided):
        node, block, bits = nodes[name], dnn.blocks[i], dnn.transfer_bits(i + 1)
        hops = [links[pair] for pair in pairwise(route)]
        once = run_once(instance, app, i + 1, node)
        assert once is not None  # `_faults` has looked
        seconds, cost = once
        total += weights.energy[i] * (cost + sum(send_cost(instance, bits, hop) for hop in hops))
        sending = sum(send_seconds(bits, hop) for hop in hops)
        latency += weights.latency[i] * (seconds / Fraction(share) + Fraction(node.wait_s) + sending)
        if block.working_bytes > 0 and node.memory_bytes is not None:
            needed = Fraction(block.parameter_bytes) + Fraction(block.working_bytes)
            own.append(Row(_FIT, f"{app.name}, block {i + 1}", needed, Fraction(node.memory_bytes)))
        used = rate * weights.reach[i] * seconds
        if node.reserves:
            limit = Fraction(share) * node.parallel
            own.append(Row(_STABILITY, f"{app.name}, block {i + 1}", used, limit))
            loads.reserved[name] += Fraction(share)
        loads.executions[name] += used
        loads.memory[name] += Fraction(block.parameter_bytes)
        for pair in pairwise(route):
            loads.bandwidth[pair] += rate * weights.reach[i] * Fraction(bits)
    accuracy = Fraction(dnn.exits[decision.last_exit - 1].accuracy)
    targets = [
        Row(_LATENCY, app.name, latency, Fraction(app.max_latency_s)),
        Row(_ACCURACY, app.name, accuracy, Fraction(app.min_accuracy)),
    ]
    return total, [*targets, *own]


class _Loads:
    """What all applications together ask of every resource."""

    def __init__(self, instance: Instance) -> None:
        self._network = instance.network
        self.executions: defaultdict[str, Fraction] = defaultdict(Fraction)
        self.memory: defaultdict[str, Fraction] = defaultdict(Fraction)
        self.reserved: defaultdict[str, Fraction] = defaultdict(Fraction)
        self.bandwidth: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)

    def rows(self) -> Iterator[Row]:
        """Yield eqs. (11)–(13) and (21) for everything that is used."""
        nodes, links = self._network.node_by_name, self._network.link_by_pair
        for name, load in self.executions.items():
            yield Row(_COMPUTE, name, load, Fraction(nodes[name].parallel))
        for name, load in self.memory.items():
            limit = nodes[name].memory_bytes
            if limit is not None:
                yield Row(_MEMORY, name, load, Fraction(limit))
        for name, load in self.reserved.items():
            yield Row(_RESERVATION, name, load, Fraction(1))
        for pair, load in self.bandwidth.items():
            yield Row(_BANDWIDTH, "->".join(pair), load, Fraction(links[pair].bandwidth_bit_per_s))
