"""Proven lower bounds on the optimal energy of one application, and the incumbents that come with them.

Two bounds that no mathematical program is needed for:

- the Lagrangian dual (eq. 19): for every μ ≥ 0, min over paths of energy + μ (latency − δ) ≤ OPT. LARAC (Jüttner,
  Szviatovszki, Mécs, Rajkó, INFOCOM 2001) finds the best μ by a few shortest paths.
- FIN rounding latencies down to steps (eq. 18): every path that meets δ is kept, hence its least energy is ≤ OPT.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from finbench.fin_graph.paths.arrays import PathProblem
from finbench.fin_graph.paths.kernel import least_energy_replica_path
from finbench.fin_graph.paths.shortest import CostsToGo, Path, cheapest_path, costs_to_go
from finbench.models.tolerances import FLOAT_NOISE, SUM_NOISE

_MAX_ITERATIONS = 200


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


def meets(latency: float, max_latency: float) -> bool:
    """Whether a latency meets its target up to float noise."""
    return latency <= max_latency * (1 + FLOAT_NOISE)


def lagrangian_dual(problem: PathProblem) -> Dual:
    """Solve the Lagrangian dual in the latency row by LARAC's secant steps.

    Parameters
    ----------
    problem : PathProblem

    Returns
    -------
    Dual
        `incumbent` is None exactly when the problem is infeasible: the least-latency path is among those tried.
    """
    delta = problem.max_latency_s
    energy_to_go = costs_to_go(problem.edges, 1.0, 0.0)
    latency_to_go = costs_to_go(problem.edges, 0.0, 1.0)
    cheap, quick = cheapest_path(problem, energy_to_go), cheapest_path(problem, latency_to_go)
    if cheap is None or quick is None or not meets(quick.latency, delta):
        return Dual(inf, 0.0, None, 2, energy_to_go, latency_to_go, energy_to_go)
    if meets(cheap.latency, delta):
        return Dual(cheap.energy, 0.0, cheap, 2, energy_to_go, latency_to_go, energy_to_go)
    lower_bound, multiplier, combined = cheap.energy, 0.0, energy_to_go
    iterations = 2
    while iterations < _MAX_ITERATIONS:
        iterations += 1
        mu = max(0.0, (quick.energy - cheap.energy) / (cheap.latency - quick.latency))
        to_go = costs_to_go(problem.edges, 1.0, mu)
        path = cheapest_path(problem, to_go)
        assert path is not None
        value = path.energy + mu * path.latency
        if value - mu * delta >= lower_bound:
            lower_bound, multiplier, combined = value - mu * delta, mu, to_go
        if value >= (cheap.energy + mu * cheap.latency) * (1 - SUM_NOISE):
            break
        if meets(path.latency, delta):
            quick = path
        else:
            cheap = path
    return Dual(min(lower_bound, quick.energy), multiplier, quick, iterations, energy_to_go, latency_to_go, combined)


def round_down_bound(problem: PathProblem, gamma: int) -> float:
    """FIN's lower bound (eq. 18) at γ steps [J per inference]; inf proves that the problem is infeasible."""
    return least_energy_replica_path(problem, gamma, up=False).energy
