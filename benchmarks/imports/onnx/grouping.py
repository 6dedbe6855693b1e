r"""Which of the places where a chain can be cut become the borders of its blocks.

Of N blocks with operations o_b (together O) and N − 1 borders whose tensors have d_c bits (on average d̄ over all places
where the chain can be cut), the choice is the one that minimises

    N Σ_b (o_b / O)²  +  Σ_c d_c / ((N − 1) d̄).

The first term is 1 where all blocks have equal work; the second is 1 where the tensors are as large as a random choice
makes them. Places that are asked for are among the borders. A dynamic program finds it: over the places in their order,
and the number of blocks so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def chosen_borders(
    work_before: Sequence[int], total_work: int, bits: Sequence[int], blocks: int, asked: frozenset[int]
) -> tuple[int, ...]:
    """Return the numbers of the places that become borders of `blocks` blocks.

    Parameters
    ----------
    work_before : sequence of int, shape (P,)
        Operations before each place, in the order of the chain.
    total_work : int
        Operations of the whole chain.
    bits : sequence of int, shape (P,)
        Size of the tensor at each place [bit].
    blocks : int
        Number of blocks N, from `len(asked) + 1` to P + 1.
    asked : frozenset of int
        Places that must be borders.
    """
    import numpy as np

    if blocks == 1:
        return ()
    at = np.array([0, *work_before, total_work], dtype=float) / max(1, total_work)
    mean = float(np.mean(np.array(bits, dtype=float))) or 1.0
    price = np.array([0.0, *bits, 0.0]) / (mean * (blocks - 1))
    last_asked = _last_asked_before(len(at), {place + 1 for place in asked})
    least = np.full(len(at), np.inf)
    least[0] = 0.0
    choices: list[NDArray[np.intp]] = []
    for _ in range(blocks):
        least, choice = _one_block_more(least, at, price, last_asked, blocks)
        choices.append(choice)
    return _traced_back(choices, len(at) - 1)


def _last_asked_before(places: int, asked: set[int]) -> list[int]:
    """Return for each place the last one before it that must be a border; 0, the beginning, where there is none."""
    last, found = 0, []
    for place in range(places):
        found.append(last)
        if place in asked:
            last = place
    return found


def _one_block_more(
    least: NDArray[np.float64],
    at: NDArray[np.float64],
    price: NDArray[np.float64],
    last_asked: list[int],
    blocks: int,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the least objective of reaching each place with one block more, and where that block begins."""
    import numpy as np

    reached = np.full(len(at), np.inf)
    begins = np.zeros(len(at), dtype=np.intp)
    for place in range(1, len(at)):
        first = last_asked[place]
        costs = least[first:place] + blocks * (at[place] - at[first:place]) ** 2
        best = int(np.argmin(costs))
        reached[place] = costs[best] + price[place]
        begins[place] = first + best
    return reached, begins


def _traced_back(choices: list[NDArray[np.intp]], end: int) -> tuple[int, ...]:
    borders, place = [], end
    for choice in reversed(choices):
        place = int(choice[place])
        borders.append(place - 1)
    return tuple(reversed(borders[:-1]))
