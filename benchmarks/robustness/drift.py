"""The worst that drifting exit shares can do to a plan.

Measured exit shares φ are those of one data set. Of all shares within a total-variation distance Δ of them,

    Φ(Δ) = { ψ ≥ 0 : Σ_e ψ_e = 1,  ½ Σ_e |ψ_e − φ_e| ≤ Δ }

a plan's expected energy, expected latency and loads are linear functions Σ_e ψ_e c_e, with c_e what a sample costs that
leaves at exit e. The largest value of one over Φ(Δ) is a linear program whose optimum is plain: up to Δ of the mass
moves to the exit that costs most, from the exits that cost least, the cheapest first. With a quantile q (eq. 30), block
i counts where more than 1 − q of the samples may reach it: s_i + Δ > 1 − q.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from finbench.benchmarks.simulation.stages import Itinerary, Station, StationKind, itineraries
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance, LatencyKind
from finbench.models.tolerances import exceeds

PRECISION = 1e-6
"""Distances are found to this precision."""


@dataclass(frozen=True)
class Drifted:
    """One number of a plan: as planned, and at worst."""

    what: str
    """`energy` [J], `latency` [s], or `load` (part of the capacity)."""
    subject: str
    """The application, node or link."""
    planned: float
    worst: float
    limit: float | None
    """What it must not exceed; None for energies."""

    @property
    def breaks(self) -> bool:
        """Whether the worst exceeds the limit."""
        return self.limit is not None and exceeds(self.worst, self.limit)


@dataclass(frozen=True)
class Drift:
    """What drift up to a distance does to a plan, and the distance that it stands."""

    distance: float
    numbers: tuple[Drifted, ...]
    stands: float
    """The largest distance at which no target and no capacity is exceeded; 1 where none ever is."""


def worst_of(shares: Sequence[float], costs: Sequence[float], distance: float) -> float:
    """Return the largest Σ_e ψ_e c_e over Φ(Δ).

    Parameters
    ----------
    shares : sequence of float
        φ; they sum to 1.
    costs : sequence of float
        c.
    distance : float
        Δ in [0, 1].
    """
    dearest = max(costs)
    worst, left = 0.0, distance
    for cost, share in sorted(zip(costs, shares, strict=True)):
        moved = min(left, share)
        worst += (share - moved) * cost + moved * dearest
        left -= moved
    return worst


def drift_of(instance: Instance, deployment: Deployment, distance: float) -> Drift:
    """Return what drift of every application's exit shares, each up to `distance`, does to a deployment at worst."""
    plan = _Plan(instance, deployment)
    return Drift(distance, tuple(plan.numbers(distance)), plan.stands())


class _Plan:
    """A deployment whose exit shares drift."""

    def __init__(self, instance: Instance, deployment: Deployment) -> None:
        self._instance = instance
        self._stations, self._roads = itineraries(instance, deployment)

    def numbers(self, distance: float) -> Iterator[Drifted]:
        """Yield every number that depends on exit shares."""
        for road in self._roads:
            costs = [sum(energies) for energies in road.energies_j()]
            yield self._drifted("energy", road, costs, distance, None)
            yield self._latency(road, distance)
        for number, station in enumerate(self._stations):
            if station.kind is not StationKind.RESERVATION:
                yield self._load(number, station, distance)

    def stands(self) -> float:
        """Return the largest distance that breaks nothing, by bisection: the worst grows with the distance."""
        if any(one.breaks for one in self.numbers(0.0)):
            return 0.0
        low, high = 0.0, 1.0
        if not any(one.breaks for one in self.numbers(high)):
            return 1.0
        while high - low > PRECISION:
            middle = (low + high) / 2
            low, high = (low, middle) if any(one.breaks for one in self.numbers(middle)) else (middle, high)
        return low

    def _drifted(
        self, what: str, road: Itinerary, costs: Sequence[float], distance: float, limit: float | None
    ) -> Drifted:
        shares = [one.share for one in road.leavings]
        planned = sum(share * cost for share, cost in zip(shares, costs, strict=True))
        return Drifted(what, road.application.name, planned, worst_of(shares, costs, distance), limit)

    def _latency(self, road: Itinerary, distance: float) -> Drifted:
        kind, target = self._instance.latency_kind, road.application.max_latency_s
        if kind is LatencyKind.EXPECTED:
            return self._drifted("latency", road, road.unhindered_s, distance, target)
        q = self._instance.latency_quantile if kind is LatencyKind.QUANTILE else None
        planned, worst = (self._quantile(road, q, moved) for moved in (0.0, distance))
        return Drifted("latency", road.application.name, planned, worst, target)

    def _quantile(self, road: Itinerary, q: float | None, distance: float) -> float:
        """Return the latency up to the last exit that counts: the deepest one where no quantile is asked for."""
        if q is None:
            return road.unhindered_s[-1]
        reach, latency = 1.0, 0.0
        for one, seconds in zip(road.leavings, road.unhindered_s, strict=True):
            if min(1.0, reach + distance) > 1 - q:
                latency = seconds
            reach -= one.share
        return latency

    def _load(self, number: int, station: Station, distance: float) -> Drifted:
        planned = worst = 0.0
        for road in self._roads:
            busy = [
                sum(stage.service_s for stage in road.stages[: one.stages] if stage.station == number)
                for one in road.leavings
            ]
            rate = road.application.rate_per_s or 0.0
            shares = [one.share for one in road.leavings]
            planned += rate * worst_of(shares, busy, 0.0) / station.places
            worst += rate * worst_of(shares, busy, distance) / station.places
        return Drifted("load", f"{station.kind} {station.subject}", planned, worst, 1.0)
