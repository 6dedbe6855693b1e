"""`exhaustive`: the ground truth on tiny instances, by plain enumeration.

Every alternative (eq. 29), every last exit, every placement, every share of a node that reserves (eq. 22 holding) and
every simple route of an application is looked at (a route that visits a node twice costs and loads at least as much as
without the detour). Two short cuts, both obvious:

- A branch stops once its latency exceeds δ: latencies are non-negative, so nothing behind it can be feasible.
- Where no bandwidth row can bind, a route matters through its energy and latency alone. Then for each transfer, pair of
  nodes and share only routes are kept that no other one matches or beats in both: exchanging one for the other changes
  nothing else.

To reject an application, where that is allowed, is one more candidate beside its feasible deployments; it loads nothing
(eq. 23). With several applications all combinations of their candidates are tried against the capacity rows (11)–(13)
and (21); the last application takes the first in order of cost that still fits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from math import inf, isinf, prod

import numpy as np
from numpy.typing import NDArray

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import DNN, Application, Instance, Objective
from finbench.models.nowhere import application_without_node
from finbench.models.options import Options
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import accurate_enough, relaxed

MAX_LEAVES = 5_000_000
"""Deployments (combinations, with several applications) above which an instance is refused."""

MAX_ROUTES = 50_000
"""Simple routes in the network above which an instance is refused."""

Route = tuple[str, ...]
Floats = NDArray[np.float64]

CapacityKey = tuple[str, str | tuple[str, str]]
"""What a capacity row is about: its kind, and a node or link."""


@dataclass(frozen=True)
class Way:
    """One way to feed and run a block."""

    node: str
    share: float
    route: Route
    energy: float
    latency: float


WaysByBlock = list[dict[str, list[Way]]]
"""For every block, by the node that its input is at: all ways to feed and run it."""


@dataclass(frozen=True)
class Candidate:
    """A feasible deployment of one application, capacities aside, or its rejection."""

    app: Application
    """The application, with the alternative chosen that it runs."""
    cost: float
    """Its part of the objective: λ energy, or ψ."""
    last_exit: int | None
    """None where the application is rejected."""
    path: tuple[Way, ...]


def supports(instance: Instance, options: Options = Options()) -> str | None:  # noqa: ARG001
    """Return why `instance` is too large; None where its enumeration has at most `MAX_LEAVES` leaves.

    Placements alone are counted first: they are soon too many where the ways to feed and run every block would take
    long to list.
    """
    routes = list(islice(_simple_routes(instance), MAX_ROUTES + 1))
    if len(routes) > MAX_ROUTES:
        return f"enumerates routes; the network has more than {MAX_ROUTES}"
    for numbers in (_numbers_of_nodes, _numbers_of_ways):
        leaves = [
            sum(_leaves(instance, choice, numbers(instance, choice, routes)) for choice in app.choices)
            for app in instance.applications
        ]
        if prod(leaves) > MAX_LEAVES:
            break
    else:
        return None
    return f"enumerates; its deployments are more than {MAX_LEAVES:.0e}"


def solve(
    instance: Instance,
    options: Options = Options(),  # noqa: ARG001
    *,
    time_limit_s: float | None = None,
    seed: int = 0,  # noqa: ARG001
) -> Result:
    """Solve `instance`, which must be supported, by complete enumeration.

    Parameters
    ----------
    instance : Instance
    options : Options
        There are none.
    time_limit_s : float or None
        Limit for the whole run [s].
    seed : int
        Without effect: nothing is random.

    Returns
    -------
    Result
        Phases `prepare` and `enumerate`; info `deployments`, the number of feasible ones met of each application.
    """
    clock = Clock(time_limit_s)
    with clock.phase("prepare"):
        search = Enumeration(instance, clock)
    with clock.phase("enumerate"):
        best = search.best()
    return _result(instance, search, best, clock)


class Enumeration:
    """The enumeration of one instance, and whether the time limit cut it short."""

    def __init__(self, instance: Instance, clock: Clock) -> None:
        routes = list(_simple_routes(instance))
        self.instance = instance
        self.ways: list[list[WaysByBlock]] = [
            [list(_ways_by_block(instance, choice, routes)) for choice in app.choices] for app in instance.applications
        ]
        self.clock = clock
        self.interrupted = False
        self.feasible_deployments = [0] * len(instance.applications)
        self.capacities = _capacities_that_may_bind(instance)

    def best(self) -> list[Candidate] | None:
        """Return the cheapest candidates of all applications, None where no combination is feasible."""
        if len(self.ways) == 1:
            return self._best_of_one()
        return self._best_of_several()

    def _best_of_one(self) -> list[Candidate] | None:
        app = self.instance.applications[0]
        best = _rejection(app)
        for v, choice in enumerate(app.choices):
            for energy, last_exit, path in self.feasible(0, v):
                if best is None or app.weight * energy < best.cost:
                    candidate = Candidate(choice, app.weight * energy, last_exit, tuple(path))
                    if self._fits(self._loads(candidate)):
                        best = candidate
        return None if best is None else [best]

    def _best_of_several(self) -> list[Candidate] | None:
        apps = self.instance.applications
        found = [self._candidates(h, app) for h, app in enumerate(apps)]
        loads = [np.array([self._loads(c) for c in candidates]) for candidates in found]
        best, least = None, np.inf
        for combination in self._combinations(found, loads, np.zeros(len(self.capacities))):
            objective = sum(candidate.cost for candidate in combination)
            if objective < least:
                best, least = combination, objective
        return best

    def _candidates(self, h: int, app: Application) -> list[Candidate]:
        """Return all candidates of application h, the cheapest first."""
        served = [
            Candidate(choice, app.weight * energy, f, tuple(path))
            for v, choice in enumerate(app.choices)
            for energy, f, path in self.feasible(h, v)
        ]
        rejection = _rejection(app)
        return sorted(served if rejection is None else [*served, rejection], key=lambda c: c.cost)

    def feasible(self, h: int, v: int = 0) -> Iterator[tuple[float, int, list[Way]]]:
        """Yield (energy [J], last exit, path so far) of every deployment that meets application h's own constraints.

        Of its DNNs it runs number v. The path is the search's own list: copy it to keep it.
        """
        app, ways = self.instance.applications[h].choices[v], self.ways[h][v]
        exits = enumerate(self.instance.dnn_of(app).exits, start=1)
        accepted = {exit_.after_block: f for f, exit_ in exits if accurate_enough(exit_.accuracy, app.min_accuracy)}
        path: list[Way] = []

        def extend(node: str, energy: float, latency: float) -> Iterator[tuple[float, int, list[Way]]]:
            if len(path) in accepted:
                self.feasible_deployments[h] += 1
                yield energy, accepted[len(path)], path
            if len(path) == len(ways):
                return
            for way in ways[len(path)].get(node, ()):
                if self._out_of_time():
                    return
                if latency + way.latency <= relaxed(app.max_latency_s):
                    path.append(way)
                    yield from extend(way.node, energy + way.energy, latency + way.latency)
                    path.pop()

        return extend(app.source, 0.0, 0.0)

    def _combinations(
        self, found: list[list[Candidate]], loads: list[Floats], used: Floats
    ) -> Iterator[list[Candidate]]:
        """Yield the combinations of one candidate for each application that fit together."""
        if self._out_of_time() or not found[0]:
            return
        fits = np.flatnonzero(self._fits(used + loads[0]))
        for k in fits[:1] if len(found) == 1 else fits:
            if len(found) == 1:
                yield [found[0][k]]
                return
            for rest in self._combinations(found[1:], loads[1:], used + loads[0][k]):
                yield [found[0][k], *rest]

    def _out_of_time(self) -> bool:
        self.interrupted = self.interrupted or self.clock.expired
        return self.interrupted

    def _fits(self, loads: Floats) -> NDArray[np.bool_]:
        """Return whether rows of loads meet the capacities."""
        limits = np.array(list(self.capacities.values()))
        return np.asarray((loads <= relaxed(limits)).all(axis=-1))

    def _loads(self, candidate: Candidate) -> Floats:
        """Return the left-hand sides of the capacity rows (11)–(13) and (21) that could bind."""
        if candidate.last_exit is None:
            return np.zeros(len(self.capacities))
        dnn, rate = self.instance.dnn_of(candidate.app), candidate.app.rate_per_s or 0.0
        loads: defaultdict[CapacityKey, float] = defaultdict(float)
        for i, (way, share) in enumerate(zip(candidate.path, dnn.survival, strict=False), start=1):
            loads["compute", way.node] += rate * share * _time(self.instance, dnn, i, way.node)
            loads["memory", way.node] += dnn.blocks[i - 1].parameter_bytes
            loads["reservation", way.node] += way.share
            for pair in pairwise(way.route):
                loads["bandwidth", pair] += rate * share * dnn.transfer_bits(i)
        return np.array([loads[resource] for resource in self.capacities])


def _result(instance: Instance, search: Enumeration, best: list[Candidate] | None, clock: Clock) -> Result:
    status = Status.TIME_LIMIT if search.interrupted else Status.INFEASIBLE if best is None else Status.OPTIMAL
    info = {"deployments": search.feasible_deployments}
    if best is None:
        nothing = application_without_node(instance) or "no deployment meets every constraint"
        reason = "the time limit passed" if search.interrupted else nothing
        return Result(status, reason=reason, times_s=clock.times_s, info=info)
    objective = sum(candidate.cost for candidate in best)
    return Result(
        status,
        deployment=_deployment(best),
        claimed_objective=objective,
        lower_bound=objective if status is Status.OPTIMAL else None,
        times_s=clock.times_s,
        info=info,
    )


def _deployment(best: list[Candidate]) -> Deployment:
    served = [(c.app, c.last_exit, c.path) for c in best if c.last_exit is not None]
    return Deployment(
        deployments=tuple(
            ApplicationDeployment(
                application=app.name,
                dnn=app.named_dnn,
                last_exit=last_exit,
                placement=tuple(way.node for way in path),
                routes=tuple(way.route for way in path),
                shares=tuple(way.share for way in path) if any(way.share < 1 for way in path) else None,
            )
            for app, last_exit, path in served
        ),
        rejected=tuple(c.app.name for c in best if c.last_exit is None),
    )


def _rejection(app: Application) -> Candidate | None:
    """Return the candidate that turns `app` away; None where that is not allowed."""
    return None if app.rejection_penalty_w is None else Candidate(app, app.rejection_penalty_w, None, ())


def _simple_routes(instance: Instance) -> Iterator[Route]:
    """Yield every path in the network that visits no node twice, as its nodes."""
    successors: defaultdict[str, list[str]] = defaultdict(list)
    for link in instance.network.links:
        successors[link.source].append(link.target)
    stack: list[Route] = [(node.name,) for node in instance.network.nodes]
    while stack:
        route = stack.pop()
        if len(route) > 1:
            yield route
        stack += [(*route, node) for node in successors[route[-1]] if node not in route]


def _ways_by_block(instance: Instance, app: Application, routes: list[Route]) -> Iterator[dict[str, list[Way]]]:
    """Yield for every block, by the node that its input is at, all ways to feed and run it."""
    keep_all = any(kind == "bandwidth" for kind, _ in _capacities_that_may_bind(instance))
    stay: list[Route] = [(node.name,) for node in instance.network.nodes]
    for block in range(1, len(instance.dnn_of(app).blocks) + 1):
        pin = app.pins.get(block)
        between: defaultdict[tuple[str, str, float], list[Way]] = defaultdict(list)
        for route in [*stay, *routes]:
            if pin is None or route[-1] == pin:
                for share in _stable_shares(instance, app, block, route[-1]):
                    between[route[0], route[-1], share].append(_way(instance, app, block, route, share))
        by_start: defaultdict[str, list[Way]] = defaultdict(list)
        for (start, _, _), ways in between.items():
            by_start[start] += ways if keep_all else _undominated(ways)
        yield dict(by_start)


def _stable_shares(instance: Instance, app: Application, block: int, name: str) -> list[float]:
    """Return the shares that a node offers and that keep up with the block (eq. 22), none where it must not run."""
    node, dnn = instance.network.node_by_name[name], instance.dnn_of(app)
    needed = dnn.blocks[block - 1].parameter_bytes + dnn.blocks[block - 1].working_bytes
    fits = node.memory_bytes is None or needed <= relaxed(node.memory_bytes) or not dnn.blocks[block - 1].working_bytes
    if not fits or not app.permits(block, node):
        return []
    load = (app.rate_per_s or 0.0) * dnn.survival[block - 1] * _time(instance, dnn, block, name)
    if isinf(load):
        return []
    return [r for r in node.compute_shares if not node.reserves or load <= relaxed(r * node.parallel)]


def _time(instance: Instance, dnn: DNN, block: int, name: str) -> float:
    """Return the time t of running a block once at a node (eq. 26) [s], infinite where it cannot run there."""
    node = instance.network.node_by_name[name]
    measured = instance.measurements(dnn, node)
    if block in measured:
        return measured[block].time_s
    return inf if node.compute_ops_per_s is None else dnn.blocks[block - 1].ops / node.compute_ops_per_s


def _energy(instance: Instance, dnn: DNN, block: int, name: str) -> float:
    """Return the energy ε of running a block once at a node where it can (eq. 26) [J]."""
    node = instance.network.node_by_name[name]
    measured = instance.measurements(dnn, node)
    energy = measured[block].energy_j if block in measured else None
    return node.power_w * _time(instance, dnn, block, name) if energy is None else energy


def _way(instance: Instance, app: Application, block: int, route: Route, share: float) -> Way:
    """Return what it costs to send a block's input along `route` and run it at its end (terms of eqs. 1 and 2)."""
    dnn, name = instance.dnn_of(app), route[-1]
    bits = dnn.transfer_bits(block)
    time = _time(instance, dnn, block, name)
    energy = _weighed(instance, name, _energy(instance, dnn, block, name), time)
    latency = time / share + instance.network.node_by_name[name].wait_s
    for pair in pairwise(route):
        link = instance.network.link_by_pair[pair]
        energy += _weighed(instance, pair[0], bits * link.tx_energy_j_per_bit)
        energy += _weighed(instance, pair[1], bits * link.rx_energy_j_per_bit)
        latency += bits / link.bandwidth_bit_per_s + link.delay_s
    return Way(
        route[-1],
        share,
        route if len(route) > 1 else (),
        energy * instance.energy_weights(app)[block - 1],
        latency * instance.latency_weights(app)[block - 1],
    )


def _weighed(instance: Instance, name: str, joules: float, busy_s: float = 0.0) -> float:
    """Return what is minimised (eq. 31) of energy spent at a node and of seconds of running there."""
    node = instance.network.node_by_name[name]
    return {
        Objective.ENERGY: joules,
        Objective.CARBON: node.carbon_g_per_j * joules,
        Objective.MONEY: node.price_per_j * joules + node.price_per_busy_s * busy_s,
    }[instance.objective]


def _undominated(ways: list[Way]) -> list[Way]:
    """Return the ways that no other one, of the same ends, matches or beats in energy and latency."""
    kept: list[Way] = []
    for way in sorted(ways, key=lambda w: (w.energy, w.latency)):
        if not kept or way.latency < kept[-1].latency:
            kept.append(way)
    return kept


Numbers = dict[str, dict[str, int]]
"""For one block, by the node that its input is at and the node that it runs at: a number of ways to do so."""


def _leaves(instance: Instance, app: Application, numbers: Iterator[Numbers]) -> int:
    """Return the deployments of one application to any exit, latency aside, and its rejection.

    Counting ends once they are more than `MAX_LEAVES`: what can still be reached only adds to them.
    """
    ends = {exit_.after_block for exit_ in instance.dnn_of(app).exits}
    rejections = int(app.rejection_penalty_w is not None)
    begun, leaves = {app.source: 1}, rejections
    for block, ways in enumerate(numbers, start=1):
        arrived: defaultdict[str, int] = defaultdict(int)
        for start, count in begun.items():
            for end, number in ways.get(start, {}).items():
                arrived[end] += count * number
        begun = arrived
        leaves += sum(begun.values()) if block in ends else 0
        if leaves > MAX_LEAVES:
            break
    return leaves


def _numbers_of_nodes(instance: Instance, app: Application, routes: list[Route]) -> Iterator[Numbers]:
    """Yield for every block 1 wherever a node can feed another."""
    names = [node.name for node in instance.network.nodes]
    pairs = {(route[0], route[-1]) for route in routes} | {(name, name) for name in names}
    for block in range(1, len(instance.dnn_of(app).blocks) + 1):
        numbers: defaultdict[str, dict[str, int]] = defaultdict(dict)
        possible = {name for name in names if app.pins.get(block, name) == name}
        possible = {name for name in possible if _stable_shares(instance, app, block, name)}
        for start, end in pairs:
            if end in possible:
                numbers[start][end] = 1
        yield numbers


def _numbers_of_ways(instance: Instance, app: Application, routes: list[Route]) -> Iterator[Numbers]:
    """Yield for every block how many ways to feed and run it there are."""
    for by_start in _ways_by_block(instance, app, routes):
        yield {start: Counter(way.node for way in ways) for start, ways in by_start.items()}


def _capacities_that_may_bind(instance: Instance) -> dict[CapacityKey, float]:
    """Return the right-hand sides of (11)–(13) that all applications together could exceed, and of (21)."""
    memory = bits = 0.0
    for app in instance.applications:
        dnns, rate = instance.dnns_of(app), app.rate_per_s or 0.0
        memory += max(sum(block.parameter_bytes for block in dnn.blocks) for dnn in dnns)
        bits += rate * max(
            sum(share * dnn.transfer_bits(i) for i, share in enumerate(dnn.survival, start=1)) for dnn in dnns
        )
    capacities: dict[CapacityKey, float] = {}
    for node in instance.network.nodes:
        if _executions_of_everything(instance, node.name) > node.parallel:
            capacities["compute", node.name] = node.parallel
        if node.reserves:
            capacities["reservation", node.name] = 1.0
        if node.memory_bytes is not None and memory > node.memory_bytes:
            capacities["memory", node.name] = node.memory_bytes
    for link in instance.network.links:
        if bits > link.bandwidth_bit_per_s:
            capacities["bandwidth", (link.source, link.target)] = link.bandwidth_bit_per_s
    return capacities


def _executions_of_everything(instance: Instance, name: str) -> float:
    """Return the executions at the same time if all blocks that can run at a node did (left side of eq. 11)."""
    total = 0.0
    for app in instance.applications:
        most = max(_executions_per_rate(instance, dnn, name) for dnn in instance.dnns_of(app))
        total += (app.rate_per_s or 0.0) * most
    return total


def _executions_per_rate(instance: Instance, dnn: DNN, name: str) -> float:
    """Return the seconds of running that one inference takes at a node where all blocks that can run there do."""
    times = (_time(instance, dnn, i, name) for i in range(1, len(dnn.blocks) + 1))
    return sum(share * time for share, time in zip(dnn.survival, times, strict=True) if time < inf)
