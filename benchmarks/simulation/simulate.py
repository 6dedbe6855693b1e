"""Simulate a deployment: samples arrive, wait, are served, and leave at their exits.

Samples of application h arise with rate λ_h. Each leaves at exit e with probability φ_e; the last deployed exit takes
the rest. In between they occupy places of stations (`benchmarks.simulation.stages`), first come, first served. Where no
sample waits, the means are those of eqs. (1) and (2) in their expected form; what waiting adds is what is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from finbench.benchmarks.simulation.arrivals import ArrivalProcess, arrivals, one_at_a_time
from finbench.benchmarks.simulation.estimates import SampledValue, mean_of, quantile_of
from finbench.benchmarks.simulation.options import MOST_SAMPLES, SimulationOptions
from finbench.benchmarks.simulation.passing import Crowd, Road, Rule, Seen, Watched, pass_stations
from finbench.benchmarks.simulation.stages import Itinerary, Station, itineraries
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Accounting, Instance, LatencyKind
from finbench.models.tolerances import relaxed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNLIMITED_PLACES = 2**16
"""Places of a station above which nobody waits there: so many samples at once would have filled the memory before."""

SEEN_STAYS = 400
"""Stays that are kept for a picture."""


@dataclass(frozen=True)
class SimulatedApplication:
    """What the samples of one application met, beside what the plan says."""

    application: str
    samples: int
    """Samples that arose in the time watched."""
    energy_j: SampledValue
    compute_energy_j: float
    transfer_energy_j: float
    planned_energy_j: float
    """Expected energy of an inference (eq. 1 with `expected` accounting) [J]."""
    latency_s: SampledValue
    planned_latency_s: float
    """Expected latency without waiting (eq. 2 with `expected`) [s]."""
    waiting_s: SampledValue
    """Part of the latency that samples spend waiting, on average [s]."""
    p50_s: SampledValue
    p95_s: SampledValue
    p99_s: SampledValue
    deepest_s: float
    """Latency without waiting of the samples that leave last (eq. 2 with `full_depth`) [s]."""
    max_latency_s: float
    """The target δ [s]."""
    within: SampledValue
    """Share of samples that meet the target."""
    exits: Mapping[int, tuple[float, float, float]]
    """For every exit: the share of samples that left there, their mean latency, and that without waiting [s]."""


@dataclass(frozen=True)
class SimulatedStation:
    """What was seen at one station."""

    station: Station
    utilisation: float
    """Part of its places that were occupied, on average."""
    planned_utilisation: float | None
    """What rates and service times say it should be; None where no rate is given."""
    waiting_s: float
    """How long a sample waits here, on average [s]."""
    queue: float
    """How many samples wait here, on average."""
    inside: float
    """How many samples are here, waiting or served, on average: N of Little's law."""
    littles_gap: float
    """|N − λ T| / N with the rate λ at which samples came and the time T that they stayed; 0 where nobody came."""


@dataclass(frozen=True)
class Simulation:
    """What was simulated."""

    options: SimulationOptions
    samples: int
    """All samples, the warm-up's included."""
    horizon_s: float
    """Time in which they arose [s]."""
    applications: tuple[SimulatedApplication, ...]
    unseen: tuple[str, ...]
    """Applications that are served, and of which no sample arose in the time watched."""
    stations: tuple[SimulatedStation, ...]
    """The fullest first."""
    precise: bool
    """Whether the intervals are as narrow as `until_ci` asks; True where it does not."""
    stays: tuple[tuple[str, str, int, float, float, float], ...]
    """The first stays: application, station, sample, when it came, was served, and left [s]."""


@dataclass(frozen=True)
class _Arisen:
    """The samples of all applications, by rising arrival."""

    application: Ints
    exit_: Ints
    """Position of the exit among the itinerary's leavings."""
    arrival_s: Floats
    horizon_s: float


def simulate(
    instance: Instance,
    deployment: Deployment,
    options: SimulationOptions | None = None,
    *,
    trace: Mapping[str, Floats] | None = None,
    exits: Mapping[str, Ints] | None = None,
) -> Simulation:
    """Simulate a feasible deployment.

    Parameters
    ----------
    instance : Instance
    deployment : Deployment
        What is served; rejected applications send no samples.
    options : SimulationOptions, optional
    trace : mapping of str to ndarray, optional
        When the samples of each application arise, rising [s]; instead of drawing arrivals.
    exits : mapping of str to ndarray, optional
        Exits (1-based) at which the samples of an application leave in turn, over and over; instead of drawing exits.
        One behind the last deployed exit leaves there.

    Returns
    -------
    Simulation

    Raises
    ------
    ValueError
        If the deployment breaks a rule of structure, serves nobody, or rates are missing where arrivals need them.
    """
    options = options or SimulationOptions()
    judged = evaluate(instance, deployment)
    if judged.objective is None or not deployment.deployments:
        raise ValueError(next((one.message for one in judged.violations), "the deployment serves nobody"))
    stations, roads = itineraries(instance, deployment)
    run = _Run(instance, deployment, stations, roads, options)
    samples = options.samples
    while True:
        found = run.once(samples, trace, exits)
        if options.until_ci is None or found.precise or trace is not None or 2 * samples > MOST_SAMPLES:
            return found
        samples *= 2


class _Run:
    """One simulation, at any number of samples."""

    def __init__(
        self,
        instance: Instance,
        deployment: Deployment,
        stations: Sequence[Station],
        roads: Sequence[Itinerary],
        options: SimulationOptions,
    ) -> None:
        self._stations = stations
        self._roads = roads
        self._served = {road.application.name for road in roads}
        self._options = options
        plain = {kind: instance.with_overrides(accounting=Accounting.EXPECTED, latency_kind=kind) for kind in _PLANNED}
        self._planned = {kind: evaluate(one, deployment).applications for kind, one in plain.items()}
        stages = [stage for road in roads for stage in road.stages]
        self._road = Road(
            np.array([stage.station for stage in stages], np.int64),
            np.array([stage.service_s for stage in stages]),
            np.array([stage.after_s for stage in stages]),
        )
        self._first = np.cumsum([0, *(len(road.stages) for road in roads)])
        self._station_of = [self._stations[stage.station].subject for stage in stages]

    def once(self, samples: int, trace: Mapping[str, Floats] | None, exits: Mapping[str, Ints] | None) -> Simulation:
        """Simulate so many samples."""
        arisen = self._arise(samples, trace, exits)
        rule = Rule(
            self._options.service == "exponential",
            self._options.warm_up * arisen.horizon_s,
            arisen.horizon_s,
        )
        crowd = self._crowd(arisen)
        watched = _nothing_watched(len(self._stations))
        seen = _nothing_seen(SEEN_STAYS)
        services = np.random.default_rng([self._options.seed, 1])
        left_s, waited_s = pass_stations(self._road, crowd, _places(self._stations), rule, services, watched, seen)
        applications = self._applications(arisen, left_s, waited_s, rule)
        asked = self._options.until_ci
        return Simulation(
            options=self._options,
            samples=arisen.arrival_s.size,
            horizon_s=arisen.horizon_s,
            applications=applications,
            unseen=tuple(sorted(self._served - {one.application for one in applications})),
            stations=self._watched_stations(watched, rule),
            precise=asked is None or all(_precise(one, asked) for one in applications),
            stays=self._stays(seen, arisen),
        )

    def _arise(self, samples: int, trace: Mapping[str, Floats] | None, exits: Mapping[str, Ints] | None) -> _Arisen:
        """Return all samples, with the exits at which they will leave."""
        random = np.random.default_rng(self._options.seed)
        own = random.spawn(len(self._roads))
        times = self._times(samples, trace, own)
        leaving = [
            _leave(road, when.size, (exits or {}).get(road.application.name), rng)
            for road, when, rng in zip(self._roads, times, own, strict=True)
        ]
        of = np.repeat(np.arange(len(times)), [when.size for when in times])
        arrival = np.concatenate(times)
        order = np.argsort(arrival, kind="stable")
        horizon = self._horizon(samples, times, trace is not None)
        return _Arisen(of[order], np.concatenate(leaving)[order], arrival[order], horizon)

    def _times(
        self, samples: int, trace: Mapping[str, Floats] | None, own: Sequence[np.random.Generator]
    ) -> list[Floats]:
        if trace is not None:
            return [trace[road.application.name] for road in self._roads]
        process = ArrivalProcess(self._options.arrivals)
        if process is ArrivalProcess.ALONE:
            return one_at_a_time([max(road.unhindered_s) for road in self._roads], samples)
        rates = [road.application.rate_per_s for road in self._roads]
        if None in rates:
            name = next(road.application.name for road in self._roads if road.application.rate_per_s is None)
            raise ValueError(f"application '{name}': rate_per_s is missing: without it only `alone` can be simulated")
        horizon = samples / sum(rate for rate in rates if rate)
        return [arrivals(process, rate, horizon, rng) for rate, rng in zip(rates, own, strict=True) if rate]

    def _horizon(self, samples: int, times: Sequence[Floats], traced: bool) -> float:
        """Return the time in which samples arise; where rates do not say it, until the last could be through."""
        if traced or ArrivalProcess(self._options.arrivals) is ArrivalProcess.ALONE:
            last = max((float(when[-1]) for when in times if when.size), default=0.0)
            return last + max(max(road.unhindered_s) for road in self._roads) or 1.0
        return samples / sum(road.application.weight for road in self._roads)

    def _crowd(self, arisen: _Arisen) -> Crowd:
        passed = [[leaving.stages for leaving in road.leavings] for road in self._roads]
        first = self._first[:-1][arisen.application]
        stages = np.empty(arisen.arrival_s.size, np.int64)
        for h, own in enumerate(passed):
            mine = arisen.application == h
            stages[mine] = np.array(own)[arisen.exit_[mine]]
        return Crowd(arisen.arrival_s, first, first + stages)

    def _applications(
        self, arisen: _Arisen, left_s: Floats, waited_s: Floats, rule: Rule
    ) -> tuple[SimulatedApplication, ...]:
        counted = arisen.arrival_s >= rule.begin_s
        order = np.argsort(arisen.application[counted], kind="stable")
        borders = np.searchsorted(arisen.application[counted][order], np.arange(len(self._roads) + 1))
        latency = (left_s - arisen.arrival_s)[counted][order]
        waited = waited_s[counted][order]
        exit_ = arisen.exit_[counted][order]
        return tuple(
            self._application(h, latency[begin:end], waited[begin:end], exit_[begin:end])
            for h, (begin, end) in enumerate(pairwise(borders))
            if end > begin
        )

    def _application(self, h: int, latency: Floats, waited: Floats, exit_: Ints) -> SimulatedApplication:
        road = self._roads[h]
        compute, transfer = np.array(road.energies_j()).T
        unhindered = np.array(road.unhindered_s)
        target = road.application.max_latency_s
        expected, deepest = (self._planned[kind][h] for kind in _PLANNED)
        shares = {
            one.exit: (float(np.mean(exit_ == k)), float(np.mean(latency[exit_ == k])), float(unhindered[k]))
            for k, one in enumerate(road.leavings)
            if np.any(exit_ == k)
        }
        return SimulatedApplication(
            application=road.application.name,
            samples=latency.size,
            energy_j=mean_of((compute + transfer)[exit_]),
            compute_energy_j=float(np.mean(compute[exit_])),
            transfer_energy_j=float(np.mean(transfer[exit_])),
            planned_energy_j=expected.energy_j,
            latency_s=mean_of(latency),
            planned_latency_s=expected.latency_s,
            waiting_s=mean_of(waited),
            p50_s=quantile_of(latency, 0.5),
            p95_s=quantile_of(latency, 0.95),
            p99_s=quantile_of(latency, 0.99),
            deepest_s=deepest.latency_s,
            max_latency_s=target,
            within=mean_of((latency <= relaxed(target)).astype(float)),
            exits=shares,
        )

    def _watched_stations(self, watched: Watched, rule: Rule) -> tuple[SimulatedStation, ...]:
        planned = self._planned_utilisation()
        time_s = rule.end_s - rule.begin_s
        found = []
        for q, station in enumerate(self._stations):
            came, inside = int(watched.came[q]), watched.inside_s[q] / time_s
            little = watched.stayed_s[q] / time_s
            found.append(
                SimulatedStation(
                    station=station,
                    utilisation=float(watched.busy_s[q] / time_s / station.places),
                    planned_utilisation=None if planned is None else planned[q] / station.places,
                    waiting_s=float(watched.waiting_s[q] / came) if came else 0.0,
                    queue=float(watched.waiting_s[q] / time_s),
                    inside=float(inside),
                    littles_gap=float(abs(inside - little) / inside) if inside > 0 else 0.0,
                )
            )
        return tuple(sorted(found, key=lambda one: -one.utilisation))

    def _planned_utilisation(self) -> list[float] | None:
        """Return how many places of every station are occupied on average, as rates and service times say."""
        if any(road.application.rate_per_s is None for road in self._roads):
            return None
        occupied = [0.0] * len(self._stations)
        for road in self._roads:
            for number, stage in enumerate(road.stages, start=1):
                reach = sum(one.share for one in road.leavings if one.stages >= number)
                occupied[stage.station] += road.application.weight * reach * stage.service_s
        return occupied

    def _stays(self, seen: Seen, arisen: _Arisen) -> tuple[tuple[str, str, int, float, float, float], ...]:
        names = [road.application.name for road in self._roads]
        return tuple(
            (names[arisen.application[j]], self._station_of[s], int(j), float(came), float(served), float(left))
            for j, s, came, served, left in zip(*seen, strict=True)
            if j >= 0
        )


_PLANNED = (LatencyKind.EXPECTED, LatencyKind.FULL_DEPTH)


def _leave(road: Itinerary, samples: int, replayed: Ints | None, random: np.random.Generator) -> Ints:
    """Return at which of the leavings each sample leaves."""
    if replayed is not None:
        exits = np.array([one.exit for one in road.leavings])
        return np.minimum(np.searchsorted(exits, np.resize(replayed, samples)), len(exits) - 1)
    shares = np.cumsum([one.share for one in road.leavings])
    return np.minimum(np.searchsorted(shares, random.uniform(0, shares[-1], samples), side="right"), len(shares) - 1)


def _places(stations: Sequence[Station]) -> Ints:
    return np.cumsum([0, *(min(station.places, UNLIMITED_PLACES) for station in stations)])


def _nothing_watched(stations: int) -> Watched:
    return Watched(np.zeros(stations, np.int64), *(np.zeros(stations) for _ in range(4)))


def _nothing_seen(stays: int) -> Seen:
    return Seen(np.full(stays, -1), np.zeros(stays, np.int64), *(np.zeros(stays) for _ in range(3)))


def _precise(one: SimulatedApplication, asked: float) -> bool:
    return one.energy_j.relative <= asked and one.latency_s.relative <= asked
