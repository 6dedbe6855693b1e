"""A plan anew on a terminal: what moves, what that costs, and when it has paid for itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from finbench.benchmarks.analysis.units import Quantity, sized, with_unit
from finbench.benchmarks.replanning.replan import Replan
from finbench.benchmarks.terminal.console import output, table
from finbench.benchmarks.terminal.stress_view import amount
from finbench.models.instance import Instance
from finbench.models.moving import Move


def print_replan(instance: Instance, found: Replan) -> None:
    """Print the moves, then running before and after, then when the moves have paid for themselves."""
    console = output()
    for broken in found.broken:
        console.print(f"the old plan: {broken.message}")
    if found.deployment is None or found.after is None:
        console.print(f"{found.result.status.value}: {found.result.reason or 'no plan was found'}")
        return
    if found.moves:
        columns = ("application", "block", "to", "route of its parameters", "bytes", "energy", "time", "cost")
        moving = f"{len(found.moves)} {'block moves' if len(found.moves) == 1 else 'blocks move'}"
        title = f"{moving} ({found.result.status.value})"
        rows = [_row(instance, move) for move in found.moves]
        console.print(table(title, columns, rows, text_columns=4))
    else:
        console.print(f"Nothing moves ({found.result.status.value})")
    before = "not possible" if found.before is None else amount(found.before, instance)
    numbers = [
        ("running before", before),
        ("running after", amount(found.after, instance)),
        ("moving", _cost(found.moving, instance)),
        (f"both over the horizon of {found.horizon:g} {_of_horizon(instance)}", _cost(found.total or 0.0, instance)),
    ]
    console.print(table("Costs", ("what", "cost"), numbers))
    if found.pays_back_after is not None:
        console.print(f"The moves have paid for themselves after {found.pays_back_after:.4g} {_of_horizon(instance)}")
    if found.contradiction is not None:
        console.print(f"contradiction: {found.contradiction}")


def _of_horizon(instance: Instance) -> str:
    return "inferences" if instance.applications[0].rate_per_s is None else "s"


def _cost(value: float, instance: Instance) -> str:
    unit = instance.inference_unit
    return sized(value, unit, 5) if unit == Quantity.JOULES.value else f"{value:.5g} {unit}"


def _row(instance: Instance, move: Move) -> tuple[str, ...]:
    route = " ".join(move.route) if move.route else f"{move.target} has them"
    energy, time = with_unit(move.energy_j, Quantity.JOULES, 4), with_unit(move.time_s, Quantity.SECONDS, 4)
    cost = f"{move.cost:.4g} {instance.inference_unit}"
    return (move.application, str(move.block), move.target, route, f"{move.parameter_bytes:g}", energy, time, cost)


def to_json(instance: Instance, found: Replan) -> dict[str, Any]:
    """Return all numbers for `--json`."""
    return {
        "instance": instance.name,
        "status": found.result.status.value,
        "reason": found.result.reason,
        "unit": instance.objective_unit,
        "horizon": found.horizon,
        "running_before": found.before,
        "old_plan_breaks": [one.message for one in found.broken],
        "running_after": found.after,
        "moving": found.moving,
        "total": found.total,
        "lower_bound": None if found.result.lower_bound is None else found.result.lower_bound * found.horizon,
        "pays_back_after": found.pays_back_after,
        "moves": [asdict(move) for move in found.moves],
        "contradiction": found.contradiction,
        "deployment": None if found.deployment is None else found.deployment.model_dump(mode="json"),
    }
