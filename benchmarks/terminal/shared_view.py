"""A run on many applications, on a terminal: what people look for first, and never more than a few screens."""

from __future__ import annotations

from itertools import groupby

from finbench.benchmarks.analysis.numbers import fixed_percent, number, percent
from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.console import table
from finbench.benchmarks.terminal.run_view import (
    first,
    print_broken,
    print_rejections,
    print_status,
    print_uses,
    total_label,
)
from finbench.models.deployment import ApplicationDeployment
from finbench.models.evaluate import ApplicationEvaluation
from finbench.models.instance import Application

APPLICATIONS = 20
"""Rows of the table of applications; `--json` has all."""

COLUMNS = (
    *("application", "source", "last exit", "placement"),
    *("energy [J]", "power [W]", "latency [s]", "at most", "accuracy", "at least"),
)


def print_shared(judged: Judged) -> None:
    """Print one run on many applications: status, power, violations, the hungriest, tiers, fullest resources."""
    screen = console.output()
    print_status(screen, judged)
    screen.print(table("", ("", "value"), _summary(judged)))
    print_broken(screen, judged)
    rows = _application_rows(judged)
    if rows:
        screen.print(table("applications, the largest power first", COLUMNS, first(rows, APPLICATIONS), text_columns=4))
    if judged.evaluation is not None and judged.evaluation.tiers:
        columns = ("tier", f"[{judged.instance.objective_unit}]", "share [%]")
        name = judged.instance.objective.value
        screen.print(table(f"{name} by tier", columns, _tier_rows(judged.evaluation.tiers)))
    print_rejections(screen, judged)
    print_uses(screen, judged)


def _summary(judged: Judged) -> list[tuple[str, str]]:
    evaluation, bound, unit = judged.evaluation, judged.result.lower_bound, judged.instance.objective_unit
    rows = []
    if evaluation is not None:
        total = len(judged.instance.applications)
        rows.append(("applications served", f"{len(evaluation.applications)} of {total}"))
    if judged.objective is not None and evaluation is not None:
        rows.append((total_label(judged.instance), number(judged.objective, 10)))
        if evaluation.rejected:
            rows.append((f"  of it penalties [{unit}]", number(evaluation.penalty_w, 10)))
    if bound is not None:
        rows.append((f"proven lower bound [{unit}]", number(bound, 10)))
    if judged.gap is not None:
        rows.append(("gap to own bound [%]", percent(judged.gap)))
    return [*rows, *((f"time: {phase} [s]", number(seconds, 4)) for phase, seconds in judged.result.times_s.items())]


def _application_rows(judged: Judged) -> list[tuple[str, ...]]:
    if judged.evaluation is None or judged.result.deployment is None:
        return []
    apps = {app.name: app for app in judged.instance.applications}
    decisions = {decision.application: decision for decision in judged.result.deployment.deployments}
    costs = sorted(judged.evaluation.applications, key=lambda c: -apps[c.application].weight * c.energy_j)
    return [_application_row(apps[c.application], decisions[c.application], c) for c in costs]


def _application_row(
    app: Application, decision: ApplicationDeployment, costs: ApplicationEvaluation
) -> tuple[str, ...]:
    return (
        app.name,
        app.source,
        str(decision.last_exit) if decision.dnn is None else f"{decision.last_exit} of {decision.dnn}",
        placement_summary(app.source, decision),
        number(costs.energy_j, 5),
        number(app.weight * costs.energy_j, 5),
        number(costs.latency_s, 5),
        number(app.max_latency_s, 5),
        number(costs.accuracy, 4),
        number(app.min_accuracy, 4),
    )


def placement_summary(source: str, decision: ApplicationDeployment) -> str:
    """Return runs of blocks with their node and the relays before it: `1–3 phone7, 4–5 edge0.1 via edge0.0`."""
    parts, steps = [], list(zip(decision.placement, decision.routes_from(source), decision.share_of_block, strict=True))
    for node, run in groupby(range(len(steps)), key=lambda k: steps[k][0]):
        blocks = list(run)
        numbers = f"{blocks[0] + 1}" if len(blocks) == 1 else f"{blocks[0] + 1}–{blocks[-1] + 1}"
        relays = steps[blocks[0]][1][1:-1]
        shares = sorted({steps[k][2] for k in blocks} - {1.0})
        reserved = f" at {', '.join(f'{share:g}' for share in shares)}" if shares else ""
        parts.append(f"{numbers} {node}{reserved}" + (f" via {', '.join(relays)}" if relays else ""))
    return ", ".join(parts)


def _tier_rows(tiers: dict[str, float]) -> list[tuple[str, ...]]:
    total = sum(tiers.values())
    return [
        (tier or "–", number(spent, 6), fixed_percent(spent / total) if total > 0 else "–")
        for tier, spent in sorted(tiers.items(), key=lambda item: -item[1])
    ]
