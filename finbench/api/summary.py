"""A solution in words and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from finbench.benchmarks.analysis.numbers import number, percent

if TYPE_CHECKING:
    import pandas as pd

    from finbench.api.solution import Solution

SHOWN = 10
"""Lines of violations, contradictions and rejections."""


def facts(solution: Solution) -> Iterator[tuple[str, str]]:
    """Yield what is to be known of a solution as pairs of a heading and a value with its unit."""
    unit = solution.instance.objective_unit
    if solution.reason:
        yield "reason", solution.reason
    if solution.objective is not None:
        yield "objective", f"{number(solution.objective)} {unit}"
    if solution.lower_bound is not None:
        yield "proven bound", f"{number(solution.lower_bound)} {unit}"
    if solution.gap is not None:
        yield "gap", f"{percent(solution.gap)} %"
    if len(solution.instance.applications) == 1:
        yield from _costs(solution)
    elif solution.evaluation is not None:
        yield "served", f"{len(solution.evaluation.applications)} of {len(solution.instance.applications)} applications"
    yield "time", f"{number(solution.time_s, 3)} s"


def _costs(solution: Solution) -> Iterator[tuple[str, str]]:
    (app,) = solution.instance.applications
    costs = solution.evaluation.applications if solution.evaluation is not None else ()
    for one in costs:
        yield "energy", f"{number(one.energy_j)} J per inference"
        yield "latency", f"{number(one.latency_s)} s of at most {number(app.max_latency_s)} s"
        yield "accuracy", f"{number(one.accuracy)} of at least {number(app.min_accuracy)}"
    if solution.deployment is not None and solution.deployment.deployments:
        decided = solution.deployment.deployments[0]
        if decided.dnn is not None:
            yield "alternative", decided.dnn
        yield "last exit", str(decided.last_exit)
        yield "placement", " → ".join(decided.placement)


def faults(solution: Solution) -> Iterator[str]:
    """Yield every violation and every claim that cannot be true, a line each, at most `SHOWN` of them."""
    lines = [f"violation: {rule.message}" for rule in solution.violations]
    lines += [f"contradiction: {line}" for line in solution.contradictions]
    yield from lines[:SHOWN]
    if len(lines) > SHOWN:
        yield f"… and {len(lines) - SHOWN} more"


def summary_text(solution: Solution) -> str:
    """Return a solution in lines of plain text."""
    pairs = list(facts(solution))
    width = max(len(heading) for heading, _ in pairs)
    head = f"{solution.instance.name} · {solution.judged.variant}: {solution.status}"
    return "\n".join([head, *(f"  {heading:<{width}}  {value}" for heading, value in pairs), *faults(solution)])


def application_frame(solution: Solution) -> pd.DataFrame:
    """Return a row for each application (`Solution.to_frame`)."""
    import pandas as pd

    evaluation, deployment = solution.evaluation, solution.deployment
    costs = {} if evaluation is None else {one.application: one for one in evaluation.applications}
    decided = {} if deployment is None else {one.application: one for one in deployment.deployments}
    rows: list[dict[str, Any]] = []
    for app in solution.instance.applications:
        cost, decision = costs.get(app.name), decided.get(app.name)
        rows.append(
            {
                "application": app.name,
                "served": decision is not None,
                "dnn": app.dnn if decision is None or decision.dnn is None else decision.dnn,
                "last_exit": None if decision is None else decision.last_exit,
                "placement": None if decision is None else decision.placement,
                "energy_j": None if cost is None else cost.energy_j,
                "latency_s": None if cost is None else cost.latency_s,
                "max_latency_s": app.max_latency_s,
                "accuracy": None if cost is None else cost.accuracy,
                "min_accuracy": app.min_accuracy,
            }
        )
    return pd.DataFrame(rows)
