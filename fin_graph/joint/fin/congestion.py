"""Prices of congested resources, and the bound that they prove.

With prices π ≥ 0 on the shared rows (eqs. 11–13, 21), every member chooses for itself, and

    L(π) = Σ_g c_g min(ψ_g, min over paths of λ_g · energy + Σ_r π_r u_r) − Σ_r b_r π_r  ≤  OPT                   (25)

Subgradient steps of Polyak's length (B. T. Polyak, USSR Comput. Math. Math. Phys. 9(3), 1969) towards the objective of
the best deployment known look for the best π, each along what is left of the last direction and the present excess: a
resource of which more is asked for than there is becomes dearer; others become cheaper. Paths that alone overload a
node serve nobody, and are left out (`everyone`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from finbench.fin_graph.joint.fin.alone import proven_path
from finbench.fin_graph.joint.fin.everyone import Everyone
from finbench.fin_graph.joint.system import SharedSystem
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.result import Clock
from finbench.models.tolerances import FEASIBILITY_TOLERANCE, safe_bound

PATIENCE = 8
"""Rounds without a higher L(π) after which steps become shorter, and begin at the best prices again."""

SHORTER = 1.5
"""Factor by which they become shorter."""

MEMORY = 0.7
"""Part of the last direction that the next one keeps."""

LEAST_STEP = 0.01
"""Part of the objective by which a step aims higher at least: paths that are not the cheapest make L(π) too high."""

LEAST_EXCESS = 0.01
"""Excess of all resources together below which a step is no longer than at this excess.

Polyak's step divides by the excess: where resources are all but exactly full it would make prices without bound, and
L(π) the small difference of large numbers.
"""


@dataclass(frozen=True)
class Congestion:
    """Prices π and what they prove."""

    prices: Floats
    """[W] for a whole resource; shape (R,)."""
    bound: float
    """L(π) [W], safe against rounding."""


def congestion_prices(
    everyone: Everyone, system: SharedSystem, best: Congestion, *, upper: float, gap: float, rounds: int, clock: Clock
) -> Congestion:
    """Return prices of what is congested; their bound is at least that of `best`, from which the search starts.

    A step takes the cheapest paths that were found for the cheapest ones, and their cost for L(π). What is proven at
    the best prices comes from everyone's bounds there.

    Parameters
    ----------
    everyone : Everyone
    system : SharedSystem
    best : Congestion
        Prices and their bound, such as none at all and the sum of what everyone takes alone.
    upper : float
        Objective of a deployment [W].
    gap : float
        Relative gap between it and L(π) at which the search ends.
    rounds : int
        Steps at most; each searches one path for every group.
    clock : Clock
    """
    prices, step, since, highest = best.prices, 1.0, 0, -inf
    at, direction = prices, np.zeros(system.resources)
    for _ in range(rounds):
        if clock.expired:
            break
        value, excess = _everyone_chooses(everyone, system, prices)
        since = 0 if value > highest + FEASIBILITY_TOLERANCE * abs(value) else since + 1
        if value > highest:
            highest, at = value, prices
        if since == PATIENCE:
            step, since, prices, direction = step / SHORTER, 0, at, np.zeros(system.resources)
        direction = excess + MEMORY * direction
        direction[(prices <= 0) & (direction < 0)] = 0.0
        length = sqrt(float(direction @ direction))
        if length == 0 or upper - highest <= gap * upper:
            break
        ahead = max(upper - value, LEAST_STEP * upper)
        prices = np.maximum(0.0, prices + step * ahead / (length * max(length, LEAST_EXCESS)) * direction)
    bound = _proven(everyone, system, at, clock)
    return Congestion(at, max(best.bound, bound))


def _everyone_chooses(everyone: Everyone, system: SharedSystem, prices: Floats) -> tuple[float, Floats]:
    """Return about L(π), and how much more of every resource is asked for than there is.

    An excess within the tolerance of feasibility is 0: such a resource is exactly full.
    """
    room = system.empty_room()
    chosen, excess = 0.0, -room
    for group, best in zip(system.groups, everyone.search(prices), strict=True):
        refusal = inf if group.penalty is None else group.penalty
        if best.usage is not None and best.cost < refusal:
            best.usage.take(excess, -group.count)
        least = min(best.cost, refusal)
        chosen += group.count * least if least < inf else 0.0
    excess[np.abs(excess) <= FEASIBILITY_TOLERANCE] = 0.0
    return chosen - float(room @ prices), excess


def _proven(everyone: Everyone, system: SharedSystem, prices: Floats, clock: Clock) -> float:
    """Return L(π) as it is proven, safe against rounding; −inf where the time ends before."""
    paid, chosen = float(system.empty_room() @ prices), 0.0
    for g, group in enumerate(system.groups):
        if clock.expired:
            return -inf
        least = inf
        for problem in everyone.problems(g, prices):
            least = min(least, proven_path(problem, clock, least)[0])
        chosen += group.count * min(least, inf if group.penalty is None else group.penalty)
    return safe_bound(chosen - paid, chosen + paid)
