"""What looser targets would save, for one application.

With the multiplier μ of the Lagrangian dual (eq. 19) a target that is looser by Δ saves at most μ Δ beyond the gap of
the dual, for min energy + μ (latency − δ − Δ) is its value there less μ Δ. For some steps the saving is exact, by
solving again. A lower accuracy target lets an earlier exit be the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from finbench.fin_graph.joint.explanation.cheapest import cheapest
from finbench.fin_graph.joint.explanation.upgrades import FACTORS, Saving, saved
from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.topology import Topology
from finbench.models.instance import Application, Instance
from finbench.models.result import Clock


@dataclass(frozen=True)
class EarlierExit:
    """What it would save if an earlier exit were accurate enough."""

    last_exit: int
    """1-based."""
    min_accuracy: float
    """The accuracy target that lets it be the last."""
    saving: float
    """As in `Saving`."""
    at_most: float


@dataclass(frozen=True)
class Relief:
    """What looser targets would save."""

    latency_price: float
    """Multiplier μ of the latency target, in the objective's unit per second."""
    latency: tuple[Saving, ...]
    """Exact steps: the target times each of `FACTORS`."""
    exits: tuple[EarlierExit, ...]
    """The next lower accuracy first; empty where the first exit is the last already."""


def relief(
    instance: Instance, app: Application, problem: PathProblem, topology: Topology, optimum: float, clock: Clock
) -> Relief:
    """Return what looser targets of one application would save.

    Parameters
    ----------
    instance : Instance
    app : Application
    problem : PathProblem
        That of `app`.
    topology : Topology
    optimum : float
        Least energy as things are [J per inference], proven.
    clock : Clock
    """
    price = app.weight * lagrangian_dual(problem, clock).multiplier
    steps = []
    for factor in FACTORS:
        looser = replace(problem, max_latency_s=problem.max_latency_s * factor)
        steps.append(saved(optimum, cheapest(looser, clock, known=optimum), app.weight, factor))
    exits = sorted(_earlier(instance, app, problem, topology, optimum, clock), key=lambda one: -one.min_accuracy)
    return Relief(price, tuple(steps), tuple(exits))


def _earlier(
    instance: Instance, app: Application, problem: PathProblem, topology: Topology, optimum: float, clock: Clock
) -> Iterator[EarlierExit]:
    for last_exit, exit_ in enumerate(instance.dnn_of(app).exits[: problem.last_exit - 1], start=1):
        shorter = path_problem(instance, app, last_exit, topology)
        assert shorter is not None
        step = saved(optimum, cheapest(shorter, clock, known=optimum), app.weight, 1.0)
        yield EarlierExit(last_exit, exit_.accuracy, step.saving, step.at_most)
