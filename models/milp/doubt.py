"""Whether a solver's answer can be true, by what is known without a solver.

Solvers work within tolerances and now and then lose a solution: they prove feasible programs infeasible, name optima
and bounds above a deployment that exists, or optima below what any deployment costs. Such an answer is not believed.
The solver is asked once more, with less cleverness of its own; if what it then says cannot be true either, the run is
an error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

import numpy as np

from finbench.models.milp.solvers.interface import SolverAnswer
from finbench.models.programs.costs import Capacities, Costs
from finbench.models.programs.insertion import inserted
from finbench.models.programs.known import known_deployment
from finbench.models.programs.steps import Steps, objective_of
from finbench.models.programs.warm_start import broken_constraint
from finbench.models.result import Status
from finbench.models.tolerances import ENERGY_TOLERANCE


@dataclass(frozen=True)
class Knowledge:
    """What is known of an instance without a solver."""

    all_costs: list[Costs]
    capacities: Capacities

    @cached_property
    def deployment(self) -> list[Steps | None] | None:
        """A feasible deployment; None where none was found."""
        known = known_deployment(self.all_costs, self.capacities)
        return self._inserted() if known is None and not self.unlimited else known

    def _inserted(self) -> list[Steps | None] | None:
        found = inserted(self.all_costs, self.capacities)
        fits = found is not None and broken_constraint(self.all_costs, self.capacities, found) is None
        return found if fits else None

    @cached_property
    def objective(self) -> float:
        """Objective of `deployment`; infinite where there is none."""
        return inf if self.deployment is None else objective_of(self.all_costs, self.deployment)

    @cached_property
    def unlimited(self) -> bool:
        """Whether no capacity could bind: everyone's own path is then a deployment, if there is any."""
        limits = (getattr(self.capacities, name) for name in ("compute", "memory", "bandwidth", "reservation"))
        return all(bool(np.isinf(limit).all()) for limit in limits)

    def doubt(self, answer: SolverAnswer, scale: float, least: float) -> str | None:
        """Return why `answer` cannot be true; None where nothing speaks against it.

        Parameters
        ----------
        answer : SolverAnswer
        scale : float
            What the program's objective was divided by.
        least : float
            A bound below every feasible objective: an optimum there needs no check.
        """
        words = answer.reason or "the solver's answer"
        if answer.status is Status.ERROR:
            return words
        if answer.status is Status.INFEASIBLE:
            return None if self.deployment is None else f"{words}, but {self._known}"
        proven = answer.objective if answer.status is Status.OPTIMAL else answer.bound
        if proven is None:
            return None
        tolerance = ENERGY_TOLERANCE * max(scale, abs(proven * scale))
        if answer.status is Status.OPTIMAL and proven * scale < least - tolerance:
            return f"{words}, objective {proven * scale:.9g}, but no deployment is below {least:.9g}"
        if proven * scale <= least + tolerance or proven * scale <= self.objective + tolerance:
            return None
        what = "objective" if answer.status is Status.OPTIMAL else "bound"
        return f"{words}, {what} {proven * scale:.9g}, but {self._known}"

    @property
    def _known(self) -> str:
        return f"a deployment of objective {self.objective:.9g} is feasible"


def disbelieved(answer: SolverAnswer, doubt: str) -> SolverAnswer:
    """Return the answer as an error that says what cannot be true."""
    return replace(answer, status=Status.ERROR, reason=doubt, values=None)
