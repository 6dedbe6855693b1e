"""FIN with cumulative rounding on arrays: every label of a replica carries the true latency of its path.

With (17) an edge of latency t leads from replica k to k + ⌈γ t/δ⌉, whatever its tail has left of its last step. Here
a label at a vertex is an energy and a true latency T, and the edge leads it to replica

    ⌈γ (T + t)/δ⌉                                                                                     (32)

Each replica keeps the label of least energy, of these the one of least latency. Labels that lose leave no descendants,
so what is kept does not depend on the order of the work.

*Never above (17) at the same γ, and feasible.* A label at replica k has T ≤ k δ/γ, so one that ends within γ steps
meets δ. Let E(v, k) be the least energy that (17) finds at vertex v within k steps. Then some label of v at a replica
≤ k has energy ≤ E(v, k). At the source both are 0. Let an edge of latency t and energy c give E(v, k), from its tail u
within k' = k − ⌈γ t/δ⌉ steps. By induction u has a label of energy ≤ E(u, k') at a replica ≤ k', hence with
T ≤ k' δ/γ. The edge leads it to ⌈γ (T + t)/δ⌉ ≤ k' + ⌈γ t/δ⌉ = k, with energy ≤ E(u, k') + c = E(v, k). There it is
kept, or lost to a label of no more energy at the same replica. Neither choosing one label for each replica nor the tie
rule breaks this: the step needs an energy and T ≤ k' δ/γ alone.

Latencies are counted in steps, γ T/δ. One that lies less than `FLOAT_NOISE` above a replica counts as that replica, as
in (17), and is written down as it: so T ≤ k δ/γ holds to the last bit, and noise does not add up against the proof.

A row holds, for every k, the best label at a replica ≤ k. It falls along k, energies first, then latencies. With
s = ⌈γ t/δ⌉ the shift of a label is s − 1 or s, so an edge offers to replica k of its head

    the label at k − s + 1 of its tail where that arrives in time, else the label at k − s

and a row is relaxed by vector instructions, unless energies alone show that nothing is gained. Where a row has few
labels of its own and copies else, those few are offered one by one. Relays within a layer are settled replica by
replica, from 0 to γ, since links never lead back in time; within one replica a queue gives the order of energies, so
that no label is passed on that is lost later.

The idea is known for constrained shortest paths as path delay discretization: S. Chen, M. Song, S. Sahni, IEEE/ACM
ToN 16(1), 2008.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.arrays import Edges, Floats, Ints, LayerEdges, layer_edges, run_edge
from finbench.fin_graph.paths.compiled import compiled
from finbench.fin_graph.paths.label_relays import links_by_sender, relay_replica
from finbench.fin_graph.paths.replica_labels import ENERGY, USED, is_better, replica_of, shift_of, steps_of
from finbench.fin_graph.paths.waiting import Waiting, nobody_waits
from finbench.models.tolerances import FLOAT_NOISE

SPARSE = 16
"""Where a row has this many times as many replicas as own labels, those are offered one by one."""

LAYER, REPLICA, ROW, WORK, RELAXATIONS = 0, 1, 2, 3, 4
"""Positions in `LabelCursor.at`: layer within the segment, next replica of its relays, next row, work, relaxations."""


class Own(NamedTuple):
    """The labels of a layer that are a replica's own, not copies of one at a replica before, by node."""

    number: Ints
    """Number of labels of each node; shape (N,)."""
    energy: Floats
    """Energies of each node's labels, falling; shape (N, γ + 1), of which `number` are in use."""
    used: Floats
    """Their latencies [steps], rising."""


class LabelCursor(NamedTuple):
    """Where a pass over the layers of a segment stands; updated in place, so that it can be taken up again."""

    at: NDArray[np.int64]
    """Counters at positions `LAYER` … `RELAXATIONS`; shape (5,)."""
    queued: NDArray[np.bool_]
    """At replica k, the nodes whose label is to be relayed once k's turn comes; shape (γ + 1, N)."""
    waiting: Waiting
    """The nodes whose label at the present replica is to be relayed by rising energy."""
    own: Own
    """The labels of the layer that are a replica's own."""


@compiled
def _offer_own(own: Own, n: int, head: tuple[Floats, Floats], cost: tuple[float, float]) -> None:
    """Offer all own labels of node n over one edge to its head's row; rows are (energies, latencies in steps)."""
    for i in range(own.number[n]):
        arrival = own.used[n, i] + cost[1]
        to = replica_of(arrival)
        if to >= head[0].shape[0]:
            break
        _offer(head, to, own.energy[n, i] + cost[0], arrival)


@compiled
def _offer(head: tuple[Floats, Floats], k: int, energy: float, used: float) -> None:
    """Offer a label to replica k of a row."""
    used = min(used, 1.0 * k)
    if is_better(energy, used, head[0][k], head[1][k]):
        head[0][k], head[1][k] = energy, used


@compiled
def _pays(tail: Floats, head: Floats, start: int, shift: int, energy: float) -> bool:
    """Return whether an edge betters a row of energies, were each label to take the smaller shift."""
    to, soon, pays = np.uint64(start), np.uint64(start - shift + 1), False
    for i in range(head.shape[0] - start):
        k = np.uint64(i)
        pays |= tail[soon + k] + energy <= head[to + k]
    return pays


@compiled
def _relax(
    tail: tuple[Floats, Floats], head: tuple[Floats, Floats], ladder: Floats, start: int, cost: tuple[float, float]
) -> None:
    """Relax one edge for the replicas `start`..γ of its head's row; rows are (energies, latencies in steps)."""
    (tail_energy, tail_used), (head_energy, head_used), (energy, used) = tail, head, cost
    # Unsigned indices spare the wrap-around test of negative ones, which keeps the loop from being vectorised.
    to, late = np.uint64(start), np.uint64(start - shift_of(used))
    soon = late + np.uint64(1)
    for i in range(ladder.shape[0] - start):
        k = np.uint64(i)
        reached = ladder[to + k]
        soon_energy, soon_used = tail_energy[soon + k], tail_used[soon + k] + used
        late_energy, late_used = tail_energy[late + k], tail_used[late + k] + used
        in_time = soon_used - FLOAT_NOISE <= reached
        through = (soon_energy if in_time else late_energy) + energy
        spent = min(soon_used if in_time else late_used, reached)
        old, old_used = head_energy[to + k], head_used[to + k]
        better = (through < old) | ((through == old) & (spent < old_used))
        head_energy[to + k] = through if better else old
        head_used[to + k] = spent if better else old_used


@compiled
def _run_block(
    tails: Floats, heads: Floats, max_latency: float, layer: LayerEdges, progress: LabelCursor, until: int
) -> bool:
    """Fill the rows after a block has run from those that feed it; return False where `until` of work ended it."""
    gamma, at, own = tails.shape[2] - 1, progress.at, progress.own
    ladder = np.arange(gamma + 1) * 1.0
    while at[ROW] < tails.shape[1]:
        if at[WORK] >= until:
            return False
        m = at[ROW]
        at[ROW] += 1
        heads[:, m, :] = np.inf
        at[WORK] += 2 * (gamma + 1)
        if layer.pin not in (-1, m):
            continue
        head = (heads[ENERGY, m], heads[USED, m])
        relaxations = 0
        for a in range(layer.in_start[m] - 1, layer.in_start[m + 1]):
            n, energy, latency = run_edge(layer, m, a)
            if own.number[n] == 0 or energy == np.inf:
                continue
            used = steps_of(latency, gamma, max_latency)
            arrival = own.used[n, 0] + used
            start, shift, first = replica_of(arrival), shift_of(used), replica_of(own.used[n, 0])
            if start > gamma or own.energy[n, own.number[n] - 1] + energy > head[0][start]:
                continue
            relaxations += gamma + 1 - start
            if SPARSE * own.number[n] <= gamma + 1 - start:
                _offer_own(own, n, head, (energy, used))
                continue
            if start < first + shift:
                _offer(head, start, own.energy[n, 0] + energy, arrival)
                start += 1
            if _pays(tails[ENERGY, n], head[0], start, shift, energy):
                _relax((tails[ENERGY, n], tails[USED, n]), head, ladder, start, (energy, used))
        at[RELAXATIONS] += relaxations
        at[WORK] += 2 * relaxations + layer.in_start[m + 1] - layer.in_start[m]
    return True


@compiled
def _relay(rows: Floats, max_latency: float, layer: LayerEdges, progress: LabelCursor, until: int) -> bool:
    """Relay labels over the links of a layer, replica by replica; return False where `until` of work ended it."""
    at = progress.at
    links = links_by_sender(layer, rows.shape[2] - 1, max_latency)
    while at[REPLICA] < rows.shape[2]:
        if at[WORK] >= until:
            return False
        offers = relay_replica(rows, links, progress.queued, progress.waiting, at[REPLICA])
        at[REPLICA] += 1
        at[RELAXATIONS] += offers
        at[WORK] += 4 * offers + rows.shape[1]
    return True


@compiled
def _queue(rows: Floats, queued: NDArray[np.bool_]) -> None:
    """Complete the rows of a layer, and queue the own labels of every replica to be relayed."""
    for n in range(rows.shape[1]):
        energy, used = rows[ENERGY, n], rows[USED, n]
        least, spent = np.inf, np.inf
        for k in range(energy.shape[0]):
            queued[k, n] = energy[k] < least
            if energy[k] < least:
                least, spent = energy[k], used[k]
            else:
                energy[k], used[k] = least, spent


@compiled
def _list_own(rows: Floats, own: Own) -> None:
    """List the labels of a layer that are a replica's own."""
    for n in range(rows.shape[1]):
        energy, used = rows[ENERGY, n], rows[USED, n]
        least, count = np.inf, 0
        for k in range(energy.shape[0]):
            if energy[k] < least:
                least = energy[k]
                own.energy[n, count], own.used[n, count] = least, used[k]
                count += 1
        own.number[n] = count


def cursor(rows: Floats) -> LabelCursor:
    """Return a cursor for a pass over `rows` that has not begun."""
    count, replicas = rows.shape[2:]
    own = Own(np.zeros(count, np.int32), np.empty((count, replicas)), np.empty((count, replicas)))
    return LabelCursor(np.zeros(5, np.int64), np.zeros((replicas, count), np.bool_), nobody_waits(count), own)


@compiled
def fill_labels(rows: Floats, start: int, max_latency: float, edges: Edges, progress: LabelCursor, quota: int) -> bool:
    """Fill rows[1..] (layers start+1..) from rows[0], from where `progress` stands; return whether all are filled.

    Parameters
    ----------
    rows : ndarray, shape (layers, 2, N, γ + 1)
    start : int
        Layer that rows[0] holds.
    max_latency : float
        δ [s], which γ steps make up.
    edges : Edges
    progress : LabelCursor
    quota : int
        Work after which to pause.
    """
    at = progress.at
    until = at[WORK] + quota
    while at[LAYER] < rows.shape[0] - 1:
        i = at[LAYER]
        layer = layer_edges(edges, start + i)
        if at[REPLICA] < rows.shape[3]:
            if at[REPLICA] == 0:
                _queue(rows[i], progress.queued)
            if not _relay(rows[i], max_latency, layer, progress, until):
                return False
            _list_own(rows[i], progress.own)
        if not _run_block(rows[i], rows[i + 1], max_latency, layer, progress, until):
            return False
        at[LAYER] += 1
        at[REPLICA] = 0
        at[ROW] = 0
    _queue(rows[rows.shape[0] - 1], progress.queued)
    return True
