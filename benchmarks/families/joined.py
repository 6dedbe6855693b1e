"""Points joined to their nearest ones, and parts joined at their closest points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree


def joined_pairs(points: NDArray[np.float64], nearest: int) -> list[tuple[int, int]]:
    """Return directed pairs of points, both directions of each, sorted; all points are connected.

    Parameters
    ----------
    points : array of float, shape (N, 2)
        At least two.
    nearest : int
        How many of the nearest ones every point is joined to, at least.
    """
    count = len(points)
    near = np.asarray(KDTree(points).query(points, k=min(nearest + 1, count))[1])
    pairs = {(a, int(b)) for a, others in enumerate(near) for b in others if a != b}
    pairs |= {(b, a) for a, b in pairs}
    while True:
        tails, heads = np.array(sorted(pairs)).T
        parts, part = connected_components(coo_array((np.ones(len(tails)), (tails, heads)), shape=(count, count)))
        if parts == 1:
            return sorted(pairs)
        inside, outside = np.flatnonzero(part == 0), np.flatnonzero(part != 0)
        distance, closest_inside = map(np.asarray, KDTree(points[inside]).query(points[outside]))
        closest = int(np.argmin(distance))
        a, b = int(inside[closest_inside[closest]]), int(outside[closest])
        pairs |= {(a, b), (b, a)}
