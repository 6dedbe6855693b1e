"""Why nothing fits and what would help, or, where everything fits, what more of every resource is worth."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from finbench.fin_graph.joint.columns.column_generation import solve
from finbench.fin_graph.joint.columns.master import Aim
from finbench.fin_graph.joint.columns.pricing import load_pricing
from finbench.fin_graph.joint.explanation.elastic import Growth, least_growth
from finbench.fin_graph.joint.system import Group, System, capacity_of, resource_name
from finbench.fin_graph.paths.bounds import meets
from finbench.fin_graph.paths.shortest import least_latency_path
from finbench.models.instance import Application, Instance
from finbench.models.loads import UNITS, Resource
from finbench.models.result import Clock, Result

GROWS = 1e-6
"""Least relative growth of a resource worth naming (the evaluator forgives as much)."""


@dataclass(frozen=True)
class Obstacle:
    """An application that cannot be served even alone, whatever the capacities."""

    application: str
    max_latency_s: float
    min_accuracy: float
    least_latency_s: float | None
    """Least latency target under which it could be, at its accuracy target; None where there is none."""
    most_accuracy: float | None
    """Greatest accuracy target under which it could be, at its latency target; None where there is none."""


@dataclass(frozen=True)
class Need:
    """A resource of which more would be needed."""

    resource: str
    subject: str
    capacity: float
    missing: float
    """In the unit of the capacity."""
    unit: str

    @property
    def relative(self) -> float:
        """Missing, as a part of the capacity."""
        return self.missing / self.capacity


@dataclass(frozen=True)
class Price:
    """What one more unit of a resource would save, −d objective / d capacity (from the duals of eq. 24)."""

    resource: str
    subject: str
    capacity: float
    price: float
    unit: str
    price_w: float
    """The same for as much again as there is."""


@dataclass(frozen=True)
class Explanation:
    """What there is to say of an instance."""

    result: Result
    """Of column generation."""
    obstacles: tuple[Obstacle, ...] = ()
    factor: Growth | None = None
    """All resources grow alike."""
    fix: Growth | None = None
    """Single ones grow, by least in sum."""
    needs: tuple[Need, ...] = ()
    """The resources of `fix`, the most lacking first."""
    prices: tuple[Price, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether there is a deployment of all applications."""
        return self.result.deployment is not None


def explain(instance: Instance, *, time_limit_s: float | None = None, seed: int = 0) -> Explanation:
    """Explain an instance.

    Parameters
    ----------
    instance : Instance
    time_limit_s : float or None
        Limit for column generation, and for each of the two searches for what is missing [s].
    seed : int

    Returns
    -------
    Explanation
        `prices` where everything fits; else `obstacles`, and where there are none, `factor`, `fix` and `needs`.
    """
    load_pricing()
    result = solve(instance, time_limit_s=time_limit_s, seed=seed)
    if result.deployment is not None:
        return Explanation(result, prices=_prices(instance, result))
    system = System.of(instance, forgiving=True)
    obstacles = tuple(
        obstacle for group in system.groups if group.penalty is None for obstacle in _obstacles(instance, group)
    )
    if obstacles:
        return Explanation(result, obstacles)
    factor = least_growth(system, Aim.FACTOR, Clock(time_limit_s), seed)
    fix = least_growth(system, Aim.OVERLOAD, Clock(time_limit_s), seed)
    return Explanation(result, factor=factor, fix=fix, needs=() if fix is None else _needs(instance, fix))


def _obstacles(instance: Instance, group: Group) -> list[Obstacle]:
    """One for each member of a group that cannot be served."""
    app = group.application
    least = _least_latency(group)
    if meets(least, app.max_latency_s):
        return []
    accuracies = sorted({exit_.accuracy for exit_ in instance.dnn_of(app).exits}, reverse=True)
    reachable = (accuracy for accuracy in accuracies if _reachable(instance, group, app, accuracy))
    accuracy = next(reachable, None)
    found = None if least == inf else least
    return [Obstacle(name, app.max_latency_s, app.min_accuracy, found, accuracy) for name in group.members]


def _reachable(instance: Instance, group: Group, app: Application, accuracy: float) -> bool:
    other = app.model_copy(update={"min_accuracy": accuracy})
    return meets(_least_latency(Group(instance, group.topology, [other], forgiving=True)), app.max_latency_s)


def _least_latency(group: Group) -> float:
    """Least latency of one member [s]; inf where there is no path."""
    problem = group.problem()
    quickest = None if problem is None else least_latency_path(problem)
    return inf if quickest is None else quickest.latency


def _needs(instance: Instance, fix: Growth) -> tuple[Need, ...]:
    needs = []
    for r in np.flatnonzero(fix.loads > 1 + GROWS).tolist():
        kind, subject = resource_name(instance.network, r)
        capacity = capacity_of(instance.network, r)
        needs.append(Need(kind, subject, capacity, float(fix.loads[r] - 1) * capacity, UNITS[Resource(kind)]))
    return tuple(sorted(needs, key=lambda need: -need.relative))


def _prices(instance: Instance, result: Result) -> tuple[Price, ...]:
    numbers = {resource_name(instance.network, r): r for r in range(System.of(instance).resources)}
    objective = instance.objective_unit
    prices = []
    for named in result.info["prices"]:
        kind, subject = named["resource"], named["subject"]
        capacity = capacity_of(instance.network, numbers[kind, subject])
        prices.append(
            Price(kind, subject, capacity, named["price_w"] / capacity, _unit(kind, objective), named["price_w"])
        )
    return tuple(prices)


def _unit(kind: str, objective: str) -> str:
    """Unit of a price: W per op/s are J per operation, W per bit/s are J per bit."""
    if objective == "W" and kind == Resource.COMPUTE:
        return "J/op"
    if objective == "W" and kind == Resource.BANDWIDTH:
        return "J/bit"
    return f"{objective}/byte" if kind == Resource.MEMORY else f"{objective} for the whole"
