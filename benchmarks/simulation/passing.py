"""All samples pass their stations: the event loop, compiled.

An event is a sample that comes to its next station. Events are handled in order of time, and of their making where
times are equal. Stations serve first come, first served: so a sample that comes at t is served from max(t, F), with F
the earliest time at which a place is free, and everything about its stay is known at once. One event a stage is enough;
nobody has to be woken when a place becomes free.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Road(NamedTuple):
    """The stages of all applications, one application after the other; S stages."""

    station: Ints
    """Shape (S,)."""
    service_s: Floats
    """Shape (S,)."""
    after_s: Floats
    """Shape (S,)."""


class Crowd(NamedTuple):
    """The samples, by rising arrival; J of them."""

    arrival_s: Floats
    """Shape (J,)."""
    first: Ints
    """Number of its first stage; shape (J,)."""
    end: Ints
    """Number behind its last stage; shape (J,)."""


class Rule(NamedTuple):
    """How stations serve, and from when to when they are watched."""

    exponential: bool
    """Whether services vary exponentially around their mean; else they take just that."""
    begin_s: float
    end_s: float


class Watched(NamedTuple):
    """What was seen at Q stations in the time watched."""

    came: Ints
    """Samples that came in that time; shape (Q,)."""
    stayed_s: Floats
    """How long these stayed altogether, waiting and served; shape (Q,)."""
    busy_s: Floats
    """Time of all places in which they served; shape (Q,)."""
    waiting_s: Floats
    """Time of all samples spent waiting; shape (Q,)."""
    inside_s: Floats
    """Time of all samples spent at the station; shape (Q,)."""


class Seen(NamedTuple):
    """The first T stays, for a picture."""

    sample: Ints
    """Shape (T,); −1 where there was none."""
    stage: Ints
    came_s: Floats
    served_s: Floats
    left_s: Floats


class Events(NamedTuple):
    """A binary heap of events: the earliest is the first."""

    time_s: Floats
    made: Ints
    """Events are numbered as they are made."""
    sample: Ints


@compiled
def _before(events: Events, one: int, other: int) -> bool:
    """Return whether an event comes before another."""
    if events.time_s[one] != events.time_s[other]:
        return bool(events.time_s[one] < events.time_s[other])
    return bool(events.made[one] < events.made[other])


@compiled
def _swap(events: Events, one: int, other: int) -> None:
    events.time_s[one], events.time_s[other] = events.time_s[other], events.time_s[one]
    events.made[one], events.made[other] = events.made[other], events.made[one]
    events.sample[one], events.sample[other] = events.sample[other], events.sample[one]


@compiled
def _push(events: Events, size: int, time_s: float, made: int, sample: int) -> None:
    """Add an event to a heap of `size` events."""
    k = size
    events.time_s[k], events.made[k], events.sample[k] = time_s, made, sample
    while k > 0 and _before(events, k, (k - 1) // 2):
        _swap(events, k, (k - 1) // 2)
        k = (k - 1) // 2


@compiled
def _drop_first(events: Events, size: int) -> None:
    """Remove the earliest event of a heap of `size` events."""
    _swap(events, 0, size - 1)
    k = 0
    while True:
        child = 2 * k + 1
        if child >= size - 1:
            return
        if child + 1 < size - 1 and _before(events, child + 1, child):
            child += 1
        if not _before(events, child, k):
            return
        _swap(events, k, child)
        k = child


@compiled
def _take_place(free_s: Floats, begin: int, end: int, came_s: float, service_s: float) -> float:
    """Occupy the place of a station that is free first, and return when the service begins.

    `free_s[begin:end]` is a heap: when each place is free, the earliest first.
    """
    served = max(came_s, float(free_s[begin]))
    free, k = served + service_s, 0
    while True:
        child = 2 * k + 1
        if begin + child >= end:
            break
        if begin + child + 1 < end and free_s[begin + child + 1] < free_s[begin + child]:
            child += 1
        if free_s[begin + child] >= free:
            break
        free_s[begin + k] = free_s[begin + child]
        k = child
    free_s[begin + k] = free
    return served


@compiled
def _overlap(one: float, other: float, rule: Rule) -> float:
    """Return how much of the time from `one` to `other` was watched."""
    return max(0.0, min(other, rule.end_s) - max(one, rule.begin_s))


@compiled
def pass_stations(
    road: Road,
    crowd: Crowd,
    places: Ints,
    rule: Rule,
    random: np.random.Generator,
    watched: Watched,
    seen: Seen,
) -> tuple[Floats, Floats]:
    """Let all samples pass their stages.

    Parameters
    ----------
    road, crowd, rule
    places : ndarray, shape (Q + 1,)
        Station q has the places from places[q] to places[q + 1].
    random : Generator
        Of services that vary.
    watched, seen
        Filled here.

    Returns
    -------
    ndarray, shape (J,)
        When each sample has left its last stage [s].
    ndarray, shape (J,)
        How long it has waited altogether [s].
    """
    samples = crowd.arrival_s.size
    at, done, waited_s = crowd.first.copy(), crowd.arrival_s.copy(), np.zeros(samples)
    events = Events(np.empty(samples), np.empty(samples, np.int64), np.empty(samples, np.int64))
    free_s = np.zeros(places[-1])
    size = made = come = looked = 0
    while size > 0 or come < samples:
        if size > 0 and (come == samples or events.time_s[0] <= crowd.arrival_s[come]):
            now, sample = events.time_s[0], events.sample[0]
            _drop_first(events, size)
            size -= 1
        else:
            now, sample = crowd.arrival_s[come], come
            come += 1
        stage = at[sample]
        station, service = road.station[stage], road.service_s[stage]
        if rule.exponential:
            service *= random.standard_exponential()
        served = _take_place(free_s, places[station], places[station + 1], now, service)
        left = served + service
        if rule.begin_s <= now < rule.end_s:
            watched.came[station] += 1
            watched.stayed_s[station] += left - now
        watched.busy_s[station] += _overlap(served, left, rule)
        watched.waiting_s[station] += _overlap(now, served, rule)
        watched.inside_s[station] += _overlap(now, left, rule)
        if looked < seen.sample.size:
            seen.sample[looked], seen.stage[looked] = sample, stage
            seen.came_s[looked], seen.served_s[looked], seen.left_s[looked] = now, served, left
            looked += 1
        at[sample] = stage + 1
        waited_s[sample] += served - now
        done[sample] = left + road.after_s[stage]
        if stage + 1 < crowd.end[sample]:
            _push(events, size, done[sample], made, sample)
            size += 1
            made += 1
    return done, waited_s
