"""What holding under load costs: one instance planned naively, with headroom, and until its simulation bears it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from math import inf, log10
from typing import Any

from finbench.benchmarks.methods import run_method
from finbench.benchmarks.planning.fixed_point import Borne, Ending, FixedPoint, Round, borne, until_simulated
from finbench.benchmarks.planning.headroom import check_headroom, solve_with_headroom
from finbench.benchmarks.planning.options import PlanningOptions
from finbench.benchmarks.simulation.options import SimulationOptions
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.result import Result

HEADROOMS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
"""Utilisations ρ that plans with headroom are compared at."""

SHARES = (0.9, 0.99, 0.999)
"""Shares of samples that the rounds of planning and simulating are asked for: one nine, two and three."""


class PlanKind(StrEnum):
    """How a plan was made."""

    NAIVE = "no waiting"
    HEADROOM = "headroom"
    SIMULATED = "until simulated"


@dataclass(frozen=True)
class PricedPlan:
    """A way of planning, and what its plan costs and holds."""

    kind: PlanKind
    at: float | None
    """The utilisation ρ, or the share that was asked for."""
    plan: Borne | None
    """None where none was found that serves anybody."""
    outcome: str
    """How it ended: a status of the method, or how the rounds did."""

    @property
    def falls_short(self) -> bool:
        """Whether a share was asked for that the plan does not hold."""
        return self.kind is PlanKind.SIMULATED and self.outcome != Ending.HOLDS

    def __str__(self) -> str:
        """Return the way of planning in words."""
        return self.kind.value if self.at is None else f"{self.kind} {self.at:g}"


def nines(share: float) -> float:
    """Return how many nines a share has: 1 for 0.9, 2 for 0.99; inf for 1."""
    return -log10(1 - share) if share < 1 else inf


def planned_once(instance: Instance, result: Result, options: PlanningOptions) -> FixedPoint:
    """Return a single plan of a method, simulated, as one round."""
    plan = _borne(instance, result.deployment, options.simulation())
    holds = plan is not None and plan.share(options.of) >= options.until_simulated
    outcome = Ending.HOLDS if holds else Ending.NOTHING_FOUND if plan is None else Ending.ONCE
    return FixedPoint(outcome, (Round(result.status.value, plan, (), repeated=False),), plan)


def _borne(instance: Instance, deployment: Deployment | None, options: SimulationOptions) -> Borne | None:
    if deployment is None or not deployment.deployments:
        return None
    return borne(instance, deployment, options)


def compare_plans(
    instance: Instance,
    method: str = "fin",
    options: PlanningOptions | None = None,
    *,
    headrooms: Sequence[float] = HEADROOMS,
    shares: Sequence[float] = SHARES,
    time_limit_s: float | None = None,
    method_options: Mapping[str, Any] | None = None,
    told: Callable[[int, int], None] | None = None,
) -> tuple[PricedPlan, ...]:
    """Return the plans of one method without waiting, with each headroom, and until each share is simulated.

    Parameters
    ----------
    instance : Instance
    method : str
    options : PlanningOptions, optional
        How each is simulated: all meet the same samples, other ones than any was chosen with.
    headrooms, shares : sequence of float
    time_limit_s : float, optional
        Limit for each plan [s].
    method_options : mapping, optional
    told : callable, optional
        Told how many of how many ways of planning are done.

    Raises
    ------
    InputError
        If a headroom or share is outside (0, 1), the method or an option is not known, or rates are missing.
    """
    for utilisation in headrooms:
        check_headroom(instance, utilisation)
    ways = _ways(instance, method, options or PlanningOptions(), headrooms, shares, time_limit_s, method_options or {})
    found = []
    chosen = list(ways)
    for number, way in enumerate(chosen):
        if told is not None:
            told(number, len(chosen))
        found.append(way())
    return tuple(found)


def _ways(
    instance: Instance,
    method: str,
    options: PlanningOptions,
    headrooms: Sequence[float],
    shares: Sequence[float],
    time_limit_s: float | None,
    method_options: Mapping[str, Any],
) -> Iterator[Callable[[], PricedPlan]]:
    """Yield the ways of planning."""
    fresh = options.simulation().model_copy(update={"seed": (options.seed + 2) % 2**32})
    limits: dict[str, Any] = {"time_limit_s": time_limit_s, "seed": options.seed}

    def naive() -> PricedPlan:
        result = run_method(instance, method, **limits, **method_options)
        return PricedPlan(PlanKind.NAIVE, None, _borne(instance, result.deployment, fresh), result.status.value)

    def with_headroom(utilisation: float) -> PricedPlan:
        result = solve_with_headroom(instance, utilisation, method, **limits, **method_options)
        plan = _borne(instance, result.deployment, fresh)
        return PricedPlan(PlanKind.HEADROOM, utilisation, plan, result.status.value)

    def simulated(share: float) -> PricedPlan:
        asked = options.model_copy(update={"until_simulated": share})
        found = until_simulated(instance, method, asked, time_limit_s=time_limit_s, method_options=method_options)
        plan = _borne(instance, None if found.best is None else found.best.deployment, fresh)
        return PricedPlan(PlanKind.SIMULATED, share, plan, found.outcome.value)

    yield naive
    yield from (partial(with_headroom, utilisation) for utilisation in headrooms)
    yield from (partial(simulated, share) for share in shares)
