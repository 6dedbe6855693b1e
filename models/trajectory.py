"""Incumbent and proven bound of a run over time, as a solver tells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from finbench.models.news import News, tell
from finbench.models.result import Clock

Point: TypeAlias = tuple[float, float | None, float | None]
"""Seconds since the run began, the incumbent's objective, the proven bound; None where there is none yet."""

INFINITE = 1e20
"""Numbers of at least this are infinite to solvers, which write them where they have no incumbent or no bound."""

MOST_POINTS = 200
"""A trajectory of more points is thinned."""


class Trajectory:
    """Records, and tells, a point whenever the incumbent or the bound has changed.

    Parameters
    ----------
    clock : Clock
        The run's: a point's time counts from the run's beginning, not the solver's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._points: list[Point] = []

    def note(self, objective: float | None, bound: float | None) -> None:
        """Record what holds now; numbers from `INFINITE` up stand for none."""
        now = _finite(objective), _finite(bound)
        if now != (self._points[-1][1:] if self._points else (None, None)):
            self._points.append((self._clock.elapsed_s, *now))
            tell(News(*now))

    def points(self) -> tuple[Point, ...]:
        """Return what was recorded, thinned."""
        return tuple(thinned(self._points))


def _finite(value: float | None) -> float | None:
    return None if value is None or not abs(value) < INFINITE else float(value)


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """Return at most `most` of the points.

    Half of them are spread over the changes of the incumbent, its first and its last among them, half over all points,
    the first and the last among them.
    """
    if len(points) <= most:
        return list(points)
    found = [k for k in range(len(points)) if points[k][1] is not None and (k == 0 or points[k][1] != points[k - 1][1])]
    kept = {*_spread(found, most // 2), *_spread(range(len(points)), most // 2)}
    return [points[k] for k in sorted(kept)]


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """Return at most `most` ≥ 2 of the indices, evenly, both ends among them."""
    if len(indices) <= most:
        return list(indices)
    return [indices[k * (len(indices) - 1) // (most - 1)] for k in range(most)]
