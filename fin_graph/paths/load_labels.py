"""The compiled heart of label setting where capacities bind: labels that carry loads, taken in order of their bounds.

A label (e, t, u) at vertex (j, n) stands for one way to bring the data that feeds block j+1 to node n, at energy e,
latency t, and with loads u of the critical resources alone. Labels are taken in order of what they can lead to at best
(A*: Hart, Nilsson, Raphael 1968), with costs to go of the Lagrangian dual (eq. 19):

    key = max(e + h_E, e + μ (t − δ) + h_μ)

Costs to go know nothing of loads, so a key is a valid bound; it never falls along a path. So labels at the end come in
order of energy, and the key of the next label bounds whatever is not yet found.

A label is dropped where a load exceeds its resource, where it is too late, and where another at its vertex that was
taken before is no worse in energy, latency and every load. A load below what is harmless at its layer, since all that
may still come fits beside it, counts as just harmless. For the k best, it takes k such labels, each with a route within
the layer that visits nothing but nodes on the label's route.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.arrays import Edges, Floats, Ints
from finbench.fin_graph.paths.compiled import compiled
from finbench.fin_graph.paths.labels import DONE, FULL, PAUSED, BoundsToGo, Heap, OutLinks, heap_pop, heap_push
from finbench.fin_graph.paths.own_loads import LABEL_ROOM, Critical

USED, WAITING, TAKEN, ENDED, LAST_END, SEEN = 0, 1, 2, 3, 4, 5
"""Positions in the array of counters: labels made, labels in the heap, labels taken, ends found, the label that ended
last, comparisons done."""


class LoadPool(NamedTuple):
    """Labels as parallel arrays of equal capacity."""

    energy: Floats
    latency: Floats
    load: Floats
    """Loads of the critical resources; shape (capacity, R)."""
    layer: Ints
    node: Ints
    parent: NDArray[np.int64]
    """Label it came from, −1 for the source's."""
    previous: NDArray[np.int64]
    """Label taken before it at its vertex, −1 if none; of one that has ended, the one that ended before it."""


class LoadState(NamedTuple):
    """What a search knows so far; updated in place, so that a call can be repeated after an interruption."""

    counters: NDArray[np.int64]
    """Counters at positions `USED` … `SEEN`; shape (6,)."""
    last: NDArray[np.int64]
    """Label taken last at every vertex, −1 while there is none; shape (depth + 1, N)."""


class Goal(NamedTuple):
    """What is looked for."""

    k: int
    """Number of deployments."""
    limit: float
    """Only energies below it count [J]."""
    to_go: BoundsToGo


@compiled
def least_possible(to_go: BoundsToGo, j: int, n: int, energy: float, latency: float) -> float:
    """Return the least energy that a label at vertex (j, n) can lead to; inf where it is too late."""
    if latency + to_go.latency[j, n] > to_go.max_latency:
        return np.inf
    plain = energy + to_go.energy[j, n]
    combined = energy + to_go.multiplier * (latency - to_go.max_latency) + to_go.combined[j, n]
    return float(max(plain, combined))


@compiled
def _visits(pool: LoadPool, label: int, node: int) -> bool:
    """Return whether the route within its layer that leads to a label, its own node included, visits `node`."""
    layer = pool.layer[label]
    while label >= 0 and pool.layer[label] == layer:
        if pool.node[label] == node:
            return True
        label = pool.parent[label]
    return False


@compiled
def _route_within(pool: LoadPool, other: int, label: int) -> bool:
    """Return whether the route of `other` within its layer visits nothing but nodes on that of `label`."""
    layer = pool.layer[other]
    while other >= 0 and pool.layer[other] == layer:
        if not _visits(pool, label, pool.node[other]):
            return False
        other = pool.parent[other]
    return True


@compiled
def _no_worse(pool: LoadPool, other: int, label: int) -> bool:
    """Return whether a label is at most as large as another in energy, latency and every load."""
    if pool.energy[other] > pool.energy[label] or pool.latency[other] > pool.latency[label]:
        return False
    more = 0
    for r in range(pool.load.shape[1]):
        more += pool.load[other, r] > pool.load[label, r]
    return more == 0


@compiled
def _dominated(pool: LoadPool, counters: NDArray[np.int64], last: int, label: int, k: int) -> bool:
    """Return whether k labels taken before at the same vertex dominate `label`; `last` begins their chain."""
    count, other = 0, last
    while other >= 0:
        counters[SEEN] += 1
        if _no_worse(pool, other, label) and (k == 1 or _route_within(pool, other, label)):
            count += 1
            if count == k:
                return True
        other = pool.previous[other]
    return False


@compiled
def _prepare(state: LoadState, pool: LoadPool, parent: int, j: int, n: int) -> int:
    """Write the next label, one after `parent` at vertex (j, n) with the loads of `parent`, and return its number."""
    label = int(state.counters[USED])
    pool.layer[label] = j
    pool.node[label] = n
    pool.parent[label] = parent
    for r in range(pool.load.shape[1]):
        pool.load[label, r] = pool.load[parent, r]
    return label


@compiled
def _keep(
    state: LoadState, pool: LoadPool, heap: Heap, goal: Goal, critical: Critical, energy: float, latency: float
) -> None:
    """Keep the label that was prepared, where it fits and can lead below the limit."""
    label = state.counters[USED]
    j, n = pool.layer[label], pool.node[label]
    key = least_possible(goal.to_go, j, n, energy, latency)
    if not key < goal.limit:
        return
    for r in range(pool.load.shape[1]):
        if pool.load[label, r] > LABEL_ROOM:
            return
        pool.load[label, r] = max(pool.load[label, r], critical.harmless[r, j])
    pool.energy[label], pool.latency[label] = energy, latency
    state.counters[USED] += 1
    heap_push(heap, state.counters[WAITING], key, label)
    state.counters[WAITING] += 1


@compiled
def _run(
    state: LoadState, pool: LoadPool, heap: Heap, goal: Goal, edges: Edges, critical: Critical, label: int
) -> None:
    """Extend a label by running the next block where its data lies."""
    j, n = pool.layer[label], pool.node[label]
    if edges.run_energy[j, n] == np.inf or (edges.pins[j] >= 0 and edges.pins[j] != n):
        return
    new = _prepare(state, pool, label, j + 1, n)
    for r in range(pool.load.shape[1]):
        if critical.node[r] == n:
            pool.load[new, r] += critical.demand[r, j]
    energy, latency = pool.energy[label] + edges.run_energy[j, n], pool.latency[label] + edges.run_latency[j, n]
    _keep(state, pool, heap, goal, critical, energy, latency)


@compiled
def _send(
    state: LoadState,
    pool: LoadPool,
    heap: Heap,
    goal: Goal,
    edges: Edges,
    out: OutLinks,
    critical: Critical,
    label: int,
) -> None:
    """Extend a label by sending its data over every link that has room for it."""
    j, n = pool.layer[label], pool.node[label]
    for at in range(out.start[n], out.start[n + 1]):
        m, a = out.target[at], out.link[at]
        if edges.load_bits[j] > edges.link_room[a] or (goal.k > 1 and _visits(pool, label, m)):
            continue
        new = _prepare(state, pool, label, j, m)
        for r in range(pool.load.shape[1]):
            if critical.link[r] == a:
                pool.load[new, r] += critical.demand[r, j]
        energy = pool.energy[label] + edges.energy_bits[j] * edges.link_energy[a]
        latency = edges.latency_bits[j] * edges.link_time[a] + edges.delay_weight[j] * edges.link_delay[a]
        _keep(state, pool, heap, goal, critical, energy, pool.latency[label] + latency)


@compiled
def take_labels(
    quota: int,
    state: LoadState,
    pool: LoadPool,
    heap: Heap,
    goal: Goal,
    edges: Edges,
    out: OutLinks,
    critical: Critical,
) -> int:
    """Take labels in order of their keys and extend them, until k have reached the end or none is left.

    Parameters
    ----------
    quota : int
        Work to do before pausing: labels made and comparisons.
    state : LoadState
    pool : LoadPool
    heap : Heap
        Labels made and not yet taken, by key.
    goal : Goal
    edges : Edges
    out : OutLinks
    critical : Critical

    Returns
    -------
    int
        `DONE`, `PAUSED` or `FULL`.
    """
    counters, depth = state.counters, edges.pins.shape[0]
    until = counters[USED] + counters[SEEN] + quota
    while counters[USED] + counters[SEEN] < until:
        if counters[WAITING] == 0 or counters[ENDED] == goal.k:
            return DONE
        if counters[USED] + out.start.shape[0] + 1 > pool.energy.shape[0]:
            return FULL
        label = heap_pop(heap, counters[WAITING])
        counters[WAITING] -= 1
        counters[SEEN] += 1
        j, n = pool.layer[label], pool.node[label]
        if j == depth:
            pool.previous[label] = counters[LAST_END]
            counters[LAST_END] = label
            counters[ENDED] += 1
            continue
        if _dominated(pool, counters, state.last[j, n], label, goal.k):
            continue
        pool.previous[label] = state.last[j, n]
        state.last[j, n] = label
        counters[TAKEN] += 1
        _run(state, pool, heap, goal, edges, critical, label)
        _send(state, pool, heap, goal, edges, out, critical, label)
    return PAUSED
