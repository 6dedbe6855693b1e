"""What looser targets would save, for one application.

With the multiplier μ of the Lagrangian dual (eq. 19) a target that is looser by Δ saves at most μ Δ beyond the gap of
the dual, for min energy + μ (latency − δ − Δ) is its value there less μ Δ. For some steps the saving is exact, by
solving again. A lower accuracy target lets an earlier exit be the last.
"""

from __future__ import annotations

from dataclasses import dataclass

from finbench.fin_graph.joint.explanation.alone import LoneApplication
from finbench.fin_graph.joint.explanation.upgrades import FACTORS, Saving, saved
from finbench.fin_graph.paths.arrays import accurate_exits


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
    dnn: str | None = None
    """The alternative that it is of (eq. 29); None where the application has only one DNN."""


@dataclass(frozen=True)
class Relief:
    """What looser targets would save."""

    latency_price: float | None
    """Multiplier μ of the latency target, in the objective's unit per second; None where there is no such bound."""
    latency: tuple[Saving, ...]
    """Exact steps: the target times each of `FACTORS`."""
    exits: tuple[EarlierExit, ...]
    """The next lower accuracy first; empty where the first exit is the last already."""


def relief(alone: LoneApplication, optimum: float) -> Relief:
    """Return what looser targets of one application would save.

    Parameters
    ----------
    alone : LoneApplication
    optimum : float
        Least objective as things are, proven.
    """
    steps = tuple(saved(optimum, alone.at_latency(factor, optimum), factor) for factor in FACTORS)
    return Relief(alone.latency_price(), steps, tuple(_earlier_exits(alone, optimum)))


def _earlier_exits(alone: LoneApplication, optimum: float) -> list[EarlierExit]:
    """Return the exits that come before an accurate enough one, one for each lower accuracy."""
    app, found = alone.app, dict[float, EarlierExit]()
    for choice in app.choices:
        exits = alone.instance.dnn_of(choice).exits
        first = next(iter(accurate_exits(alone.instance.dnn_of(choice), app.min_accuracy)), len(exits) + 1)
        for last_exit, exit_ in enumerate(exits[: first - 1], start=1):
            if exit_.accuracy not in found:
                step = saved(optimum, alone.at_accuracy(exit_.accuracy, optimum), 1.0)
                one = EarlierExit(last_exit, exit_.accuracy, step.saving, step.at_most, choice.named_dnn)
                found[exit_.accuracy] = one
    return sorted(found.values(), key=lambda one: -one.min_accuracy)
