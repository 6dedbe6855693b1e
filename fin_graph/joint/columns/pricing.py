"""Pricing: the cheapest way to serve one member of a group at given prices, and a proven bound on its cost.

At prices π a path of the group's layered graph costs λ·energy + Σ_r π_r u_r; the cheapest that meets the latency target
is wanted. Three depths, each dearer than the one before:

- `Pricer.price`: the Lagrangian dual in the latency row (eq. 19), begun where it ended at the last prices. Its value
  bounds the cost from below, and the cheapest feasible path it meets is mostly the cheapest there is.
- `Pricer.exact`: label setting between the two.
- `Pricer.within`: every path below a limit that another solution could need (`listing`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.columns.listing import demands_of, paths_below
from finbench.fin_graph.joint.system import Group, SharedSystem, Usage
from finbench.fin_graph.paths.arrays import Floats, Ints, PathProblem
from finbench.fin_graph.paths.bounds import lagrangian_dual, meets
from finbench.fin_graph.paths.dual_path import dual_from
from finbench.fin_graph.paths.label_search import LabelSearch, out_links
from finbench.fin_graph.paths.loading import load_compiled, smallest
from finbench.fin_graph.paths.shortest import least_latency_path
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE, OPTIMAL_GAP

MOST_PARTS = 24
"""Parts that a group's paths are split into at most."""


class Priced(NamedTuple):
    """What is known of a group's cheapest member at the prices asked for."""

    bound: float
    """Proven lower bound on its cost; inf where nothing serves it."""
    usage: Usage | None
    """The cheapest way to serve it that was found."""
    cost: float
    """What that costs; inf where there is none."""


@dataclass
class _SomePaths:
    """Some of the paths of one alternative of a group, and where their last pricing ended."""

    choice: Group
    """The alternative."""
    forbidden: NDArray[np.bool_]
    """Where blocks of these paths must not run; shape (depth, V)."""
    layers: Ints
    nodes: Ints
    """A path that meets the latency target."""
    multiplier: float = 0.0

    def of(self, problem: PathProblem) -> PathProblem:
        """Return the problem over these paths alone."""
        edges = problem.edges
        return replace(problem, edges=edges._replace(run_energy=np.where(self.forbidden, inf, edges.run_energy)))


class Pricer:
    """The cheapest way to serve each group of a system at prices, found from where the last search ended.

    A path whose blocks fit on a node one by one but not together serves nobody. Where one is found the cheapest, the
    group's paths are split: on that node at least one of these blocks takes less, and each part forbids one of them to
    take as much or more. The parts stay, for all prices. (Of links, where that rarely matters, such paths are kept.)
    The paths of a group's alternatives (eq. 29) are parts of their own from the beginning.

    Parameters
    ----------
    system : SharedSystem
    room : ndarray, shape (R,), optional
        What one member must fit into; left out: anything goes.
    """

    def __init__(self, system: SharedSystem, room: Floats | None = None) -> None:
        self._groups, self._room = system.groups, room
        self._nodes = len(system.topology.network.nodes)
        self._usages: dict[Group, dict[bytes, Usage]] = {choice: {} for one in self._groups for choice in one.choices}
        self._parts = [self._whole(g) for g in range(len(self._groups))]

    def servable(self, g: int) -> bool:
        """Return whether any path may be left that serves a member of group g, were it alone."""
        return bool(self._parts[g])

    def price(self, g: int, prices: Floats, *, with_power: bool = True) -> Priced:
        """Return the Lagrangian dual of group g at `prices` (shape (R,)); `with_power` as in `Group.problem`."""
        if not self._parts[g]:
            return Priced(inf, None, inf)
        problems = {
            choice: _problem(choice, prices, with_power) for choice in {part.choice: None for part in self._parts[g]}
        }
        found = [(self._priced(problems[part.choice], part), part) for part in self._parts[g]]
        while found:
            best, part = min(found, key=lambda one: one[0].cost)
            overfull = self._overfull(best.usage)
            if overfull is None or len(self._parts[g]) > MOST_PARTS:
                return best._replace(bound=min(priced.bound for priced, _ in found))
            found = [one for one in found if one[1] is not part]
            children = self._split(part, overfull)
            found += [(self._priced(problems[child.choice], child), child) for child in children]
            self._parts[g] = [part for _, part in found]
        return Priced(inf, None, inf)

    def _priced(self, problem: PathProblem, part: _SomePaths) -> Priced:
        bound, part.multiplier, energy, part.layers, part.nodes = dual_from(
            part.of(problem).edges,
            problem.source,
            problem.max_latency_s * (1 + FLOAT_NOISE),
            part.multiplier,
            part.layers,
            part.nodes,
        )
        return Priced(bound, self._usage(part.choice, part.layers, part.nodes), energy)

    def _overfull(self, usage: Usage | None) -> int | None:
        """Return the first resource of a node that a usage alone overloads; None where it overloads none."""
        if usage is None or self._room is None:
            return None
        over = usage.resources[usage.fractions > self._room[usage.resources] + FLOAT_NOISE]
        return int(over[0]) if len(over) and over[0] < 2 * self._nodes else None

    def _split(self, part: _SomePaths, resource: int) -> list[_SomePaths]:
        """Return parts that together hold all paths of `part` that fit, without the one that does not."""
        taken, parts = part.choice.taken(resource), list[_SomePaths]()
        problem = _problem(part.choice, None, True)
        runs = part.layers[1:] > part.layers[:-1]
        for j, m in zip(part.layers[:-1][runs], part.nodes[1:][runs], strict=True):
            if taken[j, m] > 0:
                forbidden = part.forbidden.copy()
                forbidden[j] |= taken[j] >= taken[j, m]
                child = _SomePaths(part.choice, forbidden, part.layers, part.nodes)
                path = least_latency_path(child.of(problem))
                if path is not None and meets(path.latency, problem.max_latency_s):
                    child.layers, child.nodes = np.array(path.layers, np.int32), np.array(path.nodes, np.int32)
                    parts.append(child)
        return parts

    def exact(self, g: int, prices: Floats, clock: Clock, *, below: float = inf, with_power: bool = True) -> Priced:
        """Return the cheapest way to serve a member of group g, or the proof (`bound`) that none costs below `below`.

        Where the clock ends the search, `bound` is what was proven until then.
        """
        found = [self._exact(part, _problem(part.choice, prices, with_power), clock, below) for part in self._parts[g]]
        best = min(found, key=lambda priced: priced.cost)
        return best._replace(bound=min(priced.bound for priced in found))

    def _exact(self, part: _SomePaths, whole: PathProblem, clock: Clock, below: float) -> Priced:
        problem, choice = part.of(whole), part.choice
        dual = lagrangian_dual(problem)
        assert dual.incumbent is not None
        best = dual.incumbent
        proven = dual.lower_bound
        known = Priced(proven, self._usage_of(choice, best.layers, best.nodes), best.energy)
        limit = min(best.energy, below)
        if limit - proven <= OPTIMAL_GAP * abs(limit):
            return known
        search = LabelSearch(problem, dual, limit=limit, clock=clock, complete=True)
        search.run()
        bound = max(proven, search.lower_bound())
        for energy, layers, nodes in search.paths():
            return Priced(min(bound, energy), self._usage_of(choice, layers, nodes), energy)
        return known._replace(bound=bound)

    def within(
        self, g: int, prices: Floats, limit: float, rows: Ints, *, with_power: bool = True
    ) -> list[Usage] | None:
        """Return every way to serve a member of group g for less than `limit` that no other one replaces (`listing`).

        None where they are too many.
        """
        # What `Usage.fits` accepts is listed.
        whole, listed = inf if self._room is None else float(self._room.max()) + FLOAT_NOISE, list[Usage]()
        for choice in {part.choice: None for part in self._parts[g]}:
            problem, plain = _problem(choice, prices, with_power), _problem(choice, None, with_power)
            demands = demands_of(choice, rows)
            found = paths_below(problem, plain, lagrangian_dual(problem), demands, out_links(problem), limit, whole)
            if found is None:
                return None
            listed += [self._usage_of(choice, layers, nodes) for layers, nodes in found]
        return listed

    def _whole(self, g: int) -> list[_SomePaths]:
        whole = []
        for choice in self._groups[g].choices:
            problem = choice.problem()
            path = None if problem is None else least_latency_path(problem)
            if problem is not None and path is not None and meets(path.latency, problem.max_latency_s):
                forbidden = np.zeros(problem.edges.run_energy.shape, np.bool_)
                layers, nodes = np.array(path.layers, np.int32), np.array(path.nodes, np.int32)
                whole.append(_SomePaths(choice, forbidden, layers, nodes))
        return whole

    def _usage(self, choice: Group, layers: Ints, nodes: Ints) -> Usage:
        key, known = layers.tobytes() + nodes.tobytes(), self._usages[choice]
        if key not in known:
            known[key] = choice.usage(layers.tolist(), nodes.tolist())
        return known[key]

    def _usage_of(
        self, choice: Group, layers: list[int] | tuple[int, ...], nodes: list[int] | tuple[int, ...]
    ) -> Usage:
        return self._usage(choice, np.array(layers, np.int32), np.array(nodes, np.int32))


def _problem(choice: Group, prices: Floats | None, with_power: bool) -> PathProblem:
    problem = choice.problem(prices, with_power=with_power)
    assert problem is not None
    return problem


@cache
def load_pricing() -> None:
    """Run the compiled searches once on the smallest problem (`load_compiled` says why)."""
    load_compiled()
    system = SharedSystem.of(smallest())
    prices = np.zeros(system.resources)
    pricer = Pricer(system)
    pricer.price(0, prices)
    pricer.within(0, prices, 0.0, np.zeros(0, np.int32))
