"""The compiled heart of label setting: settle one layer's labels in order of energy.

A label (e, t) at vertex (j, n) stands for one way to bring the data that feeds block j+1 to node n, at energy e and
latency t. Taken in order of energy, a label is dominated exactly when one settled earlier at its node is at most as
late, so one number per node (k of them for the k best) decides. A label is dropped as well when the best that can
still come of it is no better than the limit UB, or too late (reverse bounds to go: h_E, h_T, and h_μ of e + μ t):

    t + h_T > δ      or      e + h_E ≥ UB      or      e + μ t + h_μ ≥ UB + μ δ
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fin_graph.arrays import Floats, Ints, LayerEdges
from fin_graph.compiled import compiled

DONE, PAUSED, FULL = 0, 1, 2
"""Why `settle_layer` came back: the layer is settled, its quota of labels is used up, or a pool is full."""

NEXT, SETTLED, RELAYED, HEAPED, UPCOMING = 0, 1, 2, 3, 4
"""Places in the array of counters: next arrival to take, and how much of each pool is in use."""


class Pool(NamedTuple):
    """Labels as parallel arrays of equal capacity."""

    energy: Floats
    latency: Floats
    node: Ints
    parent: NDArray[np.int64]
    """Index of the settled label it came from, −1 for the source's."""


class Heap(NamedTuple):
    """Binary heap of relayed labels: keys (energies) and indices into their pool."""

    key: Floats
    label: NDArray[np.int64]


class Reverse(NamedTuple):
    """Least costs to go, for pruning; each of shape (depth + 1, N)."""

    energy: Floats
    latency: Floats
    combined: Floats
    multiplier: float
    max_latency: float


class OutLinks(NamedTuple):
    """Links sorted by source: those out of n are start[n]..start[n+1]."""

    start: Ints
    target: Ints
    link: Ints
    """Position of each link in the order by target, in which costs are stored."""


@compiled
def _promising(reverse: Reverse, limit: float, j: int, n: int, energy: float, latency: float) -> bool:
    """Whether something better than `limit` may come of a label at (j, n)."""
    if latency + reverse.latency[j, n] > reverse.max_latency or energy + reverse.energy[j, n] >= limit:
        return False
    combined = energy + reverse.multiplier * latency + reverse.combined[j, n]
    return bool(combined < limit + reverse.multiplier * reverse.max_latency)


@compiled
def _put(pool: Pool, at: int, energy: float, latency: float, node: int, parent: int) -> None:
    pool.energy[at] = energy
    pool.latency[at] = latency
    pool.node[at] = node
    pool.parent[at] = parent


@compiled
def _heap_push(heap: Heap, size: int, key: float, index: int) -> None:
    """Add to a heap of `size` entries."""
    at = size
    while at > 0 and heap.key[(at - 1) // 2] > key:
        heap.key[at] = heap.key[(at - 1) // 2]
        heap.label[at] = heap.label[(at - 1) // 2]
        at = (at - 1) // 2
    heap.key[at] = key
    heap.label[at] = index


@compiled
def _heap_pop(heap: Heap, size: int) -> int:
    """Take the index of least key from a heap of `size` entries."""
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
def _enter(latencies: Floats, latency: float) -> None:
    """Insert into an ascending row, whose largest entry drops out."""
    at = latencies.shape[0] - 1
    while at > 0 and latencies[at - 1] > latency:
        latencies[at] = latencies[at - 1]
        at -= 1
    latencies[at] = latency


@compiled
def settle_layer(
    j: int,
    quota: int,
    counters: NDArray[np.int64],
    arrivals: Pool,
    settled: Pool,
    relayed: Pool,
    heap: Heap,
    upcoming: Pool,
    least_latencies: Floats,
    limit: float,
    reverse: Reverse,
    layer: LayerEdges,
    out: OutLinks,
) -> int:
    """Settle labels of layer j in order of energy, extend them by relays and by running block j+1.

    Parameters
    ----------
    j : int
        Layer.
    quota : int
        Labels to look at before pausing.
    counters : ndarray of int64, shape (5,)
        Updated in place, so that the call can be repeated after a pause or after pools have grown.
    arrivals : Pool
        Labels that arrive from layer j−1, sorted by energy; exactly as long as it is full.
    settled, relayed, upcoming : Pool
        Settled labels of all layers; labels relayed within this one; labels for the next.
    heap : Heap
        Relayed labels still to be taken.
    least_latencies : ndarray, shape (N, k)
        The k least latencies settled at every node of this layer, ascending.
    limit : float
        UB: only labels that may lead below it are kept.
    reverse : Reverse
    layer : LayerEdges
    out : OutLinks

    Returns
    -------
    int
        `DONE`, `PAUSED` or `FULL`.
    """
    k = least_latencies.shape[1]
    for _ in range(quota):
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
            at = _heap_pop(heap, counters[HEAPED])
            counters[HEAPED] -= 1
        else:
            at = counters[NEXT]
            counters[NEXT] += 1
        energy, latency, n = pool.energy[at], pool.latency[at], pool.node[at]
        if latency >= least_latencies[n, k - 1]:
            continue
        _enter(least_latencies[n], latency)
        label = counters[SETTLED]
        _put(settled, label, energy, latency, n, pool.parent[at])
        counters[SETTLED] += 1
        if layer.pin < 0 or layer.pin == n:
            e, t = energy + layer.run_energy[n], latency + layer.run_latency[n]
            if _promising(reverse, limit, j + 1, n, e, t):
                _put(upcoming, counters[UPCOMING], e, t, n, label)
                counters[UPCOMING] += 1
        for a in range(out.start[n], out.start[n + 1]):
            m = out.target[a]
            e, t = energy + layer.send_energy[out.link[a]], latency + layer.send_latency[out.link[a]]
            if t < least_latencies[m, k - 1] and _promising(reverse, limit, j, m, e, t):
                _put(relayed, counters[RELAYED], e, t, m, label)
                _heap_push(heap, counters[HEAPED], e, counters[RELAYED])
                counters[RELAYED] += 1
                counters[HEAPED] += 1
    return PAUSED
