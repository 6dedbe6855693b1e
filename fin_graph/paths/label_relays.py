"""Relays of FIN with cumulative rounding: labels travel over the links of a layer, replica by replica."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.arrays import Floats, Ints, LayerEdges
from finbench.fin_graph.paths.compiled import compiled
from finbench.fin_graph.paths.replica_labels import ENERGY, USED, is_better, replica_of, steps_of
from finbench.fin_graph.paths.waiting import Waiting, let_wait, take_least


class Links(NamedTuple):
    """The links of a layer, sorted by sender."""

    start: Ints
    """Those of sender n are start[n]..start[n+1]; shape (N + 1,)."""
    target: Ints
    energy: Floats
    used: Floats
    """Latency of a transfer over each [steps]."""
    row: NDArray[np.uint64]
    """Position of the receiver's row among all of a plane's numbers."""
    quickest: Floats
    """Least latency over the links of each sender [steps], inf where it has none; shape (N,)."""


@compiled
def links_by_sender(layer: LayerEdges, gamma: int, max_latency: float) -> Links:
    """Return the links of a layer by sender."""
    count, links = layer.in_start.shape[0] - 1, layer.link_source.shape[0]
    start = np.zeros(count + 1, np.int32)
    for n in layer.link_source:
        start[n + 1] += 1
    start = np.cumsum(start).astype(np.int32)
    place, target, row = start.copy(), np.empty(links, np.int32), np.empty(links, np.uint64)
    energy, used, quickest = np.empty(links), np.empty(links), np.full(count, np.inf)
    for m in range(count):
        for a in range(layer.in_start[m], layer.in_start[m + 1]):
            n = layer.link_source[a]
            at = place[n]
            place[n] += 1
            # What must not be sent takes longer than there is time.
            forbidden = layer.send_energy[a] == np.inf
            spent = gamma + 2.0 if forbidden else steps_of(layer.send_latency[a], gamma, max_latency)
            target[at], energy[at], used[at] = m, layer.send_energy[a], spent
            row[at] = m * (gamma + 1)
            quickest[n] = min(quickest[n], spent)
    return Links(start, target, energy, used, row, quickest)


@compiled
def _keep(rows: Floats, m: int, k: int, energy: float, used: float) -> bool:
    """Offer a label to replica k of node m and to those after it; return whether k keeps it."""
    kept = False
    while k < rows.shape[2] and is_better(energy, used, rows[ENERGY, m, k], rows[USED, m, k]):
        rows[ENERGY, m, k], rows[USED, m, k] = energy, used
        kept = True
        k += 1
    return kept


@compiled
def _send(rows: Floats, links: Links, queued: NDArray[np.bool_], waiting: Waiting, n: int, k: int) -> int:
    """Offer a label to the other ends of its node's links; those kept within the replica wait. Return the offers."""
    last, energy, used, energies = rows.shape[2] - 1, rows[ENERGY, n, k], rows[USED, n, k], rows[ENERGY].reshape(-1)
    for i in range(links.start[n], links.start[n + 1]):
        a = np.uint64(i)
        through, arrival = energy + links.energy[a], used + links.used[a]
        to = replica_of(arrival)
        if to > last or through > energies[links.row[a] + np.uint64(to)]:  # most offers end here
            continue
        m = links.target[a]
        if _keep(rows, m, to, through, min(arrival, 1.0 * to)):
            if to == k:
                let_wait(waiting, m, through)
            else:
                queued[to, m] = True
    return int(links.start[n + 1] - links.start[n])


@compiled
def relay_replica(rows: Floats, links: Links, queued: NDArray[np.bool_], waiting: Waiting, k: int) -> int:
    """Relay the labels of replica k, those that may stay within it by rising energy; return the number of offers."""
    offers = 0
    for n in range(rows.shape[1]):
        if queued[k, n]:
            queued[k, n] = k == 0 or rows[ENERGY, n, k] < rows[ENERGY, n, k - 1]
            if queued[k, n] and replica_of(rows[USED, n, k] + links.quickest[n]) <= k:
                let_wait(waiting, n, rows[ENERGY, n, k])
    while waiting.size[0] > 0:
        n = take_least(waiting)
        queued[k, n] = False
        offers += _send(rows, links, queued, waiting, n, k)
    for n in range(rows.shape[1]):
        if queued[k, n]:
            offers += _send(rows, links, queued, waiting, n, k)
    return offers
