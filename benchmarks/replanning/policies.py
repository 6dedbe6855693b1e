"""A day of drift under policies of planning anew: never, always, past a threshold, or where moving pays.

The first plan is made for the first period, and costs no move under any policy. At the beginning of each later period a
policy may put another plan in place of the one that runs:

- never: it does not;
- always: a plan made anew for the period;
- threshold: a plan made anew, where the old one breaks a rule or costs more than a part above it;
- moving: the plan whose running over the horizon and moving to it cost least together (37). The exact method finds it;
  of FIN, its plan made anew is taken where it costs less than to stay, or the old one breaks a rule.

Where no plan is found, the old one stays. What a plan costs is what the evaluator says of it in each period, whether or
not it breaks a rule; one that cannot be carried out at all costs nothing, and the time counts as broken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from multiprocessing import get_context

from finbench.benchmarks.methods import run_method
from finbench.benchmarks.replanning.replan import chosen_method, replan
from finbench.models.day import Day, Period, in_period
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.moving import Migration, Move, Movers


class Policy(StrEnum):
    """When a new plan is put in place."""

    NEVER = "never"
    ALWAYS = "always"
    THRESHOLD = "threshold"
    MOVING = "moving"


class Planner(StrEnum):
    """What makes plans."""

    FIN = "fin"
    EXACT = "exact"


@dataclass(frozen=True)
class PolicyOptions:
    """What policies go by."""

    migration: Migration = field(default_factory=Migration)
    threshold: float = 0.1
    """Part above a plan made anew that the old one may cost."""
    horizon_s: float | None = None
    """Over which moves must pay [s]; None: the period that begins."""
    seed: int = 0


@dataclass(frozen=True)
class PeriodRun:
    """What one period comes to."""

    name: str
    duration_s: float
    objective: float | None
    """Of the plan that runs; None where it cannot be carried out."""
    moved: int
    """Blocks that moved at its beginning."""
    moving: float
    """What these moves cost."""
    broken: tuple[str, ...]
    """Rules that the plan breaks."""

    @property
    def running(self) -> float:
        """What running costs over the period."""
        return (self.objective or 0.0) * self.duration_s


@dataclass(frozen=True)
class Course:
    """The day under one policy, planned by one planner."""

    policy: Policy
    planner: Planner
    method: str
    """The method behind the planner."""
    periods: tuple[PeriodRun, ...]

    @property
    def running(self) -> float:
        """What running costs over the day."""
        return sum((one.running for one in self.periods), 0.0)

    @property
    def moving(self) -> float:
        """What moving costs over the day."""
        return sum((one.moving for one in self.periods), 0.0)

    @property
    def moved(self) -> int:
        """Blocks that moved."""
        return sum(one.moved for one in self.periods)

    @property
    def broken_s(self) -> float:
        """Time in which a rule was broken [s]."""
        return sum((one.duration_s for one in self.periods if one.broken), 0.0)

    @property
    def violations(self) -> int:
        """Rules that were broken, counted in every period."""
        return sum(len(one.broken) for one in self.periods)


def live(
    day: Day,
    instance: Instance,
    options: PolicyOptions | None = None,
    *,
    jobs: int = 1,
    told: Callable[[int, int], None] | None = None,
) -> tuple[Course, ...]:
    """Return the day under every policy by every planner.

    Parameters
    ----------
    day : Day
    instance : Instance
        The one that the day is about.
    options : PolicyOptions, optional
    jobs : int
        Processes that work at the same time; numbers do not depend on it.
    told : callable, optional
        Told how many of how many courses are done.

    Returns
    -------
    tuple of Course

    Raises
    ------
    ValueError
        If a period does not fit the instance, or the repository is no node of it.
    """
    chosen = PolicyOptions() if options is None else options
    chosen.migration.check(instance)
    asked = [(day, instance, chosen, policy, planner) for planner, policy in product(Planner, Policy)]
    if jobs == 1:
        courses = [_told(k, len(asked), one, told) for k, one in enumerate(asked)]
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            courses = []
            for k, course in enumerate(pool.map(_course, asked)):
                courses.append(course)
                if told is not None:
                    told(k + 1, len(asked))
    return tuple(courses)


Asked = tuple[Day, Instance, PolicyOptions, Policy, Planner]


def _told(k: int, count: int, one: Asked, told: Callable[[int, int], None] | None) -> Course:
    if told is not None:
        told(k, count)
    return _course(one)


def _course(asked: Asked) -> Course:
    day, instance, options, policy, planner = asked
    method = chosen_method(instance, "auto") if planner is Planner.EXACT else "fin"
    return Course(
        policy, planner, method, tuple(_DayUnderPolicy(instance, options, policy, planner, method).over(day.periods))
    )


class _DayUnderPolicy:
    """One policy with one planner, and the plan that runs."""

    def __init__(
        self, instance: Instance, options: PolicyOptions, policy: Policy, planner: Planner, method: str
    ) -> None:
        self._instance, self._options = instance, options
        self._policy, self._planner, self._method = policy, planner, method
        self._plan: Deployment | None = None

    def over(self, periods: Sequence[Period]) -> list[PeriodRun]:
        """Run through the periods."""
        return [self._through(in_period(self._instance, period), period) for period in periods]

    def _through(self, now: Instance, period: Period) -> PeriodRun:
        moves = self._put_in_place(now, period.duration_s)
        cost = sum((move.cost for move in moves), 0.0)
        if self._plan is None:
            return PeriodRun(period.name, period.duration_s, None, 0, 0.0, ("no plan was found",))
        judged = evaluate(now, self._plan)
        broken = tuple(one.message for one in judged.violations)
        return PeriodRun(period.name, period.duration_s, judged.objective, len(moves), cost, broken)

    def _put_in_place(self, now: Instance, duration_s: float) -> list[Move]:
        """Put the plan of the policy in place of the one that runs, and return the moves."""
        if self._plan is None:
            self._plan = self._anew(now)
            return []
        new = self._next(now, self._plan, duration_s)
        moves = [] if new is None else Movers(now, self._plan, self._options.migration).moves(new)
        self._plan = new or self._plan
        return moves

    def _anew(self, now: Instance) -> Deployment | None:
        return run_method(now, self._method, seed=self._options.seed).deployment

    def _next(self, now: Instance, plan: Deployment, duration_s: float) -> Deployment | None:
        """Return the plan that the policy puts in place; None where the old one stays."""
        horizon, options = self._options.horizon_s or duration_s, self._options
        if self._policy is Policy.NEVER:
            return None
        if self._policy is Policy.MOVING and self._planner is Planner.EXACT:
            return replan(
                now, plan, options.migration, horizon=horizon, method=self._method, seed=options.seed
            ).deployment
        new = self._anew(now)
        if new is None or self._policy is Policy.ALWAYS:
            return new
        old_costs, new_costs = evaluate(now, plan), evaluate(now, new)
        if not old_costs.feasible or old_costs.objective is None or new_costs.objective is None:
            return new
        if self._policy is Policy.THRESHOLD:
            return new if old_costs.objective > (1 + options.threshold) * new_costs.objective else None
        moving = sum(move.cost for move in Movers(now, plan, options.migration).moves(new))
        return new if horizon * new_costs.objective + moving < horizon * old_costs.objective else None
