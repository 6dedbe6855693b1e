"""What `finbench frontier` shows: least energy by latency budget and exit, as a table and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from finbench.benchmarks.analysis.numbers import number, percent, rounded_up
from finbench.benchmarks.terminal import console
from finbench.fin_graph.frontier import Corner, ExitFrontier, frontiers
from finbench.fin_graph.paths.support import reason_to_share
from finbench.models.instance import Application, Instance, Objective
from finbench.models.io import InputError
from finbench.models.memory import reason_not_to_fit
from finbench.models.tolerances import equal_energy

SHOWN = 15
"""Corners of one exit that the table shows."""

STEP_BYTES = 120
"""Memory of a latency step and its energy, which Python holds as a tuple of two numbers [byte]."""


def instance_frontiers(
    instance: Instance, *, gamma: int, horizon_s: float | None, time_limit_s: float | None
) -> tuple[ExitFrontier, ...]:
    """Find the frontiers of a single-application instance.

    Raises
    ------
    InputError
        If the instance has several applications, rejections or service levels; if the horizon is no positive finite
        number, or so many latency steps do not fit into memory.
    """
    reason = reason_to_share(instance)
    if reason is not None:
        raise InputError(f"instance '{instance.name}'", f"frontier: {reason}")
    if horizon_s is not None and not 0 < horizon_s < inf:
        raise InputError("frontier", f"horizon_s = {horizon_s}: must be a positive finite number of seconds")
    app = instance.applications[0]
    reason = reason_not_to_fit(_needed_bytes(instance, app, gamma))
    if reason is not None:
        raise InputError("frontier", f"gamma = {gamma}: {reason}")
    return frontiers(instance, app, gamma=gamma, horizon_s=horizon_s, time_limit_s=time_limit_s)


def _needed_bytes(instance: Instance, app: Application, gamma: int) -> int:
    """Return the memory of FIN's frontiers [byte]: two rows of all nodes, one of every layer, one list of steps."""
    rows = 2 * len(instance.network.nodes) + max(len(dnn.blocks) for dnn in instance.dnns_of(app)) + 1
    return (8 * rows + STEP_BYTES) * (gamma + 1)


def to_json(instance: Instance, gamma: int, found: Sequence[ExitFrontier]) -> dict[str, Any]:
    """Return all corners at full precision."""
    key = COST_KEYS[instance.objective]
    return {
        "instance": instance.name,
        "gamma": gamma,
        "minimised": instance.objective.value,
        "latency_kind": instance.latency_kind.value,
        "latency_quantile": instance.latency_quantile,
        "exits": [
            {
                **({} if one.dnn is None else {"dnn": one.dnn}),
                "last_exit": one.last_exit,
                "accuracy": one.accuracy,
                "fin": _corners(one.fin, key),
                "exact": None if one.exact is None else _corners(one.exact, key),
            }
            for one in found
        ],
    }


COST_KEYS = {Objective.ENERGY: "energy_j", Objective.CARBON: "carbon_g", Objective.MONEY: "money"}
"""What the cost of one inference is called in JSON."""


def _corners(corners: Sequence[Corner], key: str) -> list[dict[str, float]]:
    return [{"max_latency_s": budget, key: cost} for budget, cost in corners]


def print_frontiers(instance: Instance, gamma: int, found: Sequence[ExitFrontier]) -> None:
    """Print one table of the exact corners of every exit, each with the budget from which FIN reaches that energy.

    Budgets are rounded up, so that a run within a printed budget reaches the printed energy. Where an exit
    has more than `SHOWN` corners, that many are shown, evenly spread, the first and the last among them.
    """
    cost = f"{instance.objective.value} [{instance.inference_unit}]"
    columns = ("last exit", "accuracy", cost, "least latency budget [s]", "FIN's budget [s]", "more [%]")
    of_exits = [_rows(one) for one in found]
    rows = [row for corners in of_exits for row in _thinned(corners)]
    share = "" if instance.latency_quantile is None else f" for {number(100 * instance.latency_quantile)} % of samples"
    title = f"{instance.name}: least {instance.objective.value} by latency budget{share} and exit; FIN at γ = {gamma}"
    screen = console.output()
    screen.print(console.table(title, columns, rows, text_columns=0))
    if len(rows) < sum(map(len, of_exits)):
        screen.print(f"{len(rows)} of {sum(map(len, of_exits))} corners are shown; --json prints all, -o draws all")
    if any(one.exact is None for one in found):
        screen.print("the time limit ended the exact search: only FIN's corners are shown where it did")


def _thinned(corners: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    if len(corners) <= SHOWN:
        return corners
    return [corners[round(k * (len(corners) - 1) / (SHOWN - 1))] for k in range(SHOWN)]


def _rows(one: ExitFrontier) -> list[tuple[str, ...]]:
    head = (one.exit_name, number(one.accuracy))
    if one.exact is None:
        return [(*head, number(energy), "–", rounded_up(budget), "–") for budget, energy in _distinct(one.fin)]
    rows: list[tuple[str, ...]] = []
    for budget, energy in _distinct(one.exact):
        reached = next((b for b, e in one.fin if e <= energy or equal_energy(e, energy)), None)
        more = None if reached is None or budget == 0 else reached / budget - 1
        cells = (number(energy), rounded_up(budget), rounded_up(reached), percent(more))
        rows.append((*head, *cells))
    return rows


def _distinct(corners: Sequence[Corner]) -> list[Corner]:
    """Return the corners without repeated energies; of equal ones the first stays, which has the least budget."""
    kept: list[Corner] = []
    for budget, energy in corners:
        if not kept or not equal_energy(energy, kept[-1][1]):
            kept.append((budget, energy))
    return kept
