"""What `finbench explain` shows: obstacles, what is missing, shadow prices, upgrades; as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from finbench.benchmarks.analysis.numbers import number, percent, rounded_up
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.upgrades_view import SHOWN, print_enablers, print_left_out, print_upgrades
from finbench.models.instance import Instance, Objective

if TYPE_CHECKING:
    from finbench.fin_graph.joint.explanation.elastic import CapacityGrowth
    from finbench.fin_graph.joint.explanation.enablers import Enablers
    from finbench.fin_graph.joint.explanation.explain import Explanation, Need, Obstacle, Price, SoleNeed


def to_json(instance: Instance, explanation: Explanation) -> dict[str, Any]:
    """Return the object that `explain --json` prints."""
    result = explanation.result
    return {
        "instance": instance.name,
        "status": result.status.value,
        "fits": explanation.fits,
        "reason": result.reason,
        "minimised": instance.objective.value,
        "objective_unit": instance.objective_unit,
        "objective": result.claimed_objective,
        "lower_bound": result.lower_bound,
        "rejected": result.info.get("rejected", {}),
        "obstacles": [asdict(obstacle) for obstacle in explanation.obstacles],
        "factor": _growth(explanation.factor),
        "fix": _growth(explanation.fix),
        "needs": [{**asdict(need), "relative": need.relative} for need in explanation.needs],
        "sole": [_sole_json(one) for one in explanation.sole],
        "sole_left_out": explanation.sole_left_out,
        "prices": [_price_json(instance, price) for price in explanation.prices],
        "upgrades": [asdict(upgrade) for upgrade in explanation.upgrades.ranked],
        "upgrades_left_out": list(explanation.upgrades.left_out),
        "relief": None if explanation.relief is None else asdict(explanation.relief),
        "enablers": None if explanation.enablers is None else _enablers_json(explanation.enablers),
    }


def _sole_json(sole: SoleNeed) -> dict[str, Any]:
    needs = [{**asdict(need), "relative": need.relative} for need in sole.needs]
    return {"needs": needs, "growth": _growth(sole.growth)}


def _price_json(instance: Instance, price: Price) -> dict[str, Any]:
    """Return a price; what the whole is worth stands as `price_w` where it is a power, else as `whole`."""
    table = asdict(price)
    whole = table.pop("price_w")
    return {**table, ("price_w" if instance.objective is Objective.ENERGY else "whole"): whole}


def _growth(growth: CapacityGrowth | None) -> dict[str, float] | None:
    return None if growth is None else {"value": growth.value, "lower_bound": growth.lower_bound}


def _enablers_json(enablers: Enablers) -> dict[str, Any]:
    found = [
        {"parts": [{"kind": part.kind, "subject": part.subject} for part in one.parts], "factor": one.factor}
        for one in enablers.found
    ]
    return {"found": found, "left_out": enablers.left_out}


def print_explanation(instance: Instance, explanation: Explanation) -> None:
    """Print obstacles and what is missing; where everything fits, the shadow prices."""
    output, result = console.output(), explanation.result
    output.print(f"[bold]{escape(instance.name)}: {result.status.value}[/bold]")
    if result.reason:
        output.print(f"  {escape(result.reason)}")
    if explanation.fits:
        _print_prices(instance, explanation)
        print_upgrades(instance, explanation)
        return
    if explanation.obstacles:
        obstacles = [_obstacle_row(obstacle) for obstacle in explanation.obstacles]
        heads = ("application", "what would make it feasible")
        output.print(console.table("cannot be served even alone", heads, obstacles, text_columns=2))
    if explanation.enablers is not None:
        print_enablers(explanation.enablers, several=len(instance.applications) > 1)
    if explanation.factor is not None:
        output.print(f"Everything fits once every capacity grows by the factor {_between(explanation.factor)},")
    if explanation.fix is not None:
        beginning = "or once" if explanation.factor is not None else "Everything fits once"
        output.print(f"{beginning} these grow, by least in sum of relative growth:")
        rows = [_need_row(need) for need in explanation.needs]
        output.print(console.table("", NEED_COLUMNS, rows, text_columns=2))
        _print_sole(explanation)


NEED_COLUMNS = ("resource", "of", "capacity", "missing", "unit", "missing [%]")


def _need_row(need: Need) -> tuple[str, ...]:
    missing = rounded_up(need.missing, 6)
    return need.resource, need.subject, number(need.capacity, 6), missing, need.unit, percent(need.relative)


def _print_sole(explanation: Explanation) -> None:
    """Print which single resource, or else which node, would do by growing alone."""
    output, together = console.output(), any(len(one.needs) > 1 for one in explanation.sole)
    if explanation.sole:
        which = "one of these nodes, in all that is listed" if together else "one of these"
        rows = [_need_row(need) for one in explanation.sole[:SHOWN] for need in one.needs]
        output.print(console.table(f"what to buy: enough by itself: {which}", NEED_COLUMNS, rows, text_columns=2))
    elif not explanation.sole_left_out:
        output.print("no single resource and no single node would do by growing alone")
    print_left_out(explanation.sole_left_out, ("resources and nodes", "resource or node"))


def _print_prices(instance: Instance, explanation: Explanation) -> None:
    """Print shadow prices, and why applications are rejected."""
    output = console.output()
    rows = [
        (
            price.resource,
            price.subject,
            number(price.capacity, 6),
            number(price.price, 6),
            price.unit,
            number(price.price_w, 6),
        )
        for price in explanation.prices
    ]
    if rows:
        columns = ("resource", "of", "capacity", "one more saves", "unit", f"whole [{instance.objective_unit}]")
        output.print(console.table("shadow prices", columns, rows, text_columns=2))
    else:
        output.print("no resource is scarce: more of any capacity would save nothing")
    for name, reason in explanation.result.info["rejected"].items():
        output.print(f"rejected: {escape(name)}: {escape(reason)}")


def _obstacle_row(obstacle: Obstacle) -> tuple[str, str]:
    ways = []
    if obstacle.least_latency_s is not None:
        least, asked = rounded_up(obstacle.least_latency_s, 6), number(obstacle.max_latency_s, 6)
        ways.append(f"a latency target of {least} s instead of {asked} s")
    if obstacle.most_accuracy is not None:
        most, wanted = number(obstacle.most_accuracy, 6), number(obstacle.min_accuracy, 6)
        ways.append(f"an accuracy target of {most} instead of {wanted}")
    return obstacle.application, " or ".join(ways) or f"nothing: {obstacle.reason}"


def _between(growth: CapacityGrowth) -> str:
    if growth.value - growth.lower_bound <= 1e-6 * growth.value:
        return rounded_up(growth.value, 6)
    return f"{rounded_up(growth.value, 6)} (at least {number(growth.lower_bound, 6)})"
