"""Every group as if its member had the system to itself: its best usage, a bound for all, and why there is none.

Nobody pays less among others than alone, hence with b_g a lower bound on λ_g · energy alone (the Lagrangian dual,
eq. 19), ψ_g the penalty and c_g the number of members

    Σ_g c_g min(ψ_g, b_g)  ≤  OPT.

The best usage alone is also what an application strives for when others are moved out of its way, and it takes the
smallest shares that its latency target allows: `FRUGALITY` prices reservations just enough to break ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from fin_graph.arrays import Floats
from fin_graph.bounds import lagrangian_dual, meets
from fin_graph.joint.residual import cheapest_usage
from fin_graph.joint.system import Group, System, Usage
from fin_graph.shortest import least_energy_path

FRUGALITY = 1e-8
"""Price of reserving a whole node, against the power of serving everyone."""


@dataclass(frozen=True)
class Alone:
    """A member of a group on the empty system."""

    bound: float
    """Proven lower bound on λ · energy [W]; inf where it cannot be served."""
    usage: Usage | None
    """The best found; None where none was found."""

    @property
    def power(self) -> float:
        """λ · energy of the best found [W]; inf where none was found."""
        return inf if self.usage is None else self.usage.power


def power_bound(group: Group, prices: Floats | None = None) -> float:
    """Lower bound on λ · energy + Σ_r π_r u_r of one member on the empty system [W]; inf: it cannot be served."""
    problem = group.problem(prices)
    cheapest = None if problem is None else least_energy_path(problem)
    if problem is None or cheapest is None:
        return inf
    if meets(cheapest.latency, problem.max_latency_s):
        return cheapest.energy
    return lagrangian_dual(problem).lower_bound


def everyone_alone(system: System, gamma: int) -> list[Alone]:
    """Every group alone, in their order."""
    bounds = [power_bound(group) for group in system.groups]
    prices, room = frugal_prices(system, bounds), system.empty_room()
    return [
        Alone(bound, None if bound == inf else cheapest_usage(group, room, prices, gamma))
        for group, bound in zip(system.groups, bounds, strict=True)
    ]


def frugal_prices(system: System, bounds: list[float]) -> Floats:
    """Prices of nothing but reservations, that break ties; shape (R,)."""
    total = sum(group.count * bound for group, bound in zip(system.groups, bounds, strict=True) if bound < inf)
    nodes = system.topology.network.nodes
    prices = np.zeros(system.resources)
    prices[: len(nodes)] = [FRUGALITY * total * node.reserves for node in nodes]
    return prices


def bound_of_all(system: System, alone: list[Alone]) -> float:
    """Lower bound on the objective (eq. 3) [W]; inf where a group that must be served cannot be."""
    total = 0.0
    for group, one in zip(system.groups, alone, strict=True):
        total += group.count * min(one.bound, inf if group.penalty is None else group.penalty)
    return total
