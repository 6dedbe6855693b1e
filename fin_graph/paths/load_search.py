"""The search for the least-energy deployments of one application among those that keep some critical capacities."""

from __future__ import annotations

from math import inf

import numpy as np

from finbench.fin_graph.paths.arrays import PathProblem
from finbench.fin_graph.paths.bounds import Dual
from finbench.fin_graph.paths.label_search import out_links
from finbench.fin_graph.paths.labels import DONE, FULL, BoundsToGo, Heap
from finbench.fin_graph.paths.load_labels import (
    LAST_END,
    TAKEN,
    USED,
    WAITING,
    Goal,
    LoadPool,
    LoadState,
    least_possible,
    take_labels,
)
from finbench.fin_graph.paths.own_loads import Critical
from finbench.models.deployment import ApplicationDeployment
from finbench.models.memory import reason_not_to_fit
from finbench.models.result import Clock, Status
from finbench.models.tolerances import FLOAT_NOISE

WORK_BEFORE_PAUSE = 1 << 19
"""Labels made and compared between two looks at the clock: some ten milliseconds."""

FIRST_LABELS = 1 << 12
"""Labels for which there is room at first, beside one for every node; a pool that is full doubles."""

_BYTES_PER_LABEL = 56
"""Memory of a label without loads, its place in the heap included."""


class LoadSearch:
    """One search for the k least energies below `limit`, with the loads of the critical resources in every label.

    Parameters
    ----------
    problem : PathProblem
    dual : Dual
        Of `problem`; gives the bounds to go.
    critical : Critical
    limit : float
        UB: what is not below it is dropped.
    k : int
    clock : Clock
    """

    def __init__(
        self, problem: PathProblem, dual: Dual, critical: Critical, *, limit: float, k: int, clock: Clock
    ) -> None:
        self._problem, self._critical, self._clock = problem, critical, clock
        self._out, count = out_links(problem), len(problem.node_names)
        to_go = BoundsToGo(
            dual.energy_to_go.cost,
            dual.latency_to_go.cost,
            dual.combined_to_go.cost,
            dual.multiplier,
            problem.max_latency_s * (1 + FLOAT_NOISE),
        )
        self._goal = Goal(k, limit, to_go)
        last = np.full((problem.depth + 1, count), -1, np.int64)
        self._state = LoadState(np.zeros(6, np.int64), last)
        self._state.counters[LAST_END] = -1
        room = FIRST_LABELS + 2 * count
        self._pool = _pool(room, len(critical.node))
        self._heap = Heap(np.empty(room), np.empty(room, np.int64))
        self.stopped: Status | None = None
        self.reason: str | None = None
        self._begin()

    def _begin(self) -> None:
        """Make the source's label."""
        source, pool = self._problem.source, self._pool
        key = least_possible(self._goal.to_go, 0, source, 0.0, 0.0)
        if not key < self._goal.limit:
            return
        pool.energy[0] = pool.latency[0] = 0.0
        pool.load[0] = np.maximum(0.0, self._critical.harmless[:, 0])
        pool.layer[0], pool.node[0], pool.parent[0] = 0, source, -1
        self._heap.key[0], self._heap.label[0] = key, 0
        self._state.counters[[USED, WAITING]] = 1

    @property
    def labels(self) -> int:
        """Number of labels taken."""
        return int(self._state.counters[TAKEN])

    def run(self) -> None:
        """Search until k are found or none is left, or until a limit ends the search (`stopped`)."""
        edges = self._problem.edges
        while self.stopped is None:
            code = take_labels(
                *(WORK_BEFORE_PAUSE, self._state, self._pool, self._heap),
                *(self._goal, edges, self._out, self._critical),
            )
            if code == DONE:
                return
            if self._clock.expired:
                self.stopped, self.reason = Status.TIME_LIMIT, "time limit reached"
            elif code == FULL:
                self._grow()

    def _grow(self) -> None:
        """Double the pool, or stop where memory would not hold it."""
        size = len(self._pool.energy)
        self.reason = reason_not_to_fit(3 * size * (_BYTES_PER_LABEL + 8 * len(self._critical.node)))
        if self.reason is not None:
            self.stopped = Status.MEMORY_LIMIT
            return
        self._pool = LoadPool._make(np.concatenate([part, np.empty_like(part)]) for part in self._pool)
        self._heap = Heap._make(np.concatenate([part, np.empty_like(part)]) for part in self._heap)

    def lower_bound(self) -> float:
        """Return what no deployment that keeps the critical capacities lies below: the least found, or still open."""
        ends, counters = self._ends(), self._state.counters
        if ends:
            return float(self._pool.energy[ends[0]])
        waiting = float(self._heap.key[0]) if counters[WAITING] else inf
        return min(self._goal.limit, waiting)

    def deployments(self) -> list[tuple[float, ApplicationDeployment]]:
        """Return what was found, with energies [J per inference], by rising energy."""
        return [(float(self._pool.energy[end]), self._problem.deployment(*self._traced(end))) for end in self._ends()]

    def _ends(self) -> list[int]:
        """Return the labels that reached the end, by rising energy."""
        ends, label = [], int(self._state.counters[LAST_END])
        while label >= 0:
            ends.append(label)
            label = int(self._pool.previous[label])
        return ends[::-1]

    def _traced(self, label: int) -> tuple[list[int], list[int]]:
        """Return layers and nodes from the source to a label."""
        layers: list[int] = []
        nodes: list[int] = []
        while label >= 0:
            layers.append(int(self._pool.layer[label]))
            nodes.append(int(self._pool.node[label]))
            label = int(self._pool.parent[label])
        return layers[::-1], nodes[::-1]


def _pool(room: int, critical: int) -> LoadPool:
    whole = (np.empty(room, np.int64) for _ in range(2))
    parts = np.empty((room, critical)), np.empty(room, np.int32), np.empty(room, np.int32)
    return LoadPool(np.empty(room), np.empty(room), *parts, *whole)
