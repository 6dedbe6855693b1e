"""A priority queue of nodes: each waits at most once, with a key that may fall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


class Waiting(NamedTuple):
    """A binary heap of nodes."""

    size: NDArray[np.int64]
    """Number of nodes that wait; shape (1,)."""
    node: Ints
    """The nodes in the order of the heap, the one of least key first; shape (N,), of which `size` are in use."""
    place: Ints
    """Where each node stands in `node`, −1 where it does not wait; shape (N,)."""
    key: Floats
    """Key of every node that waits; shape (N,)."""


def nobody_waits(count: int) -> Waiting:
    """Return an empty queue for `count` nodes."""
    return Waiting(np.zeros(1, np.int64), np.empty(count, np.int32), np.full(count, -1, np.int32), np.empty(count))


@compiled
def let_wait(waiting: Waiting, n: int, key: float) -> None:
    """Let node n wait with `key`, or with this key instead of a greater one."""
    at = np.int64(waiting.place[n])
    if at < 0:
        at = waiting.size[0]
        waiting.size[0] += 1
    while at > 0:
        above = (at - 1) // 2
        other = waiting.node[above]
        if waiting.key[other] <= key:
            break
        waiting.node[at], waiting.place[other] = other, at
        at = above
    waiting.node[at], waiting.place[n], waiting.key[n] = n, at, key


@compiled
def take_least(waiting: Waiting) -> int:
    """Remove the node of least key and return it; one must wait."""
    least, size = waiting.node[0], waiting.size[0] - 1
    waiting.size[0], waiting.place[least] = size, -1
    if size == 0:
        return int(least)
    n = waiting.node[size]
    at, key = np.int64(0), waiting.key[n]
    while 2 * at + 1 < size:
        below = 2 * at + 1
        if below + 1 < size and waiting.key[waiting.node[below + 1]] < waiting.key[waiting.node[below]]:
            below += 1
        other = waiting.node[below]
        if waiting.key[other] >= key:
            break
        waiting.node[at], waiting.place[other] = other, at
        at = below
    waiting.node[at], waiting.place[n] = n, at
    return int(least)
