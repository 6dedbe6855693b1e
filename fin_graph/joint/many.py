"""FIN for applications that share a system: prices, insertion in several orders, improvement.

1. Everyone alone: best usages, and the bound Σ_g c_g min(ψ_g, b_g).
2. Insertion (`insertion`): in the order asked for, and `restarts` times in a drawn order at drawn prices; the best stays.
3. Congestion (`congestion`): prices of what is asked for by too many, a better bound, one more insertion at these
   prices; only where someone pays more than alone.
4. Improvement (`improvement`).
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from fin_graph.arrays import Floats
from fin_graph.bounds import OPTIMAL_GAP
from fin_graph.joint.admission import reason_alone, reasons
from fin_graph.joint.alone import Alone, bound_of_all, everyone_alone, frugal_prices
from fin_graph.joint.congestion import Congestion, congestion_prices
from fin_graph.joint.improvement import Improvement, scale_of
from fin_graph.joint.insertion import insert_all, ordered
from fin_graph.joint.placement import Placement
from fin_graph.joint.system import System, joint_deployment
from fin_graph.loading import load_compiled
from models.instance import Instance
from models.result import Clock, Result, Status

ROUNDS = 30
"""Rounds of congestion prices at most."""

WORK = 4e8
"""Layered arcs that the rounds of prices, and as many that the moves of improvement, may look at by default."""


def solve_many(
    instance: Instance,
    *,
    time_limit_s: float | None,
    seed: int,
    gamma: int,
    order: str,
    restarts: int,
    improve: bool,
) -> Result:
    """Place all applications of `instance`; see `fin_graph.fin.solve`."""
    clock = Clock(time_limit_s)
    with clock.phase("load"):
        load_compiled()
    run = _Run(instance, clock, seed, gamma)
    impossible = run.impossible()
    if impossible is not None:
        return Result(Status.INFEASIBLE, reason=impossible, times_s=clock.times_s)
    with clock.phase("insertion"):
        run.insert(order, restarts)
    if improve and run.may_improve:
        with clock.phase("prices"):
            run.price(order)
        with clock.phase("improvement"):
            run.improve()
    return replace(run.result(), times_s=clock.times_s)


class _Run:
    """One run: the best placement so far, and what is known about the optimum."""

    def __init__(self, instance: Instance, clock: Clock, seed: int, gamma: int) -> None:
        self._instance, self._clock, self._seed, self._gamma = instance, clock, seed, gamma
        with clock.phase("build"):
            self._system = System.of(instance)
        with clock.phase("alone"):
            self._alone = everyone_alone(self._system, gamma)
        self._scale = scale_of(self._system, self._alone)
        self._frugal = frugal_prices(self._system, [one.bound for one in self._alone])
        self._best = Placement(self._system, self._scale)
        self._congestion = Congestion(np.zeros(self._system.resources), bound_of_all(self._system, self._alone))
        self._history: list[tuple[float, float]] = []

    def impossible(self) -> str | None:
        """A proof that nothing is feasible: a group that must be served cannot be, even alone."""
        for g, (group, one) in enumerate(zip(self._system.groups, self._alone, strict=True)):
            if one.bound == inf and group.penalty is None:
                reason = reason_alone(self._instance, self._best, self._alone, g)
                return f"application '{group.members[0]}': {reason}"
        return None

    @property
    def may_improve(self) -> bool:
        """Whether the bound is not met yet."""
        return not self._optimal() and not self._clock.expired

    def _optimal(self) -> bool:
        objective = self._best.objective
        return self._best.left_out == 0 and objective - self._congestion.bound <= OPTIMAL_GAP * objective

    def insert(self, order: str, restarts: int) -> None:
        """Insert in the order asked for, then in drawn ones."""
        first = ordered(self._system, self._alone, order)
        self._try(first, self._frugal)
        random = np.random.default_rng(self._seed)
        for _ in range(restarts):
            if self.may_improve:
                self._try([first[k] for k in random.permutation(len(first))], self._frugal)

    def _try(self, order: list[int], prices: Floats) -> None:
        placement = Placement(self._system, self._scale)
        insert_all(placement, order, prices, self._gamma, self._clock)
        if not self._best.lots or placement.cost < self._best.cost:
            self._best = placement
            self._note(placement.objective)

    def _note(self, objective: float) -> None:
        if self._best.left_out == 0:
            self._history.append((self._clock.elapsed_s, objective))

    def price(self, order: str) -> None:
        """Price what is congested, and insert once more at these prices."""
        arcs = sum(problem.arcs for group in self._system.groups if (problem := group.problem()) is not None)
        self._congestion = congestion_prices(
            self._system,
            self._congestion,
            upper=self._best.objective,
            rounds=min(ROUNDS, int(WORK / max(arcs, 1))),
            clock=self._clock,
        )
        self._try(ordered(self._system, self._alone, order), self._frugal + self._congestion.prices)

    def improve(self) -> None:
        """Moves until nothing helps."""
        improvement = Improvement(
            self._best, self._alone, self._congestion.prices, self._gamma, self._seed, self._clock
        )
        served = improvement.run(10_000, self._note)
        self._best = Placement.of(self._system, served, self._scale)

    def result(self) -> Result:
        """What has come of it."""
        info: dict[str, Any] = {
            "gamma": self._gamma,
            "groups": len(self._system.groups),
            "history": self._history,
            "rejected": reasons(self._instance, self._best, self._alone),
        }
        lower_bound, expired = self._congestion.bound, self._clock.expired
        if self._best.left_out:
            must = {group.members[-1] for group in self._system.groups if group.penalty is None}
            name = next(name for name in info["rejected"] if name in must)
            return Result(
                Status.TIME_LIMIT if expired else Status.NO_SOLUTION,
                lower_bound=lower_bound,
                reason=f"application '{name}': {info['rejected'][name]}",
                info=info,
            )
        status = Status.OPTIMAL if self._optimal() else Status.TIME_LIMIT if expired else Status.FEASIBLE
        return Result(
            status,
            joint_deployment(self._best.served()),
            claimed_objective=self._best.objective,
            lower_bound=min(lower_bound, self._best.objective),
            info=info,
        )
