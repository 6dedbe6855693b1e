"""One path that overloads something, repaired: what is too much is forbidden, and the method runs again.

Methods that search one path see no capacity (eqs. 11–13). `repaired` lets them run on an instance without what is too
large by itself: a block at a node, a link for every transfer. That is a relaxation, so a bound, or a proof that there
is no path, holds. Where the answer still overloads something, what `fin_graph.paths.own_loads` calls the excess is
forbidden as well. What then comes is a heuristic's answer, and its bound is that of the first run. Each round forbids
one thing more, so the rounds end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from finbench.fin_graph.paths.infeasibility import reason_nothing_fits
from finbench.fin_graph.paths.own_loads import PATH_ROOM, Excess, OwnLoads
from finbench.models.instance import Application, Instance, Network
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import OPTIMAL_GAP, accurate_enough

Run = Callable[[Instance, float | None], Result]
"""A method that sees no capacity: it takes an instance and a time limit [s]."""


def repaired(run: Run, instance: Instance, time_limit_s: float | None) -> Result:
    """Run a method that sees no capacity until its answer keeps all capacities.

    Parameters
    ----------
    run : callable
    instance : Instance
        Of a single application; no node reserves.
    time_limit_s : float, optional
        Limit for all rounds together [s].

    Returns
    -------
    Result
        That of the first round where it fits or proves that there is no path. Else `feasible` with its bound, or
        `no-solution`; `info["repairs"]` counts the rounds.
    """
    clock, app = Clock(time_limit_s), instance.applications[0]
    results = [_Repair(run, instance, choice, clock).result() for choice in app.choices]
    return results[0] if len(results) == 1 else _best_of(results)


def _best_of(results: list[Result]) -> Result:
    """Return the best of what was found for each alternative, with a bound for all of them."""
    open_ones = [one for one in results if one.status is not Status.INFEASIBLE]
    if not open_ones:
        return results[0]
    bounds = [one.lower_bound for one in open_ones if one.lower_bound is not None]
    bound = min(bounds) if len(bounds) == len(open_ones) else None
    found = [one for one in open_ones if one.claimed_objective is not None]
    stopped = next((one for one in open_ones if one.status in (Status.TIME_LIMIT, Status.MEMORY_LIMIT)), None)
    best = min(found, key=lambda one: one.claimed_objective or 0.0) if found else stopped or open_ones[0]
    objective, status = best.claimed_objective, best.status
    if objective is not None:
        status = Status.FEASIBLE if stopped is None else stopped.status
        if bound is not None and objective - bound <= OPTIMAL_GAP * abs(bound):
            status = Status.OPTIMAL
    return replace(best, status=status, lower_bound=bound)


class _Repair:
    """The rounds of one run, and what they have forbidden so far."""

    def __init__(self, run: Run, instance: Instance, choice: Application, clock: Clock) -> None:
        self._run, self._instance, self._clock = run, instance, clock
        self._app = choice
        self._loads = OwnLoads.of(instance, self._app)
        self._forbidden = self._loads.too_large()
        least = self._loads.load_bits.min(initial=np.inf)
        self._closed = set(np.flatnonzero(least > PATH_ROOM * self._loads.bandwidth).tolist())
        self._times: dict[str, float] = {}

    def result(self) -> Result:
        """Run, forbid and run again; return the last round's result as it counts for the whole instance."""
        first: Result | None = None
        repairs = 0
        while True:
            narrowed = self._narrowed()
            if narrowed is None:
                return self._nothing(first, repairs)
            last = self._run(narrowed, self._clock.remaining_s)
            first = first or last
            for phase, spent in last.times_s.items():
                self._times[phase] = self._times.get(phase, 0.0) + spent
            if last.deployment is None:
                return self._nothing_in(last, first, repairs)
            excess = self._loads.excess(last.deployment.deployments[0])
            if excess is None:
                return self._fitting(last, first, repairs)
            if self._clock.expired:
                reason = "time ended the repair of a path that overloads a node or link"
                return replace(self._nothing(first, repairs), status=Status.TIME_LIMIT, reason=reason)
            if excess.link is None and self._forbidden[excess.block, excess.node]:
                return self._nothing(first, repairs)
            self._forbid(excess)
            repairs += 1

    def _forbid(self, excess: Excess) -> None:
        if excess.link is None:
            self._forbidden[excess.block, excess.node] = True
        else:
            self._closed.add(excess.link)

    def _narrowed(self) -> Instance | None:
        """Return the instance without what is forbidden; None where a block is left without any node."""
        allowed = self._allowed()
        if allowed is None:
            return None
        network, number = self._instance.network, self._loads.link_number
        place = {name: n for n, name in enumerate(self._loads.names)}
        links = tuple(
            link for link in network.links if number[place[link.source], place[link.target]] not in self._closed
        )
        nodes = tuple(node.model_copy(update={"tier": ""}) for node in network.nodes)  # a tier may bear a node's name
        data = {field: getattr(self._instance, field) for field in type(self._instance).model_fields}
        app = {field: getattr(self._app, field) for field in type(self._app).model_fields}
        data["network"] = Network(name=network.name, provenance=network.provenance, nodes=nodes, links=links)
        app |= {"dnn": None, "dnns": (self._app.dnn,)} if self._app.dnns else {}
        app = {field: value for field, value in app.items() if field != "dnns" or value}
        data["applications"] = (Application(**{**app, "allowed": allowed}),)
        return Instance(**data)

    def _allowed(self) -> dict[str, tuple[str, ...]] | None:
        """Return the nodes where each block may run; None where a block that is needed has none, or not its pin."""
        app, nodes = self._app, self._instance.network.nodes
        allowed: dict[str, tuple[str, ...]] = {}
        for j in range(self._forbidden.shape[0]):
            names = tuple(
                node.name
                for node, no in zip(nodes, self._forbidden[j], strict=True)
                if not no and app.permits(j + 1, node)
            )
            if app.pins.get(j + 1, next(iter(names), None)) in names:
                allowed[str(j + 1)] = names
            elif j < self._depth:
                return None
        return allowed

    @property
    def _depth(self) -> int:
        """Blocks up to the earliest exit that is accurate enough; 0 where none is."""
        exits = self._instance.dnn_of(self._app).exits
        return next((e.after_block for e in exits if accurate_enough(e.accuracy, self._app.min_accuracy)), 0)

    def _fitting(self, last: Result, first: Result, repairs: int) -> Result:
        if not repairs:
            return last
        bound, status = first.lower_bound, last.status
        if bound is not None and last.claimed_objective is not None:
            bound = min(bound, last.claimed_objective)
            closed = last.claimed_objective - bound <= OPTIMAL_GAP * abs(bound)
            status = Status.OPTIMAL if closed else Status.FEASIBLE if status is Status.OPTIMAL else status
        elif status is Status.OPTIMAL:
            status = Status.FEASIBLE
        return replace(
            last, status=status, lower_bound=bound, times_s=self._times, info={**last.info, "repairs": repairs}
        )

    def _nothing_in(self, last: Result, first: Result, repairs: int) -> Result:
        """Return the result where a round has no deployment: a proof only in the first."""
        if repairs == 0 and last.status is Status.INFEASIBLE:
            return replace(last, reason=reason_nothing_fits(self._instance, self._instance.applications[0]))
        if repairs == 0 or last.status not in (Status.INFEASIBLE, Status.NO_SOLUTION):
            return last if repairs == 0 else replace(last, lower_bound=first.lower_bound, times_s=self._times)
        return self._nothing(first, repairs)

    def _nothing(self, first: Result | None, repairs: int) -> Result:
        if first is None:
            return Result(Status.INFEASIBLE, reason=reason_nothing_fits(self._instance, self._instance.applications[0]))
        reason = f"after {repairs} repairs no path is left that fits the capacities"
        return Result(
            Status.NO_SOLUTION,
            lower_bound=first.lower_bound,
            reason=reason,
            times_s=self._times,
            info={"repairs": repairs},
        )
