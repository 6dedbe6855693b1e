"""Cover inequalities hold for all whole numbers of members that fit, and cut off fractions."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.branching.covers import VIOLATED, lifted, most_broken

Floats = NDArray[np.float64]


def members(counts: Floats, demands: Floats, room: float) -> NDArray[np.float64]:
    """Return all whole numbers of members on spots that fit."""
    every = np.array(list(product(*(range(int(count) + 1) for count in counts))), float)
    return every[every @ demands <= room]


def test_covers_hold_for_all_that_fits_and_are_broken_by_what_they_were_found_for() -> None:
    rng, found = np.random.default_rng(0), 0
    for _ in range(300):
        spots = int(rng.integers(2, 7))
        demands, counts = rng.uniform(0.05, 0.7, spots), rng.integers(1, 4, spots).astype(float)
        fits = members(counts, demands, 1.0)
        values = rng.uniform(0, 1, spots) * counts
        values *= 1 / max(1.0, values @ demands)
        cut = most_broken(demands, counts, values, 1.0)
        if cut is not None:
            coefficients, most = cut
            assert (fits @ coefficients).max() <= most + 1e-9
            assert values @ coefficients > most + VIOLATED
            found += 1
    assert found > 50


def test_spots_as_demanding_as_the_largest_of_a_cover_extend_it() -> None:
    coefficients, most = lifted(np.array([0, 1]), np.array([0.6, 0.5, 0.9, 0.6, 0.3]), np.ones(5))
    assert coefficients.tolist() == [1, 1, 1, 1, 0]
    assert most == 1


def test_a_spot_that_asks_for_two_of_a_cover_counts_twice() -> None:
    coefficients, most = lifted(np.array([0, 1, 2]), np.array([0.4, 0.4, 0.4, 0.85]), np.ones(4))
    assert coefficients.tolist() == [1, 1, 1, 2]
    assert most == 2


def test_of_identical_members_a_spot_counts_in_part() -> None:
    """One of three members on spot 1 is in the cover; the mean over which one it is gives each a third."""
    coefficients, _ = lifted(np.array([0, 1]), np.array([0.8, 0.3]), np.array([1.0, 3.0]))
    assert coefficients.tolist() == [1, 1 / 3]
