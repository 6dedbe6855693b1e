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

A pass can be stopped: it pauses after `QUOTA` of work, within a layer as well, and goes on where its `Cursor` stands
unless the time is up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, sqrt
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths import cumulative, label_walk, replica_labels
from finbench.fin_graph.paths.arrays import Edges, Floats, Ints, LayerEdges, PathProblem, layer_edges, run_edge
from finbench.fin_graph.paths.compiled import compiled
from finbench.models.result import Clock, OutOfTime
from finbench.models.tolerances import FLOAT_NOISE

KEPT_ROWS_BYTES = 2**30
"""Above this many bytes of rows the layers between checkpoints are computed twice instead of kept."""

QUOTA = 1 << 24
"""Replicas and links looked at between two looks at the clock: some ten milliseconds."""

FILLED_AT_ONCE = 1 << 20
"""Numbers written to memory that was never touched before, between two looks at the clock."""

LAYER, RELAYED, ROW, WORK, RELAXATIONS = 0, 1, 2, 3, 4
"""Positions in `Cursor.at`: layer within the segment, whether its relays are done, next row, work and relaxations
done."""


How = Literal["up", "down", "cumulative"]
"""Latencies are rounded up edge by edge (eq. 17), down edge by edge (eq. 18), or up along the path (eq. 32)."""


class Rounding(NamedTuple):
    """How latencies become steps."""

    max_latency: float
    """δ [s], which γ steps make up."""
    up: bool
    """Up (eq. 17) or down (eq. 18)."""


class Cursor(NamedTuple):
    """Where a pass over the layers of a segment stands; updated in place, so that it can be taken up again."""

    at: NDArray[np.int64]
    """Counters at positions `LAYER` … `RELAXATIONS`; shape (5,)."""
    first: Ints
    """First finite replica of each row of the layer, γ + 1 where there is none; shape (N,)."""
    first_next: Ints
    """The same of the next layer, as far as it is filled."""
    fresh: NDArray[np.bool_]
    """Rows that fell in the last round of relays; shape (N,)."""
    fallen: NDArray[np.bool_]
    """Rows that fell in this round."""


class Around(NamedTuple):
    """The rows and edges that explain how an energy in a layer came about."""

    here: Floats
    """Rows of the layer."""
    tails: Floats
    """Rows of the layer before."""
    relays: LayerEdges
    """Edges of the layer."""
    runs: LayerEdges
    """Edges of the layer before."""
    may_relay: bool
    """Whether the layer has relays: the last one has none."""
    source: int
    """In layer 0, where paths begin at the source instead of a run edge; −1 in any other."""


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
    stopped: bool = False
    """Whether the time ended the pass; it then knows neither a path nor an energy."""


def rows_bytes(problem: PathProblem, gamma: int, how: How = "up") -> int:
    """Return the peak memory of `least_energy_replica_path` [byte]: rows, checkpoints, what walking back has seen.

    With cumulative rounding, one layer's labels are listed besides.
    """
    length = _segment_length(problem, gamma, how)
    segments = ceil(problem.depth / length)
    checkpoints = segments if segments > 1 else 0
    layers = length + 1 + checkpoints + (how == "cumulative")
    return layers * _row_bytes(problem, gamma, how) + len(problem.node_names) * (gamma + 1)


def _row_bytes(problem: PathProblem, gamma: int, how: How) -> int:
    """Return the bytes of one layer's rows; true latencies take as much as energies."""
    return len(problem.node_names) * (gamma + 1) * (16 if how == "cumulative" else 8)


def _segment_length(problem: PathProblem, gamma: int, how: How) -> int:
    """Return the number of layers between checkpoints: all of them where they fit, else about the square root."""
    fits = (problem.depth + 1) * _row_bytes(problem, gamma, how) <= KEPT_ROWS_BYTES
    return problem.depth if fits else ceil(sqrt(problem.depth))


class _Pass:
    """One pass over all layers, segment by segment, and the way back.

    Parameters
    ----------
    problem : PathProblem
    gamma : int
    how : How
    clock : Clock
    """

    def __init__(self, problem: PathProblem, gamma: int, how: How, clock: Clock) -> None:
        self._problem, self._how, self._clock = problem, how, clock
        self._length = _segment_length(problem, gamma, how)
        self._starts = range(0, problem.depth, self._length)
        self._rows = rows_from_source(problem, gamma, self._length, clock, how)
        self._checkpoints: list[Floats] = []
        self.relaxations = 0

    def least_energies(self) -> Floats | None:
        """Fill the rows of all layers; return the last layer's, or None where the time ended it (or `OutOfTime`)."""
        for start in self._starts:
            if start:
                self._rows[0] = self._rows[self._length]
            done, relaxations = self._fill(start)
            self.relaxations += relaxations
            if not done:
                return None
            if len(self._starts) > 1:
                self._checkpoints.append(_filled(np.empty_like(self._rows[0]), self._rows[0], self._clock))
        return _energies(self._rows[self._problem.depth - self._starts[-1]])

    def path(self, end: tuple[int, int]) -> tuple[list[int], list[int]] | None:
        """Return layers and nodes, in reverse, of a path to `end` of the last layer; None where the time ended it."""
        layers: list[int] = []
        nodes: list[int] = []
        for start in reversed(self._starts):
            if start != self._starts[-1]:
                segment = start // self._length
                self._rows[0] = self._checkpoints[segment]
                if not self._fill(start)[0]:
                    return None
                self._rows[self._length] = self._checkpoints[segment + 1]
            count = min(self._length, self._problem.depth - start)
            above, at, end = self._walk_back(self._rows[: count + 1], start, end)
            # The vertex where two segments meet ends the one and begins the other.
            layers += above[len(layers) > 0 :]
            nodes += at[len(nodes) > 0 :]
        return layers, nodes

    def _fill(self, start: int) -> tuple[bool, int]:
        """Fill rows from rows[0], which holds layer `start`; return whether time allowed it, and the relaxations."""
        count = min(self._length, self._problem.depth - start)
        return fill_rows(self._problem, self._rows[: count + 1], start, self._how, self._clock)

    def _walk_back(
        self, rows: Floats, start: int, end: tuple[int, int]
    ) -> tuple[list[int], list[int], tuple[int, int]]:
        problem = self._problem
        if self._how == "cumulative":
            return label_walk.walk_back_labels(rows, start, end, problem.max_latency_s, problem.source, problem.edges)
        rounding = Rounding(problem.max_latency_s, self._how == "up")
        return _walk_back(rows, start, end, rounding, problem.source, problem.edges)


def _energies(layer: Floats) -> Floats:
    """Return the energies of one layer's rows; shape (N, γ + 1)."""
    energies: Floats = layer[replica_labels.ENERGY] if layer.ndim == 3 else layer
    return energies


def least_energy_replica_path(
    problem: PathProblem, gamma: int, *, how: How = "up", clock: Clock | None = None
) -> ReplicaPath:
    """Return the least-energy path whose rounded latency is at most γ steps: FIN's stages 2 and 3.

    Parameters
    ----------
    problem : PathProblem
    gamma : int
        Number of latency steps γ ≥ 1 that the budget is divided into.
    how : {"up", "down", "cumulative"}
        Round latencies up to steps (every path is feasible, eq. 17), down (a relaxation, eq. 18), or up along the path
        (every path is feasible, and none costs more than with "up", eq. 32).
    clock : Clock, optional
        Its limit ends the pass.

    Returns
    -------
    ReplicaPath
    """
    try:
        run = _Pass(problem, gamma, how, Clock() if clock is None else clock)
        least = run.least_energies()
    except OutOfTime:
        return ReplicaPath(inf, (), (), 0, stopped=True)
    if least is None:
        return ReplicaPath(inf, (), (), run.relaxations, stopped=True)
    end = int(least[:, gamma].argmin()), gamma
    energy = float(least[end])
    if energy == inf:
        return ReplicaPath(inf, (), (), run.relaxations)
    path = run.path(end)
    if path is None:
        return ReplicaPath(inf, (), (), run.relaxations, stopped=True)
    layers, nodes = path
    return ReplicaPath(energy, tuple(layers[::-1]), tuple(nodes[::-1]), run.relaxations)


def least_energies(problem: PathProblem, gamma: int, clock: Clock | None = None, *, how: How = "up") -> Floats:
    """Return the least energy of having run the first j blocks within k steps, at any node, rounding latencies up.

    Parameters
    ----------
    problem : PathProblem
    gamma : int
        Number of latency steps γ that `problem.max_latency_s` is divided into.
    clock : Clock, optional
        Where its limit ends the pass, what was not reached has energy inf.
    how : {"up", "down", "cumulative"}
        How latencies become steps.

    Returns
    -------
    ndarray, shape (depth + 1, gamma + 1)
        Energies [J per inference], inf where nothing fits; falling along k.
    """
    clock = Clock() if clock is None else clock
    rows = rows_from_source(problem, gamma, 1, how=how)
    least = np.full((problem.depth + 1, gamma + 1), inf)
    for j in range(problem.depth):
        least[j] = _energies(rows[0]).min(axis=0)
        done, _ = fill_rows(problem, rows, j, how, clock)
        if not done:
            return least
        rows[0] = rows[1]
    least[-1] = _energies(rows[0]).min(axis=0)
    return least


def rows_from_source(
    problem: PathProblem, gamma: int, length: int, clock: Clock | None = None, how: How = "up"
) -> Floats:
    """Return rows for a first layer, which holds the sample at its source, and `length` unfilled ones after it.

    A layer has shape (N, γ + 1), with cumulative rounding (2, N, γ + 1).

    Raises
    ------
    finbench.models.result.OutOfTime
        Once the clock's limit has passed.
    """
    planes = (2,) if how == "cumulative" else ()
    rows = np.empty((length + 1, *planes, len(problem.node_names), gamma + 1))
    _filled(rows[0], np.broadcast_to(inf, rows[0].shape), Clock() if clock is None else clock)
    rows[0, ..., problem.source, :] = 0.0
    return rows


def _filled(layer: Floats, values: Floats, clock: Clock) -> Floats:
    """Fill one layer's rows and return them; the first touch of so much memory may take seconds, so time is checked."""
    step = max(1, FILLED_AT_ONCE // layer.shape[-1])
    for start in range(0, layer.shape[-2], step):
        clock.check()
        layer[..., start : start + step, :] = values[..., start : start + step, :]
    return layer


def fill_rows(problem: PathProblem, rows: Floats, start: int, how: How, clock: Clock) -> tuple[bool, int]:
    """Fill rows[1..] from rows[0], which holds layer `start`; return whether time allowed it, and the relaxations."""
    if how == "cumulative":
        return _fill_labels(problem, rows, start, clock)
    rounding = Rounding(problem.max_latency_s, how == "up")
    first = first_replicas(rows[0])
    reached = first < rows.shape[2]
    cursor = Cursor(np.zeros(5, np.int64), first, first.copy(), reached, np.zeros_like(reached))
    while not _fill_rows(rows, start, rounding, problem.edges, cursor, QUOTA):
        if clock.expired:
            return False, int(cursor.at[RELAXATIONS])
    return True, int(cursor.at[RELAXATIONS])


def _fill_labels(problem: PathProblem, rows: Floats, start: int, clock: Clock) -> tuple[bool, int]:
    progress = cumulative.cursor(rows)
    done = False
    while not done:
        done = cumulative.fill_labels(rows, start, problem.max_latency_s, problem.edges, progress, QUOTA)
        if not done and clock.expired:
            break
    return done, int(progress.at[cumulative.RELAXATIONS])


@compiled
def replica_step(latency: float, gamma: int, max_latency: float, up: bool) -> int:
    """Return the number of steps that an edge of `latency` takes (eq. 17 up, eq. 18 down), at most γ + 1."""
    if latency <= 0.0:
        return 0
    steps = gamma * latency / max_latency
    if steps > gamma + 1.0:
        return gamma + 1
    if up:
        return int(np.ceil(steps - FLOAT_NOISE))
    return int(np.floor(steps + FLOAT_NOISE))


@compiled
def _relax(tail: Floats, head: Floats, first: int, step: int, energy: float) -> None:
    """Relax one edge for the replicas `first`..γ − step of its tail's row."""
    # Unsigned indices spare the wrap-around test of negative ones, which keeps the loop from being vectorised.
    from_k, to_k = np.uint64(first), np.uint64(first + step)
    for i in range(tail.shape[0] - step - first):
        k = np.uint64(i)
        through = tail[from_k + k] + energy
        old = head[to_k + k]
        head[to_k + k] = through if through < old else old


@compiled
def _relax_and_tell(tail: Floats, head: Floats, first: int, step: int, energy: float) -> bool:
    """Relax one edge within a layer, as `_relax` does; return whether any energy fell."""
    from_k, to_k = np.uint64(first), np.uint64(first + step)
    fell = False
    for i in range(tail.shape[0] - step - first):
        k = np.uint64(i)
        through = tail[from_k + k] + energy
        old = head[to_k + k]
        fell |= through < old
        head[to_k + k] = through if through < old else old
    return fell


@compiled
def _run_block(tails: Floats, heads: Floats, rounding: Rounding, layer: LayerEdges, cursor: Cursor, until: int) -> bool:
    """Fill the rows after a block has run from those that feed it; return False where `until` of work ended it."""
    gamma, at, first_tail, first_head = tails.shape[1] - 1, cursor.at, cursor.first, cursor.first_next
    while at[ROW] < tails.shape[0]:
        if at[WORK] >= until:
            return False
        m = at[ROW]
        at[ROW] += 1
        heads[m, :] = np.inf
        first_head[m] = gamma + 1
        at[WORK] += gamma + 1
        if layer.pin not in (-1, m):
            continue
        relaxations = 0
        for a in range(layer.in_start[m] - 1, layer.in_start[m + 1]):
            n, energy, latency = run_edge(layer, m, a)
            first = first_tail[n]
            step = replica_step(latency, gamma, rounding.max_latency, rounding.up)
            if first + step > gamma or tails[n, gamma - step] + energy >= heads[m, first + step]:
                continue
            _relax(tails[n], heads[m], first, step, energy)
            relaxations += gamma + 1 - step - first
            first_head[m] = min(first_head[m], first + step)
        at[RELAXATIONS] += relaxations
        at[WORK] += relaxations + layer.in_start[m + 1] - layer.in_start[m]
    return True


@compiled
def _relay(rows: Floats, rounding: Rounding, layer: LayerEdges, cursor: Cursor, until: int) -> bool:
    """Relax the links within a layer until nothing falls; return False where `until` of work ended it.

    Only rows that fell in the round before are passed on.
    """
    gamma, at, first = rows.shape[1] - 1, cursor.at, cursor.first
    steps = np.empty(layer.link_source.shape[0], np.int32)
    for a in range(steps.shape[0]):
        steps[a] = replica_step(layer.send_latency[a], gamma, rounding.max_latency, rounding.up)
    while cursor.fresh.any():
        while at[ROW] < rows.shape[0]:
            if at[WORK] >= until:
                return False
            m = at[ROW]
            at[ROW] += 1
            relaxations = 0
            for a in range(layer.in_start[m], layer.in_start[m + 1]):
                n, energy = layer.link_source[a], layer.send_energy[a]
                start = first[n] + steps[a]
                if not cursor.fresh[n] or start > gamma or rows[n, gamma - steps[a]] + energy >= rows[m, start]:
                    continue
                relaxations += gamma + 1 - start
                if _relax_and_tell(rows[n], rows[m], first[n], steps[a], energy):
                    first[m] = min(first[m], start)
                    cursor.fallen[m] = True
            at[RELAXATIONS] += relaxations
            at[WORK] += relaxations + layer.in_start[m + 1] - layer.in_start[m]
        at[ROW] = 0
        cursor.fresh[:] = cursor.fallen
        cursor.fallen[:] = False
    return True


@compiled
def first_replicas(rows: Floats) -> Ints:
    """Return each row's first finite replica, γ + 1 where there is none; shape (N,)."""
    first = np.empty(rows.shape[0], np.int32)
    for n in range(rows.shape[0]):
        k = 0
        while k < rows.shape[1] and rows[n, k] == np.inf:
            k += 1
        first[n] = k
    return first


@compiled
def _fill_rows(rows: Floats, start: int, rounding: Rounding, edges: Edges, cursor: Cursor, quota: int) -> bool:
    """Fill rows[1..] (layers start+1..) from rows[0], from where the cursor stands; return whether all are filled.

    Relays are relaxed in every layer that still feeds a block, before that block runs.
    """
    at = cursor.at
    until = at[WORK] + quota
    while at[LAYER] < rows.shape[0] - 1:
        i = at[LAYER]
        layer = layer_edges(edges, start + i)
        if at[RELAYED] == 0:
            if not _relay(rows[i], rounding, layer, cursor, until):
                return False
            at[RELAYED] = 1
        if not _run_block(rows[i], rows[i + 1], rounding, layer, cursor, until):
            return False
        cursor.first[:] = cursor.first_next
        for n in range(rows.shape[1]):
            cursor.fresh[n] = cursor.first[n] < rows.shape[2]
        at[LAYER] += 1
        at[RELAYED] = 0
        at[ROW] = 0
    return True


@compiled
def _walk_back(
    rows: Floats, start: int, end: tuple[int, int], rounding: Rounding, source: int, edges: Edges
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
        relays = layer_edges(edges, min(j, depth - 1))
        if j == 0:
            relayed, tail = _explain(Around(rows[i], rows[i], relays, relays, True, source), end, rounding)
        else:
            runs = layer_edges(edges, j - 1)
            relayed, tail = _explain(Around(rows[i], rows[i - 1], relays, runs, j < depth, -1), end, rounding)
        for n in relayed:
            layers.append(j)
            nodes.append(n)
        if j > 0:
            layers.append(j - 1)
            nodes.append(tail[0])
            end = tail
    return layers, nodes, end


@compiled
def _explain(around: Around, end: tuple[int, int], rounding: Rounding) -> tuple[list[int], tuple[int, int]]:
    """Return how the energy at `end` came about: the nodes it was relayed from, in reverse, and the run edge's tail.

    The search goes depth-first over the relays that explain it and visits each vertex once, since links that cost
    neither energy nor a step may close cycles.
    """
    here, relays = around.here, around.relays
    found_n, found_k, parents, todo = [end[0]], [end[1]], [-1], [0]
    seen = np.zeros(here.shape if around.may_relay else (0, 0), np.bool_)
    while True:
        at = todo.pop()
        m, k = found_n[at], found_k[at]
        while k > 0 and here[m, k - 1] == here[m, k]:
            k -= 1
        tail = (-1, -1)
        if around.source < 0:
            tail = _run_tail(around, here[m, k], m, k, rounding)
        if tail[0] >= 0 or (m == around.source and k == 0):
            break
        for a in range(relays.in_start[m], relays.in_start[m + 1]):
            n = relays.link_source[a]
            before = k - replica_step(relays.send_latency[a], here.shape[1] - 1, rounding.max_latency, rounding.up)
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
def _run_tail(around: Around, energy_reached: float, m: int, k: int, rounding: Rounding) -> tuple[int, int]:
    """Return tail (node, replica) of a run edge that explains `energy_reached` at (m, k); (−1, −1) if there is none."""
    tails, layer = around.tails, around.runs
    if layer.pin not in (-1, m):
        return -1, -1
    for a in range(layer.in_start[m] - 1, layer.in_start[m + 1]):
        n, energy, latency = run_edge(layer, m, a)
        before = k - replica_step(latency, tails.shape[1] - 1, rounding.max_latency, rounding.up)
        if before >= 0 and tails[n, before] + energy == energy_reached:
            return n, before
    return -1, -1
