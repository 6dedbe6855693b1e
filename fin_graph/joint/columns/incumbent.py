"""The best joint deployment that column generation knows, and how it comes by better ones.

A solution of the relaxation is rounded: whole members stay where it has them, then members go where it has most of
them, as far as they fit; whoever is left is inserted at the relaxation's prices, and FIN's improvement, at the same
prices, repairs and polishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, inf

import numpy as np

from finbench.fin_graph.joint.columns.master import Column, Relaxed
from finbench.fin_graph.joint.fin.alone import everyone_alone
from finbench.fin_graph.joint.fin.improvement import Improvement, Served, scale_of
from finbench.fin_graph.joint.fin.insertion import insert_all, ordered
from finbench.fin_graph.joint.fin.placement import Placement
from finbench.fin_graph.joint.system import System
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.result import Clock
from finbench.models.tolerances import EVALUATOR_SLACK

_GAMMA = 100
"""Latency steps of FIN's searches."""

_INTEGRAL = 1e-7
"""Distance from a whole number below which a number of members in the relaxation is that whole number."""


class Incumbent:
    """The best joint deployment so far.

    Parameters
    ----------
    system : System
    seed : int
        Of all that is drawn.
    clock : Clock
    """

    def __init__(self, system: System, seed: int, clock: Clock) -> None:
        self._system, self._seed = system, seed
        self.alone = everyone_alone(system, _GAMMA, clock)
        self._scale = scale_of(system, self.alone)
        self.objective = inf
        """Its objective (eq. 3) [W]; inf while there is none."""
        self.served: Served | None = None

    def offer(self, served: Served) -> bool:
        """Take a joint deployment if it fits, serves all that must be served, and is better."""
        return self._offer(Placement.of(self._system, served, self._scale))

    def _offer(self, placement: Placement) -> bool:
        better = placement.left_out == 0 and placement.objective < self.objective
        if not better or placement.room.min() < -EVALUATOR_SLACK:
            return False
        self.objective, self.served = placement.objective, placement.served()
        return True

    def insert(self, clock: Clock) -> Placement:
        """Insert everyone, the largest first."""
        placement = Placement(self._system, self._scale)
        nothing = np.zeros(self._system.resources)
        insert_all(placement, ordered(self._system, self.alone, "largest"), nothing, _GAMMA, clock)
        self._offer(placement)
        return placement

    def round(self, relaxed: Relaxed, columns: Sequence[Column], clock: Clock) -> Placement:
        """Round a solution of the relaxation over `columns`."""
        placement = Placement(self._system, self._scale)
        for c in np.argsort(-relaxed.shares, kind="stable"):
            _put(placement, columns[c], floor(relaxed.shares[c] + _INTEGRAL))
        for c in np.argsort(-(relaxed.shares % 1.0), kind="stable"):
            if _INTEGRAL < relaxed.shares[c] % 1.0 < 1 - _INTEGRAL:
                _put(placement, columns[c], 1)
        order = ordered(self._system, self.alone, "largest")
        insert_all(placement, order, relaxed.prices, _GAMMA, clock)
        self._offer(placement)
        return placement

    def improve(self, placement: Placement, prices: Floats, clock: Clock, moves: int) -> None:
        """Improve a placement, which need not be complete."""
        search = Improvement(placement, self.alone, prices, _GAMMA, np.random.default_rng(self._seed), clock)
        search.run(moves, lambda _: None)
        self.offer(search.served)

    def placement(self) -> Placement | None:
        """That of the incumbent, None while there is none."""
        return None if self.served is None else Placement.of(self._system, self.served, self._scale)


def _put(placement: Placement, column: Column, times: int) -> None:
    """Serve up to `times` members by a column, as far as they fit."""
    fit = min(times, placement.unserved[column.group], placement.times_that_fit(column.usage))
    if fit > 0:
        placement.place(column.group, column.usage, int(fit))
