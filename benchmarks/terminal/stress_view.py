"""A plan under stress on a terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from finbench.benchmarks.analysis.numbers import fixed_percent
from finbench.benchmarks.analysis.units import Quantity, with_unit
from finbench.benchmarks.robustness.drift import Drifted
from finbench.benchmarks.robustness.stress import Stress, Stressed
from finbench.benchmarks.terminal.console import output, table
from finbench.models.instance import Instance, Objective

SHOWN = 5
"""Numbers at worst that are shown, those first that come nearest to their limits."""


def amount(value: float, instance: Instance) -> str:
    """Return an objective with its unit."""
    quantity = {"J": Quantity.JOULES, "W": Quantity.WATTS}.get(instance.objective_unit)
    if quantity is None or instance.objective is not Objective.ENERGY:
        return f"{value:.5g} {instance.objective_unit}"
    return with_unit(value, quantity, 5)


def print_stress(instance: Instance, found: Stress) -> None:
    """Print what breaks, what keeping the plan costs, what a new one costs; last, what drift does."""
    console = output()
    columns = ("what happens", "breaks", "plan kept", "planned anew", "saved")
    rows = [_row(instance, one) for one in found.results]
    title = f"The plan takes {amount(found.planned, instance)}; {found.method} plans anew"
    console.print(table(title, columns, rows))
    firm = sum(one.holds for one in found.results)
    helped = sum(not one.holds and one.replanned is not None for one in found.results)
    lost = len(found.results) - firm - helped
    console.print(f"{firm} of {len(found.results)} break nothing, {helped} are mended by a new plan, {lost} by none")
    console.print(_drift(found))
    stands = "any drift" if found.drift.stands >= 1 else f"a drift of {fixed_percent(found.drift.stands, 1)} %"
    console.print(f"Of exit shares the plan stands {stands} without breaking a target or a capacity")


def _row(instance: Instance, one: Stressed) -> tuple[str, ...]:
    broken = f"{len(one.broken)} of {len(instance.applications)}" if one.broken else ""
    overloaded = f"{len(one.overloaded)} overloaded" if one.overloaded else ""
    saves = one.holds and one.replanned is not None and one.kept is not None
    saved = f"{fixed_percent(_saving(one.kept or 0.0, one.replanned or 0.0), 1)} %" if saves else ""
    anew = one.outcome if one.replanned is None else amount(one.replanned, instance)
    kept = "not possible" if one.kept is None else amount(one.kept, instance)
    return (str(one.disturbance), ", ".join(filter(None, (broken, overloaded))) or "nothing", kept, anew, saved)


def _saving(kept: float, replanned: float) -> float:
    return max(0.0, 1 - replanned / kept) if kept > 0 else 0.0


def _drift(found: Stress) -> Any:
    numbers = sorted(found.drift.numbers, key=lambda one: -_fullness(one))[:SHOWN]
    title = f"Exit shares that drift by {fixed_percent(found.drift.distance, 0)} %, at worst"
    rows = [(f"{one.what} of {one.subject}", *_numbers(one)) for one in numbers]
    return table(title, ("number", "planned", "at worst", "limit"), rows)


def _fullness(one: Drifted) -> float:
    """Return how far the worst is along to its limit; for energies, how much it grows."""
    base = one.planned if one.limit is None else one.limit
    return one.worst / base if base > 0 else 0.0


def _shown(one: Drifted, value: float) -> str:
    quantity = {"energy": Quantity.JOULES, "latency": Quantity.SECONDS}.get(one.what)
    return f"{fixed_percent(value, 1)} %" if quantity is None else with_unit(value, quantity, 5)


def _numbers(one: Drifted) -> tuple[str, str, str]:
    limit = "" if one.limit is None else _shown(one, one.limit) + (" broken" if one.breaks else "")
    return _shown(one, one.planned), _shown(one, one.worst), limit


def to_json(instance: Instance, found: Stress) -> dict[str, Any]:
    """Return all numbers for `--json`."""
    return {
        "planned": found.planned,
        "unit": instance.objective_unit,
        "method": found.method,
        "disturbances": [
            {**asdict(one.disturbance), **{k: v for k, v in asdict(one).items() if k != "disturbance"}}
            for one in found.results
        ],
        "drift": asdict(found.drift),
    }
