"""The cheapest path that the Lagrangian dual in the latency row meets, begun from a known path and a likely multiplier.

Prices change little from one search to the next, and so do the best multiplier and the best path (eq. 19).
"""

from __future__ import annotations

from finbench.fin_graph.paths.arrays import Edges, Ints
from finbench.fin_graph.paths.bounds import Secant, balance, secant_step, traced
from finbench.fin_graph.paths.compiled import compiled
from finbench.fin_graph.paths.shortest import costs_along, costs_to_go

_MAX_STEPS = 60


@compiled
def dual_from(
    edges: Edges, source: int, max_latency: float, multiplier: float, layers: Ints, nodes: Ints
) -> tuple[float, float, float, Ints, Ints]:
    """Lagrangian dual in the latency row by LARAC's secant steps, from a feasible path and a likely multiplier.

    Returns
    -------
    bound, multiplier, energy : float
        Value of the dual, where it is attained, and the energy of the cheapest feasible path met.
    layers, nodes : ndarray
        That path.
    """
    quick_energy, quick_latency = costs_along(edges, layers, nodes)
    least = quick_energy
    way, via = traced(edges, costs_to_go(edges, 1.0, 0.0).next_link, source)
    cheap_energy, cheap_latency = costs_along(edges, way, via)
    if cheap_latency <= max_latency:
        return cheap_energy, 0.0, cheap_energy, way, via
    at = Secant(cheap_energy, cheap_latency, quick_energy, quick_latency, cheap_energy, 0.0, False)
    for number in range(_MAX_STEPS):
        guessed = number == 0 and multiplier > 0
        step = secant_step(edges, source, max_latency, multiplier if guessed else balance(at), at)
        at = step.secant
        if at.closed and not guessed:
            break
        if step.latency <= max_latency and step.energy < least:
            least, layers, nodes = step.energy, step.layers, step.nodes
    return min(at.bound, least), at.multiplier, least, layers, nodes
