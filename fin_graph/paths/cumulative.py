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

and a row is relaxed by vector instructions. Relays within a layer are settled replica by replica, from 0 to γ, since
links never lead back in time; within one replica a heap gives the order of energies, so that no label is passed on
that is lost later. A link whose least possible offer is no better than the head's worst label within reach is left out.

The idea is known for constrained shortest paths as path delay discretization: S. Chen, M. Song, S. Sahni, IEEE/ACM
ToN 16(1), 2008.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.arrays import Edges, Floats, Ints, LayerEdges, layer_edges, run_edge
from finbench.fin_graph.paths.compiled import compiled
from finbench.models.tolerances import FLOAT_NOISE

ENERGY, USED = 0, 1
"""Planes of a layer's rows: energies [J], and true latencies in steps; a layer has shape (2, N, γ + 1)."""

LAYER, REPLICA, ROW, WORK, RELAXATIONS = 0, 1, 2, 3, 4
"""Positions in `LabelCursor.at`: layer within the segment, next replica of its relays, next row, work, relaxations."""


class LabelCursor(NamedTuple):
    """Where a pass over the layers of a segment stands; updated in place, so that it can be taken up again."""

    at: NDArray[np.int64]
    """Counters at positions `LAYER` … `RELAXATIONS`; shape (5,)."""
    first: Ints
    """First finite replica of each row of the layer, γ + 1 where there is none; shape (N,)."""
    relayed: NDArray[np.bool_]
    """Whether the label of each replica of the layer came over a link within it; shape (N, γ + 1)."""


class Links(NamedTuple):
    """The links of a layer over which a relay may pay, sorted by sender."""

    start: Ints
    """Those of sender n are start[n]..start[n+1]; shape (N + 1,)."""
    target: Ints
    energy: Floats
    used: Floats
    """Latency of a transfer over each [steps]."""
    quickest: Floats
    """Least latency over the links of each sender [steps], inf where it has none; shape (N,)."""
    senders: Ints
    receivers: Ints
    direct_until: Ints
    """The links over which a label may pay that was not relayed come first with each sender; where they end, (N,)."""


@compiled
def steps_of(latency: float, gamma: int, max_latency: float) -> float:
    """Return γ t/δ, at most γ + 2."""
    return 0.0 if latency <= 0.0 else min(gamma * latency / max_latency, gamma + 2.0)


@compiled
def replica_of(used: float) -> int:
    """Return the replica of a label of that latency [steps] (eq. 32)."""
    return int(np.ceil(used - FLOAT_NOISE))


@compiled
def _shift(used: float) -> int:
    """Return the larger of an edge's two shifts; an edge without latency has 1 and always takes the smaller."""
    return max(1, replica_of(used))


@compiled
def _better(energy: float, used: float, than_energy: float, than_used: float) -> bool:
    return energy < than_energy or (energy == than_energy and used < than_used)


@compiled
def _relax(
    tail: tuple[Floats, Floats], head: tuple[Floats, Floats], ladder: Floats, start: int, cost: tuple[float, float]
) -> None:
    """Relax one edge for the replicas `start`..γ of its head's row; rows are (energies, latencies in steps)."""
    (tail_energy, tail_used), (head_energy, head_used), (energy, used) = tail, head, cost
    # Unsigned indices spare the wrap-around test of negative ones, which keeps the loop from being vectorised.
    to, late = np.uint64(start), np.uint64(start - _shift(used))
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
    gamma, at, first = tails.shape[2] - 1, progress.at, progress.first
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
            if first[n] > gamma or energy == np.inf:
                continue
            used = steps_of(latency, gamma, max_latency)
            arrival = tails[USED, n, first[n]] + used
            start, shift = replica_of(arrival), _shift(used)
            if start > gamma or tails[ENERGY, n, gamma - shift + 1] + energy > head[0][start]:
                continue
            relaxations += gamma + 1 - start
            if start < first[n] + shift:
                _offer(head, start, tails[ENERGY, n, first[n]] + energy, arrival)
                start += 1
            _relax((tails[ENERGY, n], tails[USED, n]), head, ladder, start, (energy, used))
        at[RELAXATIONS] += relaxations
        at[WORK] += 2 * relaxations + layer.in_start[m + 1] - layer.in_start[m]
    return True


@compiled
def _offer(head: tuple[Floats, Floats], k: int, energy: float, used: float) -> bool:
    """Offer a label to replica k of a row; return whether it is kept."""
    used = min(used, 1.0 * k)
    if not _better(energy, used, head[0][k], head[1][k]):
        return False
    head[0][k], head[1][k] = energy, used
    return True


@compiled
def _least_and_earliest(rows: Floats, layer: LayerEdges, used: Floats) -> tuple[Floats, Floats]:
    """Return least energy and least latency [steps] that relays can give each node; shape (N,) each."""
    count, gamma = rows.shape[1], rows.shape[2] - 1
    least, earliest = np.full(count, np.inf), np.full(count, np.inf)
    for n in range(count):
        for k in range(gamma, -1, -1):
            if rows[ENERGY, n, k] < np.inf:
                least[n] = min(least[n], rows[ENERGY, n, k])
                earliest[n] = rows[USED, n, k]
    fell = True
    while fell:
        fell = False
        for m in range(count):
            for a in range(layer.in_start[m], layer.in_start[m + 1]):
                n = layer.link_source[a]
                energy, arrival = least[n] + layer.send_energy[a], earliest[n] + used[a]
                if energy < least[m]:
                    least[m] = energy
                    fell = True
                if arrival < earliest[m] and layer.send_energy[a] < np.inf and arrival < gamma + 2.0:
                    arrival = min(arrival, 1.0 * replica_of(arrival))
                    if arrival < earliest[m]:
                        earliest[m] = arrival
                        fell = True
    return least, earliest


@compiled
def _useful_links(rows: Floats, layer: LayerEdges, max_latency: float) -> Links:
    """Return the links of a layer whose least possible offer betters some label of their head within reach."""
    count, gamma = rows.shape[1], rows.shape[2] - 1
    used = np.empty(layer.send_latency.shape[0])
    for a in range(used.shape[0]):
        used[a] = steps_of(layer.send_latency[a], gamma, max_latency)
    least, earliest = _least_and_earliest(rows, layer, used)
    useful, direct = np.zeros(used.shape[0], np.bool_), np.zeros(used.shape[0], np.bool_)
    start, receives = np.zeros(count + 1, np.int32), np.zeros(count, np.bool_)
    for m in range(count):
        for a in range(layer.in_start[m], layer.in_start[m + 1]):
            n = layer.link_source[a]
            energy, arrival = least[n] + layer.send_energy[a], earliest[n] + used[a]
            if energy < np.inf and arrival < gamma + 1.0:
                k = replica_of(arrival)
                useful[a] = k <= gamma and energy <= rows[ENERGY, m, k]
            if useful[a]:
                start[n + 1] += 1
                receives[m] = True
                shift = _shift(used[a])
                direct[a] = shift <= gamma + 1 and _pays(rows[ENERGY, n], rows[ENERGY, m], shift, layer.send_energy[a])
    start = np.cumsum(start).astype(np.int32)
    target, place = np.empty(start[-1], np.int32), start.copy()
    link_energy, link_used, quickest = np.empty(start[-1]), np.empty(start[-1]), np.full(count, np.inf)
    direct_until = start[:-1].copy()
    for wanted in (True, False):
        for m in range(count):
            for a in range(layer.in_start[m], layer.in_start[m + 1]):
                n = layer.link_source[a]
                if useful[a] and direct[a] == wanted:
                    at = place[n]
                    place[n] += 1
                    target[at], link_energy[at], link_used[at] = m, layer.send_energy[a], used[a]
                    quickest[n] = min(quickest[n], used[a])
                    direct_until[n] += wanted
    senders = np.flatnonzero(start[1:] > start[:-1]).astype(np.int32)
    receivers = np.flatnonzero(receives).astype(np.int32)
    return Links(start, target, link_energy, link_used, quickest, senders, receivers, direct_until)


@compiled
def _pays(tail: Floats, head: Floats, shift: int, energy: float) -> bool:
    """Return whether an edge betters the head's row when it always takes the smaller shift; rows of energies."""
    near, pays = np.uint64(shift - 1), False
    for i in range(tail.shape[0] - (shift - 1)):
        k = np.uint64(i)
        through = tail[k] + energy
        pays |= (through <= head[near + k]) & (through < np.inf)
    return pays


@compiled
def _is_own(rows: Floats, n: int, k: int) -> bool:
    """Return whether the label at (n, k) is one of replica k itself, not of a replica before."""
    return rows[ENERGY, n, k] < np.inf and (k == 0 or rows[ENERGY, n, k] < rows[ENERGY, n, k - 1])


@compiled
def _settle(rows: Floats, links: Links, relayed: NDArray[np.bool_], k: int) -> None:
    """Relay labels within replica k, by rising energy and latency."""
    waiting = [(0.0, 0.0, np.int64(0)) for _ in range(0)]
    for n in links.senders:
        used = rows[USED, n, k]
        if _is_own(rows, n, k) and replica_of(used + links.quickest[n]) <= k:
            heappush(waiting, (rows[ENERGY, n, k], used, np.int64(n)))
    while len(waiting) > 0:
        energy, used, n = heappop(waiting)
        if energy != rows[ENERGY, n, k] or used != rows[USED, n, k]:
            continue
        for a in range(links.start[n], links.start[n + 1] if relayed[n, k] else links.direct_until[n]):
            arrival, m = used + links.used[a], links.target[a]
            if replica_of(arrival) <= k and _offer(
                (rows[ENERGY, m], rows[USED, m]), k, energy + links.energy[a], arrival
            ):
                relayed[m, k] = True
                heappush(waiting, (rows[ENERGY, m, k], rows[USED, m, k], np.int64(m)))


@compiled
def _send_on(rows: Floats, links: Links, relayed: NDArray[np.bool_], k: int) -> int:
    """Offer the labels of replica k to later replicas at the other ends of links; return the number of offers."""
    offers, gamma = 0, rows.shape[2] - 1
    for n in links.senders:
        if not _is_own(rows, n, k):
            continue
        energy, used = rows[ENERGY, n, k], rows[USED, n, k]
        until = links.start[n + 1] if relayed[n, k] else links.direct_until[n]
        offers += until - links.start[n]
        for a in range(links.start[n], until):
            arrival, m = used + links.used[a], links.target[a]
            if arrival < gamma + 1.0:
                to = replica_of(arrival)
                if k < to <= gamma and _offer((rows[ENERGY, m], rows[USED, m]), to, energy + links.energy[a], arrival):
                    relayed[m, to] = True
    return offers


@compiled
def _relay(rows: Floats, max_latency: float, layer: LayerEdges, progress: LabelCursor, until: int) -> bool:
    """Relay labels over the links of a layer, replica by replica; return False where `until` of work ended it."""
    at = progress.at
    links = _useful_links(rows, layer, max_latency)
    while at[REPLICA] < rows.shape[2]:
        if at[WORK] >= until:
            return False
        k = at[REPLICA]
        if k > 0:
            for m in links.receivers:
                energy, used = rows[ENERGY, m, k - 1], rows[USED, m, k - 1]
                if energy < np.inf and not _better(rows[ENERGY, m, k], rows[USED, m, k], energy, used):
                    rows[ENERGY, m, k], rows[USED, m, k] = energy, used
        _settle(rows, links, progress.relayed, k)
        offers = _send_on(rows, links, progress.relayed, k)
        at[REPLICA] += 1
        at[RELAXATIONS] += offers
        at[WORK] += 4 * offers + links.receivers.shape[0] + links.senders.shape[0]
    return True


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
            if not _relay(rows[i], max_latency, layer, progress, until):
                return False
            for n in range(rows.shape[2]):
                k = 0
                while k < rows.shape[3] and rows[i, ENERGY, n, k] == np.inf:
                    k += 1
                progress.first[n] = k
        if not _run_block(rows[i], rows[i + 1], max_latency, layer, progress, until):
            return False
        at[LAYER] += 1
        at[REPLICA] = 0
        progress.relayed[:] = False
        at[ROW] = 0
    return True


@compiled
def walk_back_labels(
    rows: Floats, start: int, end: tuple[int, int], max_latency: float, source: int, edges: Edges
) -> tuple[list[int], list[int], tuple[int, int]]:
    """Return layers and nodes of a path that explains `end` of the last layer, and where it stands in layer `start`.

    Vertices come in reverse order, `end` included; the first layer's relays belong to the segment before, but for
    layer 0, where they lead back to the source.
    """
    depth, count = edges.pins.shape[0], rows.shape[0] - 1
    layers, nodes = [start + count], [end[0]]
    for i in range(count, -1, -1):
        j = start + i
        if i == 0 and start > 0:
            break
        runs, relays = layer_edges(edges, max(j - 1, 0)), layer_edges(edges, min(j, depth - 1))
        tails = rows[max(i - 1, 0)]
        relayed, tail = _explain((tails, rows[i]), (runs, relays), end, max_latency, (j, depth, source))
        for n in relayed:
            layers.append(j)
            nodes.append(n)
        if j > 0:
            layers.append(j - 1)
            nodes.append(tail[0])
            end = tail
    return layers, nodes, end


@compiled
def _explain(
    around: tuple[Floats, Floats],
    edges: tuple[LayerEdges, LayerEdges],
    end: tuple[int, int],
    max_latency: float,
    place: tuple[int, int, int],
) -> tuple[list[int], tuple[int, int]]:
    """Return the nodes that the label at `end` was relayed from, in reverse, and the tail of the run edge before.

    The search goes depth-first over the relays that give the same label and visits each once, since links that cost
    nothing may close cycles.
    """
    (tails, here), (runs, relays), (j, depth, source) = around, edges, place
    found_n, found_k, parents, todo = [end[0]], [end[1]], [-1], [0]
    seen = np.zeros(here[ENERGY].shape, np.bool_)
    while True:
        at = todo.pop()
        m, k = found_n[at], found_k[at]
        while k > 0 and here[ENERGY, m, k - 1] == here[ENERGY, m, k]:
            k -= 1
        reached = (here[ENERGY, m, k], here[USED, m, k])
        tail = (-1, -1)
        if j > 0 and runs.pin in (-1, m):
            for a in range(runs.in_start[m] - 1, runs.in_start[m + 1]):
                n, energy, latency = run_edge(runs, m, a)
                before = _origin(tails, reached, n, k, (energy, latency), max_latency)
                if before >= 0:
                    tail = (n, before)
                    break
        if tail[0] >= 0 or (j == 0 and m == source and k == 0):
            break
        for a in range(relays.in_start[m], relays.in_start[m + 1]):
            if j == depth:
                break
            n = relays.link_source[a]
            before = _origin(here, reached, n, k, (relays.send_energy[a], relays.send_latency[a]), max_latency)
            if before >= 0 and not seen[n, before]:
                seen[n, before] = True
                found_n.append(n)
                found_k.append(before)
                parents.append(at)
                todo.append(len(parents) - 1)
    chain = [0 for _ in range(0)]
    while at > 0:
        chain.append(found_n[at])
        at = parents[at]
    return chain[::-1], tail


@compiled
def _origin(
    rows: Floats, reached: tuple[float, float], n: int, k: int, cost: tuple[float, float], max_latency: float
) -> int:
    """Return the replica of n whose label an edge makes the label `reached` at replica k; −1 where there is none.

    Energies are equal to the last bit. A latency may be less, or more by noise: a copy of a label at a later replica is
    not always written down as its own replica.
    """
    energy, used = cost[0], steps_of(cost[1], rows.shape[2] - 1, max_latency)
    soon = k - _shift(used) + 1
    if soon > 0 and replica_of(rows[USED, n, soon] + used) > k:
        soon -= 1
    if soon < 0 or rows[ENERGY, n, soon] + energy != reached[0]:
        return -1
    spent = rows[USED, n, soon] + used
    return soon if replica_of(spent) <= k and min(spent, 1.0 * k) <= reached[1] + FLOAT_NOISE else -1
