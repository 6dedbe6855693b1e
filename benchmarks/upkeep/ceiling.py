"""How fast this machine relaxes rows that lie in its nearest cache: what FIN's rate is a share of."""

from __future__ import annotations

from functools import partial

import numba
import numpy as np
from numpy.typing import NDArray

from finbench.benchmarks.upkeep.measurement import seconds

Floats = NDArray[np.float64]

TAILS = 4
"""Rows relaxed into one head at a time: the head is loaded and stored once for all of them."""

REPLICAS = 512
"""Numbers in a row; with its head, `TAILS` of them fill 20 KiB."""

TIMES = 1000
CALLS = 100


def relaxations_per_second() -> float:
    """Return how often a second min(a, b + c) is formed at most, rows in cache and several of them at a time."""
    relax = numba.njit(error_model="numpy")(_relax)
    rng = np.random.default_rng(0)
    tails, energies = np.sort(rng.random((TAILS, REPLICAS)))[:, ::-1].copy(), rng.random(TAILS)
    call = partial(relax, tails, np.full(REPLICAS, np.inf), energies, TIMES)
    return TAILS * REPLICAS * TIMES / min(seconds(call, 1) for _ in range(CALLS))


def _relax(tails: Floats, head: Floats, energies: Floats, times: int) -> None:
    """Relax all of four tails into one head again and again."""
    first, second, third, fourth = tails[0], tails[1], tails[2], tails[3]
    for t in range(times):
        # No pass is like the one before, so that none is left out.
        a, b, c, d = energies[0] - t, energies[1] - t, energies[2] - t, energies[3] - t
        for i in range(head.shape[0]):
            k = np.uint64(i)
            one, other = first[k] + a, second[k] + b
            one = one if one < other else other
            other, last = third[k] + c, fourth[k] + d
            other = other if other < last else last
            one = one if one < other else other
            head[k] = one if one < head[k] else head[k]
