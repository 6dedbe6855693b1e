"""Several methods on one instance, side by side, on the terminal."""

from __future__ import annotations

from rich.markup import escape

from finbench.benchmarks.analysis.numbers import number, percent
from finbench.benchmarks.judging.comparison import Comparison
from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.terminal.console import output, table
from finbench.models.instance import Instance

PRIORITY = ("method", "energy [J]", "energy [W]", "gap to best bound [%]", "time [s]", "status")
"""Columns that stand beside each other before all others where there is little room."""


def print_comparison(comparison: Comparison) -> None:
    """Print all methods on one instance, each energy against the best proven bound; contradictions last."""
    console, instance = output(), comparison.instance
    energy = f"{instance.objective.value} [{instance.objective_unit}]"
    costs = ("rejected",) if len(instance.applications) > 1 else ("latency [s]", "accuracy")
    chosen = ("DNN",) if any(run.chosen_dnn for run in comparison.runs) else ()
    columns = ("method", "status", *chosen, energy, "gap to best bound [%]", *costs, "time [s]")
    rows = [_comparison_row(run, comparison.gap(run), chosen=bool(chosen)) for run in comparison.runs]
    title, texts = f"{instance.name}: {targets(instance)}", 2 + len(chosen)
    console.print(table(title, columns, rows, text_columns=texts, priority=PRIORITY))
    for run in comparison.runs:
        if run.result.reason:
            console.print(f"  {escape(run.variant)}: {escape(run.result.reason)}")
    for line in comparison.contradictions:
        console.print(f"[red]contradiction[/red]: {escape(line)}")


def targets(instance: Instance) -> str:
    """Return the targets and definitions of an instance, for a title."""
    choices = f"accounting {instance.accounting.value}, latency {instance.latency_kind.value}"
    if instance.latency_quantile is not None:
        choices += f" {number(instance.latency_quantile)}"
    if len(instance.applications) > 1:
        return f"{len(instance.applications)} applications, {choices}"
    app = instance.applications[0]
    return f"latency ≤ {number(app.max_latency_s)} s, accuracy ≥ {number(app.min_accuracy)}, {choices}"


def _comparison_row(run: Judged, gap: float | None, *, chosen: bool) -> tuple[str, ...]:
    status = f"{run.status} (violations)" if run.violations else run.status
    dnn = (run.chosen_dnn or "–",) if chosen else ()
    return (run.variant, status, *dnn, number(run.objective), percent(gap), *_quality(run), number(run.time_s, 3))


def _quality(run: Judged) -> tuple[str, ...]:
    """Return latency and accuracy of a single application; for several, how many are rejected."""
    if len(run.instance.applications) > 1:
        return ("–" if run.evaluation is None else str(len(run.evaluation.rejected)),)
    shown = run.to_json()
    return (number(shown["latency_s"], 6), number(shown["accuracy"]))
