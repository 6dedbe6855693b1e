"""What disturbances break of a plan, what it then costs, and what re-planning would cost instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import ValidationError

from finbench.benchmarks.methods import run_method
from finbench.benchmarks.robustness.disturbances import FAILED, Disturbance, DisturbanceKind
from finbench.benchmarks.robustness.drift import Drift, drift_of
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Violation, evaluate
from finbench.models.fields import broken_rule
from finbench.models.instance import Instance

SEVERITIES = (0.1, 0.25, 0.5)
"""Parts of the speed that nodes and links lose, and parts that rates grow and fall by."""

MOST_PARTS = 12
"""Nodes and links that are disturbed, those first that most applications use."""


@dataclass(frozen=True)
class Stressed:
    """A plan after one disturbance."""

    disturbance: Disturbance
    broken: tuple[str, ...]
    """Applications whose targets it breaks, or whose part of the plan cannot be carried out."""
    overloaded: tuple[str, ...]
    """Nodes and links of which more is asked than there is."""
    reason: str
    """The first broken rule in words; empty where none is."""
    kept: float | None
    """The plan's objective after it; None where the plan cannot be carried out."""
    replanned: float | None
    """The objective of a new plan; None where none was found."""
    outcome: str
    """How planning anew ended: a status of the method, or why there is nothing to plan."""

    @property
    def holds(self) -> bool:
        """Whether the plan still keeps every rule."""
        return not self.broken and not self.overloaded


@dataclass(frozen=True)
class Stress:
    """A plan under every disturbance, and under drifting exit shares."""

    planned: float
    """The plan's objective as it is."""
    method: str
    """What planned anew."""
    results: tuple[Stressed, ...]
    drift: Drift


def disturbances(
    instance: Instance, deployment: Deployment, severities: Sequence[float] = SEVERITIES, most: int = MOST_PARTS
) -> tuple[Disturbance, ...]:
    """Return other rates where there are any, slower nodes and links: all, and each that is used, which fails as well.

    A node where samples arise does not fail here: its samples would be gone as well.
    """
    sources = {app.source for app in instance.applications}
    rated = any(app.rate_per_s is not None for app in instance.applications)
    found = [Disturbance(DisturbanceKind.RATES, "", part) for part in severities if rated]
    found += [Disturbance(DisturbanceKind.RATES, "", -part) for part in severities if rated]
    for kind in (DisturbanceKind.NODES, DisturbanceKind.LINKS, DisturbanceKind.EVERYTHING):
        found += [Disturbance(kind, "", part) for part in severities]
    for kind, subject in _used(instance, deployment)[:most]:
        fails = () if kind is DisturbanceKind.NODE and subject in sources else (FAILED,)
        found += [Disturbance(kind, subject, part) for part in (*severities, *fails)]
    return tuple(found)


def _used(instance: Instance, deployment: Deployment) -> list[tuple[DisturbanceKind, str]]:
    """Return the nodes where blocks run, and the links, those first that most applications use."""
    users: Counter[tuple[DisturbanceKind, str]] = Counter()
    source_of = {app.name: app.source for app in instance.applications}
    for one in deployment.deployments:
        routes = one.routes_from(source_of[one.application])
        links = {f"{a}->{b}" for route in routes for a, b in pairwise(route)}
        users.update((DisturbanceKind.NODE, name) for name in sorted(set(one.placement)))
        users.update((DisturbanceKind.LINK, name) for name in sorted(links))
    return sorted(users, key=lambda part: (-users[part], part))


def stress(
    instance: Instance,
    deployment: Deployment,
    chosen: Sequence[Disturbance] | None = None,
    *,
    drift: float = 0.1,
    method: str = "fin",
    time_limit_s: float | None = 10.0,
    seed: int = 0,
    told: Callable[[int, int], None] | None = None,
) -> Stress:
    """Put a feasible deployment under stress.

    Parameters
    ----------
    instance : Instance
    deployment : Deployment
    chosen : sequence of Disturbance, optional
        One after another, each alone; left out: those of `disturbances`.
    drift : float
        Total-variation distance Δ that exit shares may drift.
    method : str
        What plans anew after each.
    time_limit_s : float, optional
        Limit for each new plan [s].
    seed : int
        Of the method.
    told : callable, optional
        Told how many of how many disturbances are done.

    Returns
    -------
    Stress

    Raises
    ------
    ValueError
        If the deployment breaks a rule of the instance.
    InputError
        If the method is not known.
    """
    judged = evaluate(instance, deployment)
    if judged.violations or judged.objective is None or not deployment.deployments:
        raise ValueError(next((one.message for one in judged.violations), "the deployment serves nobody"))
    some = disturbances(instance, deployment) if chosen is None else chosen
    results = []
    for number, one in enumerate(some):
        if told is not None:
            told(number, len(some))
        results.append(_stressed(instance, deployment, one, method, time_limit_s, seed))
    return Stress(judged.objective, method, tuple(results), drift_of(instance, deployment, drift))


def _stressed(
    instance: Instance, deployment: Deployment, one: Disturbance, method: str, time_limit_s: float | None, seed: int
) -> Stressed:
    try:
        after = one.applied(instance)
    except ValueError as error:
        users = tuple(sorted({app.name for app in instance.applications if one.subject in app.pins.values()}))
        why = broken_rule(error) if isinstance(error, ValidationError) else str(error)
        return Stressed(one, users, (), why, None, None, "nothing to plan")
    judged = evaluate(after, deployment)
    names = {app.name for app in instance.applications}
    result = run_method(after, method, time_limit_s=time_limit_s, seed=seed)
    new = None if result.deployment is None else evaluate(after, result.deployment)
    return Stressed(
        disturbance=one,
        broken=tuple(sorted({each.subject for each in judged.violations if each.subject in names})),
        overloaded=tuple(sorted(set(_resources(judged.violations, names)))),
        reason=judged.violations[0].message if judged.violations else "",
        kept=judged.objective,
        replanned=new.objective if new is not None and new.feasible else None,
        outcome=result.status.value,
    )


def _resources(violations: Sequence[Violation], applications: set[str]) -> Iterator[str]:
    return (each.subject for each in violations if each.subject not in applications)
