"""Prices of congested resources, and the bound that they prove.

With prices π ≥ 0 on the shared rows (eqs. 11–13, 21), every member chooses for itself, and

    L(π) = Σ_g c_g min(ψ_g, min over paths of λ_g · energy + Σ_r π_r u_r) − Σ_r b_r π_r  ≤  OPT                   (25)

Subgradient steps of Polyak's length (B. T. Polyak, USSR Comput. Math. Math. Phys. 9(3), 1969) towards the objective of
the best deployment known look for the best π. A resource of which more is asked for than there is becomes dearer;
others become cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from finbench.fin_graph.joint.fin.alone import proven_choice
from finbench.fin_graph.joint.system import SharedSystem
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.result import Clock
from finbench.models.tolerances import FEASIBILITY_TOLERANCE, safe_bound

PATIENCE = 3
"""Rounds without a better bound after which steps are halved."""

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
    system: SharedSystem, best: Congestion, *, upper: float, gap: float, rounds: int, clock: Clock
) -> Congestion:
    """Return prices whose bound is at least that of `best`, from which the search starts.

    Parameters
    ----------
    system : SharedSystem
    best : Congestion
        Prices and their bound, such as none at all and the sum of what everyone takes alone.
    upper : float
        Objective of a deployment [W].
    gap : float
        Relative gap between it and the bound at which the search ends.
    rounds : int
        Steps at most; each searches one path for every group.
    clock : Clock
    """
    prices, step, since = best.prices, 1.0, 0
    for _ in range(rounds):
        answer = _everyone_chooses(system, prices, clock)
        if answer is None:
            break
        bound, excess = answer
        since = 0 if bound > best.bound else since + 1
        if bound > best.bound:
            best = Congestion(prices, bound)
        if since == PATIENCE:
            step, since = step / 2, 0
        excess[(prices <= 0) & (excess < 0)] = 0.0
        length = sqrt(float(excess @ excess))
        if length == 0 or upper - best.bound <= gap * upper:
            break
        prices = np.maximum(0.0, prices + step * (upper - bound) / (length * max(length, LEAST_EXCESS)) * excess)
    return best


def _everyone_chooses(system: SharedSystem, prices: Floats, clock: Clock) -> tuple[float, Floats] | None:
    """Return L(π), and how much more of every resource is asked for than there is; None when the time is up.

    An excess within the tolerance of feasibility is 0: such a resource is exactly full.
    """
    room = system.empty_room()
    paid = float(room @ prices)
    chosen, excess = 0.0, -room
    for group in system.groups:
        if clock.expired:
            return None
        cost, choice, path = proven_choice(group, prices, clock)
        refusal = inf if group.penalty is None else group.penalty
        chosen += group.count * min(cost, refusal)
        if path is not None and cost < refusal:
            choice.usage(path.layers, path.nodes).take(excess, -group.count)
    excess[np.abs(excess) <= FEASIBILITY_TOLERANCE] = 0.0
    return safe_bound(chosen - paid, chosen + paid), excess
