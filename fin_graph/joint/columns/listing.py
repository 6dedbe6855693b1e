"""Every deployment of one application that a better solution of the whole instance could use.

This is label setting with the scarce resources in the labels. A label at vertex (j, n) stands for one way to bring the
data that feeds block j+1 to node n: its power, its latency and the fraction u_r that it has taken of every scarce
resource. It is dropped where

- another label there is no worse in power, latency and every u_r: whatever follows may follow that one instead (at the
  DNN's end nothing follows: there the latency does not count, and labels of all nodes are held against each other);
- some u_r alone exceeds the whole;
- nothing below the limit at the prices can come of it any more, or nothing quick enough (the bounds to go of
  `fin_graph.paths.labels`).

A list of more than `MOST_LABELS` labels is given up, and so is one that takes more than `WORK` comparisons.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.system import Group
from finbench.fin_graph.paths.arrays import Edges, Floats, Ints, PathProblem, layer_edges
from finbench.fin_graph.paths.bounds import Dual
from finbench.fin_graph.paths.compiled import compiled
from finbench.fin_graph.paths.labels import BoundsToGo, OutLinks, promising
from finbench.models.tolerances import FLOAT_NOISE

MOST_LABELS = 20_000
WORK = 20_000_000


class Demands(NamedTuple):
    """What blocks and transfers take of the resources, and where labels hold the K scarce ones."""

    compute: Floats
    """Fraction of its node's compute that every block takes at every vertex; shape (depth, V)."""
    memory: Floats
    """The same of its node's memory; shape (depth, V)."""
    compute_place: Ints
    """Position of every vertex's compute among the scarce resources, −1 where it is not scarce; shape (V,)."""
    memory_place: Ints
    """The same of memory; shape (V,)."""
    link_place: Ints
    """The same of every link; shape (A',)."""
    total: int
    """K."""


class Listed(NamedTuple):
    """What a label must promise to be listed."""

    to_go: BoundsToGo
    """Least costs to go at the prices."""
    limit: float
    """What a path must cost less than."""
    whole: float
    """The most that may be taken of any resource."""


class Labels(NamedTuple):
    """Labels as parallel arrays."""

    cost: Floats
    power: Floats
    latency: Floats
    node: Ints
    layer: Ints
    parent: Ints
    taken: Floats
    """Shape (labels, K)."""
    alive: NDArray[np.bool_]
    before: Ints
    """Living label made before at the same vertex, −1 if none."""


class Listing(NamedTuple):
    """A list under way: its labels, and what a new one is held against."""

    labels: Labels
    last: Ints
    """Living label made last at every vertex, −1 if none; of all ends at the first; shape (depth + 1, V)."""
    pruning: Listed
    work: NDArray[np.int64]
    """Comparisons of labels so far; shape (1,)."""


class Edge(NamedTuple):
    """An edge of the layered graph: where it leads, what it costs, and what it takes of up to two scarce resources."""

    layer: int
    node: int
    cost: float
    """At the prices [W]."""
    power: float
    """Without prices [W]."""
    latency: float
    """[s]."""
    place: int
    """Position of the resource, −1 for none."""
    taken: float
    """Fraction of it."""
    other_place: int
    other_taken: float


def demands_of(group: Group, rows: Ints) -> Demands:
    """Return what `group`'s blocks and transfers take of the resources `rows`, K of them."""
    topology, nodes = group.topology, len(group.topology.network.nodes)
    place = np.full(2 * nodes + len(topology.network.links), -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    at, number = topology.node_of_vertex, topology.link_number
    compute, memory = group.demands
    return Demands(
        compute,
        memory,
        place[at],
        place[nodes + at],
        np.where(number < 0, -1, place[2 * nodes + number]).astype(np.int32),
        len(rows),
    )


def paths_below(
    problem: PathProblem, plain: PathProblem, dual: Dual, demands: Demands, out: OutLinks, limit: float, whole: float
) -> list[tuple[list[int], list[int]]] | None:
    """Return layers and nodes of every path that costs less than `limit` and that no other one matches or beats.

    Parameters
    ----------
    problem, plain : PathProblem
        With and without prices.
    dual : Dual
        That of `problem`: its costs to go prune.
    demands : Demands
    out : OutLinks
        The problem's links by source.
    limit, whole : float
        What a path must cost less than, and the most that it may take of any resource.

    Returns
    -------
    list of (list, list), or None
        None where there are too many.
    """
    to_go = BoundsToGo(
        dual.energy_to_go.cost,
        dual.latency_to_go.cost,
        dual.combined_to_go.cost,
        dual.multiplier,
        problem.max_latency_s * (1 + FLOAT_NOISE),
    )
    pruning = Listed(to_go, limit, whole)
    labels, ends, complete = _list(problem.edges, plain.edges, problem.source, demands, out, pruning)
    if not complete:
        return None
    return [_traced(labels, int(end)) for end in ends if labels.alive[end]]


def _traced(labels: Labels, label: int) -> tuple[list[int], list[int]]:
    layers, nodes = list[int](), list[int]()
    while label >= 0:
        layers.append(int(labels.layer[label]))
        nodes.append(int(labels.node[label]))
        label = int(labels.parent[label])
    return layers[::-1], nodes[::-1]


@compiled
def _list(
    edges: Edges, plain: Edges, source: int, demands: Demands, out: OutLinks, pruning: Listed
) -> tuple[Labels, Ints, bool]:
    """Return all labels, those that reached the end, and whether `MOST_LABELS` and `WORK` sufficed."""
    depth, count = edges.run_energy.shape
    labels = _room_for(MOST_LABELS, demands.total)
    last, work = np.full((depth + 1, count), -1, np.int32), np.zeros(1, np.int64)
    listing = Listing(labels, last, pruning, work)
    labels.node[0] = source
    labels.parent[0] = -1
    made, start = 1, 0
    last[0, source] = 0
    ends, found = np.empty(MOST_LABELS, np.int32), 0
    for j in range(depth):
        layer, free = layer_edges(edges, j), layer_edges(plain, j)
        # This layer's labels begin at `start`; relays join them at the end of the list.
        k = start
        while k < made:
            if labels.alive[k]:
                n = labels.node[k]
                for a in range(out.start[n], out.start[n + 1]):
                    if made == MOST_LABELS or work[0] > WORK:
                        return labels, ends[:found], False
                    link = out.link[a]
                    send = Edge(
                        j,
                        out.target[a],
                        layer.send_energy[link],
                        free.send_energy[link],
                        layer.send_latency[link],
                        demands.link_place[link],
                        edges.load_bits[j] * edges.link_time[link],
                        -1,
                        0.0,
                    )
                    made += _make(listing, made, k, send)
            k += 1
        end = made
        for k in range(start, end):
            n = labels.node[k]
            if not labels.alive[k] or (layer.pin >= 0 and layer.pin != n):
                continue
            if made == MOST_LABELS or work[0] > WORK:
                return labels, ends[:found], False
            run = Edge(
                j + 1,
                n,
                layer.run_energy[n],
                free.run_energy[n],
                layer.run_latency[n],
                demands.compute_place[n],
                demands.compute[j, n],
                demands.memory_place[n],
                demands.memory[j, n],
            )
            if _make(listing, made, k, run):
                if j + 1 == depth:
                    ends[found] = made
                    found += 1
                made += 1
        start = end
    return labels, ends[:found], True


@compiled
def _room_for(most: int, count: int) -> Labels:
    return Labels(
        np.zeros(most),
        np.zeros(most),
        np.zeros(most),
        np.zeros(most, np.int32),
        np.zeros(most, np.int32),
        np.zeros(most, np.int32),
        np.zeros((most, count)),
        np.ones(most, np.bool_),
        np.full(most, -1, np.int32),
    )


@compiled
def _make(listing: Listing, label: int, parent: int, edge: Edge) -> bool:
    """Write one label that goes an edge beyond its parent, unless hopeless or dominated; return whether it is kept."""
    labels, last, pruning = listing.labels, listing.last, listing.pruning
    layer, node = edge.layer, edge.node
    cost, power = labels.cost[parent] + edge.cost, labels.power[parent] + edge.power
    latency = labels.latency[parent] + edge.latency
    if not promising(pruning.to_go, pruning.limit, layer, node, cost, latency):
        return False
    fractions = labels.taken[label]
    fractions[:] = labels.taken[parent]
    if edge.place >= 0:
        fractions[edge.place] += edge.taken
        if fractions[edge.place] > pruning.whole:
            return False
    if edge.other_place >= 0:
        fractions[edge.other_place] += edge.other_taken
        if fractions[edge.other_place] > pruning.whole:
            return False
    ended = layer == last.shape[0] - 1
    place = 0 if ended else node
    previous, other = -1, last[layer, place]
    while other >= 0:
        listing.work[0] += 1
        if _no_worse(labels, other, power, latency, fractions, ended):
            return False
        following = labels.before[other]
        if (
            power <= labels.power[other]
            and (ended or latency <= labels.latency[other])
            and _all_within(fractions, labels.taken[other])
        ):
            labels.alive[other] = False
            if previous < 0:
                last[layer, place] = following
            else:
                labels.before[previous] = following
        else:
            previous = other
        other = following
    labels.cost[label] = cost
    labels.power[label] = power
    labels.latency[label] = latency
    labels.node[label] = node
    labels.layer[label] = layer
    labels.parent[label] = parent
    labels.before[label] = last[layer, place]
    last[layer, place] = label
    return True


@compiled
def _no_worse(labels: Labels, label: int, power: float, latency: float, fractions: Floats, ended: bool) -> bool:
    within = labels.power[label] <= power and (ended or labels.latency[label] <= latency)
    return within and _all_within(labels.taken[label], fractions)


@compiled
def _all_within(fractions: Floats, others: Floats) -> bool:
    for k in range(fractions.shape[0]):  # noqa: SIM110 (compiled)
        if fractions[k] > others[k]:
            return False
    return True
