"""FIN for applications that share a system: prices, insertion in several orders, improvement.

1. Everyone alone: best usages, and the bound Σ_g c_g min(ψ_g, b_g).
2. Insertion (`insertion`) in the order asked for. Where it meets the bound, the run ends.
3. Congestion (`congestion`): prices of what too many ask for, a better bound, and one more insertion at these prices.
   The searches for prices, and more at drawn prices, leave many ways to serve everyone (`everyone`).
4. Exchange (`exchange`): a choice among these ways by simulated annealing.
5. Improvement (`improvement`) of the best so far, and of up to `restarts` insertions in drawn orders at drawn prices.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, inf
from typing import Any

import numpy as np

from finbench.fin_graph.joint.fin.admission import reasons, unservable_reason
from finbench.fin_graph.joint.fin.alone import FINER, Alone, bound_of_all, everyone_alone, frugal_prices
from finbench.fin_graph.joint.fin.congestion import Congestion, congestion_prices
from finbench.fin_graph.joint.fin.everyone import Everyone, load_everyone
from finbench.fin_graph.joint.fin.exchange import exchanged, load_exchange
from finbench.fin_graph.joint.fin.improvement import Improvement, scale_of
from finbench.fin_graph.joint.fin.insertion import insert_all, ordered
from finbench.fin_graph.joint.fin.occupancy import Occupancy
from finbench.fin_graph.joint.fin.resolution import Resolution
from finbench.fin_graph.joint.system import SharedSystem, Usage, joint_deployment
from finbench.fin_graph.options import FinOptions, Order
from finbench.fin_graph.paths.arrays import Floats
from finbench.fin_graph.paths.kernel import rows_bytes
from finbench.fin_graph.paths.loading import load_compiled, load_cumulative
from finbench.models.instance import Instance
from finbench.models.memory import reason_not_to_fit
from finbench.models.news import News, tell
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import OPTIMAL_GAP

FEWEST_ROUNDS, MOST_ROUNDS, CHOICES = 50, 150, 40_000
"""Rounds of congestion prices: as many as make `CHOICES` choices of one group each, within limits."""

DRAWN = 0.4
"""Searches at drawn prices for each of those rounds: they find more ways."""

EXCHANGES, PROPOSALS, MANY_PROPOSALS, LEAST_PROPOSALS = 2, 15_000, 5_000_000, 4_500
"""Number of exchanges, and the proposals of each for every application; above so many in all fewer, down to so many."""

NEGLIGIBLE = 1e-4
"""Proven relative gap at which the search ends."""

SOME = 0.3
"""Part of the resources that have a drawn price of their own in every other search."""

MARGIN = 1.05
"""Optimum against its bound, as guessed while no deployment is known."""


def solve_many(
    instance: Instance, options: FinOptions = FinOptions(), *, time_limit_s: float | None = None, seed: int = 0
) -> Result:
    """Place all applications of `instance`; see `fin_graph.fin.solve`."""
    clock = Clock(time_limit_s)
    steps = Resolution.of(options)
    with clock.phase("load"):
        load_compiled()
        load_everyone()
        load_exchange()
        if steps.how == "cumulative":
            load_cumulative()
    with clock.phase("build"):
        system = SharedSystem.of(instance, reachable=True)
        too_large = _too_large(system, steps)
    if too_large is not None:
        return Result(Status.MEMORY_LIMIT, reason=too_large, times_s=clock.times_s)
    with clock.phase("alone"):
        alone = everyone_alone(system, steps, clock)
    impossible = _impossible(instance, system, alone)
    if impossible is not None:
        return Result(Status.INFEASIBLE, reason=impossible, times_s=clock.times_s)
    run = _FinRun(instance, system, alone, clock, seed=seed, steps=steps, threads=options.threads)
    with clock.phase("insertion"):
        run.insert(options.order)
    if options.effort > 0 and run.may_improve:
        with clock.phase("prices"):
            run.price()
        with clock.phase("exchange"):
            run.exchange(options.effort)
        with clock.phase("improvement"):
            run.improve(options.restarts, options.effort)
    with clock.phase("extract"):
        result = run.result()
    return replace(result, times_s=clock.times_s)


def _too_large(system: SharedSystem, steps: Resolution) -> str | None:
    """Return why the finest search would not fit into memory; None where it does."""
    finest = steps.finer(FINER)
    problems = (choice.problem() for group in system.groups for choice in group.choices)
    sizes = (rows_bytes(problem, finest.gamma, finest.how) for problem in problems if problem is not None)
    needed = max(sizes, default=0)
    return reason_not_to_fit(needed)


def _impossible(instance: Instance, system: SharedSystem, alone: list[Alone]) -> str | None:
    """Return a proof that a group which must be served cannot be, even alone; None where there is none."""
    for group, one in zip(system.groups, alone, strict=True):
        if one.bound == inf and group.penalty is None:
            return f"application '{group.members[0]}': {unservable_reason(instance, group)}"
    return None


class _FinRun:
    """One run: the best occupancy so far, and what is known about the optimum."""

    def __init__(
        self,
        instance: Instance,
        system: SharedSystem,
        alone: list[Alone],
        clock: Clock,
        *,
        seed: int,
        steps: Resolution,
        threads: int,
    ) -> None:
        self._instance, self._system, self._alone = instance, system, alone
        self._clock, self._steps = clock, steps
        self._random = np.random.default_rng(seed)
        self._scale = scale_of(system, alone)
        self._frugal = frugal_prices(system, [one.bound for one in alone])
        self._best = Occupancy(system, self._scale)
        self._congestion = Congestion(np.zeros(system.resources), bound_of_all(system, alone))
        self._order: list[int] = []
        self._history: list[tuple[float, float]] = []
        self._ways: list[list[Usage]] = [[] for _ in system.groups]
        self._threads = threads

    @property
    def may_improve(self) -> bool:
        """Return whether the gap is more than negligible and there is time."""
        return not self._meets(NEGLIGIBLE) and not self._clock.expired

    def _meets(self, gap: float) -> bool:
        """Return whether everyone who must be is served, and the objective is within `gap` of the bound."""
        objective = self._best.objective
        return self._best.left_out == 0 and objective - self._congestion.bound <= gap * objective

    def insert(self, order: Order) -> None:
        """Insert everyone in the order asked for, at no prices."""
        self._order = ordered(self._system, self._alone, order)
        self._best = self._inserted(self._order, self._frugal)
        self._note()

    def _inserted(self, order: list[int], prices: Floats) -> Occupancy:
        occupancy = Occupancy(self._system, self._scale)
        insert_all(occupancy, order, prices, self._steps, self._clock)
        return occupancy

    def _take(self, occupancy: Occupancy) -> None:
        """Keep an occupancy where it is the best so far."""
        if (occupancy.left_out, occupancy.objective) < (self._best.left_out, self._best.objective):
            self._best = occupancy
            self._note()

    def _note(self) -> None:
        if not self._best.left_out:
            self._watch(self._best.objective)
            bound = min(self._congestion.bound, self._best.objective)
            tell(News(self._best.objective, bound, lambda: joint_deployment(self._best.served())))

    def _watch(self, objective: float) -> None:
        """Note an objective that is better than any before, and when it was found."""
        if not self._history or objective < self._history[-1][1]:
            self._history.append((self._clock.elapsed_s, objective))

    def price(self) -> None:
        """Find prices of what is congested, and insert everyone once more at these prices."""
        upper = self._best.objective if not self._best.left_out else MARGIN * self._congestion.bound
        rounds = max(FEWEST_ROUNDS, min(MOST_ROUNDS, CHOICES // len(self._system.groups)))
        everyone = Everyone(self._system, self._system.empty_room(), self._threads)
        self._congestion = congestion_prices(
            everyone, self._system, self._congestion, upper=upper, gap=NEGLIGIBLE, rounds=rounds, clock=self._clock
        )
        self._take(self._inserted(self._order, self._frugal + self._congestion.prices))
        self._draw(everyone, ceil(DRAWN * rounds))
        self._ways = everyone.ways()

    def _draw(self, everyone: Everyone, searches: int) -> None:
        """Search at drawn prices: those of what is congested times drawn factors, and some of what is not."""
        prices, mean = self._congestion.prices, self._scale / len(self._system.groups)
        for number in range(searches):
            if self._clock.expired:
                break
            drawn = prices * self._random.uniform(0, 2, len(prices))
            if number % 2:
                some = self._random.random(len(prices)) < SOME
                drawn = drawn + some * self._random.random(len(prices)) * mean * 10 ** self._random.uniform(-1.5, 1)
            everyone.search(drawn)

    def exchange(self, effort: float) -> None:
        """Choose anew among the ways that are known, and keep the outcome where it is the best so far."""
        units = sum(group.count for group in self._system.groups)
        proposals = int(effort * min(PROPOSALS * units, max(MANY_PROPOSALS, LEAST_PROPOSALS * units)))
        scale, prices = self._scale / units, self._congestion.prices
        for _ in range(EXCHANGES):
            self._take(exchanged(self._best, self._ways, prices, scale, proposals, self._random, self._clock))

    def improve(self, restarts: int, effort: float) -> None:
        """Improve the best so far, then insertions in drawn orders at drawn prices; last, route at finer steps.

        Together they may make 200 moves for each group, but 1,000 at most; where groups are many, 3 for each, but 2,000
        at most.
        """
        count = len(self._system.groups)
        moves = int(effort * max(min(3 * count, 2000), min(200 * count, 1000, 20_000 // count)))
        moves = self._improved(self._best, moves)
        for _ in range(restarts):
            if moves <= 0 or not self.may_improve:
                break
            drawn = self._random.uniform(0, 2, self._system.resources)
            order = self._random.permutation(self._order).tolist()
            start = self._inserted(order, self._frugal + drawn * self._congestion.prices)
            moves = self._improved(start, moves)
        improvement = self._improvement(self._best)
        improvement.polish(self._steps.finer(FINER), self._watch)
        self._take(Occupancy.of(self._system, improvement.served, self._scale))

    def _improvement(self, occupancy: Occupancy) -> Improvement:
        return Improvement(occupancy, self._alone, self._congestion.prices, self._steps, self._random, self._clock)

    def _improved(self, occupancy: Occupancy, moves: int) -> int:
        """Improve an occupancy, keep it where it is then the best, and return the moves left over."""
        improvement = self._improvement(occupancy)
        moves = improvement.run(moves, self._watch, self._congestion.bound * (1 + NEGLIGIBLE))
        self._take(Occupancy.of(self._system, improvement.served, self._scale))
        return moves

    def result(self) -> Result:
        """Return the result: the best occupancy, the bound, and why members are not served."""
        rejected, left_out = reasons(self._instance, self._best, self._alone)
        info: dict[str, Any] = {
            "gamma": self._steps.gamma,
            "groups": len(self._system.groups),
            "history": self._history,
            "rejected": rejected,
        }
        expired, objective = self._clock.expired, self._best.objective
        if left_out:
            name, reason = next(iter(left_out.items()))
            return Result(
                Status.TIME_LIMIT if expired else Status.NO_SOLUTION,
                lower_bound=self._congestion.bound,
                reason=f"application '{name}' could not be placed: {reason}",
                info={**info, "left_out": left_out},
            )
        ended = Status.TIME_LIMIT if expired else Status.FEASIBLE
        return Result(
            Status.OPTIMAL if self._meets(OPTIMAL_GAP) else ended,
            joint_deployment(self._best.served()),
            claimed_objective=objective,
            lower_bound=min(self._congestion.bound, objective),
            info=info,
        )
