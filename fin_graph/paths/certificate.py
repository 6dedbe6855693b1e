"""FIN's certified gap: an answer from above and bounds from below, γ doubled until they are close enough."""

from __future__ import annotations

from math import inf

from finbench.fin_graph.paths.arrays import PathProblem
from finbench.fin_graph.paths.bounds import lagrangian_dual, meets
from finbench.fin_graph.paths.kernel import How, ReplicaPath, least_energy_replica_path, rows_bytes
from finbench.fin_graph.paths.shortest import Path, path_costs
from finbench.models.deployment import Deployment
from finbench.models.memory import reason_not_to_fit
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import OPTIMAL_GAP


class Sandwich:
    """The best answer and the best bound so far, LB ≤ OPT ≤ UB, and how they came about."""

    def __init__(self, problem: PathProblem, incumbent: Path, lower_bound: float) -> None:
        self._problem = problem
        self.lower_bound = lower_bound
        self.energy = incumbent.energy
        self.path: Path | ReplicaPath = incumbent
        self.history: list[dict[str, float]] = []

    def add(self, gamma: int, up: ReplicaPath, down: ReplicaPath) -> None:
        """Take in FIN's answer and lower bound (eq. 18) at γ. A relaxed path that meets the target is optimal."""
        latency = path_costs(self._problem, down.layers, down.nodes)[1] if down.layers else inf
        for path in (up, down) if meets(latency, self._problem.max_latency_s) else (up,):
            if path.energy < self.energy:
                self.energy, self.path = path.energy, path
        self.lower_bound = min(self.energy, max(self.lower_bound, down.energy))
        self.history.append({"gamma": gamma, "lower_bound_j": self.lower_bound, "energy_j": self.energy})

    def closed(self, tolerance: float) -> bool:
        """Return whether UB − LB ≤ tolerance · LB."""
        return self.energy - self.lower_bound <= tolerance * self.lower_bound


def certify_fin(
    problem: PathProblem, weight: float, *, gamma: int, tolerance: float, clock: Clock, how: How = "up"
) -> Result:
    """Double γ until the gap is proven, time is up, or the next doubling would not fit into memory.

    Parameters
    ----------
    problem : PathProblem
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
        dual = lagrangian_dual(problem, clock)
    if dual.incumbent is None:
        return Result(Status.INFEASIBLE, reason="the least-latency path misses the latency target")
    sandwich = Sandwich(problem, dual.incumbent, dual.lower_bound)
    while True:
        reason = reason_not_to_fit(rows_bytes(problem, gamma, how))
        if reason is not None:
            return _result(problem, weight, sandwich, Status.MEMORY_LIMIT, reason)
        with clock.phase("search"):
            up = least_energy_replica_path(problem, gamma, how=how, clock=clock)
        with clock.phase("bound"):
            down = least_energy_replica_path(problem, gamma, how="down", clock=clock)
        if not (up.stopped or down.stopped):
            sandwich.add(gamma, up, down)
        if sandwich.closed(tolerance):
            return _result(problem, weight, sandwich, Status.FEASIBLE, None)
        if up.stopped or down.stopped or clock.expired:
            return _result(problem, weight, sandwich, Status.TIME_LIMIT, None)
        gamma *= 2


def _result(problem: PathProblem, weight: float, sandwich: Sandwich, ended: Status, reason: str | None) -> Result:
    """Return the result of a sandwich; `ended` is its status where the gap is not closed."""
    return Result(
        Status.OPTIMAL if sandwich.closed(OPTIMAL_GAP) else ended,
        deployment=Deployment(deployments=(problem.deployment(sandwich.path.layers, sandwich.path.nodes),)),
        claimed_objective=weight * sandwich.energy,
        lower_bound=weight * sandwich.lower_bound,
        reason=reason,
        info={"sandwich": sandwich.history},
    )
