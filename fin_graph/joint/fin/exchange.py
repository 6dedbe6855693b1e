"""Choose one of its known ways for every application: simulated annealing over what searches have found.

Every unit is one application. It is served by one of the ways that are known for its group, or not served. A proposal
gives one unit another way; one that makes the choice dearer by Δ is taken with probability exp(−Δ/T) while T falls
(S. Kirkpatrick, C. D. Gelatt, M. P. Vecchi, Science 220, 1983). Resources may be overloaded on the way: overload costs
its price and more, and ever more towards the end. So applications change places without any order in which each of
them fits. The best choice that overloads nothing is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from finbench.fin_graph.joint.fin.occupancy import Occupancy
from finbench.fin_graph.joint.system import SharedSystem, Usage
from finbench.fin_graph.paths.arrays import Floats, Ints
from finbench.fin_graph.paths.compiled import compiled
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE

HOTTEST, COLDEST = 1.0, 0.001
"""Temperatures at the beginning and at the end, relative to what serving one application takes."""

LIGHTEST, HEAVIEST = 1.0, 8.0
"""Factors of the price of overload at the beginning and at the end."""

LEAST_PRICE = 3.0
"""Price of overloading the whole of a resource that has no other price, relative to what serving one takes."""

STAGES = 100
"""Stages of the search, between which the clock is looked at and what is overloaded becomes dearer."""

DEARER = 1.2
"""Factor by which a resource that is overloaded after a stage becomes dearer to overload."""


class Ways(NamedTuple):
    """The known ways of all groups, and the units that choose among them."""

    group: Ints
    """Group of every unit; shape (U,)."""
    first: Ints
    """First way of every group, and the end of the last; shape (G + 1,)."""
    power: Floats
    """λ · energy of every way [W]; shape (W,)."""
    start: Ints
    """Where the resources of every way begin; shape (W + 1,)."""
    resource: Ints
    fraction: Floats
    """Fraction that it takes of each of them."""
    refusal: Floats
    """Cost of not serving a unit of every group [W]; shape (G,)."""


class Chosen(NamedTuple):
    """What every unit has chosen; updated in place."""

    way: Ints
    """Way of every unit, −1 where it is not served; shape (U,)."""
    room: Floats
    """What is left of every resource, below 0 where it is overloaded; shape (R,)."""
    best: Ints
    """The best choice so far that overloads nothing; shape (U,)."""
    cost: Floats
    """Cost of `way`, of `best`, and 1 where `way` is better than `best` and not written there yet; shape (3,)."""


class Pace(NamedTuple):
    """Temperature [W] and factor of the price of overload, where some proposals begin and end."""

    hot: float
    cold: float
    light: float
    heavy: float


def exchanged(
    occupancy: Occupancy,
    ways: Sequence[Sequence[Usage]],
    prices: Floats,
    scale: float,
    proposals: int,
    random: np.random.Generator,
    clock: Clock,
) -> Occupancy:
    """Return the best occupancy found; it costs no more than the one that the search begins with.

    Parameters
    ----------
    occupancy : Occupancy
    ways : sequence of sequence of Usage
        By group, ways to serve a member beside those in the occupancy.
    prices : ndarray, shape (R,)
        What congested resources are worth [W for the whole].
    scale : float
        Roughly what serving one application takes [W].
    proposals : int
    random : Generator
    clock : Clock
        Its limit ends the search.
    """
    system = occupancy.system
    known = _all_ways(occupancy, ways)
    menu, choice = _menu(system, known, occupancy.refusal), _choice_of(occupancy, known)
    weights = prices + LEAST_PRICE * scale
    for number in range(STAGES):
        if clock.expired:
            break
        parts = number / STAGES, (number + 1) / STAGES
        first, last = (int(part * proposals) for part in parts)
        pace = Pace(
            *(scale * HOTTEST * (COLDEST / HOTTEST) ** part for part in parts),
            *(LIGHTEST * (HEAVIEST / LIGHTEST) ** part for part in parts),
        )
        propose(menu, choice, weights, pace, last - first, random)
        weights[choice.room < -FLOAT_NOISE] *= DEARER
    return _occupancy_of(occupancy, known, choice.best)


def _all_ways(occupancy: Occupancy, ways: Sequence[Sequence[Usage]]) -> list[list[Usage]]:
    """Return the ways of every group, those in the occupancy first, each once."""
    known: list[dict[object, Usage]] = [{} for _ in ways]
    for lot in occupancy.lots.values():
        known[lot.group].setdefault(lot.usage.deployment, lot.usage)
    for of_group, more in zip(known, ways, strict=True):
        for usage in more:
            of_group.setdefault(usage.deployment, usage)
    return [list(of_group.values()) for of_group in known]


def _menu(system: SharedSystem, known: Sequence[Sequence[Usage]], refusal: Sequence[float]) -> Ways:
    every = [usage for usages in known for usage in usages]
    sizes = [len(usage.resources) for usage in every]
    return Ways(
        np.repeat(np.arange(len(known), dtype=np.int32), [group.count for group in system.groups]),
        np.cumsum([0, *map(len, known)]).astype(np.int32),
        np.array([usage.power for usage in every]),
        np.cumsum([0, *sizes]).astype(np.int32),
        np.concatenate([np.zeros(0, np.int32), *(usage.resources for usage in every)]),
        np.concatenate([np.zeros(0), *(usage.fractions for usage in every)]),
        np.array(refusal),
    )


def _choice_of(occupancy: Occupancy, known: Sequence[Sequence[Usage]]) -> Chosen:
    """Return the choice that an occupancy is."""
    groups = occupancy.system.groups
    first, unit = np.cumsum([0, *map(len, known)]), np.cumsum([0, *(group.count for group in groups)])
    way = np.full(unit[-1], -1, np.int32)
    for lot in occupancy.lots.values():
        number = next(k for k, usage in enumerate(known[lot.group]) if usage.deployment == lot.usage.deployment)
        way[unit[lot.group] : unit[lot.group] + lot.times] = first[lot.group] + number
        unit[lot.group] += lot.times
    return Chosen(way, occupancy.room.copy(), way.copy(), np.array([occupancy.cost, occupancy.cost, 0.0]))


def _occupancy_of(before: Occupancy, known: Sequence[Sequence[Usage]], way: Ints) -> Occupancy:
    """Return the occupancy that a choice is, at the same costs of leaving out as before."""
    occupancy, every = before.emptied(), [usage for usages in known for usage in usages]
    groups = before.system.groups
    of_unit = np.repeat(np.arange(len(groups)), [group.count for group in groups])
    pairs, times = np.unique(np.stack([of_unit, way])[:, way >= 0], axis=1, return_counts=True)
    for (g, w), count in zip(pairs.T.tolist(), times.tolist(), strict=True):
        occupancy.serve(g, every[w], count)
    return occupancy


@compiled
def propose(
    ways: Ways, choice: Chosen, weights: Floats, pace: Pace, proposals: int, random: np.random.Generator
) -> None:
    """Make proposals, each another way for one unit, and keep the best choice that overloads nothing.

    Parameters
    ----------
    ways : Ways
    choice : Chosen
    weights : ndarray, shape (R,)
        Price of overloading the whole of a resource [W].
    pace : Pace
    proposals : int
    random : Generator
    """
    room, cost, units = choice.room, choice.cost, len(choice.way)
    overfull = 0
    for r in range(len(room)):
        overfull += room[r] < -FLOAT_NOISE
    for k in range(proposals):
        part = k / proposals
        pressure = pace.light + part * (pace.heavy - pace.light)
        u = min(units - 1, int(random.random() * units))
        g, old = ways.group[u], choice.way[u]
        first, last = ways.first[g], ways.first[g + 1]
        # All ways but the present one, and not to serve the unit.
        new = first - 1 + int(random.random() * (last - first))
        if new >= (first - 1 if old < 0 else old):
            new += 1
        if first == last or new == old or new >= last:
            continue
        new = -1 if new < first else new
        dearer = (ways.power[new] if new >= 0 else ways.refusal[g]) - (ways.power[old] if old >= 0 else ways.refusal[g])
        overload, more = _change(ways, room, weights, old, new)
        change = dearer + pressure * overload
        hot = pace.hot + part * (pace.cold - pace.hot)
        if change <= 0 or random.random() < np.exp(-change / hot):
            if cost[2] > 0 and (dearer > 0 or overfull + more > 0):
                choice.best[:] = choice.way
                cost[2] = 0.0
            choice.way[u] = new
            cost[0] += dearer
            overfull += more
            if overfull == 0 and cost[0] < cost[1] * (1 - FLOAT_NOISE):
                cost[1], cost[2] = cost[0], 1.0
            continue
        _change(ways, room, weights, new, old)
    if cost[2] > 0:
        choice.best[:] = choice.way
        cost[2] = 0.0


@compiled
def _change(ways: Ways, room: Floats, weights: Floats, old: int, new: int) -> tuple[float, int]:
    """Give back what one way takes, and take another; return by how much overload grows [W], on how many more."""
    extra, count = 0.0, 0
    if old >= 0:
        extra, count = _take(ways, room, weights, old, 1.0)
    if new >= 0:
        more, on = _take(ways, room, weights, new, -1.0)
        extra, count = extra + more, count + on
    return extra, count


@compiled
def _take(ways: Ways, room: Floats, weights: Floats, w: int, sign: float) -> tuple[float, int]:
    """Add a way's fractions to the room, with a sign; return by how much overload grows [W], and on how many more."""
    extra, count = 0.0, 0
    for k in range(ways.start[w], ways.start[w + 1]):
        r = ways.resource[k]
        before = room[r]
        after = before + sign * ways.fraction[k]
        room[r] = after
        extra += weights[r] * (max(0.0, -after) - max(0.0, -before))
        count += (1 if after < -FLOAT_NOISE else 0) - (1 if before < -FLOAT_NOISE else 0)
    return extra, count


@cache
def load_exchange() -> None:
    """Run the search once on nothing (`load_compiled` says why)."""
    none, nothing = np.zeros(0, np.int32), np.zeros(0)
    ways = Ways(none, np.zeros(1, np.int32), nothing, np.zeros(1, np.int32), none, nothing, nothing)
    choice = Chosen(none, nothing, none.copy(), np.zeros(3))
    propose(ways, choice, nothing, Pace(1.0, 1.0, 1.0, 1.0), 0, np.random.default_rng(0))
