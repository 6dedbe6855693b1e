"""`cp-sat`: the flow formulation in whole numbers, solved by OR-Tools CP-SAT in a process of its own.

CP-SAT's program is a relaxation (`models.cp_sat.program`): what it proves infeasible is infeasible, and its bound holds
for the true objective. Its incumbents are checked in floating point against every constraint. One that breaks a
constraint by less than the rounding is cut off, and CP-SAT runs again. It also does so where the rounding of the
objective leaves a gap, then without the columns that cost more than the incumbent and with finer coefficients. Both are
rare.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from finbench.models.cp_sat.conversation import Request, Said, ask
from finbench.models.cp_sat.program import IntegerProgram, accurate, program_of
from finbench.models.instance import Instance
from finbench.models.memory import reason_not_to_fit
from finbench.models.nowhere import NOTHING_ALONE, application_without_node
from finbench.models.options import ReducedProgramOptions
from finbench.models.programs.costs import Capacities, Costs, costs_of
from finbench.models.programs.steps import Steps, deployment_of, objective_of
from finbench.models.programs.strengthen import Kept, all_worth, least_costs, worth_serving
from finbench.models.programs.warm_start import broken_constraint
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import ENERGY_TOLERANCE
from finbench.models.trajectory import Point, thinned
from finbench.models.versions import package_version

DISTRIBUTION = "ortools"
INSTALL = "pip install 'finbench[cp-sat]'"
"""The one command that installs it."""

BYTES_PER_COLUMN = 6500
"""Peak memory of both processes for each column (1.2 GB at 200,100 columns)."""

MOST_ROUNDS = 100
"""CP-SAT runs at most so often: the rounding alone does not let in as many infeasible incumbents."""


def version() -> str | None:
    """Return the version of OR-Tools, None where it is not installed."""
    return package_version(DISTRIBUTION)


def supports(instance: Instance, options: ReducedProgramOptions = ReducedProgramOptions()) -> str | None:  # noqa: ARG001
    """Return why the method cannot be used here; None where it can: every instance is supported."""
    return f"OR-Tools CP-SAT is not installed: {INSTALL}" if version() is None else None


def solve(
    instance: Instance,
    options: ReducedProgramOptions = ReducedProgramOptions(),
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
) -> Result:
    """Solve `instance`, which must be supported, by CP-SAT.

    Parameters
    ----------
    instance : Instance
    options : ReducedProgramOptions
    time_limit_s : float or None
        Limit for the whole run, its process included [s].
    seed : int
        Random seed of the solver.

    Returns
    -------
    Result
        Phases `build`, `process` (its start and end), `handover`, `solve`, `extract`; info `columns`, `rows`,
        `rounds` (how often CP-SAT ran), `cut_off` (incumbents within the rounding of a constraint only), `gap`
        and `trajectory`.
    """
    clock = Clock(time_limit_s)
    with clock.phase("build"):
        all_costs = costs_of(instance)
        all_kept = all_worth(all_costs, worth_serving if options.strengthen else accurate)
        least = inf if all_kept is None else sum(least_costs(all_costs, all_kept))
    if all_kept is None or least == inf:
        reason = application_without_node(instance) or NOTHING_ALONE
        return Result(Status.INFEASIBLE, reason=reason, times_s=clock.times_s)
    no_room = reason_not_to_fit(BYTES_PER_COLUMN * sum(kept.run.sum() + kept.send.sum() for kept in all_kept))
    if no_room is not None:
        return Result(Status.MEMORY_LIMIT, reason=no_room, times_s=clock.times_s)
    search = _CpSatRounds(all_costs, all_kept, Capacities.of(instance.network, all_costs), least)
    request = Request(seed=seed, threads=options.threads, mip_gap=options.mip_gap)
    while True:
        with clock.phase("build"):
            program = search.next_program()
        said = ask(program, request, clock)
        with clock.phase("extract"):
            search.learn(program, said)
        result = search.result(said, options.mip_gap, clock)
        if result is not None:
            said_of_run = {
                "strengthen": options.strengthen,
                "mip_gap": options.mip_gap,
                **search.facts(),
                **result.info,
            }
            return replace(result, times_s=clock.times_s, info={"solver": f"CP-SAT {version()}", **said_of_run})


_ROUNDING = "the rounding of energies leaves a gap"


@dataclass
class _CpSatRounds:
    """What is known after some rounds."""

    all_costs: list[Costs]
    all_kept: list[Kept]
    capacities: Capacities
    bound: float
    """Proven, at first what applications cost at least, latency and capacities ignored."""
    best: list[Steps | None] | None = None
    energy: float = inf
    """Objective of `best` [J or W]."""
    most_energy: float = inf
    """Objective above which the last program left columns out."""
    cut_off: list[list[Steps | None]] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    rounds: int = 0
    size: dict[str, int] = field(default_factory=dict)
    news: bool = False
    """Whether the last round found something to cut off."""

    def next_program(self) -> IntegerProgram:
        """Return the program without what was cut off, and without what costs more than the best deployment known."""
        self.rounds += 1
        self.most_energy = self.energy
        energies = (self.bound, self.energy)
        program = program_of(self.all_costs, self.all_kept, self.capacities, energies, self.cut_off)
        self.size = {"columns": len(program.objective), "rows": len(program.exactly_one) + len(program.rows)}
        return program

    def learn(self, program: IntegerProgram, said: Said) -> None:
        """Check every incumbent, in the order in which they were found, and keep the bounds."""
        known = len(self.cut_off)
        for event in said.events:
            if event.chosen is not None:
                self._check(program.steps(event.chosen))
            if event.bound is not None:
                self.bound = max(self.bound, event.bound * program.unit)
            now = (None if self.best is None else self.energy, min(self.bound, self.energy))
            if not self.points or now != self.points[-1][1:]:
                self.points.append((event.at_s, *now))
        self.news = len(self.cut_off) > known

    def _check(self, found: list[Steps | None]) -> None:
        if broken_constraint(self.all_costs, self.capacities, found) is not None:
            self.cut_off.append(found)
        elif objective_of(self.all_costs, found) < self.energy:
            self.best, self.energy = found, objective_of(self.all_costs, found)

    def result(self, said: Said, mip_gap: float, clock: Clock) -> Result | None:
        """Return the result; None where another round is needed."""
        if said.failure is not None:
            return Result(said.failure, reason=said.reason)
        contradiction = self._contradiction(said)
        if contradiction is not None:
            return Result(Status.ERROR, reason=f"CP-SAT: {contradiction}")
        if said.proven_infeasible:
            return Result(Status.INFEASIBLE, reason="CP-SAT: infeasible")
        status = self._status(said, mip_gap)
        return None if status is None else self._known(status, said, mip_gap, clock)

    def _known(self, status: Status, said: Said, mip_gap: float, clock: Clock) -> Result:
        """Return the result with everything that is known."""
        bound, info = min(self.bound, self.energy), {"trajectory": self._trajectory(clock)}
        if self.best is None:
            reason = "the time limit passed before CP-SAT found a deployment"
            return Result(status, lower_bound=bound, reason=reason, info=info)
        return Result(
            status,
            deployment=deployment_of(self.all_costs, self.best),
            claimed_objective=self.energy,
            lower_bound=bound,
            reason=_ROUNDING if said.finished and self._gap() > max(mip_gap, ENERGY_TOLERANCE) else None,
            info={**info, "gap": self._gap()},
        )

    def _contradiction(self, said: Said) -> str | None:
        """Return what cannot be true of CP-SAT's words beside the deployments that were checked; None where all can."""
        if self.news and self.rounds >= MOST_ROUNDS:
            return f"after {self.rounds} rounds its incumbents still break a constraint"
        if self.best is None:
            return None
        if said.proven_infeasible:
            return f"infeasible, but there is a deployment of objective {self.energy:.9g}"
        if self.bound > self.energy * (1 + ENERGY_TOLERANCE):
            return f"the bound {self.bound:.9g} is above the objective {self.energy:.9g} of a deployment"
        return None

    def _status(self, said: Said, mip_gap: float) -> Status | None:
        """Return how the search ended; None where it has not."""
        if not said.finished:
            return Status.TIME_LIMIT
        if self.best is not None and self._gap() <= ENERGY_TOLERANCE:
            return Status.OPTIMAL
        if self.best is not None and self._gap() <= mip_gap * (1 + ENERGY_TOLERANCE):
            return Status.FEASIBLE
        if self.news or self.energy < self.most_energy:
            return None
        return Status.FEASIBLE

    def _gap(self) -> float:
        """Return (E − LB)/E of the best deployment known."""
        return max(0.0, self.energy - self.bound) / self.energy if self.energy else 0.0

    def _trajectory(self, clock: Clock) -> list[Point]:
        """Return the points, and the end."""
        energy = None if self.best is None else self.energy
        return thinned([*self.points, (clock.elapsed_s, energy, min(self.bound, self.energy))])

    def facts(self) -> dict[str, Any]:
        """Return the facts of the search for the row."""
        return {**self.size, "rounds": self.rounds, "cut_off": len(self.cut_off)}
