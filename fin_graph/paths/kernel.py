"""FIN's stages 2 and 3 on arrays: the least-energy path over the γ+1 latency replicas of every vertex.

The expanded graph is never built. A row holds, for one vertex (j, n) and every k = 0..γ, the least energy of being
there after at most k steps; it falls along k. An edge of energy c and s steps (eq. 17, or 18 rounding down) relaxes the
whole row of its head at once:

    row[head][k + s] = min(row[head][k + s], row[tail][k] + c)        for all k

so the inner loop runs over contiguous replicas and becomes vector instructions. As rows fall, an edge whose least
offer, row[tail][γ − s] + c, is no better than the head's worst entry within reach changes nothing and is passed over at
the cost of two loads. One layer's rows follow from the previous layer's (run, send-and-run), then relays are relaxed
within the layer until nothing falls; a link whose latency rounds to 0 steps may close cycles, which this settles as
well, since energies are non-negative.

Memory is linear in vertices × replicas and bounded: where all layers' rows would take more than
`KEPT_ROWS_BYTES`, only about the square root of them are kept and the others are computed again on the way back.
Predecessors are not stored: the edge that gave an energy is found again by comparing sums that were formed by the same
operations and therefore are equal to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, sqrt

import numpy as np

from finbench.fin_graph.paths.arrays import Edges, Floats, Ints, LayerEdges, PathProblem, layer_edges
from finbench.fin_graph.paths.compiled import compiled
from finbench.models.tolerances import FLOAT_NOISE

KEPT_ROWS_BYTES = 2**30
"""Above this many bytes of rows the layers between checkpoints are computed twice instead of kept."""


@dataclass(frozen=True)
class ReplicaPath:
    """A least-energy path over the replicas."""

    energy: float
    """Energy of the path [J per inference], inf where no end is reached."""
    layers: tuple[int, ...]
    """Layer j of every vertex (j, n) on the path."""
    nodes: tuple[int, ...]
    """Node n of every vertex."""
    relaxations: int
    """Edge relaxations done forward, one for each edge and replica; edges passed over count nothing."""


def rows_bytes(problem: PathProblem, gamma: int) -> int:
    """Peak memory of `least_energy_replica_path` [byte]."""
    return _layers_held(problem, gamma) * _row_bytes(problem, gamma)


def _row_bytes(problem: PathProblem, gamma: int) -> int:
    return len(problem.node_names) * (gamma + 1) * 8


def _segment_length(problem: PathProblem, gamma: int) -> int:
    """Layers between checkpoints: all of them where they fit, else about the square root."""
    fits = (problem.depth + 1) * _row_bytes(problem, gamma) <= KEPT_ROWS_BYTES
    return problem.depth if fits else ceil(sqrt(problem.depth))


def _layers_held(problem: PathProblem, gamma: int) -> int:
    length = _segment_length(problem, gamma)
    return length + ceil(problem.depth / length)


def least_energy_replica_path(problem: PathProblem, gamma: int, *, up: bool = True) -> ReplicaPath:
    """FIN's stages 2 and 3: the least-energy path whose rounded latency is at most γ steps.

    Parameters
    ----------
    problem : PathProblem
    gamma : int
        Number of latency steps γ ≥ 1 that the budget is divided into.
    up : bool
        Round latencies up to steps (every path is feasible, eq. 17) or down (a relaxation, eq. 18).

    Returns
    -------
    ReplicaPath
    """
    length = _segment_length(problem, gamma)
    starts = range(0, problem.depth, length)
    rows = _rows_from_source(problem, gamma, length)
    checkpoints, relaxations = [], 0
    for start in starts:
        if start:
            rows[0] = rows[min(length, start)]
        relaxations += _fill_segment(problem, rows, start, up)
        if len(starts) > 1:
            checkpoints.append(rows[0].copy())
    ends = rows[problem.depth - starts[-1], :, gamma]
    end = int(ends.argmin()), gamma
    energy = float(ends[end[0]])
    if energy == inf:
        return ReplicaPath(inf, (), (), relaxations)
    layers: list[int] = []
    nodes: list[int] = []
    for start in reversed(starts):
        if start != starts[-1]:
            rows[0] = checkpoints[start // length]
            _fill_segment(problem, rows, start, up)
            rows[length] = checkpoints[start // length + 1]
        count = min(length, problem.depth - start)
        above, at, end = _walk_back(rows, start, count, end, up, problem.max_latency_s, problem.source, problem.edges)
        # The vertex where two segments meet ends the one and begins the other.
        layers += above[len(layers) > 0 :]
        nodes += at[len(nodes) > 0 :]
    return ReplicaPath(energy, tuple(layers[::-1]), tuple(nodes[::-1]), relaxations)


def least_energies(problem: PathProblem, gamma: int) -> Floats:
    """Least energy of having run the first j blocks within k steps, at any node, rounding latencies up.

    Parameters
    ----------
    problem : PathProblem
    gamma : int
        Number of latency steps γ that `problem.max_latency_s` is divided into.

    Returns
    -------
    ndarray, shape (depth + 1, gamma + 1)
        Energies [J per inference], inf where nothing fits; falling along k.
    """
    rows = _rows_from_source(problem, gamma, 1)
    least = np.empty((problem.depth + 1, gamma + 1))
    for j in range(problem.depth):
        least[j] = rows[0].min(axis=0)
        _fill_segment(problem, rows, j, True)
        rows[0] = rows[1]
    least[-1] = rows[0].min(axis=0)
    return least


def _rows_from_source(problem: PathProblem, gamma: int, length: int) -> Floats:
    """Room for `length` layers after the first, which holds the sample at its source."""
    rows = np.empty((length + 1, len(problem.node_names), gamma + 1))
    rows[0] = inf
    rows[0, problem.source] = 0.0
    return rows


def _fill_segment(problem: PathProblem, rows: Floats, start: int, up: bool) -> int:
    """Fill rows[1..] from rows[0], which holds layer `start`; returns the number of relaxations."""
    stop = min(len(rows) - 1, problem.depth - start)
    return _fill_rows(rows, start, stop, up, problem.max_latency_s, problem.edges)


@compiled
def replica_step(latency: float, gamma: int, max_latency: float, up: bool) -> int:
    """Steps that an edge of `latency` takes (eq. 17 up, eq. 18 down), at most γ + 1."""
    if latency <= 0.0:
        return 0
    steps = gamma * latency / max_latency
    if steps > gamma + 1.0:
        return gamma + 1
    if up:
        return int(np.ceil(steps - FLOAT_NOISE))
    return int(np.floor(steps + FLOAT_NOISE))


@compiled
def _relax(tails: Floats, tail: int, heads: Floats, head: int, first: int, step: int, energy: float) -> None:
    """Relax one edge for the tail's replicas `first`..γ − step."""
    # Unsigned indices spare the wrap-around test of negative ones, which keeps the loop from being vectorised.
    n, m, from_k, to_k = np.uint64(tail), np.uint64(head), np.uint64(first), np.uint64(first + step)
    for i in range(tails.shape[1] - step - first):
        k = np.uint64(i)
        through = tails[n, from_k + k] + energy
        old = heads[m, to_k + k]
        heads[m, to_k + k] = through if through < old else old


@compiled
def _relax_and_tell(rows: Floats, tail: int, head: int, first: int, step: int, energy: float) -> bool:
    """Relax one edge within a layer, as `_relax` does; whether any energy fell."""
    n, m, from_k, to_k = np.uint64(tail), np.uint64(head), np.uint64(first), np.uint64(first + step)
    fell = False
    for i in range(rows.shape[1] - step - first):
        k = np.uint64(i)
        through = rows[n, from_k + k] + energy
        old = rows[m, to_k + k]
        fell |= through < old
        rows[m, to_k + k] = through if through < old else old
    return fell


@compiled
def _run_block(
    tails: Floats, heads: Floats, first_tail: Ints, first_head: Ints, max_latency: float, up: bool, layer: LayerEdges
) -> int:
    """Rows after a block has run, from the rows that feed it; `first_*` is each row's first finite replica."""
    gamma = tails.shape[1] - 1
    relaxations = 0
    for m in range(tails.shape[0]):
        heads[m, :] = np.inf
        first_head[m] = gamma + 1
        if layer.pin not in (-1, m):
            continue
        for a in range(layer.in_start[m] - 1, layer.in_start[m + 1]):
            n, energy, latency = _run_edge(layer, m, a)
            first = first_tail[n]
            step = replica_step(latency, gamma, max_latency, up)
            if first + step > gamma or tails[n, gamma - step] + energy >= heads[m, first + step]:
                continue
            _relax(tails, n, heads, m, first, step, energy)
            relaxations += gamma + 1 - step - first
            first_head[m] = min(first_head[m], first + step)
    return relaxations


@compiled
def _run_edge(layer: LayerEdges, m: int, a: int) -> tuple[int, float, float]:
    """Tail, energy and latency of the a-th edge that runs a block at m: over link a, or (before the links) staying."""
    if a < layer.in_start[m]:
        return m, layer.run_energy[m], layer.run_latency[m]
    return (
        layer.link_source[a],
        layer.send_energy[a] + layer.run_energy[m],
        layer.send_latency[a] + layer.run_latency[m],
    )


@compiled
def _relay(rows: Floats, first: Ints, max_latency: float, up: bool, layer: LayerEdges) -> int:
    """Relax the links within a layer until nothing falls; only rows that fell last time are passed on."""
    gamma = rows.shape[1] - 1
    relaxations = 0
    steps = np.empty(layer.link_source.shape[0], np.int32)
    for a in range(steps.shape[0]):
        steps[a] = replica_step(layer.send_latency[a], gamma, max_latency, up)
    fresh = first <= gamma
    while fresh.any():
        fallen = np.zeros(rows.shape[0], np.bool_)
        for m in range(rows.shape[0]):
            for a in range(layer.in_start[m], layer.in_start[m + 1]):
                n, energy = layer.link_source[a], layer.send_energy[a]
                start = first[n] + steps[a]
                if not fresh[n] or start > gamma or rows[n, gamma - steps[a]] + energy >= rows[m, start]:
                    continue
                relaxations += gamma + 1 - start
                if _relax_and_tell(rows, n, m, first[n], steps[a], energy):
                    first[m] = min(first[m], start)
                    fallen[m] = True
        fresh = fallen
    return relaxations


@compiled
def _first_replicas(rows: Floats) -> Ints:
    """Each row's first finite replica, γ + 1 where there is none; shape (N,)."""
    first = np.empty(rows.shape[0], np.int32)
    for n in range(rows.shape[0]):
        k = 0
        while k < rows.shape[1] and rows[n, k] == np.inf:
            k += 1
        first[n] = k
    return first


@compiled
def _fill_rows(rows: Floats, start: int, count: int, up: bool, max_latency: float, edges: Edges) -> int:
    """Fill rows[1..count] (layers start+1..start+count) from rows[0]; returns the number of relaxations.

    Relays are relaxed in every layer that still feeds a block, before that block runs.
    """
    relaxations = 0
    first = _first_replicas(rows[0])
    first_next = first.copy()
    for i in range(count):
        layer = layer_edges(edges, start + i)
        relaxations += _relay(rows[i], first, max_latency, up, layer)
        relaxations += _run_block(rows[i], rows[i + 1], first, first_next, max_latency, up, layer)
        first, first_next = first_next, first
    return relaxations


@compiled
def _walk_back(
    rows: Floats, start: int, count: int, end: tuple[int, int], up: bool, max_latency: float, source: int, edges: Edges
) -> tuple[list[int], list[int], tuple[int, int]]:
    """Layers and nodes of a path that explains rows[count][end], back to layer `start`, and where it stands there.

    Vertices come in reverse order, `end` included; the first layer's relays belong to the segment before, but for
    layer 0, where they lead back to the source.
    """
    depth = edges.pins.shape[0]
    layers, nodes = [start + count], [end[0]]
    for i in range(count, -1, -1):
        j = start + i
        if i == 0 and start > 0:
            break
        relays = layer_edges(edges, min(j, depth - 1))
        runs = layer_edges(edges, max(j - 1, 0))
        tails = rows[max(i - 1, 0)]
        relayed, tail = _explain(
            rows[i], tails, end, up, max_latency, source if j == 0 else -1, j < depth, relays, runs
        )
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
    here: Floats,
    tails: Floats,
    end: tuple[int, int],
    up: bool,
    max_latency: float,
    source: int,
    may_relay: bool,
    relays: LayerEdges,
    runs: LayerEdges,
) -> tuple[list[int], tuple[int, int]]:
    """How the energy at `end` came about: the nodes it was relayed from, in reverse, and the tail of the run edge.

    Depth-first over the relays that explain it, each vertex once, since links that cost neither energy nor a step may
    close cycles. In layer 0 (`source` ≥ 0) the search is for the source instead of a run edge.
    """
    found_n, found_k, parents, todo = [end[0]], [end[1]], [-1], [0]
    seen = np.zeros(here.shape if may_relay else (0, 0), np.bool_)
    while True:
        at = todo.pop()
        m, k = found_n[at], found_k[at]
        while k > 0 and here[m, k - 1] == here[m, k]:
            k -= 1
        tail = (-1, -1)
        if source < 0:
            tail = _run_tail(tails, here[m, k], m, k, up, max_latency, runs)
        if tail[0] >= 0 or (m == source and k == 0):
            break
        for a in range(relays.in_start[m], relays.in_start[m + 1]):
            n = relays.link_source[a]
            before = k - replica_step(relays.send_latency[a], here.shape[1] - 1, max_latency, up)
            if before >= 0 and not seen[n, before] and here[n, before] + relays.send_energy[a] == here[m, k]:
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
def _run_tail(
    tails: Floats, energy_reached: float, m: int, k: int, up: bool, max_latency: float, layer: LayerEdges
) -> tuple[int, int]:
    """Tail (node, replica) of a run edge that explains `energy_reached` at node m, replica k; (−1, −1) if none."""
    if layer.pin not in (-1, m):
        return -1, -1
    for a in range(layer.in_start[m] - 1, layer.in_start[m + 1]):
        n, energy, latency = _run_edge(layer, m, a)
        before = k - replica_step(latency, tails.shape[1] - 1, max_latency, up)
        if before >= 0 and tails[n, before] + energy == energy_reached:
            return n, before
    return -1, -1
