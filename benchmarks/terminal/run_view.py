"""One judged run on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from finbench.benchmarks.analysis.numbers import fixed_percent, number, percent, plural
from finbench.benchmarks.judging.contradictions import contradictions
from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.terminal.console import output, table
from finbench.models.evaluate import ApplicationEvaluation, Evaluation, Violation
from finbench.models.instance import OBJECTIVE_UNITS, Application, Instance, Objective
from finbench.models.loads import UNITS
from finbench.models.result import Status

FULLEST, REJECTED, BROKEN = 10, 10, 10
"""Rows of the tables of resources and of rejections; lines of violations, and of contradictions. `--json` has all."""

NOT_USED = "not used"
"""What a method says of a warm start that it could not take."""


def print_judged(judged: Judged) -> None:
    """Print one run on one application: status, costs against targets, bound, times, and the placement drawn."""
    console = output()
    print_status(console, judged)
    rows = _cost_rows(judged)
    if rows:
        console.print(table("", ("", "value", "target"), rows))
    print_broken(console, judged)
    if judged.evaluation is not None and judged.objective is not None:
        console.print(_placement(judged))
    print_rejections(console, judged)
    print_uses(console, judged)
    _print_runners_up(console, judged)
    _print_sandwich(console, judged)


def print_status(console: Console, judged: Judged) -> None:
    """Print how the run ended and why, and a warm start that was not used."""
    given = f" · {judged.variant}" if judged.method else ""
    console.print(f"[bold]{escape(judged.instance.name)}{escape(given)}: {judged.status}[/bold]")
    if judged.result.reason:
        console.print(f"  {escape(judged.result.reason)}")
    unused = _unused_start(judged.result.info.get("warm_start"))
    if unused is not None:
        console.print(f"  warm start {escape(unused)}")


def _unused_start(told: Any) -> str | None:
    """Return why a warm start was not used; None where it was, or where there was none."""
    if isinstance(told, str):
        return told if told.startswith(NOT_USED) else None
    if not isinstance(told, Mapping):
        return None
    if told["status"] not in (Status.OPTIMAL, Status.FEASIBLE):
        return f"{NOT_USED}: {told['method']} ended as {told['status']}"
    return _unused_start(told.get("use"))


def print_broken(console: Console, judged: Judged) -> None:
    """Print the rules that the deployment breaks, the worst first, and the claims of the method that are not true."""
    broken = [f"[red]violation[/red] ({rule.kind.value}): {escape(rule.message)}" for rule in _worst(judged.violations)]
    wrong = [f"[red]contradiction[/red]: {escape(line)}" for line in contradictions([judged])]
    for lines, noun in ((broken, "violation"), (wrong, "contradiction")):
        for line in lines[:BROKEN]:
            console.print(line)
        rest = len(lines) - BROKEN
        if rest > 0:
            console.print(f"… and {rest} more {plural(rest, noun)}")


def _worst(violations: Sequence[Violation]) -> list[Violation]:
    """Return the violations: structural ones first, then the farthest beyond their limit; ties keep their order."""
    return sorted(violations, key=lambda v: v.excess is not None and -v.excess / max(abs(v.limit or 0.0), 1e-300))


def print_uses(console: Console, judged: Judged) -> None:
    """Print the fullest nodes and links, where there are rates."""
    rows = [
        (
            use.subject,
            use.resource.value,
            number(use.load, 4),
            number(use.limit, 4),
            UNITS[use.resource],
            fixed_percent(use.utilisation),
        )
        for use in judged.uses
    ]
    if rows:
        columns = ("node or link", "resource", "load", "limit", "unit", "used [%]")
        heading = f"the {FULLEST} fullest of {len(rows)} used resources" if len(rows) > FULLEST else "used resources"
        console.print(table(heading, columns, rows[:FULLEST], text_columns=2))


def print_rejections(console: Console, judged: Judged) -> None:
    """Print the applications that are rejected, and why."""
    rows = [
        (rejection.application, rejection.reason or "–", number(rejection.penalty_w, 5))
        for rejection in judged.rejections
    ]
    if rows:
        columns = ("rejected", "reason", f"penalty [{judged.instance.objective_unit}]")
        console.print(table("rejected applications", columns, first(rows, REJECTED), text_columns=2))


def first(rows: Sequence[tuple[str, ...]], most: int) -> list[tuple[str, ...]]:
    """Return at most `most` rows, and one more that counts the others."""
    rest = len(rows) - most
    return list(rows) if rest <= 0 else [*rows[:most], (f"… and {rest} more", *[""] * (len(rows[0]) - 1))]


def _print_runners_up(console: Console, judged: Judged) -> None:
    """Print the next-best deployments of label setting's `k`."""
    rows = []
    for rank, other in enumerate(judged.result.info.get("runners_up", ()), start=2):
        routes = [" → ".join(route) if route else "" for route in other["deployment"]["routes"]]
        stops = [route or node for route, node in zip(routes, other["deployment"]["placement"], strict=True)]
        chosen = f"{other['deployment']['dnn']}: " if other["deployment"].get("dnn") else ""
        rows.append((str(rank), chosen + ", ".join(stops), number(other["energy_j"], 10)))
    if rows:
        columns = ("rank", "blocks and routes", f"{judged.instance.objective.value} [{judged.instance.inference_unit}]")
        console.print(table("next-best deployments", columns, rows, text_columns=2))


def _print_sandwich(console: Console, judged: Judged) -> None:
    """Print FIN's own certificate, from doubling to doubling."""
    steps = judged.result.info.get("sandwich", ())
    rows = [(str(s["gamma"]), number(s["lower_bound_j"], 10), number(s["energy_j"], 10)) for s in steps]
    if rows:
        unit, name = judged.instance.inference_unit, judged.instance.objective.value
        columns = ("γ", f"proven lower bound [{unit}]", f"{name} [{unit}]")
        console.print(table("certificate", columns, rows, text_columns=0))


def _cost_rows(judged: Judged) -> list[tuple[str, str, str]]:
    rows = [] if judged.evaluation is None else _evaluation_rows(judged.instance, judged.evaluation)
    bound, weight = judged.lower_bound, judged.instance.applications[0].weight
    if bound is not None:
        rows.append((f"proven lower bound [{judged.instance.inference_unit}]", number(bound / weight, 10), ""))
    if judged.gap is not None:
        rows.append(("gap to own bound [%]", percent(judged.gap), ""))
    rows += [(f"time: {phase} [s]", number(seconds, 4), "") for phase, seconds in judged.result.times_s.items()]
    return rows


def _evaluation_rows(instance: Instance, evaluation: Evaluation) -> list[tuple[str, str, str]]:
    rows, app = [], instance.applications[0]
    for costs in evaluation.applications:
        rows += [
            ("energy per inference [J]", number(costs.energy_j, 10), ""),
            ("  computing [J]", number(costs.compute_energy_j, 10), ""),
            ("  transfers [J]", number(costs.transfer_energy_j, 10), ""),
            *_other_costs(instance, costs),
            ("latency [s]", number(costs.latency_s, 10), f"≤ {number(app.max_latency_s, 10)}"),
            ("accuracy", number(costs.accuracy, 10), f"≥ {number(app.min_accuracy, 10)}"),
        ]
    if app.rate_per_s is not None and evaluation.objective is not None:
        rows.append((total_label(instance), number(evaluation.objective, 10), ""))
    return rows


def total_label(instance: Instance) -> str:
    """Return what the objective of applications with rates is called: power, or carbon or money per second."""
    name = "power" if instance.objective is Objective.ENERGY else instance.objective.value
    return f"total {name} [{instance.objective_unit}]"


def _other_costs(instance: Instance, costs: ApplicationEvaluation) -> list[tuple[str, str, str]]:
    """Return rows of carbon and money per inference: the one that is minimised, and what is not 0."""
    amounts = {Objective.CARBON: costs.carbon_g, Objective.MONEY: costs.money}
    return [
        (f"{kind.value} per inference [{OBJECTIVE_UNITS[kind][0]}]", number(amount, 10), "")
        for kind, amount in amounts.items()
        if amount > 0 or kind is instance.objective
    ]


def _placement(judged: Judged) -> Tree:
    assert judged.result.deployment is not None
    tree = Tree("[bold]placement[/bold]")
    apps = {app.name: app for app in judged.instance.applications}
    for decision in judged.result.deployment.deployments:
        app = apps[decision.application]
        choice = app.choice(decision.dnn) or app
        named = "" if decision.dnn is None else f", runs {decision.dnn}"
        branch = tree.add(escape(f"{app.name}: sample arises at {app.source}{named}"))
        routes = decision.routes_from(app.source)
        for i, (node, route) in enumerate(zip(decision.placement, routes, strict=True), start=1):
            branch.add(escape(_block_line(judged.instance, choice, i, node, route)))
        branch.add(f"last exit {decision.last_exit}")
    return tree


def _block_line(instance: Instance, app: Application, block: int, node: str, route: Sequence[str]) -> str:
    pinned = " (pinned)" if block in app.pins else ""
    line = f"block {block} at {node}{pinned}"
    if len(route) < 2:
        return line
    return f"{line}, sent {' → '.join(route)} ({number(instance.dnn_of(app).transfer_bits(block))} bit)"
