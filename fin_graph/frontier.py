"""The energy-latency-accuracy frontier: the least energy for every latency budget and every exit.

Where the instance minimises carbon or money (eq. 31), that stands in the place of the energy.

One pass of FIN to the deepest exit gives its whole frontier. After the block of an exit, the least energy over all
nodes at replicas ≤ k is what that exit costs within a budget of k/γ of the horizon. Label setting gives the
exact frontier beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf, isfinite

from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.kernel import least_energies
from finbench.fin_graph.paths.label_search import latency_energy_frontier
from finbench.fin_graph.paths.shortest import least_energy_path
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
    problems = [
        [_problem(instance, choice, index) for index in range(1, len(instance.dnn_of(choice).exits) + 1)]
        for choice in app.choices
    ]
    if horizon_s is None:
        paths = (least_energy_path(problem) for exits in problems for problem in exits)
        slowest = max((path.latency for path in paths if path is not None), default=0.0)
        horizon_s = slowest * (1 + max(exits[-1].depth for exits in problems) / gamma)
    return tuple(
        frontier
        for choice, exits in zip(app.choices, problems, strict=True)
        for frontier in _frontiers(instance.dnn_of(choice), exits, gamma, horizon_s, clock, instance.inference_unit)
    )


def _frontiers(
    dnn: DNN, problems: list[PathProblem], gamma: int, horizon_s: float, clock: Clock, unit: str
) -> Iterator[ExitFrontier]:
    """Yield the frontiers of one DNN's exits, which have one problem each."""
    problems = [replace(problem, max_latency_s=horizon_s) for problem in problems]
    least = least_energies(problems[-1], gamma, clock)
    for problem, exit_ in zip(problems, dnn.exits, strict=True):
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
