"""Sound reductions of the flow formulation: what no optimal deployment uses is never built.

Costs and loads are non-negative and a deployment up to exit f is a prefix of one up to a later exit. So the earliest
accurate-enough exit dominates every later one in latency, energy and capacity rows, and is the only one kept; this
holds for each application on its own, whatever the others do. To reject an application loads nothing: where that is
cheaper than its least energy alone, no deployment of it is kept.

For the depth L of that exit, three sums are bounded over all paths of the layered graph through a vertex (block i has
run at n) or an arc (output i is sent over (n, m)): with F the least sum from the source and G the least sum to the end,

    F + w + G > budget   ⇒   the vertex or arc is dropped

where w is the arc's own cost, for

- latency against δ;
- energy against U, where a feasible warm start of energy U is given;
- the Lagrangian combination energy + μ·latency against U + μδ (reduced-cost fixing), at the μ ≥ 0 that maximises the
  dual bound θ(μ) = min (energy + μ·latency) − μδ over all paths.

An alternative (eq. 29) of which nothing is left is not among those that can be chosen.

With several applications U is what the warm start leaves to one when every other costs the least it can, its energy or
its penalty. At a node that reserves, F and G run over the best of its sites.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from finbench.models.programs.costs import Costs, Floats, Ints, Mask, by_application
from finbench.models.programs.steps import Steps, cost_of, decided
from finbench.models.tolerances import FLOAT_NOISE, SUM_NOISE


@dataclass(frozen=True)
class Kept:
    """Variables of one application that the program has."""

    exits: tuple[int, ...]
    """1-based exits f that may be the last; none where the application can only be rejected."""
    run: Mask
    """(L, P) whether block i = row + 1 may run at a site."""
    send: Mask
    """(L, A) whether output i = row may take a link."""


def everything(costs: Costs) -> Kept:
    """Return the plain formulation: every variable but of blocks where they cannot run and of shares too small (22)."""
    exits = tuple(range(1, len(costs.after_block) + 1))
    return Kept(exits, costs.may_run.copy(), np.ones_like(costs.send_energy, dtype=np.bool_))


def nothing(costs: Costs) -> Kept:
    """Return no variable but that of the rejection."""
    return Kept((), np.zeros_like(costs.may_run[:0]), np.zeros_like(costs.send_energy[:0], dtype=np.bool_))


def earliest_accurate_exit(costs: Costs) -> int | None:
    """Return the 1-based index of the first exit with α_f ≥ α (eq. 9); None if there is none."""
    enough = np.flatnonzero(costs.accurate)
    return int(enough[0]) + 1 if enough.size else None


def improved(costs: Costs, steps: Steps | None) -> Steps | None:
    """Return a feasible deployment up to the earliest accurate exit, or rejection where that is cheaper."""
    last_exit = earliest_accurate_exit(costs)
    if steps is None or last_exit is None:
        return None
    prefix = steps.up_to(last_exit, int(costs.after_block[last_exit - 1]))
    return None if costs.penalty < cost_of(costs, prefix) else prefix


def worth_serving(costs: Costs) -> Kept | None:
    """Return what `within_latency` keeps, or nothing where the application may, and then will, be rejected.

    Returns
    -------
    Kept or None
        None where the application must be served and has no feasible deployment.
    """
    kept = within_latency(costs)
    if np.isinf(costs.penalty):
        return kept
    return nothing(costs) if kept is None or costs.penalty < costs.weight * least_energy(costs, kept) else kept


def all_worth(all_costs: Sequence[Costs], keep: Callable[[Costs], Kept | None]) -> list[Kept] | None:
    """Return what `keep` keeps of all applications; of an alternative that cannot be, nothing.

    Returns
    -------
    list of Kept, or None
        None where `keep` says so of all alternatives of an application.
    """
    parts = [keep(costs) for costs in all_costs]
    if any(all(parts[v] is None for v in positions) for positions in by_application(all_costs)):
        return None
    return [nothing(costs) if part is None else part for costs, part in zip(all_costs, parts, strict=True)]


def within_latency(costs: Costs) -> Kept | None:
    """Keep the earliest accurate exit, the pins, and what lies on a path of latency at most δ.

    Returns
    -------
    Kept or None
        None where nothing is left: the application has no feasible deployment.
    """
    last_exit = earliest_accurate_exit(costs)
    if last_exit is None:
        return None
    depth = int(costs.after_block[last_exit - 1])
    full = everything(costs)
    kept = Kept((last_exit,), full.run[:depth], full.send[:depth])
    for block, node in costs.pins.items():
        kept.run[block - 1 : min(block, depth), costs.network.site_node != node] = False
    kept = _drop(costs, kept, costs.run_latency, costs.send_latency, costs.max_latency)
    return kept if kept.run[0].any() else None


def within_energy(all_costs: list[Costs], all_kept: list[Kept], incumbent: Sequence[Steps | None]) -> list[Kept]:
    """Keep what a deployment as good as the feasible `incumbent`, or better, may use; the incumbent's own stays.

    An application may cost what it costs in the incumbent, and what the others could save there: no difference of large
    sums, which would leave nothing of an application beside one of a far greater power.
    """
    own = [cost_of(costs, steps) for costs, steps in decided(all_costs, incumbent)]
    least = least_costs(all_costs, all_kept)
    savings = [max(0.0, cost - low) + SUM_NOISE * cost for cost, low in zip(own, least, strict=True)]
    found = []
    for h, positions in enumerate(by_application(all_costs)):
        most = own[h] + sum(savings[:h]) + sum(savings[h + 1 :])
        parts = [
            (all_costs[v], _within_energy(all_costs[v], all_kept[v], most / all_costs[v].weight)) for v in positions
        ]
        several = len(positions) > 1
        found += [nothing(costs) if several and not kept.run.any() else kept for costs, kept in parts]
    return found


def _within_energy(costs: Costs, kept: Kept, energy: float) -> Kept:
    kept = _drop(costs, kept, costs.run_energy, costs.send_energy, energy)
    if not kept.run.any():
        return kept
    multiplier = best_multiplier(costs, kept, energy)
    run = costs.run_energy + multiplier * costs.run_latency
    send = costs.send_energy + multiplier * costs.send_latency
    return _drop(costs, kept, run, send, energy + multiplier * costs.max_latency)


def least_costs(all_costs: Sequence[Costs], all_kept: Sequence[Kept]) -> list[float]:
    """Return the least that each application adds to the objective, whichever of its alternatives it runs."""
    least = [least_cost(costs, kept) for costs, kept in zip(all_costs, all_kept, strict=True)]
    return [min(least[v] for v in positions) for positions in by_application(all_costs)]


def least_cost(costs: Costs, kept: Kept) -> float:
    """Return the least that one application adds to the objective: min(λ · least energy of a path, ψ)."""
    return min(costs.weight * least_energy(costs, kept), costs.penalty)


def least_energy(costs: Costs, kept: Kept) -> float:
    """Return the least energy of a path to the earliest accurate exit [J], latency ignored; infinite without a path."""
    last_exit = earliest_accurate_exit(costs)
    if last_exit is None or not kept.exits:
        return np.inf
    depth = int(costs.after_block[last_exit - 1])
    prefix = Kept((last_exit,), kept.run[:depth], kept.send[:depth])
    return _least_sum(costs, prefix, costs.run_energy, costs.send_energy)


def best_multiplier(costs: Costs, kept: Kept, energy: float) -> float:
    """Return the multiplier μ [J/s] that (nearly) maximises the Lagrangian dual bound θ(μ) (eq. 19).

    θ is concave in μ and any μ ≥ 0 is sound, so a coarse search for its magnitude around `energy`/δ will do.
    """
    from scipy.optimize import minimize_scalar  # slow to import, needed with a warm start only

    budget = costs.max_latency
    if energy <= 0 or budget <= 0:
        return 0.0
    natural = np.log(energy / budget)

    def negative_dual(logarithm: float) -> float:
        mu = float(np.exp(logarithm))
        run = costs.run_energy + mu * costs.run_latency
        return mu * budget - _least_sum(costs, kept, run, costs.send_energy + mu * costs.send_latency)

    found = minimize_scalar(negative_dual, bounds=(natural - 7, natural + 7), options={"maxiter": 15})
    return float(np.exp(found.x))


def _drop(costs: Costs, kept: Kept, run: Floats, send: Floats, budget: float) -> Kept:
    """Keep the vertices and arcs with F + w + G ≤ budget; the budget is widened by float noise."""
    sums = _Sums(costs, kept, run, send)
    limit = budget * (1 + FLOAT_NOISE)
    tails, heads, node = costs.network.tails, costs.network.heads, costs.network.site_node
    vertices = sums.present[:, node] + sums.run + sums.to_end[1:, node]
    arcs = sums.present[:, tails] + sums.send + sums.to_end[:-1, heads]
    return Kept(kept.exits, vertices <= limit, arcs <= limit)


def _least_sum(costs: Costs, kept: Kept, run: Floats, send: Floats) -> float:
    return float(_Sums(costs, kept, run, send).to_end[0, costs.source])


class _Sums:
    """Least sums of one cost over the layered graph, infinite where there is no path.

    Attributes
    ----------
    from_source : (L+1, N) array
        From the source to "block i has run at n" (i = 0: the sample at its source).
    present : (L, N) array
        From the source to "output i is at n", relays included.
    to_end : (L+1, N) array
        To the end from "output i is at n".
    run : (L, P) array
        Costs of the sites, infinite where dropped.
    send : (L, A) array
        The arcs' costs, infinite where dropped.
    """

    def __init__(self, costs: Costs, kept: Kept, run: Floats, send: Floats) -> None:
        network, depth = costs.network, len(kept.run)
        nodes = len(network.nodes)
        self.run = np.where(kept.run, run[:depth], np.inf)
        self.send = np.where(kept.send, send[:depth], np.inf)
        best_site = np.minimum.reduceat(self.run, np.searchsorted(network.site_node, np.arange(nodes)), axis=1)
        onward = _Relay(network.tails, network.heads)
        backward = _Relay(network.heads, network.tails)
        self.from_source = np.full((depth + 1, nodes), np.inf)
        self.present = np.empty((depth, nodes))
        self.to_end = np.zeros((depth + 1, nodes))
        self.from_source[0, costs.source] = 0
        for i in range(depth):
            self.present[i] = onward.spread(self.from_source[i], self.send[i])
            self.from_source[i + 1] = self.present[i] + best_site[i]
        for i in reversed(range(depth)):
            self.to_end[i] = backward.spread(best_site[i] + self.to_end[i + 1], self.send[i])


class _Relay:
    """Bellman-Ford over one layer's links, all at once: sends from `origins` to `targets` until nothing improves."""

    def __init__(self, origins: Ints, targets: Ints) -> None:
        self._order = np.argsort(targets, kind="stable")
        self._origins = origins[self._order]
        self._reached, self._starts = np.unique(targets[self._order], return_index=True)

    def spread(self, at: Floats, send: Floats) -> Floats:
        """Return the least sum at every node when what costs `at` there may be sent on."""
        if not self._order.size:
            return at
        send, best = send[self._order], at.copy()
        while True:
            arriving = np.minimum.reduceat(best[self._origins] + send, self._starts)
            better = arriving < best[self._reached]
            if not better.any():
                return best
            best[self._reached[better]] = arriving[better]
