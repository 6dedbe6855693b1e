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

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile
from math import prod

import numpy as np
from numpy.typing import NDArray

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.exhaustive_capacities import CapacityKey, capacities_that_may_bind
from finbench.models.exhaustive_costs import time_of
from finbench.models.exhaustive_size import MAX_LEAVES, MAX_ROUTES, leaves_of, numbers_of_nodes, numbers_of_ways
from finbench.models.exhaustive_ways import Way, WaysByBlock, simple_routes, ways_by_block
from finbench.models.instance import Application, Instance
from finbench.models.nowhere import application_without_node
from finbench.models.options import Options
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import accurate_enough, relaxed

Floats = NDArray[np.float64]


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
    routes = list(islice(simple_routes(instance), MAX_ROUTES + 1))
    if len(routes) > MAX_ROUTES:
        return f"enumerates routes; the network has more than {MAX_ROUTES}"
    for numbers in (numbers_of_nodes, numbers_of_ways):
        leaves = [
            sum(leaves_of(instance, choice, numbers(instance, choice, routes)) for choice in app.choices)
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
        self.instance = instance
        self.clock = clock
        self.interrupted = False
        routes = list(takewhile(lambda _: not self._out_of_time(), simple_routes(instance)))
        self.ways: list[list[WaysByBlock]] = [
            [list(ways_by_block(instance, choice, routes, self._out_of_time)) for choice in app.choices]
            for app in instance.applications
        ]
        self.feasible_deployments = [0] * len(instance.applications)
        self.capacities = capacities_that_may_bind(instance)

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
            loads["compute", way.node] += rate * share * time_of(self.instance, dnn, i, way.node)
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
