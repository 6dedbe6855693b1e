"""One application that shares its system with nobody: its least objective as it is, and after changes.

Where it has one DNN and no capacity can bind, each question is a path problem with other costs or another target
(`cheapest`). Else the changed instance is solved again by label setting, which heeds capacities and alternatives.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np

from finbench.fin_graph.joint.explanation.cheapest import Cheapest, cheapest
from finbench.fin_graph.joint.explanation.parts import NODE, NetworkPart, energies_through, faster, parts_of, sped_up
from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.support import may_bind
from finbench.fin_graph.paths.topology import Topology
from finbench.fin_graph.paths.within_capacities import solve_within
from finbench.models.instance import Instance
from finbench.models.result import Clock, Status


class LoneApplication:
    """The single application of an instance, in the unit of the instance's objective.

    Parameters
    ----------
    instance : Instance
        One that label setting takes, with a deployment.
    clock : Clock
        Where it ends a search, what was found and proven until then is returned.
    """

    def __init__(self, instance: Instance, clock: Clock) -> None:
        (self.app,) = instance.applications
        self.instance, self._clock = instance, clock
        self._topology = Topology.of(instance)
        problems = (path_problem(instance, choice, topology=self._topology) for choice in self.app.choices)
        self._problems = [problem for problem in problems if problem is not None]
        one = len(self.app.choices) == 1 and not may_bind(instance)
        self._plain: PathProblem | None = self._problems[0] if one else None

    def as_it_is(self) -> Cheapest:
        """Return the least objective."""
        return self._again(self.instance, inf) if self._plain is None else self._of_paths(self._plain, inf)

    def if_faster(self, part: NetworkPart, factor: float, known: float) -> Cheapest:
        """Return the least objective once a part is faster; `known` is what some deployment is known to reach."""
        if self._plain is None:
            return self._again(faster(self.instance, (part,), factor), known)
        return self._of_paths(sped_up(self._plain, self._topology, (part,), 1 / factor), known)

    def at_latency(self, factor: float, known: float) -> Cheapest:
        """Return the least objective with `factor` times the latency target."""
        if self._plain is None:
            return self._again(self.instance.with_overrides(max_latency_s=factor * self.app.max_latency_s), known)
        return self._of_paths(replace(self._plain, max_latency_s=factor * self._plain.max_latency_s), known)

    def at_accuracy(self, accuracy: float, known: float) -> Cheapest:
        """Return the least objective with a lower accuracy target."""
        looser = self.instance.with_overrides(min_accuracy=accuracy)
        if self._plain is None:
            return self._again(looser, known)
        problem = path_problem(looser, looser.applications[0], topology=self._topology)
        assert problem is not None
        return self._of_paths(problem, known)

    def latency_price(self) -> float | None:
        """Return the dual's multiplier of the latency target [unit of the objective per s]; None where it is no bound.

        Where capacities bind or there are alternatives, the dual of one path does not tell what a second saves.
        """
        return None if self._plain is None else self.app.weight * lagrangian_dual(self._plain, self._clock).multiplier

    def least_through(self) -> dict[NetworkPart, float]:
        """Return for every part the least objective of a deployment that uses it, latency and capacities aside."""
        tables = [energies_through(problem, self._topology) for problem in self._problems]
        of_node, of_link = (np.min([table[k] for table in tables], axis=0) for k in (0, 1))
        return {
            part: self.app.weight * float((of_node if part.kind == NODE else of_link)[part.number])
            for part in parts_of(self._topology.network)
        }

    def _of_paths(self, problem: PathProblem, known: float) -> Cheapest:
        weight = self.app.weight
        found = cheapest(problem, self._clock, known=known / weight)
        return Cheapest(weight * found.energy, weight * found.lower_bound)

    def _again(self, instance: Instance, known: float) -> Cheapest:
        result = solve_within(instance, 1, self._clock)
        found = inf if result.claimed_objective is None else result.claimed_objective
        proven = inf if result.status is Status.INFEASIBLE else result.lower_bound or 0.0
        return Cheapest(min(known, found), min(known, found, proven))
