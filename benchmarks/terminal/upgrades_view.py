"""What to buy: what faster nodes and links and looser targets would save, or make feasible, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from finbench.benchmarks.analysis.numbers import number, rounded_up
from finbench.benchmarks.terminal import console
from finbench.models.instance import Instance
from finbench.models.result import Status

if TYPE_CHECKING:
    from finbench.fin_graph.joint.explanation.enablers import Enabler, Enablers
    from finbench.fin_graph.joint.explanation.explain import Explanation
    from finbench.fin_graph.joint.explanation.targets import Relief
    from finbench.fin_graph.joint.explanation.upgrades import Upgrade

SHOWN = 10
"""Rows of a table; `--json` has all."""

PARTS = ("nodes and links", "node or link")
"""Many, one."""


def print_upgrades(instance: Instance, explanation: Explanation) -> None:
    """Print the upgrades that save most, what time left out, and what looser targets would save."""
    objective = explanation.result.claimed_objective or 0.0
    upgrades, screen = explanation.upgrades, console.output()
    best = [upgrade for upgrade in upgrades.ranked if upgrade.most > 0]
    if best:
        factors = [f"{saving.factor:g} ×" for saving in best[0].savings]
        title = f"what to buy: saved [{instance.objective_unit}] by being faster, at equal energy per operation and bit"
        rows = [(one.subject, *(_part_of(saving.saving, objective) for saving in one.savings)) for one in best[:SHOWN]]
        screen.print(console.table(title, ("node or link", *factors), rows))
        if len(best) > SHOWN:
            screen.print(f"… and {len(best) - SHOWN} more; --json has all")
    if upgrades.ranked:
        screen.print(_others(upgrades.ranked, len(best), instance.objective_unit), markup=False)
    print_left_out(len(upgrades.left_out))
    if best and explanation.result.status is not Status.OPTIMAL:
        screen.print("savings are against the deployment that was found, which is not proven to be the best")
    if explanation.relief is not None:
        _print_relief(instance, explanation.relief, objective)


def print_left_out(count: int, things: tuple[str, str] = PARTS) -> None:
    """Print how many things time left no room for; nothing where there is none."""
    if count:
        which = f"{count} {things[count == 1]}"
        console.output().print(f"not looked at for want of time: {which} (a longer --time-limit does)")


def _part_of(saving: float, objective: float) -> str:
    """Return a saving and the part of the objective that it is."""
    return "–" if saving <= 0 else f"{number(saving, 4)} ({number(100 * saving / objective, 3)} %)"


def _others(upgrades: Sequence[Upgrade], saving: int, unit: str) -> str:
    """Return what is proven of the parts that save nothing, where `saving` of all do save something."""
    others = [upgrade for upgrade in upgrades if upgrade.most <= 0]
    if not others:
        return "every node and link saves something by being faster"
    which = f"the {len(others)} {'other ' if saving else ''}{PARTS[len(others) == 1]}"
    most = max(one.at_most for upgrade in others for one in upgrade.savings)
    if most <= 0:
        return f"proven to save nothing by being faster: {which}"
    return f"no saving was found by making faster: {which}; proven: none saves more than {rounded_up(most, 3)} {unit}"


def _print_relief(instance: Instance, relief: Relief, objective: float) -> None:
    """Print what looser targets of a single application would save."""
    (app,), unit, screen = instance.applications, instance.objective_unit, console.output()
    rows = [
        (f"latency {_ms(app.max_latency_s * step.factor)} instead of {_ms(app.max_latency_s)}", step.saving)
        for step in relief.latency
    ]
    most = -1.0
    for step in relief.exits:
        if step.saving > most:  # a still lower target that saves no more is no news
            rows.append(
                (f"accuracy {number(step.min_accuracy, 4)} instead of {number(app.min_accuracy, 4)}", step.saving)
            )
            most = step.saving
    cells = [(target, _part_of(saving, objective)) for target, saving in rows]
    screen.print(console.table("looser targets", ("target", f"saves [{unit}]"), cells))
    if relief.latency_price is not None:
        price = number(relief.latency_price * 1e-3, 4)
        screen.print(f"price of latency: {price} {unit} per ms (from the Lagrangian dual)", markup=False)


def _ms(time_s: float) -> str:
    return f"{number(1e3 * time_s, 5)} ms"


def print_enablers(enablers: Enablers, *, several: bool) -> None:
    """Print which node or link, or else which two, would have to be faster so that the target can be met."""
    from finbench.fin_graph.joint.explanation.enablers import GREATEST

    screen = console.output()
    singles = [one for one in enablers.found if len(one.parts) == 1]
    aim = "so that all latency targets can be met, capacities aside" if several else "so that the target can be met"
    if enablers.found and not singles:
        screen.print("no single node or link that is faster would do")
    if enablers.found:
        which = "one of these" if singles else "one of these pairs"
        rows = [_enabler_row(one) for one in enablers.found[:SHOWN]]
        title = f"what to buy: {which}, faster at equal energy, {aim}"
        screen.print(console.table(title, ("nodes and links", "times as fast"), rows))
    else:
        none = (
            f"no node or link that is up to {GREATEST:g} times as fast would do, and no two of those that matter most"
        )
        screen.print(none)
    print_left_out(enablers.left_out)


def _enabler_row(enabler: Enabler) -> tuple[str, str]:
    return " and ".join(part.subject for part in enabler.parts), rounded_up(enabler.factor, 5)
