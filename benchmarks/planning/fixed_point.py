"""A plan whose own simulation bears it out: plan, simulate, plan anew with the waits that were measured.

That samples were in time which a plan was chosen for says too much of it. So a plan that holds is simulated again, with
samples of the next seed; it must hold with these as well, and its shares are theirs.

Each round plans an instance in which the waits of earlier rounds add to every latency (`benchmarks.planning.waits`),
and simulates the plan, until the share of samples asked for meets the target δ. Of a
station that the plan uses, the next round believes the longer of what was measured and the mean of that and what was
believed; of one that nobody used, `FADING` of what was believed, so that it is tried again. A plan that comes back
though it did not hold shows that its waits were taken too lightly: all are then taken `MARGIN_GROWTH` times as long.
Waits that lead to a plan that holds may be longer than needed: `REFINEMENTS` more rounds halve, as in a bisection, the
distance to those that led to one that did not, and the cheapest plan that holds is kept.

An application that no placement serves in time, given the waits, is planned as fast as it can be, and named. Where all
the same nothing fits, half of the waits are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from finbench.benchmarks.methods import run_method
from finbench.benchmarks.planning.late import as_fast_as_possible, hopeless
from finbench.benchmarks.planning.options import PlanningOptions
from finbench.benchmarks.planning.waits import Place, measured_waits, with_waits
from finbench.benchmarks.simulation.options import SimulationOptions
from finbench.benchmarks.simulation.simulate import Simulation, simulate
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance

FADING = 0.8
MARGIN_GROWTH = 1.5

REFINEMENTS = 4
"""Rounds after the first plan that holds, in search of a cheaper one."""

MOST_REPEATS = 4
"""Rounds after one another that may bring plans which were there before; then it is a cycle."""

MOST_HALVINGS = 4
"""Rounds after one another in which nothing may be found; then nothing is."""


class Ending(StrEnum):
    """How the rounds ended."""

    HOLDS = "holds"
    """The share of samples that was asked for meets the target in simulation."""
    CYCLE = "cycle"
    """Plans came back that do not hold, however much longer the waits were taken."""
    NOTHING_FOUND = "nothing found"
    """The method found no plan, even with far shorter waits than were measured."""
    ROUNDS_USED = "rounds used up"
    """More rounds may help."""
    ONCE = "planned once"
    """It was planned with headroom, once, and does not hold."""


@dataclass(frozen=True)
class Borne:
    """A plan and what its simulation bears out."""

    deployment: Deployment
    objective: float
    """The plan's objective (eq. 3)."""
    within: float
    """Share of samples within δ of the application that keeps its target least."""
    within_of_all: float
    """Share of all samples that are within the δ of their application."""
    met: Simulation

    def share(self, of: str) -> float:
        """Return the share that counts: that of `each` application, so of the worst, or of `all` samples."""
        return self.within if of == "each" else self.within_of_all


@dataclass(frozen=True)
class Round:
    """One round of planning and simulating."""

    status: str
    """How the method ended."""
    plan: Borne | None
    """None where it found no plan that serves anybody."""
    hopeless: tuple[str, ...]
    """Applications that no placement serves in time, given the waits of this round."""
    repeated: bool
    """Whether the plan was there before."""


@dataclass(frozen=True)
class FixedPoint:
    """All rounds, how they ended, and the best plan."""

    outcome: Ending
    rounds: tuple[Round, ...]
    best: Borne | None
    """The plan that holds; where none does, the one with the largest share of samples in time, then the cheapest."""


def borne(instance: Instance, deployment: Deployment, options: SimulationOptions) -> Borne:
    """Return a plan with what its simulation bears out.

    Raises
    ------
    ValueError
        If it serves nobody, cannot be carried out, or rates are missing where arrivals need them.
    """
    met = simulate(instance, deployment, options)
    objective = evaluate(instance, deployment).objective
    assert objective is not None  # it has been simulated
    samples = sum(one.samples for one in met.applications)
    of_all = sum(one.within.value * one.samples for one in met.applications) / samples
    return Borne(deployment, objective, min(one.within.value for one in met.applications), of_all, met)


def until_simulated(
    instance: Instance,
    method: str = "fin",
    options: PlanningOptions | None = None,
    *,
    time_limit_s: float | None = None,
    method_options: Mapping[str, Any] | None = None,
    told: Callable[[int, int], None] | None = None,
) -> FixedPoint:
    """Plan and simulate in turn until a plan holds, or it is clear why none is found.

    Parameters
    ----------
    instance : Instance
        Its applications have rates.
    method : str
        What plans.
    options : PlanningOptions, optional
        With the seed of method and simulation: equal ones give equal plans, if the method meets no time limit.
    time_limit_s : float, optional
        Limit for each plan [s].
    method_options : mapping, optional
    told : callable, optional
        Told how many of how many rounds are over.

    Raises
    ------
    ValueError
        If rates are missing where arrivals need them.
    InputError
        If the method or an option of it is not known.
    """
    options = options or PlanningOptions()
    search = _Rounds(instance, options)
    for number in range(options.rounds):
        if told is not None:
            told(number, options.rounds)
        planned_for, late = search.planned_for()
        found = run_method(planned_for, method, time_limit_s=time_limit_s, seed=options.seed, **(method_options or {}))
        ended = search.take(found.deployment, found.status.value, late)
        if ended is not None:
            return FixedPoint(ended, tuple(search.rounds), search.best())
    ended = Ending.HOLDS if search.holds else Ending.ROUNDS_USED
    return FixedPoint(ended, tuple(search.rounds), search.best())


class _Rounds:
    """What is believed of the waits, and what has been seen."""

    def __init__(self, instance: Instance, options: PlanningOptions) -> None:
        self.rounds: list[Round] = []
        self._instance = instance
        self._options = options
        self._believed: dict[Place, float] = {}
        self._margin = 1.0
        self._repeats = self._halvings = self._refined = 0
        self._known: dict[Deployment, Borne] = {}
        self._light: dict[Place, float] = {}
        self._heavy: dict[Place, float] | None = None

    @property
    def holds(self) -> bool:
        """Whether a plan was seen that holds."""
        return self._heavy is not None

    def planned_for(self) -> tuple[Instance, tuple[str, ...]]:
        """Return the instance of the next round, and the applications that it cannot serve in time."""
        waiting = with_waits(self._instance, self._believed)
        late = hopeless(waiting) if self._believed else {}
        return as_fast_as_possible(waiting, late), tuple(sorted(late))

    def take(self, deployment: Deployment | None, status: str, late: tuple[str, ...]) -> Ending | None:
        """Take what the method found; return how the search ends, None where it goes on."""
        plan, repeated = None, deployment in self._known
        if deployment is not None and deployment.deployments:
            plan = self._known.get(deployment) or self._borne(deployment)
            self._known[deployment] = plan
        self.rounds.append(Round(status, plan, late, repeated))
        holds = plan is not None and self._is_enough(plan)
        if holds or self.holds:
            return self._refine(holds)
        return self._halve() if plan is None else self._learn(plan, repeated)

    def _borne(self, deployment: Deployment) -> Borne:
        """Return a plan with what simulation bears out: of one that holds, what other samples bear out as well."""
        asked = self._options.simulation()
        plan = borne(self._instance, deployment, asked)
        if not self._is_enough(plan):
            return plan
        other = asked.model_copy(update={"seed": (asked.seed + 1) % 2**32})
        return borne(self._instance, deployment, other)

    def _is_enough(self, plan: Borne) -> bool:
        return plan.share(self._options.of) >= self._options.until_simulated

    def _refine(self, holds: bool) -> Ending | None:
        """Go half of the way between waits that led to a plan that holds and waits that did not."""
        if not self._believed or (self.holds and self._refined >= REFINEMENTS):
            self._heavy = self._heavy or self._believed
            return Ending.HOLDS
        self._refined += self.holds
        if holds:
            self._heavy = self._believed
        else:
            self._light = self._believed
        heavy = self._heavy or {}
        places = sorted({*heavy, *self._light})
        self._believed = {place: (heavy.get(place, 0.0) + self._light.get(place, 0.0)) / 2 for place in places}
        return None

    def _halve(self) -> Ending | None:
        """Try half of the waits, since with them nothing was found."""
        self._halvings += 1
        self._believed = {place: wait / 2 for place, wait in self._believed.items()}
        return Ending.NOTHING_FOUND if self._halvings >= MOST_HALVINGS or not self._believed else None

    def _learn(self, plan: Borne, repeated: bool) -> Ending | None:
        """Change what is believed after the simulation of a plan that does not hold."""
        self._halvings = 0
        self._repeats = self._repeats + 1 if repeated else 0
        self._margin *= MARGIN_GROWTH if repeated else 1.0
        measured, before = measured_waits(plan.met, self._options.until_simulated), self._believed
        self._light = before
        self._believed = {place: FADING * wait for place, wait in before.items() if place not in measured}
        for place, wait in measured.items():
            longer = self._margin * wait
            self._believed[place] = max(longer, (before.get(place, 0.0) + longer) / 2)
        return Ending.CYCLE if self._repeats >= MOST_REPEATS else None

    def best(self) -> Borne | None:
        """Return the best plan that was seen."""
        asked, of = self._options.until_simulated, self._options.of
        order = sorted(
            self._known.values(),
            key=lambda one: (-min(one.share(of), asked), -min(one.within_of_all, asked), one.objective),
        )
        return order[0] if order else None
