"""Pricing: the cheapest way to serve one member of a group at given prices, and a proven bound on its cost.

At prices π a path of the group's layered graph costs λ·energy + Σ_r π_r u_r; the cheapest that meets the latency target
is wanted. Three depths, each dearer than the one before:

- `Pricer.price`: the Lagrangian dual in the latency row (eq. 19), begun where it ended at the last prices. Its value
  bounds the cost from below, and the cheapest feasible path it meets is mostly the cheapest there is.
- `Pricer.exact`: label setting between the two.
- `Pricer.within`: every path below a limit that another solution could need (`listing`).
"""

from __future__ import annotations

from functools import cache
from math import inf
from typing import NamedTuple

import numpy as np

from fin_graph.arrays import Edges, Floats, Ints, PathProblem
from fin_graph.bounds import LATENCY_NOISE, OPTIMAL_GAP, lagrangian_dual, meets
from fin_graph.compiled import compiled
from fin_graph.joint.listing import demands_of, paths_below
from fin_graph.joint.system import System, Usage
from fin_graph.label_search import LabelSearch, out_links
from fin_graph.loading import load_compiled, smallest
from fin_graph.shortest import costs_along, costs_to_go, follow, least_latency_path
from models.result import Clock

_CONVERGED = 1e-12
_MAX_STEPS = 60


class Priced(NamedTuple):
    """What is known of a group's cheapest member at the prices asked for."""

    bound: float
    """Proven lower bound on its cost; inf where nothing serves it."""
    usage: Usage | None
    """The cheapest way to serve it that was found."""
    cost: float
    """What that costs; inf where there is none."""


class Pricer:
    """Prices the groups of a system; remembers of each its last multiplier, last path and every usage met.

    Parameters
    ----------
    system : System
    """

    def __init__(self, system: System) -> None:
        self._groups = system.groups
        self._multipliers = [0.0] * len(self._groups)
        self._usages: list[dict[bytes, Usage]] = [{} for _ in self._groups]
        self._paths = [self._quickest(g) for g in range(len(self._groups))]

    def servable(self, g: int) -> bool:
        """Whether any path serves a member of group g, were it alone."""
        return self._paths[g] is not None

    def price(self, g: int, prices: Floats, *, with_power: bool = True) -> Priced:
        """The Lagrangian dual of group g at `prices` (shape (R,)); `with_power` as in `Group.problem`."""
        known = self._paths[g]
        if known is None:
            return Priced(inf, None, inf)
        problem = self._problem(g, prices, with_power)
        bound, self._multipliers[g], energy, layers, nodes = _dual_from(
            problem.edges, problem.source, problem.max_latency_s * (1 + LATENCY_NOISE), self._multipliers[g], *known
        )
        self._paths[g] = layers, nodes
        return Priced(bound, self._usage(g, layers, nodes), energy)

    def exact(
        self, g: int, prices: Floats, clock: Clock, *, below: float = inf, room: Floats | None = None, power: bool = True
    ) -> Priced:
        """The cheapest member of group g, or the proof (`bound`) that none costs less than `below`.

        Where the clock ends the search, `bound` is what was proven until then.
        """
        problem = self._groups[g].problem(prices, room, with_power=power)
        dual = None if problem is None else lagrangian_dual(problem)
        if problem is None or dual is None or dual.incumbent is None:
            return Priced(inf, None, inf)
        best = dual.incumbent
        known = Priced(dual.lower_bound, self._usage_of(g, best.layers, best.nodes), best.energy)
        limit = min(best.energy, below)
        if limit - dual.lower_bound <= OPTIMAL_GAP * abs(limit):
            return known
        search = LabelSearch(problem, dual, limit=limit, clock=clock, complete=True)
        search.run()
        bound = max(dual.lower_bound, search.lower_bound())
        for energy, layers, nodes in search.paths():
            return Priced(min(bound, energy), self._usage_of(g, layers, nodes), energy)
        return known._replace(bound=bound)

    def within(self, g: int, prices: Floats, limit: float, rows: Ints) -> list[Usage] | None:
        """Every way to serve a member of group g for less than `limit` that no other one replaces (`listing`).

        None where they are too many.
        """
        problem, plain = self._problem(g, prices, True), self._groups[g].problem()
        assert plain is not None
        demands = demands_of(self._groups[g], rows)
        found = paths_below(problem, plain, lagrangian_dual(problem), demands, out_links(problem), limit)
        return None if found is None else [self._usage_of(g, layers, nodes) for layers, nodes in found]

    def _problem(self, g: int, prices: Floats, with_power: bool) -> PathProblem:
        problem = self._groups[g].problem(prices, with_power=with_power)
        assert problem is not None
        return problem

    def _quickest(self, g: int) -> tuple[Ints, Ints] | None:
        problem = self._groups[g].problem()
        path = None if problem is None else least_latency_path(problem)
        if problem is None or path is None or not meets(path.latency, problem.max_latency_s):
            return None
        return np.array(path.layers, np.int32), np.array(path.nodes, np.int32)

    def _usage(self, g: int, layers: Ints, nodes: Ints) -> Usage:
        key = layers.tobytes() + nodes.tobytes()
        if key not in self._usages[g]:
            self._usages[g][key] = self._groups[g].usage(layers.tolist(), nodes.tolist())
        return self._usages[g][key]

    def _usage_of(self, g: int, layers: list[int] | tuple[int, ...], nodes: list[int] | tuple[int, ...]) -> Usage:
        return self._usage(g, np.array(layers, np.int32), np.array(nodes, np.int32))


@compiled
def _dual_from(
    edges: Edges, source: int, max_latency: float, multiplier: float, layers: Ints, nodes: Ints
) -> tuple[float, float, float, Ints, Ints]:
    """Lagrangian dual in the latency row by LARAC's secant steps, from a feasible path and a likely multiplier.

    Returns
    -------
    bound, multiplier, energy : float
        Value of the dual, where it is attained, and the energy of the cheapest feasible path met.
    layers, nodes : ndarray
        That path.
    """
    quick_energy, quick_latency = costs_along(edges, layers, nodes)
    least = quick_energy
    way, via = _traced(edges, costs_to_go(edges, 1.0, 0.0).next_link, source)
    cheap_energy, cheap_latency = costs_along(edges, way, via)
    if cheap_latency <= max_latency:
        return cheap_energy, 0.0, cheap_energy, way, via
    bound, attained = cheap_energy, 0.0
    for step in range(_MAX_STEPS):
        guessed = step == 0 and multiplier > 0
        mu = multiplier if guessed else max(0.0, (quick_energy - cheap_energy) / (cheap_latency - quick_latency))
        to_go = costs_to_go(edges, 1.0, mu)
        value = to_go.cost[0, source]
        if value - mu * max_latency > bound:
            bound, attained = value - mu * max_latency, mu
        if not guessed and value >= (cheap_energy + mu * cheap_latency) * (1 - _CONVERGED):
            break
        way, via = _traced(edges, to_go.next_link, source)
        energy, latency = costs_along(edges, way, via)
        if latency > max_latency:
            cheap_energy, cheap_latency = energy, latency
            continue
        quick_energy, quick_latency = energy, latency
        if energy < least:
            least, layers, nodes = energy, way, via
    return min(bound, least), attained, least, layers, nodes


@compiled
def _traced(edges: Edges, next_link: Ints, source: int) -> tuple[Ints, Ints]:
    """Layers and nodes of the path that `next_link` describes from the source to the end."""
    layers, nodes = follow(edges, next_link, 0, source)
    way, via = np.empty(len(layers), np.int32), np.empty(len(layers), np.int32)
    for k in range(len(layers)):
        way[k] = layers[k]
        via[k] = nodes[k]
    return way, via


@cache
def load_pricing() -> None:
    """Run the compiled searches once on the smallest problem (`load_compiled` says why)."""
    load_compiled()
    system = System.of(smallest())
    prices = np.zeros(system.resources)
    pricer = Pricer(system)
    pricer.price(0, prices)
    pricer.within(0, prices, 0.0, np.zeros(0, np.int32))
