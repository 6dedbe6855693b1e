"""What `finbench frontier --against` shows: energy against carbon or money, as a table and as JSON."""

from __future__ import annotations

from typing import Any

from finbench.benchmarks.analysis.numbers import number
from finbench.benchmarks.judging.trade_off import TradeOff, WeighedPoint
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.frontier_view import COST_KEYS
from finbench.models.instance import OBJECTIVE_UNITS, Instance


def to_json(instance: Instance, found: TradeOff) -> dict[str, Any]:
    """Return all points at full precision, with their deployments."""
    key = COST_KEYS[found.other]
    return {
        "instance": instance.name,
        "against": found.other.value,
        "latency_kind": instance.latency_kind.value,
        "latency_quantile": instance.latency_quantile,
        "complete": found.complete,
        "points": [
            {
                "energy_j": point.energy_j,
                key: point.other,
                "latency_s": point.latency_s,
                "accuracy": point.accuracy,
                "deployment": point.deployment.model_dump(mode="json"),
            }
            for point in found.points
        ],
    }


def print_trade_off(instance: Instance, found: TradeOff) -> None:
    """Print one row for each deployment that is least for some weighing of the two."""
    unit = OBJECTIVE_UNITS[found.other][0]
    columns = ("last exit", "blocks at", "energy [J]", f"{found.other} [{unit}]", "latency [s]", "accuracy")
    share = (
        "" if instance.latency_quantile is None else f", {number(100 * instance.latency_quantile)} % of samples in time"
    )
    title = f"{instance.name}: energy against {found.other} per inference{share}"
    screen = console.output()
    screen.print(console.table(title, columns, [_row(point) for point in found.points], text_columns=2))
    if not found.complete:
        screen.print("the time limit ended the search: there may be more points")


def _row(point: WeighedPoint) -> tuple[str, ...]:
    blocks = ", ".join(point.deployment.placement)
    amounts = (point.energy_j, point.other, point.latency_s, point.accuracy)
    return (str(point.deployment.last_exit), blocks, *(number(amount, 7) for amount in amounts))
