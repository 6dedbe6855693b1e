"""The search of label setting: layer after layer, pools that grow, limits that leave a proven bound behind."""

from __future__ import annotations

from math import inf

import numpy as np

from finbench.fin_graph.paths.arrays import PathProblem, layer_edges
from finbench.fin_graph.paths.bounds import Dual, lagrangian_dual
from finbench.fin_graph.paths.labels import (
    FULL,
    HEAPED,
    LAYER_START,
    NEXT,
    NONE_YET,
    PAUSED,
    RELAYED,
    SETTLED,
    UNWANTED,
    UPCOMING,
    Best,
    Heap,
    OutLinks,
    Pool,
    Reverse,
    settle_layer,
)
from finbench.fin_graph.paths.shortest import energies_and_latencies_to_go, follow
from finbench.models.deployment import ApplicationDeployment
from finbench.models.memory import reason_not_to_fit
from finbench.models.result import Clock, Status
from finbench.models.tolerances import FLOAT_NOISE

QUOTA = 1 << 16
"""Labels looked at between two looks at the clock."""

_BYTES_PER_LABEL = 36
_FIRST_CAPACITY = 1 << 12


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
        self._next_link = dual.combined_to_go.next_link
        self._best = Best(np.array([limit]), np.array([NONE_YET if complete else UNWANTED], np.int64))
        self._reverse = Reverse(
            dual.energy_to_go.cost,
            dual.latency_to_go.cost,
            dual.combined_to_go.cost,
            *energies_and_latencies_to_go(problem.edges, self._next_link),
            dual.multiplier,
            problem.max_latency_s * (1 + FLOAT_NOISE),
        )
        self._out = out_links(problem)
        self._counters = np.zeros(6, np.int64)
        self._settled, self._upcoming = _pool(_FIRST_CAPACITY), _pool(_FIRST_CAPACITY)
        self._relayed = _pool(_FIRST_CAPACITY + len(self._out.start))
        self._heap = _heap(len(self._relayed.energy))
        origin = np.array([-1], np.int64)
        self._arrivals = Pool(np.zeros(1), np.zeros(1), np.array([problem.source], np.int32), origin, origin)
        self._layer_ends: list[int] = []
        self.stopped: Status | None = None
        self.reason: str | None = None

    @property
    def labels(self) -> int:
        """Labels settled."""
        return int(self._counters[SETTLED])

    def run(self) -> None:
        """Settle all layers, or until a limit stops it (`stopped`)."""
        for j in range(self._problem.depth):
            self._settle(j)
            if self.stopped is not None:
                return
            self._layer_ends.append(self.labels)
            self._counters[LAYER_START] = self.labels
            self._arrivals = _sorted(self._upcoming, int(self._counters[UPCOMING]))
            self._counters[[NEXT, RELAYED, HEAPED, UPCOMING]] = 0

    def _settle(self, j: int) -> None:
        layer = layer_edges(self._problem.edges, j)
        least_latency = np.full(len(self._problem.node_names), inf)
        last_settled = np.full(len(self._problem.node_names), -1, np.int64)
        while True:
            code = settle_layer(
                j,
                QUOTA,
                self._counters,
                self._arrivals,
                self._settled,
                self._relayed,
                self._heap,
                self._upcoming,
                least_latency,
                last_settled,
                self._k,
                self._best,
                self._reverse,
                layer,
                self._out,
            )
            if code == FULL:
                self._grow()
            elif code == PAUSED and self._clock.expired:
                self.stopped, self.reason = Status.TIME_LIMIT, "time limit reached"
            elif code != PAUSED:
                return
            if self.stopped is not None:
                self._layer = j
                return

    def _grow(self) -> None:
        """Double the pools that are full, or stop where memory would not hold them."""
        needed = 2 * _BYTES_PER_LABEL * (len(self._settled.energy) + len(self._upcoming.energy) + len(self._heap.key))
        self.reason = reason_not_to_fit(needed)
        if self.reason is not None:
            self.stopped = Status.MEMORY_LIMIT
            return
        if self.labels == len(self._settled.energy):
            self._settled = _doubled(self._settled)
        elif self._counters[UPCOMING] == len(self._upcoming.energy):
            self._upcoming = _doubled(self._upcoming)
        else:
            self._relayed = _doubled(self._relayed)
            heap = _heap(len(self._relayed.energy))
            heap.key[: len(self._heap.key)] = self._heap.key
            heap.label[: len(self._heap.label)] = self._heap.label
            self._heap = heap

    def lower_bound(self) -> float:
        """Proven bound on the least energy: the limit, or the least that a label still open can lead to."""
        limit = float(self._best.limit[0])
        if self.stopped is None:
            return min([limit, *(energy for energy, *_ in self.paths())])
        waiting = self._heap.label[: self._counters[HEAPED]]
        open_labels = [
            (self._layer, Pool._make(part[self._counters[NEXT] :] for part in self._arrivals)),
            (self._layer, Pool._make(part[waiting] for part in self._relayed)),
            (self._layer + 1, Pool._make(part[: self._counters[UPCOMING]] for part in self._upcoming)),
        ]
        return min(limit, *(self._least_possible(layer, labels) for layer, labels in open_labels))

    def _least_possible(self, layer: int, labels: Pool) -> float:
        to_go = self._reverse
        late = labels.latency - to_go.max_latency
        plain = labels.energy + to_go.energy[layer, labels.node]
        combined = labels.energy + to_go.multiplier * late + to_go.combined[layer, labels.node]
        return float(np.maximum(plain, combined).min(initial=inf))

    def ends(self) -> list[tuple[float, float]]:
        """Latency and energy of every label that reached the end, in order of energy."""
        return list(zip(self._arrivals.latency.tolist(), self._arrivals.energy.tolist(), strict=True))

    def deployments(self) -> list[tuple[float, ApplicationDeployment]]:
        """Up to k deployments below the first limit, in order of energy; on a limit, the best completion if any."""
        return [(energy, self._problem.deployment(layers, nodes)) for energy, layers, nodes in self.paths()]

    def paths(self) -> list[tuple[float, list[int], list[int]]]:
        """The same as energies, layers and nodes."""
        found = []
        if self._best.label[0] >= 0:
            found.append((float(self._best.limit[0]), *self._completed(int(self._best.label[0]))))
        if self.stopped is None:
            ends = self._arrivals
            for at in range(min(self._k, len(ends.energy))):
                layers, nodes = self._traced(int(ends.parent[at]))
                whole = [*layers, self._problem.depth], [*nodes, int(ends.node[at])]
                found.append((float(ends.energy[at]), *whole))
        return sorted(found, key=lambda one: one[0])[: self._k]

    def _completed(self, label: int) -> tuple[list[int], list[int]]:
        layers, nodes = self._traced(label)
        onward, via = follow(self._problem.edges, self._next_link, layers[-1], nodes[-1])
        return [*layers, *onward[1:]], [*nodes, *via[1:]]

    def _traced(self, label: int) -> tuple[list[int], list[int]]:
        """Layers and nodes from the source to a settled label."""
        layers: list[int] = []
        nodes: list[int] = []
        while label >= 0:
            layers.append(int(np.searchsorted(self._layer_ends, label, side="right")))
            nodes.append(int(self._settled.node[label]))
            label = int(self._settled.parent[label])
        return layers[::-1], nodes[::-1]


def latency_energy_frontier(problem: PathProblem, clock: Clock) -> list[tuple[float, float]] | None:
    """All non-dominated (latency [s], energy [J]) of deployments that meet the problem's latency target.

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


def _sorted(pool: Pool, count: int) -> Pool:
    """The first `count` labels in order of energy."""
    order = np.argsort(pool.energy[:count], kind="stable")
    return Pool._make(part[order] for part in pool)


def out_links(problem: PathProblem) -> OutLinks:
    """The links sorted by source."""
    edges, count = problem.edges, len(problem.node_names)
    target = np.repeat(np.arange(count, dtype=np.int32), np.diff(edges.in_start))
    link = np.argsort(edges.link_source, kind="stable").astype(np.int32)
    start = np.searchsorted(edges.link_source[link], np.arange(count + 1)).astype(np.int32)
    return OutLinks(start, target[link], link)
