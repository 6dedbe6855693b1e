"""The command that puts a plan under stress."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND
from finbench.benchmarks.cli.options import AsJson, InstanceName, Picture, Seed, TimeLimit
from finbench.benchmarks.cli.origin import deployment_for
from finbench.benchmarks.cli.panels import SOLVE
from finbench.benchmarks.library.named import load_named
from finbench.benchmarks.methods import find_method
from finbench.benchmarks.terminal import console
from finbench.models.io import InputError

commands = typer.Typer()


def _severities(text: str) -> str:
    """Return the option as it is, if it is a list of parts."""
    _parts(text)
    return text


def _parts(text: str) -> tuple[float, ...]:
    try:
        parts = tuple(float(part) for part in text.split(","))
    except ValueError:
        parts = ()
    if not parts or not all(0 < part < 1 for part in parts):
        raise InputError(
            "--severities", f"{text[:60]!r}: must be numbers above 0 and below 1, with commas between them"
        )
    return tuple(sorted(set(parts)))


@commands.command("stress", rich_help_panel=SOLVE)
def stress_deployment(
    instance: InstanceName,
    deployment: Annotated[Path, typer.Argument(help="A deployment file, as `finbench solve -o` writes it.")],
    method: Annotated[str, typer.Option(help="What plans anew after each disturbance.")] = "fin",
    severities: Annotated[
        str,
        typer.Option(help="Parts that nodes and links lose, and rates change by.", callback=_severities),
    ] = "0.1,0.25,0.5",
    parts: Annotated[
        int, typer.Option(min=1, max=1000, help="Nodes and links at most, those first that most applications use.")
    ] = 12,
    drift: Annotated[
        float, typer.Option(min=0, max=1, help="Part of the samples that may leave at other exits than measured.")
    ] = 0.1,
    time_limit: TimeLimit = 10.0,
    seed: Seed = 0,
    as_json: AsJson = False,
    output: Picture = None,
) -> None:
    """Break a plan on purpose: other rates, slower nodes and links, failures, drifting exits.

    Rates grow and fall; all nodes, all links, then all of it at once are slower, then each alone that the plan uses;
    last each fails. For each disturbance alone: which targets and capacities break, what the plan costs if it is kept,
    and what a new plan costs. The worst of drifting exit shares is solved, not sampled.

    Exit code 5 where the deployment breaks a rule of the instance before anything happens.

    Example: [bold]finbench stress balexnet-cifar10 deployment.json --method label-setting -o stress.png[/bold]
    """
    from finbench.benchmarks.plots.stress_map import draw_stress
    from finbench.benchmarks.plots.style import save_picture
    from finbench.benchmarks.robustness.stress import disturbances, stress
    from finbench.benchmarks.terminal import stress_view as view
    from finbench.benchmarks.terminal.progress import counted
    from finbench.models.evaluate import evaluate

    find_method(method)
    problem = load_named(instance)
    plan = deployment_for(problem, deployment)
    judged = evaluate(problem, plan)
    for broken in judged.violations:
        console.print_error(f"{deployment}: {broken.message}")
    if judged.violations:
        raise typer.Exit(CONTRADICTED)
    if not plan.deployments:
        raise InputError(deployment, "serves nobody: there is nothing to break")
    chosen = disturbances(problem, plan, _parts(severities), parts)
    with counted("disturbances") as told:
        found = stress(problem, plan, chosen, drift=drift, method=method, time_limit_s=time_limit, seed=seed, told=told)
    if as_json:
        console.print_json(view.to_json(problem, found))
    else:
        view.print_stress(problem, found)
    if output is not None:
        save_picture(draw_stress(found, len(problem.applications)), output)
        console.print_written(output)
    raise typer.Exit(FOUND)
