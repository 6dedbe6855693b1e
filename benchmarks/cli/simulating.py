"""The command that lets samples arrive at a deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND
from finbench.benchmarks.cli.options import (
    OVERRIDES,
    AsJson,
    InstanceName,
    Picture,
    declared_by,
    loaded,
    takes,
)
from finbench.benchmarks.cli.origin import deployment_for
from finbench.benchmarks.cli.panels import SOLVE
from finbench.benchmarks.simulation.options import SimulationOptions
from finbench.benchmarks.terminal import console
from finbench.models.io import InputError, validate

commands = typer.Typer()


@commands.command("simulate", rich_help_panel=SOLVE)
@takes(options=declared_by(SimulationOptions), overrides=OVERRIDES)
def simulate_deployment(
    instance: InstanceName,
    deployment: Annotated[Path, typer.Argument(help="A deployment file, as `finbench solve -o` writes it.")],
    trace: Annotated[
        Path | None,
        typer.Option(help="CSV with columns application, time_s: when samples arise, instead of drawing it."),
    ] = None,
    exits: Annotated[
        Path | None, typer.Option(help="CSV with columns application, exit: where samples leave in turn, not drawn.")
    ] = None,
    as_json: AsJson = False,
    output: Picture = None,
    *,
    options: dict[str, Any],
    overrides: dict[str, Any],
) -> None:
    """Let samples arrive, wait and leave, and compare with what the plan says.

    Stations serve first come, first served: a node in as many places as it has, a link in one. Energy and latency
    without waiting are those of the plan; what samples lose by waiting for each other shows in the latency.

    Exit code 5 where the deployment breaks a rule of the instance.

    Example: [bold]finbench simulate balexnet-cifar10 deployment.json --arrivals alone[/bold]

    Example: [bold]finbench simulate campus.json deployment.json --samples 1000000 -o timeline.png[/bold]
    """
    from finbench.benchmarks.simulation.arrivals import read_exits, read_trace
    from finbench.benchmarks.simulation.causes import lateness
    from finbench.benchmarks.simulation.simulate import simulate
    from finbench.benchmarks.terminal import simulation_view as view
    from finbench.models.evaluate import evaluate

    asked = validate(dict(options), SimulationOptions, "command line")
    problem = loaded(instance, overrides)
    plan = deployment_for(problem, deployment)
    judged = evaluate(problem, plan)
    names = [one.application for one in plan.deployments]
    times = None if trace is None else read_trace(trace, names)
    leaving = None if exits is None else read_exits(exits, names)
    for broken in judged.violations:
        console.print_error(f"{deployment}: {broken.message}")
    if judged.objective is None:
        raise typer.Exit(CONTRADICTED)
    try:
        found = simulate(problem, plan, asked, trace=times, exits=leaving)
    except ValueError as error:
        raise InputError(instance, str(error)) from None
    if as_json:
        console.print_json(view.to_json(found))
    else:
        view.print_simulation(found, lateness(problem, plan, found))
    if output is not None:
        from finbench.benchmarks.plots.style import save_picture
        from finbench.benchmarks.plots.timeline import draw_timeline

        save_picture(draw_timeline(found), output)
        console.print_written(output)
    raise typer.Exit(CONTRADICTED if judged.violations else FOUND)
