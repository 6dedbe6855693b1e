"""What it would save if a node or link were faster, where applications share the system.

Prices first. For any prices π ≥ 0 of whole resources the Lagrangian bound (25) of the changed instance,

    D_f(π) = Σ_g n_g min(ψ_g, min_paths λ_g energy + Σ_r π_r u_r) − Σ_r b_r π_r ≤ OPT_f,

proves that the upgrade saves at most OBJ − D_f(π). The part takes part twice: paths that were too slow meet their
targets, and the fractions u_r of its compute or bandwidth shrink. D_1(π) − D_f(π) is what the prices promise. Parts of
which they promise something are solved again by column generation, the most promising first and with the most time.
An upgrade never costs anything: the deployment as it is stays feasible.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np

from finbench.fin_graph.joint.columns.column_generation import solve
from finbench.fin_graph.joint.columns.pricing import Pricer
from finbench.fin_graph.joint.explanation.parts import NetworkPart, faster, parts_of
from finbench.fin_graph.joint.explanation.upgrades import FACTORS, Saving, Upgrade, Upgrades, ranked
from finbench.fin_graph.joint.system import SharedSystem, resource_name
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.instance import Instance
from finbench.models.result import Clock, OutOfTime, Result
from finbench.models.tolerances import COLUMN_GAP, ENERGY_TOLERANCE, equal_energy

SCANNED = 0.5
"""Part of the time that the prices' promises may take."""


TURN, LEAST_TURN_S = 0.3, 0.5
"""Part of the time left that solving again for one part may take, and the least that is worth a beginning [s]."""


class _Promise(NamedTuple):
    """What prices say of one part, made faster by the greatest factor."""

    part: NetworkPart
    gain: float
    """D_1(π) − D_f(π)."""
    at_most: float
    """Proven: OBJ − D_f(π)."""


def joint_upgrades(instance: Instance, result: Result, clock: Clock, seed: int) -> Upgrades:
    """Return what every part of the network would save by being faster, for applications that share it.

    Parameters
    ----------
    instance : Instance
    result : Result
        Of column generation on it, with a deployment.
    clock : Clock
        Parts for which no time is left are named in `left_out`.
    seed : int
    """
    assert result.claimed_objective is not None
    prices, objective = _prices(instance, result), result.claimed_objective
    promises, left_out = _promises(instance, prices, objective, clock)
    done = []
    for promise in promises:
        part, left = promise.part, clock.remaining_s
        if promise.gain <= ENERGY_TOLERANCE * objective:
            at_most = max(0.0, promise.at_most)
            savings = tuple(Saving(factor, 0.0, at_most) for factor in FACTORS)
        elif left is not None and left < LEAST_TURN_S:
            left_out.append(part.subject)
            continue
        else:
            turn = Clock(None if left is None else max(LEAST_TURN_S, TURN * left))
            savings = _solved_again(instance, result, promise, turn, seed)
        done.append(Upgrade(part.kind, part.subject, savings))
    return ranked(done, left_out)


def _prices(instance: Instance, result: Result) -> Floats:
    """Return the prices of whole resources [W] that a result names; shape (R,)."""
    system = SharedSystem.of(instance)
    named = {(one["resource"], one["subject"]): one["price_w"] for one in result.info["prices"]}
    names = (resource_name(instance.network, r) for r in range(system.resources))
    return np.array([named.get(name, 0.0) for name in names])


def dual_value(instance: Instance, prices: Floats, clock: Clock) -> float:
    """Return the Lagrangian bound (25) at prices of whole resources [W]; inf where nothing serves all.

    Raises
    ------
    OutOfTime
        Where the clock ends before every group is priced.
    """
    system = SharedSystem.of(instance)
    pricer, room = Pricer(system), system.empty_room()
    total = -float(prices @ room)
    for g, group in enumerate(system.groups):
        clock.check()
        least = pricer.exact(g, prices, clock).bound if pricer.servable(g) else inf
        total += group.count * min(least, inf if group.penalty is None else group.penalty)
    return total


def _promises(instance: Instance, prices: Floats, objective: float, clock: Clock) -> tuple[list[_Promise], list[str]]:
    """Return what prices promise of every part, the most promising first, and the parts that time left out."""
    parts, found = parts_of(instance.network), list[_Promise]()
    scan = Clock(None if clock.remaining_s is None else SCANNED * clock.remaining_s)
    try:
        now = dual_value(instance, prices, scan)
        for part in parts:
            scan.check()
            then = dual_value(faster(instance, (part,), FACTORS[-1]), prices, scan)
            found.append(_Promise(part, now - then, objective - then))
    except OutOfTime:
        pass  # what is not there by now is left out
    return sorted(found, key=lambda one: -one.gain), [part.subject for part in parts[len(found) :]]


def _solved_again(instance: Instance, result: Result, promise: _Promise, clock: Clock, seed: int) -> tuple[Saving, ...]:
    """Return what a part saves at every factor, found by column generation; where time ends it, what is proven."""
    before = result.claimed_objective
    assert before is not None
    at_most, savings = promise.at_most, list[Saving]()
    for turns, factor in reversed(list(enumerate(FACTORS, start=1))):
        if savings and at_most <= COLUMN_GAP * before:
            savings.append(Saving(factor, 0.0, at_most))
            continue
        limit_s = None if clock.remaining_s is None else clock.remaining_s / turns
        again = solve(faster(instance, (promise.part,), factor), time_limit_s=limit_s, seed=seed)
        after = before if again.claimed_objective is None else min(before, again.claimed_objective)
        if again.lower_bound is not None:
            at_most = min(at_most, max(0.0, before - again.lower_bound))
        found = 0.0 if equal_energy(before, after) else before - after
        savings.append(Saving(factor, found, max(found, at_most)))
    return tuple(reversed(savings))
