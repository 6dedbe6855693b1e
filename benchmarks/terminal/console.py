"""What people see on a terminal. Rich tables; full width where the output is a file or a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from finbench.benchmarks.judging.comparison import Comparison
from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.methods import METHODS, Options
from finbench.models.evaluate import Evaluation
from finbench.models.instance import Application, Instance
from finbench.models.loads import UNITS, Use
from finbench.models.milp.solvers.registry import SOLVERS, Solver

PIPE_WIDTH = 200
"""Columns where there is no terminal to ask."""

FULLEST, REJECTED = 10, 10
"""Rows of the tables of resources and of rejections; `--json` has all."""


def output() -> Console:
    """Console on standard output, made anew so that it follows a redirected stream."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def print_error(message: str) -> None:
    """One line on standard error."""
    print(f"finbench: {message}", file=sys.stderr)


def print_json(value: Any) -> None:
    """One JSON document at full precision."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def number(value: float | None, digits: int = 7) -> str:
    """A number with enough digits to compare by eye; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def percent(value: float | None) -> str:
    """A share as a percentage; tiny ones keep their magnitude."""
    if value is None:
        return "–"
    return f"{100 * value:.4f}" if value == 0 or abs(value) >= 1e-6 else f"{100 * value:.1e}"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int = 1) -> Table:
    """A table; the first `text_columns` columns hold text, the others numbers."""
    made = Table(title=escape(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for k, column in enumerate(columns):
        made.add_column(escape(column), justify="left" if k < text_columns else "right", overflow="fold")
    for row in rows:
        made.add_row(*(escape(cell) for cell in row))
    return made


def print_judged(judged: Judged) -> None:
    """One run on one application: status, costs against targets, bound, times, and the placement drawn."""
    console = output()
    print_status(console, judged)
    rows = _cost_rows(judged)
    if rows:
        console.print(table("", ("", "value", "target"), rows))
    for violation in judged.violations:
        console.print(f"[red]violation[/red] ({violation.kind.value}): {escape(violation.message)}")
    if judged.evaluation is not None and judged.objective is not None:
        console.print(_placement(judged))
    print_rejections(console, judged)
    print_uses(console, judged)
    _print_alternatives(console, judged)
    _print_sandwich(console, judged)


def print_status(console: Console, judged: Judged) -> None:
    """How the run ended, and why."""
    given = f" · {judged.label}" if judged.method else ""
    console.print(f"[bold]{escape(judged.instance.name)}{escape(given)}: {judged.status}[/bold]")
    if judged.result.reason:
        console.print(f"  {escape(judged.result.reason)}")


def print_uses(console: Console, judged: Judged) -> None:
    """The fullest nodes and links, where there are rates."""
    rows = [
        (
            use.subject,
            use.resource.value,
            number(use.load, 4),
            number(use.limit, 4),
            UNITS[use.resource],
            percent_full(use),
        )
        for use in judged.uses
    ]
    if rows:
        columns = ("node or link", "resource", "load", "limit", "unit", "used [%]")
        heading = f"the {FULLEST} fullest of {len(rows)} used resources" if len(rows) > FULLEST else "used resources"
        console.print(table(heading, columns, rows[:FULLEST], text_columns=2))


def percent_full(use: Use) -> str:
    """Utilisation as a percentage."""
    return f"{100 * use.utilisation:.2f}"


def print_rejections(console: Console, judged: Judged) -> None:
    """Who is turned away, and why."""
    rows = [
        (rejection.application, rejection.reason or "–", number(rejection.penalty_w, 5))
        for rejection in judged.rejections
    ]
    if rows:
        columns = ("rejected", "reason", "penalty [W]")
        console.print(table("rejected applications", columns, first(rows, REJECTED), text_columns=2))


def first(rows: Sequence[tuple[str, ...]], most: int) -> list[tuple[str, ...]]:
    """At most so many rows; how many more there are in one more row."""
    rest = len(rows) - most
    return list(rows) if rest <= 0 else [*rows[:most], (f"… and {rest} more", *[""] * (len(rows[0]) - 1))]


def _print_alternatives(console: Console, judged: Judged) -> None:
    """The next-best deployments of label setting's `k`."""
    rows = []
    for rank, other in enumerate(judged.result.info.get("alternatives", ()), start=2):
        routes = [" → ".join(route) if route else "" for route in other["deployment"]["routes"]]
        stops = [route or node for route, node in zip(routes, other["deployment"]["placement"], strict=True)]
        rows.append((str(rank), ", ".join(stops), number(other["energy_j"], 10)))
    if rows:
        console.print(table("next-best deployments", ("rank", "blocks and routes", "energy [J]"), rows, text_columns=2))


def _print_sandwich(console: Console, judged: Judged) -> None:
    """FIN's own certificate, from doubling to doubling."""
    steps = judged.result.info.get("sandwich", ())
    rows = [(str(s["gamma"]), number(s["lower_bound_j"], 10), number(s["energy_j"], 10)) for s in steps]
    if rows:
        console.print(table("certificate", ("γ", "proven lower bound [J]", "energy [J]"), rows, text_columns=0))


def _cost_rows(judged: Judged) -> list[tuple[str, str, str]]:
    rows = [] if judged.evaluation is None else _evaluation_rows(judged.instance, judged.evaluation)
    bound = judged.claims()["lower_bound_j"]
    if bound is not None:
        rows.append(("proven lower bound [J]", number(bound, 10), ""))
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
            ("latency [s]", number(costs.latency_s, 10), f"≤ {number(app.max_latency_s, 10)}"),
            ("accuracy", number(costs.accuracy, 10), f"≥ {number(app.min_accuracy, 10)}"),
        ]
    if app.rate_per_s is not None and evaluation.objective is not None:
        rows.append(("total power [W]", number(evaluation.objective, 10), ""))
    return rows


def _placement(judged: Judged) -> Tree:
    assert judged.result.deployment is not None
    tree = Tree("[bold]placement[/bold]")
    apps = {app.name: app for app in judged.instance.applications}
    for decision in judged.result.deployment.deployments:
        app = apps[decision.application]
        branch = tree.add(escape(f"{app.name}: sample arises at {app.source}"))
        routes = decision.routes_from(app.source)
        for i, (node, route) in enumerate(zip(decision.placement, routes, strict=True), start=1):
            branch.add(escape(_block_line(judged.instance, app, i, node, route)))
        branch.add(f"last exit {decision.last_exit}")
    return tree


def _block_line(instance: Instance, app: Application, block: int, node: str, route: Sequence[str]) -> str:
    pinned = " (pinned)" if block in app.pins else ""
    line = f"block {block} at {node}{pinned}"
    if len(route) < 2:
        return line
    return f"{line}, sent {' → '.join(route)} ({number(instance.dnn_of(app).transfer_bits(block))} bit)"


def print_comparison(comparison: Comparison) -> None:
    """All methods on one instance, each energy against the best proven bound; contradictions last."""
    console, instance = output(), comparison.instance
    energy = f"energy [{objective_unit(instance)}]"
    costs = ("rejected",) if len(instance.applications) > 1 else ("latency [s]", "accuracy")
    columns = ("method", "status", energy, "gap to best bound [%]", *costs, "time [s]")
    rows = [_comparison_row(run, comparison.gap(run)) for run in comparison.runs]
    console.print(table(f"{instance.name}: {targets(instance)}", columns, rows, text_columns=2))
    for run in comparison.runs:
        if run.result.reason:
            console.print(f"  {escape(run.label)}: {escape(run.result.reason)}")
    for line in comparison.contradictions:
        console.print(f"[red]contradiction[/red]: {escape(line)}")


def objective_unit(instance: Instance) -> str:
    """Unit of the objective (eq. 3)."""
    return "J" if instance.applications[0].rate_per_s is None else "W"


def targets(instance: Instance) -> str:
    """Targets and choices of an instance, for a title."""
    choices = f"accounting {instance.accounting.value}, latency {instance.latency_kind.value}"
    if len(instance.applications) > 1:
        return f"{len(instance.applications)} applications, {choices}"
    app = instance.applications[0]
    return f"latency ≤ {number(app.max_latency_s)} s, accuracy ≥ {number(app.min_accuracy)}, {choices}"


def _comparison_row(run: Judged, gap: float | None) -> tuple[str, ...]:
    status = f"{run.status} (violations)" if run.violations else run.status
    return (run.label, status, number(run.objective), percent(gap), *_quality(run), number(run.time_s, 4))


def _quality(run: Judged) -> tuple[str, ...]:
    """Latency and accuracy of one application, how many are rejected of several."""
    if len(run.instance.applications) > 1:
        return ("–" if run.evaluation is None else str(len(run.evaluation.rejected)),)
    shown = run.to_json()
    return (number(shown["latency_s"]), number(shown["accuracy"]))


def print_methods() -> None:
    """Every method, whether it proves optimality, its options; every solver, whether it is there."""
    rows = [
        (method.name, "exact" if method.exact else "heuristic", method.title, _option_names(method.options))
        for method in METHODS.values()
    ]
    console = output()
    console.print(table("methods", ("method", "kind", "how", "options (default)"), rows, text_columns=4))
    seen: dict[str, str] = {}
    for method in METHODS.values():
        for name, field in method.options.model_fields.items():
            seen.setdefault(name, field.description or "")
    console.print(table("options", ("option", "meaning"), sorted(seen.items()), text_columns=2))
    columns = ("solver", "what", "installed", "command that installs it", "without a licence at most")
    solvers = [*(_solver_row(solver) for solver in SOLVERS.values()), _cp_sat_row()]
    console.print(table("solvers of the MILPs, and CP-SAT", columns, solvers, text_columns=5))


def _solver_row(solver: Solver) -> tuple[str, ...]:
    return (solver.name, solver.title, solver.version() or "no", solver.install, solver.licence_limit or "")


def _cp_sat_row() -> tuple[str, ...]:
    from finbench.models.cp_sat import method

    return ("–", "CP-SAT, for the method cp-sat alone", method.version() or "no", method.INSTALL, "")


def _option_names(options: type[Options]) -> str:
    return ", ".join(f"{name}={field.default}" for name, field in options.model_fields.items())


def instance_row(name: str, instance: Instance) -> tuple[str, ...]:
    """Size and targets of an instance, for the list of shipped ones."""
    app = instance.applications[0]
    dnn = instance.dnn_of(app)
    return (
        name,
        str(len(instance.network.nodes)),
        str(len(instance.network.links)),
        str(len(dnn.blocks)),
        str(len(dnn.exits)),
        number(app.max_latency_s),
        number(app.min_accuracy),
        instance.accounting.value,
    )
