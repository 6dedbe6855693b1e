"""Put applications on the system one after another, each on what those before it have left.

First come the groups whose least latency leaves least of their target (order `tightest`), those that take most of some
resource (`largest`), or those that the instance names first (`given`). One search serves as many members of a group as
fit along its path.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.fin.alone import Alone
from finbench.fin_graph.joint.fin.occupancy import Occupancy
from finbench.fin_graph.joint.fin.residual import cheapest_usage
from finbench.fin_graph.joint.fin.resolution import Resolution
from finbench.fin_graph.joint.system import Group, SharedSystem
from finbench.fin_graph.options import Order
from finbench.fin_graph.paths.arrays import Floats
from finbench.fin_graph.paths.shortest import least_latency_path
from finbench.models.result import Clock


def ordered(system: SharedSystem, alone: list[Alone], order: Order) -> list[int]:
    """Return the groups in order, without those for which no usage is known."""
    servable = [g for g, one in enumerate(alone) if one.usage is not None]
    if order == "tightest":
        return sorted(servable, key=lambda g: -_tightness(system.groups[g]))
    if order == "largest":
        return sorted(servable, key=lambda g: -_largest_fraction(system.groups[g], alone[g]))
    return servable


def _tightness(group: Group) -> float:
    """Return the least latency alone, as a part of the target."""
    problems = (choice.problem() for choice in group.choices)
    paths = (least_latency_path(problem) for problem in problems if problem is not None)
    quickest = min((path.latency for path in paths if path is not None), default=inf)
    target = group.application.max_latency_s
    return quickest / target if target else inf


def _largest_fraction(group: Group, alone: Alone) -> float:
    """Return the most that all members together take of one resource, along their best usage alone."""
    return 0.0 if alone.usage is None else group.count * float(np.max(alone.usage.fractions, initial=0.0))


def insert_all(occupancy: Occupancy, order: Iterable[int], prices: Floats, steps: Resolution, clock: Clock) -> None:
    """Serve as many members as possible, group by group, until the time is up."""
    for g in order:
        if clock.expired:
            return
        insert(occupancy, g, occupancy.unserved[g], prices, steps)


def insert(
    occupancy: Occupancy, g: int, times: int, prices: Floats, steps: Resolution, closed: NDArray[np.bool_] | None = None
) -> int:
    """Serve up to `times` members of group `g` where it costs least at `prices`, and less than refusing them.

    Returns
    -------
    int
        Number of members that were not served.
    """
    group = occupancy.system.groups[g]
    while times > 0:
        usage = cheapest_usage(group, occupancy.room, prices, steps, closed)
        if usage is None or usage.cost(prices) >= occupancy.refusal[g]:
            break
        taken = int(min(times, occupancy.times_that_fit(usage)))
        occupancy.serve(g, usage, taken)
        times -= taken
    return times
