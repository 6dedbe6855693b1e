"""FIN's certified gap: an answer from above and bounds from below, γ doubled until they are close enough."""

from __future__ import annotations

from math import inf

from finbench.fin_graph.paths.alternatives import Bounded, bounded
from finbench.fin_graph.paths.arrays import PathProblem
from finbench.fin_graph.paths.bounds import meets
from finbench.fin_graph.paths.kernel import How, ReplicaPath, least_energy_replica_path, rows_bytes
from finbench.fin_graph.paths.shortest import Path, path_costs
from finbench.models.deployment import Deployment
from finbench.models.memory import reason_not_to_fit
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import OPTIMAL_GAP


class Sandwich:
    """The best answer and the best bound so far of one alternative, LB ≤ OPT ≤ UB, and how they came about."""

    def __init__(self, alternative: Bounded) -> None:
        incumbent = alternative.dual.incumbent
        assert incumbent is not None
        self.problem = alternative.problem
        self.lower_bound = alternative.dual.lower_bound
        self.energy = incumbent.energy
        self.path: Path | ReplicaPath = incumbent

    def add(self, up: ReplicaPath, down: ReplicaPath) -> None:
        """Take in FIN's answer and lower bound (eq. 18) at a γ. A relaxed path that meets the target is optimal."""
        latency = path_costs(self.problem, down.layers, down.nodes)[1] if down.layers else inf
        for path in (up, down) if meets(latency, self.problem.max_latency_s) else (up,):
            if path.energy < self.energy:
                self.energy, self.path = path.energy, path
        self.lower_bound = min(self.energy, max(self.lower_bound, down.energy))


class Sandwiches:
    """The sandwiches of all alternatives of one application; what is known of it is the least of theirs."""

    def __init__(self, alternatives: list[Bounded]) -> None:
        self._all = [Sandwich(one) for one in alternatives]
        self.history: list[dict[str, float]] = []

    @property
    def best(self) -> Sandwich:
        """The one of the best answer."""
        return min(self._all, key=lambda one: one.energy)

    @property
    def lower_bound(self) -> float:
        """The least of the bounds, or the best answer where that is less."""
        return min(self.best.energy, *(one.lower_bound for one in self._all))

    def open(self, tolerance: float) -> list[Sandwich]:
        """Return those whose bound keeps the gap of the best answer above `tolerance`."""
        energy = self.best.energy
        return [one for one in self._all if energy - one.lower_bound > tolerance * one.lower_bound]

    def note(self, gamma: int) -> None:
        """Note where γ has led to."""
        self.history.append({"gamma": gamma, "lower_bound_j": self.lower_bound, "energy_j": self.best.energy})


def certify_fin(
    problems: list[PathProblem], weight: float, *, gamma: int, tolerance: float, clock: Clock, how: How = "up"
) -> Result:
    """Double γ until the gap is proven, time is up, or the next doubling would not fit into memory.

    Parameters
    ----------
    problems : list of PathProblem
        The alternatives of the application, at least one.
    weight : float
        Weight of the application in the objective.
    gamma : int
        First γ.
    tolerance : float
        Relative gap to prove; below `OPTIMAL_GAP` that gap counts as closed.
    clock : Clock
    how : {"up", "cumulative"}
        How answers are rounded; bounds are rounded down.

    Returns
    -------
    Result
        With `lower_bound` under every status but `infeasible`, and the sandwich at every γ in `info["sandwich"]`.
    """
    tolerance = max(tolerance, OPTIMAL_GAP)
    with clock.phase("dual"):
        alternatives = bounded(problems, clock)
    if not alternatives:
        return Result(Status.INFEASIBLE, reason="the least-latency path misses the latency target")
    known = Sandwiches(alternatives)
    while True:
        reason = reason_not_to_fit(max(rows_bytes(problem, gamma, how) for problem in problems))
        if reason is not None:
            return _result(known, weight, Status.MEMORY_LIMIT, reason)
        stopped = _searched(known, gamma, tolerance, clock, how)
        if not known.open(tolerance):
            return _result(known, weight, Status.FEASIBLE, None)
        if stopped or clock.expired:
            return _result(known, weight, Status.TIME_LIMIT, None)
        gamma *= 2


def _searched(known: Sandwiches, gamma: int, tolerance: float, clock: Clock, how: How) -> bool:
    """Search every open alternative at γ, or at least one; return whether the time ended that."""
    for one in known.open(tolerance) or [known.best]:
        with clock.phase("search"):
            up = least_energy_replica_path(one.problem, gamma, how=how, clock=clock)
        with clock.phase("bound"):
            down = least_energy_replica_path(one.problem, gamma, how="down", clock=clock)
        if up.stopped or down.stopped:
            return True
        one.add(up, down)
    known.note(gamma)
    return False


def _result(known: Sandwiches, weight: float, ended: Status, reason: str | None) -> Result:
    """Return the result of all sandwiches; `ended` is its status where the gap is not closed."""
    best = known.best
    return Result(
        ended if known.open(OPTIMAL_GAP) else Status.OPTIMAL,
        deployment=Deployment(deployments=(best.problem.deployment(best.path.layers, best.path.nodes),)),
        claimed_objective=weight * best.energy,
        lower_bound=weight * known.lower_bound,
        reason=reason,
        info={"sandwich": known.history},
    )
