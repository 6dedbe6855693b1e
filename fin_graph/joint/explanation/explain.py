"""Why nothing fits and what would help, or, where everything fits, what more of every resource is worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import numpy as np

from finbench.fin_graph.joint.columns.column_generation import solve
from finbench.fin_graph.joint.columns.master import Aim
from finbench.fin_graph.joint.columns.pricing import load_pricing
from finbench.fin_graph.joint.explanation.alone import LoneApplication
from finbench.fin_graph.joint.explanation.elastic import CapacityGrowth, least_growth
from finbench.fin_graph.joint.explanation.enablers import Enablers, enablers_of
from finbench.fin_graph.joint.explanation.joint_upgrades import joint_upgrades
from finbench.fin_graph.joint.explanation.sole import SoleGrowths, sole_growths
from finbench.fin_graph.joint.explanation.targets import Relief, relief
from finbench.fin_graph.joint.explanation.upgrades import Upgrades, upgrades_of_one
from finbench.fin_graph.joint.system import Group, SharedSystem, capacity_of, resource_name
from finbench.fin_graph.paths.arrays import Floats
from finbench.fin_graph.paths.bounds import meets
from finbench.fin_graph.paths.infeasibility import reason_of_infeasibility
from finbench.fin_graph.paths.loading import load_compiled, load_labels_with_loads
from finbench.fin_graph.paths.shortest import least_latency_path
from finbench.fin_graph.paths.support import reason_to_share
from finbench.models.instance import Application, Instance
from finbench.models.loads import UNITS, Resource
from finbench.models.result import Clock, Result
from finbench.models.tolerances import FEASIBILITY_TOLERANCE, relaxed


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
    reason: str
    """What stands in the way."""


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
    def relative(self) -> float | None:
        """Missing, as a part of the capacity; None where there is nothing."""
        return self.missing / self.capacity if self.capacity > 0 else None


@dataclass(frozen=True)
class SoleNeed:
    """What is enough when nothing else grows."""

    needs: tuple[Need, ...]
    """One resource, or the compute and memory of a node."""
    growth: CapacityGrowth
    """The least sum of what they grow by."""


@dataclass(frozen=True)
class Price:
    """What one more unit of a resource would save, −d objective / d capacity (from the duals of eq. 24)."""

    resource: str
    subject: str
    capacity: float
    price: float
    unit: str
    price_w: float
    """What as much again as there is would save [unit of the objective]."""


@dataclass(frozen=True)
class Explanation:
    """What would make an instance fit, or what more of its resources is worth."""

    result: Result
    """What column generation returned."""
    obstacles: tuple[Obstacle, ...] = ()
    factor: CapacityGrowth | None = None
    """The least factor by which all capacities grow; None where no factor helps, or time ended the search."""
    fix: CapacityGrowth | None = None
    """The least sum of what single capacities grow by."""
    needs: tuple[Need, ...] = ()
    """The resources of `fix`, the most lacking first."""
    prices: tuple[Price, ...] = ()
    upgrades: Upgrades = field(default_factory=Upgrades)
    """What being faster would save, where everything fits."""
    relief: Relief | None = None
    """What looser targets would save; None but for one application alone that must be served."""
    sole: tuple[SoleNeed, ...] = ()
    """What would do by growing alone, the least growth first."""
    sole_left_out: int = 0
    """How many resources and nodes time left no room for there."""
    enablers: Enablers | None = None
    """What being faster would let meet all latency targets; None where more than latency is in the way."""

    @property
    def fits(self) -> bool:
        """Return whether a deployment of all applications is known."""
        return self.result.deployment is not None


def explain(instance: Instance, *, time_limit_s: float | None = None, seed: int = 0) -> Explanation:
    """Return why an instance has no deployment and what would help, or what more of its resources is worth.

    Parameters
    ----------
    instance : Instance
    time_limit_s : float or None
        Limit for everything [s]. Column generation takes at most half of it, what is missing and what upgrades would
        save the rest; what it leaves out is named.
    seed : int

    Returns
    -------
    Explanation
        `prices`, `upgrades` and `relief` where everything fits; else `obstacles` and `enablers`, and where there are
        none, `factor`, `fix`, `needs` and `sole`.
    """
    load_pricing()
    load_compiled()
    clock = Clock(time_limit_s)
    result = solve(instance, time_limit_s=None if time_limit_s is None else time_limit_s / 2, seed=seed)
    if result.deployment is not None:
        return _of_what_fits(instance, result, clock, seed)
    system = SharedSystem.of(instance, forgiving=True, from_nothing=True)
    obstacles = tuple(
        obstacle for group in system.groups if group.penalty is None for obstacle in _obstacles(instance, group)
    )
    if obstacles:
        return Explanation(result, obstacles, enablers=_enablers(system, clock))
    if clock.expired:
        return Explanation(result)
    factor = least_growth(SharedSystem.of(instance, forgiving=True), Aim.FACTOR, _part(clock, 1 / 3), seed)
    fix = least_growth(system, Aim.OVERLOAD, _part(clock, 1 / 2), seed)
    if fix is None:
        return Explanation(result, factor=factor)
    sole = SoleGrowths() if fix.value <= FEASIBILITY_TOLERANCE else sole_growths(system, fix, clock, seed)
    needed = tuple(SoleNeed(_needs(system, one.growth.loads), one.growth) for one in sole.found)
    needs = _needs(system, fix.loads)
    return Explanation(result, factor=factor, fix=fix, needs=needs, sole=needed, sole_left_out=sole.left_out)


def _part(clock: Clock, part: float) -> Clock:
    """Return a clock with a part of the time left."""
    return Clock(None if clock.remaining_s is None else part * clock.remaining_s)


def _of_what_fits(instance: Instance, result: Result, clock: Clock, seed: int) -> Explanation:
    """Return what more capacity, faster parts and looser targets are worth where everything fits."""
    prices = _prices(instance, result)
    if reason_to_share(instance) is not None:
        return Explanation(result, prices=prices, upgrades=joint_upgrades(instance, result, clock, seed))
    load_labels_with_loads()
    alone = LoneApplication(instance, clock)
    least = min(alone.as_it_is().energy, result.claimed_objective or inf)
    return Explanation(
        result, prices=prices, upgrades=upgrades_of_one(alone, least, clock), relief=relief(alone, least)
    )


def _enablers(system: SharedSystem, clock: Clock) -> Enablers | None:
    """Return which parts must be faster so that all who cannot be served in time could be, were each alone."""
    problems = []
    for group in system.groups:
        if group.penalty is None and not _in_time(_least_latency(group), group.application):
            possible = [choice.problem() for choice in group.choices]
            ways = [problem for problem in possible if problem is not None and least_latency_path(problem) is not None]
            if not ways:
                return None
            problems.append(ways)
    return enablers_of(problems, system.topology, clock)


def _obstacles(instance: Instance, group: Group) -> list[Obstacle]:
    """Return an obstacle for each member of a group that cannot be served."""
    app = group.application
    least = _least_latency(group)
    if _in_time(least, app):
        return []
    exits = (exit_ for dnn in instance.dnns_of(app) for exit_ in dnn.exits)
    accuracies = sorted({exit_.accuracy for exit_ in exits}, reverse=True)
    reachable = (accuracy for accuracy in accuracies if _reachable(instance, group, app, accuracy))
    accuracy, found = next(reachable, None), None if least == inf else least
    reason = _obstacle_reason(instance, app)
    return [Obstacle(name, app.max_latency_s, app.min_accuracy, found, accuracy, reason) for name in group.members]


def _obstacle_reason(instance: Instance, app: Application) -> str:
    """Return what stands in the way of an application that no growth helps."""
    reason = reason_of_infeasibility(instance, app)
    return reason or "where its blocks could run in time, no node's share keeps up with them at its rate"


def _in_time(latency: float, app: Application) -> bool:
    return meets(latency, relaxed(app.max_latency_s))


def _reachable(instance: Instance, group: Group, app: Application, accuracy: float) -> bool:
    other = app.model_copy(update={"min_accuracy": accuracy})
    unlimited = np.full(len(instance.network.nodes), inf)
    group = Group(instance, group.topology, [other], forgiving=True, memory=unlimited)
    return _in_time(_least_latency(group), app)


def _least_latency(group: Group) -> float:
    """Return the least latency of one member, whichever alternative it runs [s]; inf where there is no path."""
    problems = (choice.problem() for choice in group.choices)
    paths = (least_latency_path(problem) for problem in problems if problem is not None)
    return min((path.latency for path in paths if path is not None), default=inf)


def _needs(system: SharedSystem, loads: Floats) -> tuple[Need, ...]:
    """Return what is missing of every resource that loads exceed by more than the evaluator forgives."""
    network, there_is = system.topology.network, system.capacities()
    needs = []
    for r in np.flatnonzero(loads > there_is + FEASIBILITY_TOLERANCE).tolist():
        kind, subject = resource_name(network, r)
        missing = float(loads[r] - there_is[r]) * system.capacity_unit(r)
        needs.append(Need(kind, subject, capacity_of(network, r), missing, UNITS[Resource(kind)]))
    return tuple(sorted(needs, key=lambda need: -inf if need.relative is None else -need.relative))


def _prices(instance: Instance, result: Result) -> tuple[Price, ...]:
    numbers = {resource_name(instance.network, r): r for r in range(SharedSystem.of(instance).resources)}
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
    """Return the unit of a price: W per bit/s are J per bit."""
    if kind == Resource.COMPUTE:
        return f"{objective}/execution"
    if objective == "W" and kind == Resource.BANDWIDTH:
        return "J/bit"
    return f"{objective}/byte" if kind == Resource.MEMORY else f"{objective} for the whole"
