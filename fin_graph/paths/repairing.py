"""One path that overloads something, repaired: forbid what is too much there, and take the next best path.

Where a path overloads a node, the first of its blocks there that is too much is forbidden there; where it overloads a
link, the link is closed. Each round forbids one thing more, so the rounds end. What comes is a heuristic's answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from finbench.fin_graph.paths.arrays import PathProblem
from finbench.fin_graph.paths.bounds import Dual, lagrangian_dual
from finbench.fin_graph.paths.own_loads import Excess, OwnLoads
from finbench.fin_graph.paths.shortest import Path
from finbench.models.result import Clock


class Repaired(NamedTuple):
    """A path that keeps all capacities, or None, and how often something was forbidden on the way to it."""

    path: Path | None
    repairs: int


def fitting_path(problem: PathProblem, dual: Dual, loads: OwnLoads, clock: Clock) -> Repaired:
    """Return the dual's best path, or what takes its place once what it overloads is forbidden.

    Parameters
    ----------
    problem : PathProblem
        Without what is too large by itself.
    dual : Dual
        Of `problem`.
    loads : OwnLoads
    clock : Clock
        Its limit ends the rounds, without a path.
    """
    repairs = 0
    while dual.incumbent is not None:
        excess = loads.excess(problem.deployment(dual.incumbent.layers, dual.incumbent.nodes))
        if excess is None:
            return Repaired(dual.incumbent, repairs)
        if clock.expired:
            break
        problem = without_excess(problem, excess)
        dual = lagrangian_dual(problem, clock)
        repairs += 1
    return Repaired(None, repairs)


def without_excess(problem: PathProblem, excess: Excess) -> PathProblem:
    """Return the problem without a block at a node, or without a link."""
    edges = problem.edges
    if excess.link is not None:
        room = edges.link_room.copy()
        room[excess.link] = -np.inf
        return replace(problem, edges=edges._replace(link_room=room))
    run_energy = edges.run_energy.copy()
    run_energy[excess.block, excess.node] = np.inf
    return replace(problem, edges=edges._replace(run_energy=run_energy))
