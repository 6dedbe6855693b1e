"""Energy against carbon or money: the deployments that are least for some weighing of the two.

A weighted sum a E + b C of the energy E and of the carbon or money C of an inference is an objective of the same kind
(eq. 31): every Joule at node n weighs a + b κ_n, and a second of running there b times its price. So label setting
finds its least exactly. Those that are least for some weights a, b ≥ 0 are the corners of the convex hull, found by
dichotomy (Aneja and Nair, Management Science 25(1), 1979): under the weights at which two neighbours cost the same,
what is least is either cheaper, and a corner between them, or proves that nothing lies below the line that joins them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from finbench.benchmarks.methods import run_method
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance, Network, Node, Objective
from finbench.models.io import InputError
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import equal_energy

METHOD = "label-setting"
"""What finds the least weighted sum."""


@dataclass(frozen=True)
class WeighedPoint:
    """A deployment that is least for some weights, and what it costs."""

    energy_j: float
    """Energy per inference [J]."""
    other: float
    """Carbon [g] or money per inference."""
    latency_s: float
    accuracy: float
    deployment: ApplicationDeployment


@dataclass(frozen=True)
class TradeOff:
    """All corners of the convex hull of energy and another objective."""

    other: Objective
    points: tuple[WeighedPoint, ...]
    """By rising energy; empty where there is no deployment."""
    complete: bool
    """Whether it is proven that there are no more; False where time ended the search."""


def trade_off(instance: Instance, other: Objective, *, time_limit_s: float | None = None) -> TradeOff:
    """Find every deployment that is least for some weighing of energy and `other`; of equal ones one.

    Parameters
    ----------
    instance : Instance
        Of one application that must be served; what it minimises itself plays no part.
    other : Objective
        Carbon or money.
    time_limit_s : float or None
        Limit for all searches together [s].

    Raises
    ------
    InputError
        If label setting does not take such an instance, or the application may be turned away.
    """
    if instance.applications[0].rejection_penalty_w is not None:
        raise InputError(f"instance '{instance.name}'", "trade-off: the application may be turned away at a penalty")
    search = _CornerSearch(instance, other, Clock(time_limit_s))
    points = search.corners()
    return TradeOff(other, tuple(_undominated(points)), search.complete)


class _CornerSearch:
    """The searches for least weighted sums, under one clock."""

    def __init__(self, instance: Instance, other: Objective, clock: Clock) -> None:
        self.instance = instance
        self.other = other
        self.clock = clock
        self.complete = True

    def corners(self) -> list[WeighedPoint]:
        """Return all corners by rising energy, and perhaps dominated points at the two ends."""
        first, last = self._least(1.0, 0.0), self._least(0.0, 1.0)
        if first is None or last is None:
            return [point for point in (first, last) if point is not None]
        corners, left = [first], [last]
        while left:  # corners to the left of those whose gaps are still open
            between = self._between(corners[-1], left[-1])
            if between is None:
                corners.append(left.pop())
            else:
                left.append(between)
        return corners

    def _between(self, one: WeighedPoint, two: WeighedPoint) -> WeighedPoint | None:
        """Return a point below the line that joins two; None where there is none."""
        of_energy, of_other = one.other - two.other, two.energy_j - one.energy_j
        line = of_energy * one.energy_j + of_other * one.other
        if of_energy < 0 or of_other < 0 or not line > 0:
            return None
        found = self._least(of_energy / line, of_other / line)
        if found is None:
            return None
        value = (of_energy * found.energy_j + of_other * found.other) / line
        return found if value < 1 and not equal_energy(value, 1.0) else None

    def _least(self, of_energy: float, of_other: float) -> WeighedPoint | None:
        """Return a deployment of least weighted sum; None where there is none, or time ended the search."""
        if self.complete:
            weighted = weighted_instance(self.instance, self.other, of_energy, of_other)
            result = run_method(weighted, METHOD, time_limit_s=self.clock.remaining_s)
            if result.status is Status.UNSUPPORTED:
                raise InputError(f"instance '{self.instance.name}'", f"trade-off: {result.reason}")
            self.complete = result.status in (Status.OPTIMAL, Status.INFEASIBLE)
            return self._point(result) if self.complete and result.deployment is not None else None
        return None

    def _point(self, result: Result) -> WeighedPoint:
        assert result.deployment is not None
        (decision,) = result.deployment.deployments
        (costs,) = evaluate(self.instance, Deployment(deployments=(decision,))).applications
        return WeighedPoint(costs.energy_j, costs.cost(self.other), costs.latency_s, costs.accuracy, decision)


def weighted_instance(instance: Instance, other: Objective, of_energy: float, of_other: float) -> Instance:
    """Return the instance whose money is the weighted sum of the energy and of `other`."""
    nodes = tuple(_weighted(node, other, of_energy, of_other) for node in instance.network.nodes)
    network: Network = instance.network.model_copy(update={"nodes": nodes})
    return instance.model_copy(update={"network": network, "objective": Objective.MONEY})


def _weighted(node: Node, other: Objective, of_energy: float, of_other: float) -> Node:
    carbon = other is Objective.CARBON
    joule, second = (node.carbon_g_per_j, 0.0) if carbon else (node.price_per_j, node.price_per_busy_s)
    prices = {"price_per_j": of_energy + of_other * joule, "price_per_busy_s": of_other * second}
    return node.model_copy(update={**prices, "carbon_g_per_j": 0.0})


def _undominated(points: Sequence[WeighedPoint]) -> Iterator[WeighedPoint]:
    """Yield the points that no other one matches in both amounts and beats in one; of equal ones the first."""
    for k, one in enumerate(points):
        if not any(_matches(two, one) and (j < k or not _matches(one, two)) for j, two in enumerate(points) if j != k):
            yield one


def _matches(one: WeighedPoint, two: WeighedPoint) -> bool:
    """Return whether `one` costs as little as `two`, or less, in both amounts."""
    amounts = ((one.energy_j, two.energy_j), (one.other, two.other))
    return all(mine <= theirs or equal_energy(mine, theirs) for mine, theirs in amounts)
