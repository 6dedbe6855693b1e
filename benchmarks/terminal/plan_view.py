"""Plans that hold under load, on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from finbench.benchmarks.analysis.numbers import fixed_percent
from finbench.benchmarks.analysis.units import significant
from finbench.benchmarks.planning.comparison import PricedPlan, nines
from finbench.benchmarks.planning.fixed_point import Borne, Ending, FixedPoint, Round
from finbench.benchmarks.planning.options import PlanningOptions
from finbench.benchmarks.terminal.console import output, table
from finbench.benchmarks.terminal.stress_view import amount
from finbench.models.instance import Instance

SHOWN = 6
"""Names of applications that are shown at most."""


def print_fixed_point(instance: Instance, found: FixedPoint, options: PlanningOptions) -> None:
    """Print a table of rounds, how they ended, and who keeps no target."""
    console = output()
    columns = ("round", "method ended", "plan takes", "within δ, worst application", "of all samples", "hopeless")
    rows = [_round(instance, number, one) for number, one in enumerate(found.rounds, start=1)]
    how = "Planned and simulated" if len(found.rounds) == 1 else "Planned and simulated in turn"
    title = f"{how}: {options.until_simulated:.6g} of {_whose(options)} samples shall meet δ"
    console.print(table(title, columns, rows, text_columns=2))
    for line in verdict(instance, found, options):
        console.print(line)


def verdict(instance: Instance, found: FixedPoint, options: PlanningOptions) -> list[str]:
    """Return how the rounds ended, in lines for people."""
    if found.best is None:
        return ["no plan was found"]
    lines = [_ended(instance, found.outcome, found.best, options)]
    if found.outcome is not Ending.HOLDS:
        late = sorted(
            (one.within.value, one.application)
            for one in found.best.met.applications
            if one.within.value < options.until_simulated
        )
        named = ", ".join(f"{name} ({fixed_percent(share)} %)" for share, name in late[:SHOWN])
        more = f" and {len(late) - SHOWN} more" if len(late) > SHOWN else ""
        lines.append(f"too late too often: {named}{more}")
        never = sorted({name for one in found.rounds for name in one.hopeless})
        if never:
            lines.append(f"no placement was in time for, with the waits of some round: {_names(never)}")
    return lines


def _ended(instance: Instance, outcome: Ending, best: Borne, options: PlanningOptions) -> str:
    told = f"{amount(best.objective, instance)} with {fixed_percent(best.share(options.of), 3)} % within δ"
    if outcome is Ending.HOLDS:
        return f"The plan holds: {told}"
    reasons = {
        Ending.CYCLE: "the same plans come back, however long the waits are taken",
        Ending.NOTHING_FOUND: "nothing is found with the waits that were measured",
        Ending.ROUNDS_USED: "all rounds are used up",
        Ending.ONCE: "it was planned once, with headroom",
    }
    return f"No plan holds: {reasons[outcome]}; the best takes {told}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _whose(options: PlanningOptions) -> str:
    return "each application's" if options.of == "each" else "all"


def _round(instance: Instance, number: int, one: Round) -> tuple[str, ...]:
    status = f"{one.status}, as before" if one.repeated else one.status
    plan = one.plan
    if plan is None:
        return (str(number), status, "", "", "", str(len(one.hopeless)))
    shares = (f"{fixed_percent(plan.within, 3)} %", f"{fixed_percent(plan.within_of_all, 3)} %")
    return (str(number), status, amount(plan.objective, instance), *shares, str(len(one.hopeless)))


def print_compared(instance: Instance, found: Sequence[PricedPlan]) -> None:
    """Print a table of ways of planning: what each plan costs, and how many samples it keeps in time."""
    columns = ("planned with", "ended", "plan takes", "more", "within δ, worst application", "nines", "of all samples")
    base = next((one.plan.objective for one in found if one.plan is not None and one.at is None), None)
    rows = [_priced(instance, one, base) for one in found]
    output().print(table("What holding under load costs", columns, rows, text_columns=2))


def _priced(instance: Instance, one: PricedPlan, base: float | None) -> tuple[str, ...]:
    if one.plan is None:
        return (str(one), one.outcome, "", "", "", "", "")
    plan = one.plan
    more = f"{100 * (plan.objective / base - 1):+.1f} %" if base else ""
    count = nines(plan.within)
    told = "all" if count == inf else significant(count, 2)
    return (
        str(one), one.outcome, amount(plan.objective, instance), more,
        f"{fixed_percent(plan.within, 3)} %", told, f"{fixed_percent(plan.within_of_all, 3)} %",
    )  # fmt: skip


def _plan_json(plan: Borne | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    shares = {one.application: one.within.value for one in plan.met.applications}
    return {
        "objective": plan.objective,
        "within": plan.within,
        "within_of_all": plan.within_of_all,
        "within_by_application": shares,
        "deployment": plan.deployment.model_dump(mode="json"),
    }


def to_json(instance: Instance, found: FixedPoint, options: PlanningOptions) -> dict[str, Any]:
    """Return all numbers of the rounds for `--json`."""
    rounds = [
        {
            "status": one.status,
            "objective": None if one.plan is None else one.plan.objective,
            "within": None if one.plan is None else one.plan.within,
            "within_of_all": None if one.plan is None else one.plan.within_of_all,
            "hopeless": list(one.hopeless),
            "repeated": one.repeated,
        }
        for one in found.rounds
    ]
    return {
        "instance": instance.name,
        "unit": instance.objective_unit,
        "options": options.model_dump(),
        "outcome": found.outcome.value,
        "rounds": rounds,
        "best": _plan_json(found.best),
    }


def compared_to_json(instance: Instance, found: Sequence[PricedPlan], options: PlanningOptions) -> dict[str, Any]:
    """Return all numbers of a comparison for `--json`."""
    plans = [
        {"kind": one.kind.value, "at": one.at, "outcome": one.outcome, "plan": _plan_json(one.plan)} for one in found
    ]
    return {"instance": instance.name, "unit": instance.objective_unit, "options": options.model_dump(), "plans": plans}
