"""Which resource, or which node as a whole, lets everything fit when it alone grows, and by how much at least.

With the prices π of the least sum of growth (`elastic`), which is at least LB, growth by o of the resources S alone
leaves that bound at LB − o max_{r∈S} π_r or more. So what has no price does not help, and is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from finbench.fin_graph.joint.columns.master import Aim
from finbench.fin_graph.joint.explanation.elastic import CapacityGrowth, least_growth
from finbench.fin_graph.joint.system import SharedSystem
from finbench.models.result import Clock
from finbench.models.tolerances import FEASIBILITY_TOLERANCE


@dataclass(frozen=True)
class SoleGrowth:
    """Resources that let everything fit when they alone grow."""

    resources: tuple[int, ...]
    """One, or the compute and memory of a node."""
    growth: CapacityGrowth
    """The least sum of what they grow by."""


@dataclass(frozen=True)
class SoleGrowths:
    """All that would do, the least growth first."""

    found: tuple[SoleGrowth, ...] = ()
    """Single resources; where there is none, whole nodes."""
    left_out: int = 0
    """Resources and nodes that time left no room for."""


def sole_growths(system: SharedSystem, fix: CapacityGrowth, clock: Clock, seed: int) -> SoleGrowths:
    """Return what lets everything fit when it alone grows.

    Parameters
    ----------
    system : SharedSystem
        The one of `fix`.
    fix : CapacityGrowth
        The least sum of growth, which is more than nothing.
    clock : Clock
    seed : int
    """
    search = _SoleSearch(system, fix, clock, seed)
    helpful = [int(r) for r in np.argsort(-fix.prices, kind="stable") if search.may_do((int(r),))]
    found = search.growths([(r,) for r in helpful])
    if not found:
        count = len(system.topology.network.nodes)
        found = search.growths([(n, count + n) for n in range(count) if search.may_do((n, count + n))])
    return SoleGrowths(tuple(sorted(found, key=lambda one: one.growth.value)), search.left_out)


class _SoleSearch:
    """The searches for single growths of one system."""

    def __init__(self, system: SharedSystem, fix: CapacityGrowth, clock: Clock, seed: int) -> None:
        self._system, self._fix, self._clock, self._seed = system, fix, clock, seed
        most = sum((group.count * group.most() for group in system.groups), np.zeros(system.resources))
        self._scarce = most > system.capacities()
        self.left_out = 0

    def may_do(self, resources: Sequence[int]) -> bool:
        """Return whether there may be too little of these resources, and the bound of `fix` does not rule them out."""
        rows = list(resources)
        ruled_out = self._fix.relaxed_bound > FEASIBILITY_TOLERANCE and not self._fix.prices[rows].any()
        return bool(self._scarce[rows].any()) and not ruled_out

    def growths(self, candidates: Sequence[tuple[int, ...]]) -> list[SoleGrowth]:
        """Return the candidates that would do, each with its least growth."""
        found = []
        for resources in candidates:
            growth = None
            if not self._clock.expired:
                growth = least_growth(self._system, Aim.OVERLOAD, self._clock, self._seed, resources)
            if growth is None:
                self.left_out += 1
            elif growth.value < inf:
                found.append(SoleGrowth(resources, growth))
        return found
