"""Baseline: the whole DNN at one node, pinned blocks at their pins.

Of alternatives (eq. 29) each is tried whose blocks alone cost less than what was found.

By the prefix lemma (costs are not negative, and a deployment up to exit f is the beginning of one up to a later exit)
the earliest accurate exit dominates every later one in energy and latency, so only that one is tried. For each node
there are two candidates: every transfer takes its least-energy route, or its least-latency route.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import count, pairwise
from math import inf

import networkx as nx

from finbench.fin_graph.options import SingleNodeOptions
from finbench.fin_graph.paths.support import may_bind, reason_to_share
from finbench.fin_graph.stages.extended import LOOK_EVERY, accepted_exits, cheapest_first, run_costs, send_cost
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Application, Instance
from finbench.models.result import Clock, OutOfTime, Result, Status
from finbench.models.tolerances import relaxed

ENERGY, LATENCY = 0, 1
"""Positions in the costs that `run_costs` and `send_cost` give."""


def supports(instance: Instance, options: SingleNodeOptions = SingleNodeOptions()) -> str | None:  # noqa: ARG001
    """Return why the method cannot take `instance`; None where it can."""
    return reason_to_share(instance)


def solve(
    instance: Instance,
    options: SingleNodeOptions = SingleNodeOptions(),
    *,
    time_limit_s: float | None = None,
    seed: int = 0,  # noqa: ARG001
) -> Result:
    """Find the least-energy candidate with all free blocks at one node.

    Parameters
    ----------
    instance : Instance
        One that `supports` takes.
    options : SingleNodeOptions
    time_limit_s : float, optional
        Looked at between two nodes and while routes are sought [s].
    seed : int
        Of no effect: nothing is drawn.

    Returns
    -------
    Result
        `feasible`, `no-solution`, `infeasible` where no exit is accurate enough, or `time-limit` with the best so far.
        Where capacities may bind, what `fin_graph.repair` makes of it.
    """
    run = partial(_alone, options=options)
    if not may_bind(instance):
        return run(instance, time_limit_s)
    from finbench.fin_graph.repair import repaired  # loads the compiler, which nothing else needs here

    return repaired(run, instance, time_limit_s)


def _alone(instance: Instance, time_limit_s: float | None, options: SingleNodeOptions) -> Result:
    """Find the candidate, whatever the capacities."""
    app, clock = instance.applications[0], Clock(time_limit_s)
    if not any(accepted_exits(instance, choice) for choice in app.choices):
        return Result(Status.INFEASIBLE, reason="no exit is accurate enough")
    names = [app.source] if options.node == "source" else [one.name for one in instance.network.nodes]
    found: list[_Candidate] = []
    with clock.phase("search"), suppress(OutOfTime):
        for least, choice in cheapest_first(instance, app):
            if least >= min((one.energy_j for one in found), default=inf):
                break
            candidates = _Candidates(instance, choice, min(accepted_exits(instance, choice)), clock)
            for name in names:
                clock.check()
                candidate = candidates.at(name)
                if candidate is not None:
                    found.append(candidate)
    ended = Status.TIME_LIMIT if clock.expired else None
    if not found:
        reason = "no single node meets the targets" if ended is None else "no node was found in time"
        return Result(ended or Status.NO_SOLUTION, reason=reason, times_s=clock.times_s)
    best = min(found, key=lambda candidate: candidate.energy_j)
    return Result(
        ended or Status.FEASIBLE,
        Deployment(deployments=(best.decision,)),
        claimed_objective=app.weight * best.energy_j,
        times_s=clock.times_s,
    )


@dataclass(frozen=True)
class _Candidate:
    """A deployment that keeps the latency target, and its energy per inference [J]."""

    decision: ApplicationDeployment
    energy_j: float


class _Candidates:
    """Deployments up to one exit, all free blocks at one node."""

    def __init__(self, instance: Instance, app: Application, last_exit: int, clock: Clock) -> None:
        self._instance, self._app, self._last_exit, self._clock = instance, app, last_exit, clock
        self._depth = instance.dnn_of(app).exits[last_exit - 1].after_block
        self._runs = [run_costs(instance, app, i) for i in range(1, self._depth + 1)]
        self._links: nx.DiGraph[str] = nx.DiGraph(instance.network.link_by_pair.keys())
        self._links.add_nodes_from(instance.network.node_by_name)
        self._routes = cache(self._find_routes)

    def at(self, name: str) -> _Candidate | None:
        """Return everything at node `name`, on least-energy routes or, if those miss the target, least-latency ones."""
        for metric in (ENERGY, LATENCY):
            decision = self._decision(name, metric)
            if decision is None:
                return None
            energy, latency = self._costs(decision)
            if latency <= relaxed(self._app.max_latency_s):
                return _Candidate(decision, energy)
        return None

    def _decision(self, name: str, metric: int) -> ApplicationDeployment | None:
        """Return everything at `name`, each transfer on its route of least `metric`; None where that cannot be."""
        placement = tuple(self._app.pins.get(i, name) for i in range(1, self._depth + 1))
        if any(at not in run for at, run in zip(placement, self._runs, strict=True)):
            return None
        routes = []
        for i, (start, end) in enumerate(pairwise((self._app.source, *placement)), start=1):
            route = [] if start == end else self._route(i, start, end, metric)
            if route is None:
                return None
            routes.append(tuple(route))
        return ApplicationDeployment(
            application=self._app.name,
            dnn=self._app.named_dnn,
            last_exit=self._last_exit,
            placement=placement,
            routes=tuple(routes),
        )

    def _route(self, i: int, start: str, end: str, metric: int) -> list[str] | None:
        """Return the nodes that the transfer into block i visits; None where no route exists.

        One of its ends is the same whichever node is tried (the source or a pin), so one search serves all nodes.
        """
        if i == 1 or i - 1 in self._app.pins:
            return self._routes(i, start, metric, against=False).get(end)
        found = self._routes(i, end, metric, against=True).get(start)
        return None if found is None else found[::-1]

    def _find_routes(self, i: int, fixed: str, metric: int, *, against: bool) -> dict[str, list[str]]:
        """Find the route of least `metric` between the fixed end of the transfer into block i and every node.

        With `against`, data flows to the fixed end; every route still lists it first.
        """
        links, calls = self._instance.network.link_by_pair, count()

        def weight(a: str, b: str, _: object) -> float:
            if next(calls) % LOOK_EVERY == 0:
                self._clock.check()
            return send_cost(self._instance, self._app, i, links[(b, a) if against else (a, b)])[metric]

        graph = self._links.reverse(copy=False) if against else self._links
        return nx.single_source_dijkstra_path(graph, fixed, weight=weight)

    def _costs(self, decision: ApplicationDeployment) -> tuple[float, float]:
        """Return energy [J] (eq. 1) and latency [s] (eq. 2) of a deployment."""
        links, parts = self._instance.network.link_by_pair, []
        for i, (name, route) in enumerate(
            zip(decision.placement, decision.routes_from(self._app.source), strict=True), start=1
        ):
            parts.append(self._runs[i - 1][name])
            parts += [send_cost(self._instance, self._app, i, links[pair]) for pair in pairwise(route)]
        return sum(part[ENERGY] for part in parts), sum(part[LATENCY] for part in parts)
