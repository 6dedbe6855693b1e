"""Paths from the rows of FIN with cumulative rounding: which labels led to the label at the end."""

from __future__ import annotations

import numpy as np

from finbench.fin_graph.paths.arrays import Edges, Floats, LayerEdges, layer_edges, run_edge
from finbench.fin_graph.paths.compiled import compiled
from finbench.fin_graph.paths.replica_labels import ENERGY, USED, replica_of, shift_of, steps_of
from finbench.models.tolerances import FLOAT_NOISE


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
    soon = k - shift_of(used) + 1
    if soon > 0 and replica_of(rows[USED, n, soon] + used) > k:
        soon -= 1
    if soon < 0 or rows[ENERGY, n, soon] + energy != reached[0]:
        return -1
    spent = rows[USED, n, soon] + used
    return soon if replica_of(spent) <= k and min(spent, 1.0 * k) <= reached[1] + FLOAT_NOISE else -1
