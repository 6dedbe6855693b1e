"""Keep the best joint deployment that column generation knows, and make better ones.

A solution of the relaxation is rounded. Whole members stay along its columns; then single members follow the columns
with the largest fractions, as far as they fit; the others are inserted at the relaxation's prices. FIN's improvement
at the same prices repairs and polishes the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, inf

import numpy as np

from finbench.fin_graph.joint.columns.master import Column, Relaxed
from finbench.fin_graph.joint.fin.alone import everyone_alone
from finbench.fin_graph.joint.fin.improvement import Improvement, Served, scale_of
from finbench.fin_graph.joint.fin.insertion import insert_all, ordered
from finbench.fin_graph.joint.fin.occupancy import Occupancy
from finbench.fin_graph.joint.fin.resolution import Resolution
from finbench.fin_graph.joint.system import SharedSystem
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.result import Clock
from finbench.models.tolerances import EVALUATOR_SLACK, SOLVER_TOLERANCE

_STEPS = Resolution()
"""Latency steps of FIN's searches."""

_INTEGRAL = 100 * SOLVER_TOLERANCE
"""Distance from a whole number at which rounding takes a number of members in the relaxation for that number."""


class Incumbent:
    """The best joint deployment so far, None at first.

    Parameters
    ----------
    system : SharedSystem
    seed : int
        Seed of all that is drawn.
    clock : Clock
    """

    def __init__(self, system: SharedSystem, seed: int, clock: Clock) -> None:
        self._system, self._seed = system, seed
        self.alone = everyone_alone(system, _STEPS, clock)
        self._scale = scale_of(system, self.alone)
        self.objective = inf
        """Its objective (eq. 3) [W]; inf while there is none."""
        self.served: Served | None = None

    def offer(self, served: Served) -> bool:
        """Take a joint deployment if it fits, serves all that must be served, and is better; return whether it was."""
        return self._offer(Occupancy.of(self._system, served, self._scale))

    def _offer(self, occupancy: Occupancy) -> bool:
        better = occupancy.left_out == 0 and occupancy.objective < self.objective
        if not better or occupancy.room.min() < -EVALUATOR_SLACK:
            return False
        self.objective, self.served = occupancy.objective, occupancy.served()
        return True

    def insert(self, clock: Clock) -> Occupancy:
        """Insert everyone, the largest first, offer the outcome and return it."""
        occupancy = Occupancy(self._system, self._scale)
        nothing = np.zeros(self._system.resources)
        insert_all(occupancy, ordered(self._system, self.alone, "largest"), nothing, _STEPS, clock)
        self._offer(occupancy)
        return occupancy

    def round(self, relaxed: Relaxed, columns: Sequence[Column], clock: Clock) -> Occupancy:
        """Round a solution of the relaxation over `columns`, offer the outcome and return it."""
        occupancy = Occupancy(self._system, self._scale)
        for c in np.argsort(-relaxed.times, kind="stable"):
            _put(occupancy, columns[c], floor(relaxed.times[c] + _INTEGRAL))
        for c in np.argsort(-(relaxed.times % 1.0), kind="stable"):
            if _INTEGRAL < relaxed.times[c] % 1.0 < 1 - _INTEGRAL:
                _put(occupancy, columns[c], 1)
        order = ordered(self._system, self.alone, "largest")
        insert_all(occupancy, order, relaxed.prices, _STEPS, clock)
        self._offer(occupancy)
        return occupancy

    def improve(self, occupancy: Occupancy, prices: Floats, clock: Clock, moves: int) -> None:
        """Improve an occupancy, in which members may be left out, and offer what comes of it."""
        search = Improvement(occupancy, self.alone, prices, _STEPS, np.random.default_rng(self._seed), clock)
        search.run(moves, lambda _: None)
        self.offer(search.served)

    def occupancy(self) -> Occupancy | None:
        """Return the occupancy that the incumbent makes; None while there is no incumbent."""
        return None if self.served is None else Occupancy.of(self._system, self.served, self._scale)


def _put(occupancy: Occupancy, column: Column, times: int) -> None:
    """Serve up to `times` members by a column, as far as they fit."""
    fit = min(times, occupancy.unserved[column.group], occupancy.times_that_fit(column.usage))
    if fit > 0:
        occupancy.serve(column.group, column.usage, int(fit))
