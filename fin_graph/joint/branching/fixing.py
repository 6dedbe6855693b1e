"""Spots that no better joint deployment uses, by reduced costs.

At the prices of a bound LB (25'), let v_g be what a member of group g costs there, and c_s the least cost of a path
through spot s. A joint deployment with a member on s costs at least LB + c_s − min(ψ_g, v_g); where that is no less
than the incumbent, s is closed to everybody. The Lagrangian in the latency row (eq. 19) bounds c_s from below: least
cost to s, and from there to the end, at a multiplier μ, less μδ (after Irnich, Desaulniers, Desrosiers, Hadjar, INFORMS
Journal on Computing 22(2), 2010, who fix arcs so).
"""

from __future__ import annotations

from functools import cache
from math import inf

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.branching.branch import Branch
from finbench.fin_graph.joint.branching.pricing import BranchPricer
from finbench.fin_graph.joint.branching.relaxing import Outcome
from finbench.fin_graph.joint.columns.pricing import load_pricing
from finbench.fin_graph.joint.system import SharedSystem
from finbench.fin_graph.paths.arrays import Edges, Floats, layer_edges
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.compiled import compiled
from finbench.fin_graph.paths.loading import smallest
from finbench.fin_graph.paths.shortest import costs_to_go
from finbench.models.tolerances import FLOAT_NOISE


def hopeless(
    pricer: BranchPricer, root: Branch, outcome: Outcome, penalties: Floats, cutoff: float
) -> NDArray[np.bool_]:
    """Return which spots no joint deployment below `cutoff` uses; shape (spots,).

    Parameters
    ----------
    pricer : BranchPricer
    root : Branch
        Each party is a whole group.
    outcome : Outcome
        Of the root: its prices, duals and costs.
    penalties : ndarray
        ψ_g, inf where members must be served.
    cutoff : float
    """
    closed = np.zeros(pricer.spots.total, np.bool_)
    for p, party in enumerate(root.parties):
        least = min(float(penalties[p]), float(outcome.least[p]))
        spare = cutoff - outcome.best + least
        for c in pricer.spots.choices_of(party.group):
            found = pricer.problem(c, party, outcome.prices)
            place = pricer.spots.of_choice(c)
            if found is None:
                closed[place] = True
            elif np.isfinite(spare):
                problem, shift = found
                dual = lagrangian_dual(problem)
                through = np.full((problem.depth, pricer.spots.width), -inf)
                for mu in {0.0, dual.multiplier}:
                    paid = mu * problem.max_latency_s * (1 + FLOAT_NOISE)
                    costs = through_spots(problem.edges, problem.source, mu)
                    np.maximum(through, costs * (1 - FLOAT_NOISE) - paid * (1 + FLOAT_NOISE), out=through)
                closed[place] = (through + shift > spare + FLOAT_NOISE * abs(spare)).ravel()
    return closed


@compiled
def through_spots(edges: Edges, source: int, mu: float) -> Floats:
    """Return the least energy + μ · latency of a path through every spot, whatever its latency; (depth, V + A')."""
    depth, count = edges.run_energy.shape
    to_go = costs_to_go(edges, 1.0, mu).cost
    links = edges.link_source.shape[0]
    through = np.full((depth, count + links), np.inf)
    here = np.full(count, np.inf)
    here[source] = 0.0
    for j in range(depth):
        layer = layer_edges(edges, j)
        fallen = True
        while fallen:
            fallen = False
            for m in range(count):
                for a in range(layer.in_start[m], layer.in_start[m + 1]):
                    cost = here[layer.link_source[a]] + layer.send_energy[a] + mu * layer.send_latency[a]
                    if cost < here[m]:
                        here[m] = cost
                        fallen = True
        for m in range(count):
            for a in range(layer.in_start[m], layer.in_start[m + 1]):
                sent = layer.send_energy[a] + mu * layer.send_latency[a]
                through[j, count + a] = here[layer.link_source[a]] + sent + to_go[j, m]
        for n in range(count):
            if layer.pin in (-1, n):
                here[n] += layer.run_energy[n] + mu * layer.run_latency[n]
            else:
                here[n] = np.inf
            through[j, n] = here[n] + to_go[j + 1, n]
    return through


@cache
def load_branching() -> None:
    """Run the compiled searches once on the smallest problem (`load_compiled` says why)."""
    load_pricing()
    problem = SharedSystem.of(smallest()).groups[0].problem()
    assert problem is not None
    edges = problem.edges
    priced = edges._replace(send_price=np.zeros((problem.depth, len(edges.link_source))))
    through_spots(priced, problem.source, 0.0)
