"""Incumbent and bound over time: changes only, thinned without losing what matters."""

from __future__ import annotations

from itertools import pairwise
from math import inf, nan

import pytest

from finbench.models.result import Clock
from finbench.models.trajectory import MOST_POINTS, Point, Trajectory, thinned


def test_records_changes_only_and_no_infinities() -> None:
    trajectory = Trajectory(Clock())
    for told in [(inf, -inf), (1e100, 1.0), (inf, 1.0), (5.0, 1.0), (5.0, 1.0), (5.0, 2.0), (4.0, nan), (4.0, 4.0)]:
        trajectory.note(*told)
    points = trajectory.points()
    assert [point[1:] for point in points] == [(None, 1.0), (5.0, 1.0), (5.0, 2.0), (4.0, None), (4.0, 4.0)]
    assert all(0 <= before[0] <= after[0] for before, after in pairwise(points))


def search(incumbents: int, bounds: int) -> list[Point]:
    """Nothing for a while, then incumbents with `bounds` changes of the bound after each."""
    points: list[Point] = [(float(k), None, float(k)) for k in range(bounds)]
    for k in range(incumbents):
        points += [(float(len(points) + j), 1e6 - k, float(len(points) + j)) for j in range(bounds)]
    return points


@pytest.mark.parametrize(("incumbents", "bounds"), [(0, 1000), (1, 1000), (3, 500), (500, 1), (400, 7), (2000, 2)])
def test_thinning_keeps_first_incumbent_final_value_and_last_point(incumbents: int, bounds: int) -> None:
    points = search(incumbents, bounds)
    kept = thinned(points)
    assert MOST_POINTS // 2 <= len(kept) <= MOST_POINTS
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert kept == sorted(set(kept) & set(points))
    if incumbents:
        first = next(point for point in points if point[1] is not None)
        final = next(point for point in points if point[1] == points[-1][1])
        assert first in kept
        assert final in kept


def test_few_points_stay_as_they_are() -> None:
    points = search(3, 50)
    assert thinned(points) == points
    assert thinned([]) == []


def test_few_incumbents_among_many_bounds_all_stay() -> None:
    points = search(40, 100)
    energies = {energy for _, energy, _ in thinned(points)}
    assert energies == {energy for _, energy, _ in points}
