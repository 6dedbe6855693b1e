"""Close a branch by the program in whole numbers over all ways that something better could use.

With LB the bound (25') that a branch's prices prove, and v_p what a member of party p costs there, a way of cost
c with c − min(ψ_p, v_p) ≥ UB − LB is in nothing better than the incumbent. Where the others can be listed
(`columns.listing`), HiGHS solves the branch's program over them in whole numbers, cuts included; what it proves, or the
incumbent, then bounds the branch.

Of two ways the list drops one that asks for no less of anything with a row. Where a branch bounds how many members are
on spots, the other might be too many there; such branches are not closed so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from finbench.fin_graph.joint.branching.branch import Branch
from finbench.fin_graph.joint.branching.pricing import Prices
from finbench.fin_graph.joint.branching.program import BranchProgram, Resources
from finbench.fin_graph.joint.branching.relaxing import BranchRelaxation, Outcome
from finbench.fin_graph.joint.branching.spots import SpotWay
from finbench.fin_graph.joint.columns.listing import demands_of, paths_below
from finbench.fin_graph.joint.columns.restricted import rounded_down
from finbench.fin_graph.joint.fin.improvement import Served
from finbench.fin_graph.paths.arrays import Floats, Ints
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.label_search import out_links
from finbench.models.tolerances import EVALUATOR_SLACK, FLOAT_NOISE

_MOST_RESOURCES = 6
"""Times that rows of overloaded resources are added."""


LEAST_MARGIN, MOST_GATHERED = 1e-6, 3000
"""Relative margin of ways that make a first incumbent, and their greatest number."""


class Closed(NamedTuple):
    """What the program in whole numbers says of a branch."""

    bound: float
    """Proven bound on what the branch allows, the goal at most."""
    served: Served | None
    """A joint deployment that fits."""
    done: bool
    """Whether it was solved to the end."""


class Closing:
    """Lists of ways, and the program over them.

    Parameters
    ----------
    relaxation : BranchRelaxation
    seed : int
        Seed of HiGHS.
    """

    def __init__(self, relaxation: BranchRelaxation, seed: int) -> None:
        self._relaxation, self._seed = relaxation, seed

    def close(self, branch: Branch, outcome: Outcome, goal: float, most: int, nodes: int) -> Closed | None:
        """Solve over all ways that are in something below a goal; None where they are too many, or none fits.

        Parameters
        ----------
        branch : Branch
            Without limits.
        outcome : Outcome
        goal : float
            The bound to be proven: ways that are in nothing below it are left out.
        most : int
            Ways from which on they are too many.
        nodes : int
            Nodes of the solver's tree after which it ends.
        """
        rows = self._priced(outcome)
        for _ in range(_MOST_RESOURCES):
            ways = self._listed(branch, outcome, goal - outcome.best, rows, most)
            if ways is None:
                return None
            found = self._solved(branch, ways, rows, goal, nodes)
            over = self._overfull(found.served)
            if not len(over):
                return found._replace(bound=min(found.bound, goal))
            if not found.done:
                return found._replace(bound=min(found.bound, goal), served=None)
            rows = np.union1d(rows, over).astype(np.int32)
        return None

    def gather(self, branch: Branch, outcome: Outcome, goal: float, nodes: int) -> Served | None:
        """Return the best joint deployment found below a goal over a few ways of least reduced cost and those at hand.

        Parameters
        ----------
        branch : Branch
            The root.
        outcome, goal, nodes
            As in `close`.
        """
        relaxation = self._relaxation
        ways = self._listed(branch, outcome, LEAST_MARGIN * abs(outcome.best), self._priced(outcome), MOST_GATHERED)
        program = BranchProgram(
            relaxation.spots, branch.parties, (), relaxation.resources, relaxation.scale, 1.0, relaxation.clock
        )
        program.add(ways or [])
        program.add([(g, way) for g, known in enumerate(relaxation.pool) for way in known])
        times = program.solve_whole(goal, nodes, self._seed).times
        return None if times is None else self._served(program, times)

    def _priced(self, outcome: Outcome) -> Ints:
        """Return the resources whose rows, or cuts, have a price."""
        priced = set(np.flatnonzero(outcome.prices.resources).tolist())
        for limit, dual in zip(outcome.program.limits, outcome.duals, strict=False):
            if dual and limit.resource >= 0:
                priced.add(limit.resource)
        return np.array(sorted(priced), np.int32)

    def _listed(
        self, branch: Branch, outcome: Outcome, margin: float, rows: Ints, most: int
    ) -> list[tuple[int, SpotWay]] | None:
        found, relaxation = list[tuple[int, SpotWay]](), self._relaxation
        penalties = relaxation.penalties(branch)
        for p in range(len(branch.parties)):
            limit = min(float(penalties[p]), float(outcome.least[p])) + margin
            ways = self._below(branch, p, outcome.prices, limit, rows) if np.isfinite(limit) else None
            if ways is None or len(found) + len(ways) > most or relaxation.clock.expired:
                return None
            found += [(p, way) for way in ways]
        return found

    def _below(self, branch: Branch, p: int, prices: Prices, limit: float, rows: Ints) -> list[SpotWay] | None:
        """Return every way of party p below a limit that no other one replaces; None where they are too many."""
        pricer, party = self._relaxation.pricer, branch.parties[p]
        spots, whole = pricer.spots, float(self._relaxation.resources.room.max()) + FLOAT_NOISE
        found = list[SpotWay]()
        for c in spots.choices_of(party.group):
            priced = pricer.problem(c, party, prices)
            if priced is None:
                continue
            problem, shift = priced
            plain, demands = spots.choices[c].problem(), demands_of(spots.choices[c], rows)
            assert plain is not None
            dual, out = lagrangian_dual(problem), out_links(problem)
            paths = paths_below(problem, plain, dual, demands, out, limit - shift + FLOAT_NOISE * abs(limit), whole)
            if paths is None:
                return None
            found += [pricer.way(c, np.array(path, np.int32), np.array(via, np.int32)) for path, via in paths]
        return found

    def _solved(
        self, branch: Branch, ways: Sequence[tuple[int, SpotWay]], rows: Ints, goal: float, nodes: int
    ) -> Closed:
        relaxation = self._relaxation
        cuts = [cut for cut in relaxation.cuts if cut.resource in rows]
        resources = Resources.of(rows, relaxation.resources.room)
        program = BranchProgram(
            relaxation.spots, branch.parties, cuts, resources, relaxation.scale, 1.0, relaxation.clock
        )
        program.add(ways)
        whole = program.solve_whole(goal, nodes, self._seed)
        served = None if whole.times is None else self._served(program, whole.times)
        return Closed(rounded_down(whole.bound), served, whole.done)

    def _served(self, program: BranchProgram, times: Floats) -> Served:
        groups = self._relaxation.spots.system.groups
        usages: Served = [(group, []) for group in groups]
        for k in np.flatnonzero(times).tolist():
            way = program.ways[k]
            usages[way.group][1].extend([way.usage] * int(times[k]))
        return usages

    def _overfull(self, served: Served | None) -> Ints:
        """Return the resources that a joint deployment overloads."""
        room = self._relaxation.resources.room.copy()
        for _, usages in served or []:
            for usage in usages:
                usage.take(room)
        return np.flatnonzero(room < -EVALUATOR_SLACK).astype(np.int32)
