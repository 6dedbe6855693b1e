"""Proven lower bounds on the optimal energy of one application, and the incumbents that come with them.

Two bounds need no mathematical program:

- the Lagrangian dual (eq. 19): for every μ ≥ 0, min over paths of energy + μ (latency − δ) ≤ OPT. LARAC (Jüttner,
  Szviatovszki, Mécs, Rajkó, INFOCOM 2001) finds the best μ by a few shortest paths.
- FIN rounding latencies down to steps (eq. 18): every path that meets δ is kept, hence its least energy is ≤ OPT.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np

from finbench.fin_graph.paths.arrays import Edges, Ints, PathProblem
from finbench.fin_graph.paths.compiled import compiled
from finbench.fin_graph.paths.kernel import least_energy_replica_path
from finbench.fin_graph.paths.shortest import CostsToGo, Path, cheapest_path, costs_along, costs_to_go, follow
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE, SUM_NOISE, safe_bound

_MAX_ITERATIONS = 200

SMALL_PART = 0.1
"""Where the best bound closes less than this part of the distance to a limit, a sweep costs more than it saves."""


class Secant(NamedTuple):
    """Where LARAC stands: two paths, the multiplier at which both cost the same, and the best bound so far."""

    cheap_energy: float
    cheap_latency: float
    """Costs of the path of less energy, which misses the latency target."""
    quick_energy: float
    quick_latency: float
    """Costs of the path that meets it."""
    bound: float
    """Best value of the dual so far; at first the energy of the least-energy path, its value at 0."""
    multiplier: float
    """Where that value is attained."""
    closed: bool
    """Whether no path lies below the two: the bound is the dual's optimum."""


class Step(NamedTuple):
    """What one secant step finds."""

    secant: Secant
    to_go: CostsToGo
    """Least energy + μ · latency to go, at the multiplier of this step."""
    layers: Ints
    nodes: Ints
    """The cheapest path at that multiplier."""
    energy: float
    latency: float
    """Its costs."""


@compiled
def balance(at: Secant) -> float:
    """Return the multiplier at which both paths cost the same [J/s]."""
    return max(0.0, (at.quick_energy - at.cheap_energy) / (at.cheap_latency - at.quick_latency))


@compiled
def secant_step(edges: Edges, source: int, max_latency: float, mu: float, at: Secant) -> Step:
    """Find the cheapest path at multiplier `mu`; it replaces one of the two paths, and its cost bounds the optimum.

    Parameters
    ----------
    edges : Edges
    source : int
    max_latency : float
        What a path may take to count as meeting the target [s]. The bound holds for all such paths.
    mu : float
        Multiplier [J/s]: that of `balance`, or a likely one.
    at : Secant

    Returns
    -------
    Step
    """
    to_go = costs_to_go(edges, 1.0, mu)
    layers, nodes = traced(edges, to_go.next_link, source)
    energy, latency = costs_along(edges, layers, nodes)
    value = energy + mu * latency
    bound, multiplier = at.bound, at.multiplier
    if value - mu * max_latency >= bound:
        bound, multiplier = value - mu * max_latency, mu
    closed = value >= (at.cheap_energy + mu * at.cheap_latency) * (1 - SUM_NOISE)
    if latency > max_latency:
        after = Secant(energy, latency, at.quick_energy, at.quick_latency, bound, multiplier, closed)
    else:
        after = Secant(at.cheap_energy, at.cheap_latency, energy, latency, bound, multiplier, closed)
    return Step(after, to_go, layers, nodes, energy, latency)


@compiled
def traced(edges: Edges, next_link: Ints, source: int) -> tuple[Ints, Ints]:
    """Return layers and nodes of the path that `next_link` describes from the source to the end."""
    layers, nodes = follow(edges, next_link, 0, source)
    way, via = np.empty(len(layers), np.int32), np.empty(len(layers), np.int32)
    for k in range(len(layers)):
        way[k] = layers[k]
        via[k] = nodes[k]
    return way, via


@dataclass(frozen=True)
class Dual:
    """What the Lagrangian dual (eq. 19) leaves behind."""

    lower_bound: float
    """Proven lower bound on the optimum [J per inference]; inf where the problem is infeasible."""
    multiplier: float
    """Best multiplier μ [J/s]."""
    incumbent: Path | None
    """Cheapest path found that meets the latency target, None where none exists (the dual misses none)."""
    iterations: int
    """Shortest paths computed."""
    energy_to_go: CostsToGo
    latency_to_go: CostsToGo
    combined_to_go: CostsToGo
    """Costs to go of energy + μ · latency at the best μ."""
    stopped: bool = False
    """Whether the time ended the steps before the bound was the best."""


def meets(latency: float, max_latency: float) -> bool:
    """Return whether a latency meets its target up to float noise."""
    return latency <= max_latency * (1 + FLOAT_NOISE)


def lagrangian_dual(
    problem: PathProblem, clock: Clock | None = None, *, limit: float = inf, likely: float | None = None
) -> Dual:
    """Solve the Lagrangian dual in the latency row by LARAC's secant steps.

    Parameters
    ----------
    problem : PathProblem
    clock : Clock, optional
        Its limit ends the steps; the bound is then proven, but not yet the dual's optimum. The least-energy and the
        least-latency path are found in any case.
    limit : float
        Another bound is not sought once one is no less: what another problem is known to cost [J per inference].
    likely : float, optional
        Multiplier to try first: the best one of a problem much like this [J/s]. The steps then end as well where the
        best bound would close only a small part of the distance to the limit.

    Returns
    -------
    Dual
        `incumbent` is None exactly when the problem is infeasible: the least-latency path is among those tried.
    """
    edges, delta = problem.edges, problem.max_latency_s
    energy_to_go = costs_to_go(edges, 1.0, 0.0)
    latency_to_go = costs_to_go(edges, 0.0, 1.0)
    cheap, quick = cheapest_path(problem, energy_to_go), cheapest_path(problem, latency_to_go)
    if cheap is None or quick is None or not meets(quick.latency, delta):
        return Dual(inf, 0.0, None, 2, energy_to_go, latency_to_go, energy_to_go)
    if meets(cheap.latency, delta):
        return Dual(cheap.energy, 0.0, cheap, 2, energy_to_go, latency_to_go, energy_to_go)
    at = Secant(cheap.energy, cheap.latency, quick.energy, quick.latency, cheap.energy, 0.0, False)
    combined, iterations = energy_to_go, 2
    stopped, small = False, 0.0 if likely is None else SMALL_PART
    while not at.closed and iterations < _MAX_ITERATIONS and _worth_a_step(at, delta, limit, small):
        stopped = clock is not None and clock.expired
        if stopped:
            break
        iterations += 1
        mu = balance(at) if likely is None else likely
        step = secant_step(edges, problem.source, delta * (1 + FLOAT_NOISE), mu, at)
        # At another multiplier than that of the balance, one of the two paths may be cheapest and the dual go on.
        at = step.secant if likely is None else step.secant._replace(closed=False)
        likely = None
        if at.multiplier == mu:
            combined = step.to_go
        if not at.closed and meets(step.latency, delta):
            quick = Path(step.energy, step.latency, tuple(step.layers.tolist()), tuple(step.nodes.tolist()))
    # A small difference of large numbers where two paths of nearly the same latency differ much in energy.
    bound = min(quick.energy, safe_bound(at.bound, abs(at.bound) + 2 * at.multiplier * delta))
    return Dual(bound, at.multiplier, quick, iterations, energy_to_go, latency_to_go, combined, stopped)


def _worth_a_step(at: Secant, delta: float, limit: float, small: float) -> bool:
    """Return whether a better bound may close more than a `small` part of the distance to `limit`.

    The dual is nowhere more than what both paths cost where they are in balance.
    """
    if small == 0 or limit == inf or at.bound >= limit:
        return at.bound < limit
    most = at.cheap_energy + balance(at) * (at.cheap_latency - delta)
    return most - at.bound > small * (limit - at.bound)


def bound_at(problem: PathProblem, multiplier: float) -> float:
    """Return the value of the dual at a multiplier μ ≥ 0 [J per inference], a lower bound on the optimum; maybe inf."""
    least = float(costs_to_go(problem.edges, 1.0, multiplier).cost[0, problem.source])
    paid = multiplier * problem.max_latency_s * (1 + FLOAT_NOISE)
    return least if least == inf else safe_bound(least - paid, least + paid)


def round_down_bound(problem: PathProblem, gamma: int) -> float:
    """Return FIN's lower bound (eq. 18) at γ steps [J per inference]; inf proves that the problem is infeasible."""
    return least_energy_replica_path(problem, gamma, how="down").energy
