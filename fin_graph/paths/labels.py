"""The compiled heart of label setting: settle one layer's labels in order of energy.

A label (e, t) at vertex (j, n) stands for one way to bring the data that feeds block j+1 to node n, at energy e and
latency t. Labels are settled in order of energy. So a label is dominated exactly when one settled earlier at its node
is at most as late: one number per node decides. For the k best, it takes k such labels to dominate one. Only those
count whose route within the layer visits nothing but nodes on the label's route: every simple route that may follow
the label may then follow them. A label is dropped as well when the best that can still come of it is no better than
the limit UB, or too late. Bounds to go decide: h_E, h_T, and h_μ of e + μ t:

    t + h_T > δ      or      e + h_E ≥ UB      or      e + μ t + h_μ ≥ UB + μ δ

Every settled label is also completed along the path that attains h_μ: where that meets δ, its energy lowers UB.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.arrays import Floats, Ints, LayerEdges
from finbench.fin_graph.paths.compiled import compiled

DONE, PAUSED, FULL = 0, 1, 2
"""Why `settle_layer` came back: the layer is settled, its quota of labels is used up, or a pool is full."""

NONE_YET, UNWANTED = -1, -2
"""Label of `Best` while no completion was better than the first limit, and where completions are not wanted."""

NEXT, SETTLED, RELAYED, HEAPED, UPCOMING, LAYER_START, WORK = 0, 1, 2, 3, 4, 5, 6
"""Positions in the array of counters: next arrival to take, how much of each pool is in use, the layer's first label,
and the comparisons done for the k best."""


class Pool(NamedTuple):
    """Labels as parallel arrays of equal capacity."""

    energy: Floats
    latency: Floats
    node: Ints
    parent: NDArray[np.int64]
    """Index of the settled label it came from, −1 for the source's."""
    previous: NDArray[np.int64]
    """Settled label before it at its vertex, −1 if none (kept for settled labels only, where k > 1)."""


class Heap(NamedTuple):
    """Binary heap of relayed labels: keys (energies) and indices into their pool."""

    key: Floats
    label: NDArray[np.int64]


class Pools(NamedTuple):
    """All labels of a search, by where they are on their way."""

    arrivals: Pool
    """Labels that arrive from the layer before, sorted by energy; exactly as long as it is full."""
    settled: Pool
    """Settled labels of all layers."""
    relayed: Pool
    """Labels relayed within this layer."""
    heap: Heap
    """Relayed labels still to be taken."""
    upcoming: Pool
    """Labels for the next layer."""


class LayerState(NamedTuple):
    """What is known of one layer so far; updated in place, so that a call can be repeated after an interruption."""

    counters: NDArray[np.int64]
    """Counters at positions `NEXT` … `WORK`; shape (7,)."""
    least_latency: Floats
    """Least latency settled at every node; shape (N,)."""
    last_settled: NDArray[np.int64]
    """Label settled last at every node, −1 while there is none; shape (N,)."""


class BoundsToGo(NamedTuple):
    """Least costs from every vertex to the end, for pruning; shape (depth + 1, N) each."""

    energy: Floats
    latency: Floats
    combined: Floats
    """Of energy + μ · latency."""
    multiplier: float
    """μ [J/s]"""
    max_latency: float
    """δ [s]"""


class Completions(NamedTuple):
    """Costs of the path from every vertex to the end that attains the combined bound; shape (depth + 1, N) each."""

    energy: Floats
    latency: Floats
    max_latency: float
    """δ [s]"""


class Best(NamedTuple):
    """The limit UB, and the label whose completion attains it; one element each, so that they can be lowered."""

    limit: Floats
    label: NDArray[np.int64]
    """Index of a settled label, `NONE_YET` or `UNWANTED`."""


class Pruning(NamedTuple):
    """What decides which labels are kept."""

    k: int
    """Labels that it takes to dominate one."""
    best: Best
    """Only labels that may lead below its limit are kept."""
    to_go: BoundsToGo
    completions: Completions


class OutLinks(NamedTuple):
    """Links sorted by source: those out of n are start[n]..start[n+1]."""

    start: Ints
    target: Ints
    link: Ints
    """Position of each link in the order by target, in which costs are stored."""


@compiled
def promising(to_go: BoundsToGo, limit: float, j: int, n: int, energy: float, latency: float) -> bool:
    """Return whether something better than `limit` may come of a label at vertex (j, n)."""
    if latency + to_go.latency[j, n] > to_go.max_latency or energy + to_go.energy[j, n] >= limit:
        return False
    combined = energy + to_go.multiplier * latency + to_go.combined[j, n]
    return bool(combined < limit + to_go.multiplier * to_go.max_latency)


@compiled
def _complete(best: Best, completions: Completions, j: int, n: int, energy: float, latency: float, label: int) -> None:
    """Lower the limit to what the label leads to along the combined-cheapest path, if that is feasible and better."""
    if best.label[0] == UNWANTED or latency + completions.latency[j, n] > completions.max_latency:
        return
    completed = energy + completions.energy[j, n]
    if completed < best.limit[0]:
        best.limit[0] = completed
        best.label[0] = label


@compiled
def _put(pool: Pool, at: int, energy: float, latency: float, node: int, parent: int) -> None:
    pool.energy[at] = energy
    pool.latency[at] = latency
    pool.node[at] = node
    pool.parent[at] = parent


@compiled
def heap_push(heap: Heap, size: int, key: float, index: int) -> None:
    """Add a key and its index to a heap of `size` entries."""
    at = size
    while at > 0 and heap.key[(at - 1) // 2] > key:
        heap.key[at] = heap.key[(at - 1) // 2]
        heap.label[at] = heap.label[(at - 1) // 2]
        at = (at - 1) // 2
    heap.key[at] = key
    heap.label[at] = index


@compiled
def heap_pop(heap: Heap, size: int) -> int:
    """Remove the entry of least key from a heap of `size` entries and return its index."""
    least = int(heap.label[0])
    key, index = heap.key[size - 1], heap.label[size - 1]
    at, child = 0, 1
    while child < size - 1:
        if child + 1 < size - 1 and heap.key[child + 1] < heap.key[child]:
            child += 1
        if heap.key[child] >= key:
            break
        heap.key[at] = heap.key[child]
        heap.label[at] = heap.label[child]
        at, child = child, 2 * child + 1
    heap.key[at] = key
    heap.label[at] = index
    return least


@compiled
def _on_route(settled: Pool, layer_start: int, label: int, node: int) -> bool:
    """Return whether the route within the layer that leads to settled `label` visits `node`."""
    while label >= layer_start:
        if settled.node[label] == node:
            return True
        label = settled.parent[label]
    return False


@compiled
def _dominators(settled: Pool, counters: NDArray[np.int64], last: int, latency: float, parent: int, k: int) -> int:
    """Count, up to k, the labels that dominate one of `latency` that comes from `parent`; `last` begins their chain."""
    layer_start = counters[LAYER_START]
    count, other = 0, last
    while other >= 0 and count < k:
        counters[WORK] += 1
        within = settled.latency[other] <= latency
        via = settled.parent[other]
        while within and via >= layer_start:
            within = _on_route(settled, layer_start, parent, settled.node[via])
            via = settled.parent[via]
            counters[WORK] += 4
        count += within
        other = settled.previous[other]
    return count


@compiled
def settle_layer(
    j: int, quota: int, state: LayerState, pools: Pools, pruning: Pruning, layer: LayerEdges, out: OutLinks
) -> int:
    """Settle labels of layer j in order of energy, and extend them by relays and by running block j+1.

    Parameters
    ----------
    j : int
        Layer.
    quota : int
        Work to do before pausing: labels settled and comparisons for the k best.
    state : LayerState
    pools : Pools
    pruning : Pruning
    layer : LayerEdges
    out : OutLinks

    Returns
    -------
    int
        `DONE`, `PAUSED` or `FULL`.
    """
    counters, least_latency, last_settled = state.counters, state.least_latency, state.last_settled
    arrivals, settled, upcoming = pools.arrivals, pools.settled, pools.upcoming
    relayed, heap = pools.relayed, pools.heap
    k, best, to_go, completions = pruning.k, pruning.best, pruning.to_go, pruning.completions
    layer_start = counters[LAYER_START]
    work, until = 0, counters[WORK] + quota
    while work + counters[WORK] < until:
        from_heap = counters[HEAPED] > 0
        if counters[NEXT] < arrivals.energy.shape[0]:
            from_heap = from_heap and heap.key[0] < arrivals.energy[counters[NEXT]]
        elif not from_heap:
            return DONE
        if counters[SETTLED] == settled.energy.shape[0] or counters[UPCOMING] == upcoming.energy.shape[0]:
            return FULL
        if counters[RELAYED] + out.start.shape[0] > relayed.energy.shape[0]:
            return FULL
        pool = relayed if from_heap else arrivals
        if from_heap:
            at = heap_pop(heap, counters[HEAPED])
            counters[HEAPED] -= 1
        else:
            at = counters[NEXT]
            counters[NEXT] += 1
        energy, latency, n = pool.energy[at], pool.latency[at], pool.node[at]
        parent = pool.parent[at]
        dominated = latency >= least_latency[n]
        if dominated and (k == 1 or _dominators(settled, counters, last_settled[n], latency, parent, k) >= k):
            continue
        label = counters[SETTLED]
        _put(settled, label, energy, latency, n, parent)
        settled.previous[label] = last_settled[n]
        last_settled[n] = label
        least_latency[n] = min(least_latency[n], latency)
        counters[SETTLED] += 1
        _complete(best, completions, j, n, energy, latency, label)
        limit = best.limit[0]
        if layer.pin < 0 or layer.pin == n:
            e, t = energy + layer.run_energy[n], latency + layer.run_latency[n]
            if promising(to_go, limit, j + 1, n, e, t):
                _put(upcoming, counters[UPCOMING], e, t, n, label)
                counters[UPCOMING] += 1
        work += 1
        for a in range(out.start[n], out.start[n + 1]):
            m = out.target[a]
            e, t = energy + layer.send_energy[out.link[a]], latency + layer.send_latency[out.link[a]]
            hopeless = t >= least_latency[m] if k == 1 else _on_route(settled, layer_start, label, m)
            if not hopeless and promising(to_go, limit, j, m, e, t):
                _put(relayed, counters[RELAYED], e, t, m, label)
                heap_push(heap, counters[HEAPED], e, counters[RELAYED])
                counters[RELAYED] += 1
                counters[HEAPED] += 1
    return PAUSED
