"""Find a path for one more application on what is left of the system: FIN's search, cut until its path fits.

The layered graph without what no longer fits (`Group.problem`) sees each block and each transfer by itself. A path may
still run several blocks on one node, or send several transfers over one link, that fit one by one and not together.
Whatever fits differs from it there: on a node n, at least one of these blocks j takes less of the resource than now. So
the search branches, and child j forbids block j at every vertex of n where it takes as much or more; the cheapest
path of all branches comes first, and the first one that fits is the cheapest that does. On a link there is one child,
which no longer lets the largest of the transfers pass. After `SEARCHES` paths it only dives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count, pairwise
from math import inf

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.fin.resolution import Resolution
from finbench.fin_graph.joint.system import Group, Usage
from finbench.fin_graph.paths.arrays import Floats, PathProblem
from finbench.fin_graph.paths.bounds import meets
from finbench.fin_graph.paths.kernel import least_energy_replica_path
from finbench.fin_graph.paths.shortest import costs_to_go, follow, latency_along, least_latency_path
from finbench.models.tolerances import FLOAT_NOISE

SEARCHES = 24
"""Paths after which the search branches no more; after twice as many it ends."""


@dataclass(frozen=True)
class LayeredPath:
    """A path that meets the latency target, and its cost."""

    cost: float
    layers: tuple[int, ...]
    nodes: tuple[int, ...]


def fin_path(problem: PathProblem, steps: Resolution) -> LayeredPath | None:
    """Return a cheap path that meets the latency target; None where, proven, no path does.

    It is the cheapest of all where that is quick enough, else FIN's over the replicas (eqs. 17, 32). Where rounding
    hides all paths that are quick enough, it is the quickest of all.
    """
    to_go = costs_to_go(problem.edges, 1.0, 0.0)
    cost = float(to_go.cost[0, problem.source])
    if cost == inf:
        return None
    if meets(latency_along(problem.edges, to_go.next_link, problem.source), problem.max_latency_s):
        layers, nodes = follow(problem.edges, to_go.next_link, 0, problem.source)
        return LayeredPath(cost, tuple(layers), tuple(nodes))
    found = least_energy_replica_path(problem, steps.gamma, how=steps.how)
    if found.layers:
        return LayeredPath(found.energy, found.layers, found.nodes)
    quickest = least_latency_path(problem)
    if quickest is None or not meets(quickest.latency, problem.max_latency_s):
        return None
    return LayeredPath(quickest.energy, quickest.layers, quickest.nodes)


def cheapest_usage(
    group: Group, room: Floats, prices: Floats | None, steps: Resolution, closed: NDArray[np.bool_] | None = None
) -> Usage | None:
    """Return a cheap way to serve one member of `group` on what is left; None where `search` finds none."""
    return search(group, room, prices, steps, closed)[0]


def search(
    group: Group, room: Floats, prices: Floats | None, steps: Resolution, closed: NDArray[np.bool_] | None = None
) -> tuple[Usage | None, bool]:
    """Return a cheap way to serve one member of `group` on what is left, and whether the search was complete.

    Parameters
    ----------
    group : Group
    room : ndarray, shape (R,)
        Fraction left of every resource.
    prices : ndarray, shape (R,), optional
        Price of taking a whole resource [W]; cost is λ · energy + Σ_r π_r u_r.
    steps : Resolution
    closed : ndarray of bool, shape (depth, V), optional
        Vertices at which a block must not run, whichever alternative it is of.

    Returns
    -------
    usage : Usage or None
        It fits into `room`; None where nothing was found.
    complete : bool
        With None: proven that there is none.
    """
    complete, opened = True, _Opened(group, prices, room, steps, closed)
    for searches in range(2 * SEARCHES):
        cheapest = opened.pop()
        if cheapest is None:
            return None, complete
        choice, problem, path = cheapest
        usage = choice.usage(path.layers, path.nodes)
        exceeded = usage.resources[usage.fractions > room[usage.resources] + FLOAT_NOISE]
        if not len(exceeded):
            return usage, complete
        branches = _branches(choice, problem, path, int(exceeded[0]))
        complete = complete and exceeded[0] < 2 * len(group.topology.network.nodes)
        if searches >= SEARCHES:
            opened.clear()
            branches, complete = iter((next(branches),)), False
        for branch in branches:
            opened.push(choice, branch)
    return None, False


class _Opened:
    """Branches of a search, the one of the cheapest path first.

    Of an alternative (eq. 29) the least cost of any path, latency ignored, is enough at first: its path is searched for
    once that is the least of all.
    """

    def __init__(
        self, group: Group, prices: Floats | None, room: Floats, steps: Resolution, closed: NDArray[np.bool_] | None
    ) -> None:
        self._heap: list[tuple[float, int, Group, PathProblem, LayeredPath | None]] = []
        self._number, self._steps = count(), steps
        for choice in group.choices:
            problem = choice.problem(prices, room)
            if problem is not None and closed is not None:
                problem = _without(problem, closed[: choice.depth])
            if problem is not None and len(group.choices) == 1:
                self.push(choice, problem)
            elif problem is not None:
                least = float(costs_to_go(problem.edges, 1.0, 0.0).cost[0, problem.source])
                heappush(self._heap, (least, next(self._number), choice, problem, None))

    def push(self, choice: Group, problem: PathProblem) -> None:
        """Search for the path of a branch, and keep both where there is one."""
        path = fin_path(problem, self._steps)
        if path is not None:
            heappush(self._heap, (path.cost, next(self._number), choice, problem, path))

    def pop(self) -> tuple[Group, PathProblem, LayeredPath] | None:
        """Take out the branch of the cheapest path; None where none is left."""
        while self._heap:
            _, _, choice, problem, path = heappop(self._heap)
            if path is not None:
                return choice, problem, path
            self.push(choice, problem)
        return None

    def clear(self) -> None:
        """Forget all branches."""
        self._heap.clear()


def without_excess(group: Group, problem: PathProblem, path: LayeredPath, resource: int) -> PathProblem:
    """Return the problem without what `path` takes most of `resource` with: a block on a node, a transfer on a link."""
    return next(_branches(group, problem, path, resource))


def _branches(group: Group, problem: PathProblem, path: LayeredPath, resource: int) -> Iterator[PathProblem]:
    """Yield problems that leave out `path` and together nothing that fits on a node's `resource`."""
    nodes = len(group.topology.network.nodes)
    if resource >= 2 * nodes:
        yield _narrowed(problem, path, int(np.flatnonzero(group.topology.link_number == resource - 2 * nodes)[0]))
        return
    taken = group.taken(resource)
    steps = [(j, m) for (j, _), (after, m) in _steps(path) if after > j and taken[j, m] > 0]
    for j, m in sorted(steps, key=lambda step: -taken[step]):
        closed = np.zeros(taken.shape, np.bool_)
        closed[j] = taken[j] >= taken[j, m]
        yield _without(problem, closed)


def _without(problem: PathProblem, closed: NDArray[np.bool_]) -> PathProblem:
    """Return the problem in which no block runs where `closed` says so."""
    run_energy = np.where(closed, np.inf, problem.edges.run_energy)
    return replace(problem, edges=problem.edges._replace(run_energy=run_energy))


def _narrowed(problem: PathProblem, path: LayeredPath, link: int) -> PathProblem:
    """Return the problem whose `link` has no room for the largest transfer that `path` sends over it."""
    edges = problem.edges
    over = (int(edges.link_source[link]), int(edges.link_target[link]))
    largest = max(edges.load_bits[j] for (j, n), (_, m) in _steps(path) if (n, m) == over)
    room = edges.link_room.copy()
    room[link] = np.nextafter(largest, 0)
    return replace(problem, edges=edges._replace(link_room=room))


def _steps(path: LayeredPath) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the pairs of vertices (layer, node) that follow each other."""
    return pairwise(zip(path.layers, path.nodes, strict=True))
