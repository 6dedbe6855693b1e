"""Find the best usage of every group's member on the empty system, and the bound that these make.

No application pays less among others than alone. Hence with b_g a lower bound on λ_g · energy alone, ψ_g the penalty
and c_g the number of members

    Σ_g c_g min(ψ_g, b_g)  ≤  OPT.

Improvement moves others out of the way of an application's best usage alone. That usage takes the smallest shares that
the latency target allows: `FRUGALITY` prices reservations just enough to break ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np

from finbench.fin_graph.joint.fin.residual import search
from finbench.fin_graph.joint.fin.resolution import Resolution
from finbench.fin_graph.joint.system import Group, SharedSystem, Usage
from finbench.fin_graph.paths.arrays import Floats, PathProblem
from finbench.fin_graph.paths.bounds import lagrangian_dual, meets
from finbench.fin_graph.paths.label_search import LabelSearch
from finbench.fin_graph.paths.shortest import Path, least_energy_path
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE, OPTIMAL_GAP, safe_bound

FRUGALITY = 1e-8
"""Price of reserving a whole node, relative to the power of serving everyone: it breaks ties, and moves no bound."""

FINER = 10
"""Factor of γ for a second search, where the answer at γ is not proven to be the best."""


@dataclass(frozen=True)
class Alone:
    """A member of a group on the empty system."""

    bound: float
    """Proven lower bound on λ · energy [W]; inf where it cannot be served."""
    usage: Usage | None
    """The best usage found; None where none was found."""

    @property
    def power(self) -> float:
        """Return λ · energy of the best usage found [W]; inf where none was found."""
        return inf if self.usage is None else self.usage.power


class Proven(NamedTuple):
    """What one member of a group pays at least, and a path that pays about as much."""

    bound: float
    """Proven lower bound [W]; inf where it cannot be served."""
    choice: Group
    """The alternative that the path is of."""
    path: Path | None


def proven_choice(group: Group, prices: Floats | None, clock: Clock) -> Proven:
    """Return what one member pays at least, and a path that pays about as much.

    Parameters
    ----------
    group : Group
    prices : ndarray, shape (R,), optional
        Price of taking a whole resource [W].
    clock : Clock
        When its limit is past, the bound is still proven, but no longer the best.

    Returns
    -------
    Proven
        A lower bound on λ · energy + Σ_r π_r u_r of one member on the empty system: the Lagrangian dual (eq. 19), or
        the least by label setting; and the dual's feasible path. Both are the least of all alternatives.
    """
    best = Proven(inf, group.choices[0], None)
    known = inf
    for choice in group.choices:
        problem = choice.problem(prices)
        bound, path = (inf, None) if problem is None else proven_path(problem, clock, known)
        if path is not None and path.energy < known:
            known, best = path.energy, best._replace(choice=choice, path=path)
        best = best._replace(bound=min(best.bound, bound))
    return best


def proven_path(problem: PathProblem, clock: Clock, known: float) -> tuple[float, Path | None]:
    """Return bound and path of one alternative; a bound that is no less than what is `known` is good enough."""
    cheapest = least_energy_path(problem)
    if cheapest is None:
        return inf, None
    if cheapest.energy >= known:
        return cheapest.energy, None
    if meets(cheapest.latency, problem.max_latency_s):
        return cheapest.energy, cheapest
    dual = lagrangian_dual(problem, limit=known)
    if dual.incumbent is None:
        return inf, None
    if dual.lower_bound >= known:
        return dual.lower_bound, None
    labels = LabelSearch(problem, dual, limit=min(known, dual.incumbent.energy), clock=clock, complete=True)
    labels.run()
    return max(dual.lower_bound, labels.lower_bound()), dual.incumbent


def everyone_alone(system: SharedSystem, steps: Resolution, clock: Clock) -> list[Alone]:
    """Return every group's best usage alone, by searches at γ steps, and at `FINER` times as many where these may help.

    When the time is up, the groups that are left have no usage and a bound of 0.
    """
    proven = [
        Proven(0.0, group, None) if clock.expired else proven_choice(group, None, clock) for group in system.groups
    ]
    prices, room = frugal_prices(system, [one.bound for one in proven]), system.empty_room()
    return [
        Alone(one.bound, None) if clock.expired else _alone(group, one, room, prices, steps)
        for group, one in zip(system.groups, proven, strict=True)
    ]


def _alone(group: Group, proven: Proven, room: Floats, prices: Floats, steps: Resolution) -> Alone:
    """Return the bound, and the best usage that fits: of the searches at γ and finer steps, or along the dual's `path`.

    The bound is inf as well where blocks fit one by one but never together.
    """
    bound, choice, path = proven
    if bound == inf:
        return Alone(inf, None)
    usage, complete = search(group, room, prices, steps)
    if usage is None and complete:
        return Alone(inf, None)
    if path is not None:
        usage = _cheaper(usage, choice.usage(path.layers, path.nodes), room)
    if usage is None or usage.power > bound * (1 + OPTIMAL_GAP):
        finer, _ = search(group, room, prices, steps.finer(FINER))
        usage = _cheaper(usage, finer, room)
    return Alone(bound, usage)


def _cheaper(usage: Usage | None, other: Usage | None, room: Floats) -> Usage | None:
    """Return `other` where it fits and takes less power by more than rounding makes, else `usage`."""
    if other is None or not other.fits(room):
        return usage
    return other if usage is None or other.power < usage.power * (1 - FLOAT_NOISE) else usage


def frugal_prices(system: SharedSystem, bounds: list[float]) -> Floats:
    """Return prices of reservations alone, which break ties; shape (R,)."""
    total = sum(group.count * bound for group, bound in zip(system.groups, bounds, strict=True) if bound < inf)
    nodes = system.topology.network.nodes
    prices = np.zeros(system.resources)
    prices[: len(nodes)] = [FRUGALITY * total * node.reserves for node in nodes]
    return prices


def bound_of_all(system: SharedSystem, alone: list[Alone]) -> float:
    """Return a lower bound on the objective (eq. 3) [W]; inf where a group that must be served cannot be."""
    total = 0.0
    for group, one in zip(system.groups, alone, strict=True):
        total += group.count * min(one.bound, inf if group.penalty is None else group.penalty)
    return safe_bound(total, total)
