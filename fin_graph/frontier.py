"""The energy-latency-accuracy frontier: the least energy for every latency budget and every exit.

Where the instance minimises carbon or money (eq. 31), that stands in the place of the energy.

One pass of FIN to the deepest exit gives its whole frontier. After the block of an exit, the least energy over all
nodes at replicas ≤ k is what that exit costs within a budget of k/γ of the horizon. Label setting gives the
exact frontier beside it. Where capacities may bind, `fin_graph.frontier_within` finds both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf, isfinite

from finbench.fin_graph.frontier_within import exact_points, fin_points, slowest_that_pays
from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.kernel import least_energies
from finbench.fin_graph.paths.label_search import latency_energy_frontier
from finbench.fin_graph.paths.own_loads import OwnLoads
from finbench.fin_graph.paths.shortest import least_energy_path
from finbench.fin_graph.paths.support import may_bind
from finbench.models.instance import DNN, Application, Instance
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE

Corner = tuple[float, float]
"""Latency budget [s] and the least cost of one inference from there on, until the next corner."""


@dataclass(frozen=True)
class ExitFrontier:
    """Least energy against latency budget for one last exit."""

    last_exit: int
    """1-based."""
    accuracy: float
    fin: tuple[Corner, ...]
    """FIN's corners, by rising budget, one for each energy: feasible, hence on or above the exact frontier."""
    exact: tuple[Corner, ...] | None
    """Exact corners; None where the time limit ended the search."""
    unit: str = "J"
    """Unit of what is least: the objective of one inference."""
    dnn: str | None = None
    """The alternative that it is of (eq. 29); None where the application has only one DNN."""

    @property
    def exit_name(self) -> str:
        """The exit for people: its number, and its DNN where there are several."""
        return str(self.last_exit) if self.dnn is None else f"{self.last_exit} of {self.dnn}"


def frontiers(
    instance: Instance,
    app: Application,
    *,
    gamma: int,
    horizon_s: float | None = None,
    time_limit_s: float | None = None,
) -> tuple[ExitFrontier, ...]:
    """Return the frontiers of all exits, those of each alternative after another.

    Parameters
    ----------
    instance : Instance
    app : Application
        Its latency target plays no part, its accuracy target neither: every exit is shown.
    gamma : int
        FIN's number of latency steps over the horizon.
    horizon_s : float, optional
        Largest latency budget [s]; by default that from which more latency saves no energy at any exit, and what
        rounding up may add to it.
    time_limit_s : float, optional
        Limit for the exact frontiers.

    Returns
    -------
    tuple of ExitFrontier
        One for each exit that can be reached within the horizon, shallow exits first.

    Raises
    ------
    ValueError
        If the horizon is negative or not finite.
    """
    if horizon_s is not None and not (isfinite(horizon_s) and horizon_s >= 0):
        raise ValueError(f"horizon_s = {horizon_s}: must be finite and at least 0")
    clock = Clock(time_limit_s)
    ways = [_OneDnn.of(instance, choice) for choice in app.choices]
    if horizon_s is None:
        slowest = max((way.slowest(clock) for way in ways), default=0.0)
        horizon_s = slowest * (1 + max(way.problems[-1].depth for way in ways) / gamma)
    return tuple(
        frontier for way in ways for frontier in way.frontiers(gamma, horizon_s, clock, instance.inference_unit)
    )


@dataclass(frozen=True)
class _OneDnn:
    """One DNN that the application may run, a problem for each of its exits, and its loads where they may be many."""

    dnn: DNN
    problems: tuple[PathProblem, ...]
    loads: OwnLoads | None

    @classmethod
    def of(cls, instance: Instance, choice: Application) -> _OneDnn:
        """Return the way of one of an application's `choices`."""
        dnn = instance.dnn_of(choice)
        loads = OwnLoads.of(instance, choice) if may_bind(instance) else None
        problems = [_problem(instance, choice, last_exit) for last_exit in range(1, len(dnn.exits) + 1)]
        if loads is not None:
            problems = [loads.without_too_large(problem) for problem in problems]
        return cls(dnn, tuple(problems), loads)

    def slowest(self, clock: Clock) -> float:
        """Return the greatest latency of any exit's least-energy deployment [s]."""
        if self.loads is not None:
            return max(slowest_that_pays(problem, self.loads, clock) for problem in self.problems)
        paths = (least_energy_path(problem) for problem in self.problems)
        return max((path.latency for path in paths if path is not None), default=0.0)

    def frontiers(self, gamma: int, horizon_s: float, clock: Clock, unit: str) -> Iterator[ExitFrontier]:
        """Yield the frontiers of all exits that can be reached within the horizon."""
        problems = [replace(problem, max_latency_s=horizon_s) for problem in self.problems]
        least = least_energies(problems[-1], gamma, clock) if self.loads is None else None
        for problem, exit_ in zip(problems, self.dnn.exits, strict=True):
            if least is None:
                assert self.loads is not None
                steps = fin_points(problem, self.loads, gamma, clock)
                exact = exact_points(problem, self.loads, clock)
            else:
                steps = [(horizon_s * k / gamma, float(energy)) for k, energy in enumerate(least[problem.depth])]
                exact = latency_energy_frontier(problem, clock)
            fin = _corners(steps)
            corners = None if exact is None else _corners(exact)
            if fin or exact:
                yield ExitFrontier(problem.last_exit, exit_.accuracy, fin, corners, unit, problem.dnn)


def _problem(instance: Instance, app: Application, last_exit: int) -> PathProblem:
    problem = path_problem(instance, app, last_exit)
    assert problem is not None
    return problem


def _corners(steps: list[Corner]) -> tuple[Corner, ...]:
    """Return the corners, by rising budget, at which the energy falls by more than float noise: one for each energy."""
    corners, least = list[Corner](), inf
    for step in steps:
        if step[1] < least * (1 - FLOAT_NOISE):
            corners.append(step)
            least = step[1]
    return tuple(corners)
