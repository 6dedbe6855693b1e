"""The search of label setting: layer after layer, pools that grow, limits that leave a proven bound behind."""

from __future__ import annotations

from math import inf

import numpy as np

from finbench.fin_graph.paths.arrays import Ints, PathProblem, layer_edges
from finbench.fin_graph.paths.bounds import Dual, lagrangian_dual
from finbench.fin_graph.paths.labels import (
    DONE,
    FULL,
    HEAPED,
    LAYER_START,
    NEXT,
    NONE_YET,
    RELAYED,
    SETTLED,
    UNWANTED,
    UPCOMING,
    Best,
    BoundsToGo,
    Completions,
    Heap,
    LayerState,
    OutLinks,
    Pool,
    Pools,
    Pruning,
    settle_layer,
)
from finbench.fin_graph.paths.shortest import costs_to_go, energies_and_latencies_to_go, follow
from finbench.models.deployment import ApplicationDeployment
from finbench.models.memory import reason_not_to_fit
from finbench.models.result import Clock, OutOfTime, Status
from finbench.models.tolerances import FLOAT_NOISE

QUOTA = 1 << 21
"""Links looked at between two looks at the clock: some ten milliseconds."""

SORTED_AT_ONCE = 1 << 21
"""Labels that are sorted between two looks at the clock: some two tenths of a second."""

TRIED = 50
"""Labels that are completed for each deployment that a stopped search shall name: many complete to the same."""

HANDED_OVER_S = 0.2
"""For how long a search that a limit has ended completes labels [s]."""

MULTIPLES = (2.0, 4.0, 16.0)
"""Of the dual's multiplier: at which labels are completed as well then, to lead to other deployments."""

_BYTES_PER_LABEL = 36

FIRST_CAPACITY = 1 << 12
"""Labels for which there is room at first; a pool that is full doubles."""


class LabelSearch:
    """One pass over the layers that keeps every label which may lead to an energy below `limit`.

    Parameters
    ----------
    problem : PathProblem
    dual : Dual
        Gives the reverse bounds.
    limit : float
        UB: what is not below it is dropped.
    clock : Clock
    k : int
        Labels that it takes to dominate one.
    complete : bool
        Lower the limit by completing labels; what is then found is the optimum alone.
    """

    def __init__(
        self, problem: PathProblem, dual: Dual, *, limit: float, clock: Clock, k: int = 1, complete: bool = False
    ) -> None:
        self._problem, self._k, self._clock = problem, k, clock
        self._next_link, self._quickest = dual.combined_to_go.next_link, dual.latency_to_go.next_link
        best = Best(np.array([limit]), np.array([NONE_YET if complete else UNWANTED], np.int64))
        to_go = BoundsToGo(
            dual.energy_to_go.cost,
            dual.latency_to_go.cost,
            dual.combined_to_go.cost,
            dual.multiplier,
            problem.max_latency_s * (1 + FLOAT_NOISE),
        )
        to_end = energies_and_latencies_to_go(problem.edges, self._next_link)
        completions = Completions(*to_end, to_go.max_latency)
        self._pruning = Pruning(k, best, to_go, completions)
        self._out = out_links(problem)
        origin = np.array([-1], np.int64)
        relayed = FIRST_CAPACITY + len(self._out.start)
        self._pools = Pools(
            Pool(np.zeros(1), np.zeros(1), np.array([problem.source], np.int32), origin, origin),
            _pool(FIRST_CAPACITY),
            _pool(relayed),
            _heap(relayed),
            _pool(FIRST_CAPACITY),
        )
        self._counters = np.zeros(7, np.int64)
        self._layer = 0
        self._layer_ends: list[int] = []
        self.stopped: Status | None = None
        self.reason: str | None = None

    @property
    def labels(self) -> int:
        """Number of labels settled."""
        return int(self._counters[SETTLED])

    def run(self) -> None:
        """Settle all layers, or as many as a limit allows (`stopped`)."""
        for j in range(self._problem.depth):
            self._layer = j
            self._settle()
            if self.stopped is not None:
                return
            self._layer_ends.append(self.labels)
            self._counters[LAYER_START] = self.labels
            try:
                arrivals = _sorted(self._pools.upcoming, int(self._counters[UPCOMING]), self._clock)
            except OutOfTime:
                self._stop_if_late(late=True)
                return
            self._pools = self._pools._replace(arrivals=arrivals)
            self._counters[[NEXT, RELAYED, HEAPED, UPCOMING]] = 0

    def _settle(self) -> None:
        """Settle the current layer, growing pools that are full; stop where a limit is reached."""
        layer, count = layer_edges(self._problem.edges, self._layer), len(self._problem.node_names)
        quota = max(1, QUOTA // (1 + len(self._out.link) // count))
        state = LayerState(self._counters, np.full(count, inf), np.full(count, -1, np.int64))
        self._stop_if_late(late=self._layer > 0 and self._clock.expired)
        while self.stopped is None:
            code = settle_layer(self._layer, quota, state, self._pools, self._pruning, layer, self._out)
            if code == DONE:
                return
            if code == FULL:
                self._grow()
            else:
                self._stop_if_late(late=self._clock.expired)

    def _stop_if_late(self, *, late: bool) -> None:
        if late:
            self.stopped, self.reason = Status.TIME_LIMIT, "time limit reached"

    def _grow(self) -> None:
        """Double a pool that is full, or stop where memory would not hold it."""
        pools = self._pools
        needed = 2 * _BYTES_PER_LABEL * (len(pools.settled.energy) + len(pools.upcoming.energy) + len(pools.heap.key))
        self.reason = reason_not_to_fit(needed)
        if self.reason is not None:
            self.stopped = Status.MEMORY_LIMIT
        elif self.labels == len(pools.settled.energy):
            self._pools = pools._replace(settled=_doubled(pools.settled))
        elif self._counters[UPCOMING] == len(pools.upcoming.energy):
            self._pools = pools._replace(upcoming=_doubled(pools.upcoming))
        else:
            heap = Heap._make(np.concatenate([part, np.empty_like(part)]) for part in pools.heap)
            self._pools = pools._replace(relayed=_doubled(pools.relayed), heap=heap)

    def lower_bound(self) -> float:
        """Return a proven bound on the least energy: the limit, or the least that a label still open can lead to."""
        limit = float(self._pruning.best.limit[0])
        if self.stopped is None:
            return min([limit, *(energy for energy, *_ in self.paths())])
        pools, counters = self._pools, self._counters
        waiting = pools.heap.label[: counters[HEAPED]]
        open_labels = [
            (self._layer, Pool._make(part[counters[NEXT] :] for part in pools.arrivals)),
            (self._layer, Pool._make(part[waiting] for part in pools.relayed)),
            (self._layer + 1, Pool._make(part[: counters[UPCOMING]] for part in pools.upcoming)),
        ]
        return min(limit, *(self._least_possible(layer, labels) for layer, labels in open_labels))

    def _least_possible(self, layer: int, labels: Pool) -> float:
        """Return the least energy that labels at a layer can lead to; inf where there are none."""
        to_go = self._pruning.to_go
        late = labels.latency - to_go.max_latency
        plain = labels.energy + to_go.energy[layer, labels.node]
        combined = labels.energy + to_go.multiplier * late + to_go.combined[layer, labels.node]
        return float(np.maximum(plain, combined).min(initial=inf))

    def ends(self) -> list[tuple[float, float]]:
        """Return latency and energy of every label that reached the end, in order of energy."""
        ends = self._pools.arrivals
        return list(zip(ends.latency.tolist(), ends.energy.tolist(), strict=True))

    def deployments(self) -> list[tuple[float, ApplicationDeployment]]:
        """Return up to k deployments below the first limit, by energy; the best found if a limit ended the search."""
        return [(energy, self._problem.deployment(layers, nodes)) for energy, layers, nodes in self.paths()]

    def paths(self) -> list[tuple[float, list[int], list[int]]]:
        """Return what `deployments` returns, as energies, layers and nodes."""
        found, best = [], self._pruning.best
        if best.label[0] >= 0:
            found.append((float(best.limit[0]), *self._completed(int(best.label[0]), self._next_link)))
        if self.stopped is None:
            ends = self._pools.arrivals
            for at in range(min(self._k, len(ends.energy))):
                layers, nodes = self._traced(int(ends.parent[at]))
                whole = [*layers, self._problem.depth], [*nodes, int(ends.node[at])]
                found.append((float(ends.energy[at]), *whole))
        return sorted(found, key=lambda one: one[0])[: self._k]

    def completed(self, most: int) -> list[tuple[float, ApplicationDeployment]]:
        """Return up to `most` different deployments that settled labels lead to, by energy.

        A search that a limit has ended knows no others. Each label is completed along the cheapest paths at several
        multipliers, from the dual's on, and along the quickest, which meets the latency target whatever the label.
        """
        edges, multiplier = self._problem.edges, self._pruning.to_go.multiplier
        ways = [self._next_link, self._quickest]
        ways += [costs_to_go(edges, 1.0, factor * multiplier).next_link for factor in MULTIPLES if multiplier > 0]
        likely = [(energy, label, way) for way in range(len(ways)) for energy, label in self._ends_along(ways[way])]
        found: dict[tuple[tuple[int, int], ...], tuple[float, ApplicationDeployment]] = {}
        clock = Clock(HANDED_OVER_S)
        for energy, label, way in sorted(likely)[: most * TRIED]:
            layers, nodes = self._completed(label, ways[way])
            path = tuple(zip(layers, nodes, strict=True))
            if path not in found and len(set(path)) == len(path):
                found[path] = energy, self._problem.deployment(layers, nodes)
            if len(found) == most or clock.expired:
                break
        return list(found.values())

    def _ends_along(self, next_link: Ints) -> list[tuple[float, int]]:
        """Return energies to which labels lead along `next_link` within the latency target, and the label of each.

        Of labels that lead to one energy, most lead there on one path: the first of each energy stands for them.
        """
        settled, count = self._pools.settled, self.labels
        energy_to_go, latency_to_go = energies_and_latencies_to_go(self._problem.edges, next_link)
        layer, node = np.searchsorted(self._layer_ends, np.arange(count), side="right"), settled.node[:count]
        energy = settled.energy[:count] + energy_to_go[layer, node]
        latency = settled.latency[:count] + latency_to_go[layer, node]
        labels = np.flatnonzero((latency <= self._pruning.to_go.max_latency) & np.isfinite(energy))
        least = energy[labels].min(initial=inf) or 1.0
        _, first = np.unique(np.round(energy[labels] / least, 12), return_index=True)
        return [(float(energy[label]), label) for label in labels[first].tolist()]

    def _completed(self, label: int, next_link: Ints) -> tuple[list[int], list[int]]:
        """Return layers and nodes of the path to a settled label and onward along `next_link`."""
        layers, nodes = self._traced(label)
        onward, via = follow(self._problem.edges, next_link, layers[-1], nodes[-1])
        return [*layers, *onward[1:]], [*nodes, *via[1:]]

    def _traced(self, label: int) -> tuple[list[int], list[int]]:
        """Return layers and nodes from the source to a settled label."""
        layers: list[int] = []
        nodes: list[int] = []
        while label >= 0:
            layers.append(int(np.searchsorted(self._layer_ends, label, side="right")))
            nodes.append(int(self._pools.settled.node[label]))
            label = int(self._pools.settled.parent[label])
        return layers[::-1], nodes[::-1]


def latency_energy_frontier(problem: PathProblem, clock: Clock) -> list[tuple[float, float]] | None:
    """Return all non-dominated (latency [s], energy [J]) of deployments that meet the problem's latency target.

    Parameters
    ----------
    problem : PathProblem
    clock : Clock
        Its limit ends the search.

    Returns
    -------
    list of (float, float), or None
        In order of rising latency; None where a limit ended the search.
    """
    search = LabelSearch(problem, lagrangian_dual(problem), limit=inf, clock=clock)
    search.run()
    if search.stopped is not None:
        return None
    front: list[tuple[float, float]] = []
    for latency, energy in search.ends():
        if not front or latency < front[-1][0]:
            front.append((latency, energy))
    return front[::-1]


def _pool(capacity: int) -> Pool:
    whole = (np.empty(capacity, np.int64) for _ in range(2))
    return Pool(np.empty(capacity), np.empty(capacity), np.empty(capacity, np.int32), *whole)


def _heap(capacity: int) -> Heap:
    return Heap(np.empty(capacity), np.empty(capacity, np.int64))


def _doubled(pool: Pool) -> Pool:
    return Pool._make(np.concatenate([part, np.empty_like(part)]) for part in pool)


def _sorted(pool: Pool, count: int, clock: Clock) -> Pool:
    """Return the first `count` labels in order of energy; raise `OutOfTime` where the time ends before they are sorted.

    Many are sorted part by part, so that the clock is looked at in between; to put sorted parts together takes little.
    """
    energy, order = pool.energy[:count], np.arange(count)
    for start in range(SORTED_AT_ONCE, count + 1, SORTED_AT_ONCE):
        clock.check()
        part = slice(start - SORTED_AT_ONCE, start)
        order[part] = part.start + np.argsort(energy[part], kind="stable")
    order = order[np.argsort(energy[order], kind="stable")]
    return Pool._make(part[order] for part in pool)


def out_links(problem: PathProblem) -> OutLinks:
    """Return the links sorted by source."""
    edges, count = problem.edges, len(problem.node_names)
    target = np.repeat(np.arange(count, dtype=np.int32), np.diff(edges.in_start))
    link = np.argsort(edges.link_source, kind="stable").astype(np.int32)
    start = np.searchsorted(edges.link_source[link], np.arange(count + 1)).astype(np.int32)
    return OutLinks(start, target[link], link)
