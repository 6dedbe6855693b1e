"""Why samples are late: where those of an application wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from finbench.benchmarks.simulation.simulate import Simulation
from finbench.benchmarks.simulation.stages import Itinerary, Station, itineraries
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.tolerances import relaxed


@dataclass(frozen=True)
class Lateness:
    """An application whose samples would all be in time if they did not wait."""

    application: str
    late: float
    """Part of its samples that miss the target."""
    where: Station
    """Where its samples wait longest."""
    waiting_s: float
    """How long a sample waits there, on average over all of its samples [s]."""
    of_s: float
    """How long it waits altogether, on average [s]."""


def lateness(instance: Instance, deployment: Deployment, met: Simulation) -> tuple[Lateness, ...]:
    """Return the applications that miss their targets by waiting alone, those that miss them most first.

    What a sample waits at a station is the station's mean; of what does not reach a station, nothing.
    """
    stations, roads = itineraries(instance, deployment)
    means = {one.station: one.waiting_s for one in met.stations}
    waits = {road.application.name: dict(_waits(road, stations, means)) for road in roads}
    found = []
    for one in met.applications:
        if one.within.value < 1 and one.deepest_s <= relaxed(one.max_latency_s) and one.waiting_s.value > 0:
            where, wait = max(waits[one.application].items(), key=lambda each: each[1])
            late = 1 - one.within.value
            found.append(Lateness(one.application, late, where, wait, sum(waits[one.application].values())))
    return tuple(sorted(found, key=lambda one: (-one.late, one.application)))


def _waits(road: Itinerary, stations: list[Station], means: dict[Station, float]) -> Iterator[tuple[Station, float]]:
    """Yield every station of an application with what a sample waits there on average [s]."""
    waits: dict[Station, float] = {}
    for number, stage in enumerate(road.stages, start=1):
        station = stations[stage.station]
        reach = sum(one.share for one in road.leavings if one.stages >= number)
        waits[station] = waits.get(station, 0.0) + reach * means[station]
    yield from waits.items()
