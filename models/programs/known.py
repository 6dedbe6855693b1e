"""A deployment that is known without any solver: what an "infeasible", an "optimal" or a bound is held against.

Every application takes a path of its own, found by Lagrangian relaxation (eq. 19): of the paths that minimise
energy + μ·latency, for a few multipliers μ ≥ 0, the cheapest that meets the latency target. Together the paths are a
deployment where they break no capacity.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite

import numpy as np

from finbench.models.programs.costs import Capacities, Costs, Floats, Ints, by_application
from finbench.models.programs.steps import Steps, cost_of
from finbench.models.programs.strengthen import Kept, within_latency
from finbench.models.programs.warm_start import broken_constraint

MOST_MULTIPLIERS = 8
"""Multipliers tried for an application; more of them hardly ever find another path."""


def known_deployment(all_costs: list[Costs], capacities: Capacities) -> list[Steps | None] | None:
    """Return feasible decisions for all applications; None where these paths are none.

    An application is rejected where it has no such path, or costs more than its penalty.
    """
    decisions = cheapest_alternatives(all_costs, [_cheaper_of_path_and_rejection(costs) for costs in all_costs])
    return decisions if broken_constraint(all_costs, capacities, decisions) is None else None


def cheapest_alternatives(all_costs: Sequence[Costs], all_steps: Sequence[Steps | None]) -> list[Steps | None]:
    """Return the decisions with one alternative left of every application: of those that have any, the cheapest."""
    kept: list[Steps | None] = [None] * len(all_costs)
    for positions in by_application(all_costs):
        found = [(cost_of(all_costs[v], all_steps[v]), v) for v in positions if all_steps[v] is not None]
        if found:
            best = min(found)[1]
            kept[best] = all_steps[best]
    return kept


def _cheaper_of_path_and_rejection(costs: Costs) -> Steps | None:
    path = cheap_path(costs)
    return None if path is None or costs.penalty < cost_of(costs, path) else path


def cheap_path(costs: Costs) -> Steps | None:
    """Return a path of low energy that meets the latency target, capacities ignored; None where there is no path."""
    kept = within_latency(costs)
    return None if kept is None else path_among(costs, kept)


def path_among(costs: Costs, kept: Kept) -> Steps | None:
    """Return a path of low energy among what is kept that meets the latency target; None where none was found."""
    cheap = least_path(costs, kept, costs.run_energy, costs.send_energy)
    if cheap is None or cheap.latency(costs) <= costs.max_latency:
        return cheap
    fast = least_path(costs, kept, costs.run_latency, costs.send_latency)
    if fast is None or fast.latency(costs) > costs.max_latency:
        return None
    for _ in range(MOST_MULTIPLIERS):
        saved = cheap.latency(costs) - fast.latency(costs)
        multiplier = max(0.0, fast.energy(costs) - cheap.energy(costs)) / saved if saved > 0 else inf
        if not isfinite(multiplier):
            break
        run, send = (
            costs.run_energy + multiplier * costs.run_latency,
            costs.send_energy + multiplier * costs.send_latency,
        )
        between = least_path(costs, kept, run, send)
        if between is None or between in (cheap, fast):
            break
        if between.latency(costs) > costs.max_latency:
            cheap = between
        elif between.energy(costs) < fast.energy(costs):
            fast = between
        else:
            break
    return fast


def least_path(costs: Costs, kept: Kept, run: Floats, send: Floats) -> Steps | None:
    """Return a path of least cost to the end of what is kept; None where it holds none.

    Parameters
    ----------
    costs : Costs
    kept : Kept
        What the path may use.
    run : (L, P) array
        Cost of running every block at every site.
    send : (L, A) array
        Cost of sending every output over every link.
    """
    node, depth = costs.network.site_node, len(kept.run)
    at = np.full(len(costs.network.nodes), np.inf)
    at[costs.source] = 0.0
    placed, came_over = [], []
    for i in range(depth):
        at, over = _spread(costs, at, np.where(kept.send[i], send[i], np.inf))
        by_site = at[node] + np.where(kept.run[i], run[i], np.inf)
        order = np.argsort(by_site, kind="stable")[::-1]
        best = np.zeros_like(over)
        best[node[order]] = order  # of several sites at a node the cheapest is written last
        at = by_site[best]
        placed.append(best)
        came_over.append(over)
    end = int(np.argmin(at))
    return _followed_back(costs, kept.exits[0], end, placed, came_over) if isfinite(at[end]) else None


def _spread(costs: Costs, at: Floats, send: Floats) -> tuple[Floats, Ints]:
    """Return the least cost at every node when what costs `at` there may be sent on, and the last link taken, or −1."""
    tails, heads = costs.network.tails, costs.network.heads
    over = np.full(len(at), -1, dtype=np.intp)
    while True:
        arriving, best = at[tails] + send, at.copy()
        np.minimum.at(best, heads, arriving)
        better = best < at
        if not better.any():
            return at, over
        used = np.flatnonzero(better[heads] & (arriving == best[heads]))
        over[heads[used]] = used
        at = best


def _followed_back(costs: Costs, last_exit: int, end: int, placed: list[Ints], came_over: list[Ints]) -> Steps:
    """Return the path that ends at node `end`."""
    placement, routes, here = [], [], end
    for best, over in zip(reversed(placed), reversed(came_over), strict=True):
        placement.append(int(best[here]))
        route = []
        while over[here] >= 0:
            route.append(int(over[here]))
            here = int(costs.network.tails[over[here]])
        routes.append(tuple(reversed(route)))
    return Steps(last_exit, tuple(reversed(placement)), tuple(reversed(routes)))
