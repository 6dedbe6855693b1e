"""The commands that plan anew where moving costs."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND, INFEASIBLE, NOTHING_FOUND, UNEXPECTED
from finbench.benchmarks.cli.options import AsJson, InstanceName, Picture, Seed, TimeLimit, output_option
from finbench.benchmarks.cli.origin import deployment_for, origin_of
from finbench.benchmarks.cli.panels import SOLVE
from finbench.benchmarks.replanning.replan import Replan
from finbench.benchmarks.terminal import console
from finbench.models.io import (
    InputError,
    dump_deployment,
    find_file,
    load_instance,
    read_document,
    validate,
    write_text,
)
from finbench.models.moving import Migration
from finbench.models.result import Status

commands = typer.Typer()

MigrationFile = Annotated[
    str | None,
    typer.Option(
        "--migration-cost",
        help="What moving costs beside energy: a shipped name (loading) or a file (.toml, .json); left out: nothing.",
    ),
]


def migration_of(name_or_path: str | None) -> Migration:
    """Read what moving costs by shipped name or path; raise InputError where the file breaks a rule."""
    if name_or_path is None:
        return Migration()
    file = find_file(name_or_path, "migrations")
    return validate(read_document(file), Migration, file)


@commands.command("replan", rich_help_panel=SOLVE)
def replan_deployment(
    instance: InstanceName,
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The deployment file of the plan that runs now.")],
    migration_cost: MigrationFile = None,
    horizon: Annotated[
        float, typer.Option(min=0, help="How long the new plan will run \\[s; inferences without a rate].")
    ] = 3600.0,
    method: Annotated[str, typer.Option(help="auto, milp-flow, or label-setting for one application.")] = "auto",
    output: Annotated[Path | None, output_option("Write the new deployment here (.json).", ".json")] = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Find the plan that is best to move to: running over a horizon and moving to it cost least together.

    Parameters of blocks that move travel the least-energy route from where they run, or from a repository. The command
    says what moves where, what that costs, and when it has paid for itself.

    Exit code 3 where it is proven that there is no plan, 4 where none was found without a proof.

    Example: [bold]finbench replan balexnet-cifar10 old.json --horizon 3600 -o new.json[/bold]
    """
    from finbench.benchmarks.replanning.replan import replan
    from finbench.benchmarks.terminal import replan_view as view

    problem = load_instance(instance)
    plan, migration = deployment_for(problem, old), migration_of(migration_cost)
    try:
        found = replan(problem, plan, migration, horizon=horizon, method=method, time_limit_s=time_limit, seed=seed)
    except ValueError as error:
        raise InputError("command line" if migration_cost is None else migration_cost, str(error)) from None
    if output is not None and found.deployment is not None:
        write_text(output, dump_deployment(found.deployment, origin_of(problem, f"replan ({method})")))
        console.print_written(output)
    if as_json:
        console.print_json(view.to_json(problem, found))
    else:
        view.print_replan(problem, found)
    if output is not None and found.deployment is None:
        console.print_unwritten(output, "there is no deployment")
    raise typer.Exit(_exit_code(found))


@commands.command("drift", rich_help_panel=SOLVE)
def drift_day(
    day: Annotated[str, typer.Argument(metavar="DAY", help="Shipped name or a TOML/JSON file of periods.")],
    migration_cost: MigrationFile = None,
    threshold: Annotated[
        float, typer.Option(min=0, help="Part above a new plan that the old one may cost (policy threshold).")
    ] = 0.1,
    horizon: Annotated[
        float | None,
        typer.Option(min=1e-9, help="Over which moves must pay \\[s]; left out: the period (policy moving)."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes that work at the same time.")] = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
    output: Picture = None,
) -> None:
    """Run through a day of changing rates, exits and links, planning anew never, always or where it pays.

    Four policies, each by FIN and by an exact method: what running and moving cost, and how long rules are broken. The
    numbers do not depend on --jobs.

    Example: [bold]finbench drift three-tier -o day.png[/bold]
    """
    from finbench.benchmarks.replanning.policies import PolicyOptions, live
    from finbench.benchmarks.terminal import drift_view as view
    from finbench.benchmarks.terminal.progress import counted
    from finbench.models.day import load_day

    read, instance = load_day(day)
    options = PolicyOptions(migration_of(migration_cost), threshold, _finite(horizon), seed)
    try:
        options.migration.check(instance)
    except ValueError as error:
        raise InputError(migration_cost or "command line", str(error)) from None
    with counted("courses") as told:
        courses = live(read, instance, options, jobs=jobs, told=told)
    if as_json:
        console.print_json(view.to_json(read, instance, courses))
    else:
        view.print_drift(read, instance, courses)
    if output is not None:
        from finbench.benchmarks.plots.day import draw_day
        from finbench.benchmarks.plots.style import save_picture

        save_picture(draw_day(read, instance, courses), output)
        console.print_written(output)
    raise typer.Exit(FOUND)


def _finite(horizon: float | None) -> float | None:
    if horizon is not None and not isfinite(horizon):
        raise InputError("--horizon", f"{horizon}: must be a finite number of seconds")
    return horizon


def _exit_code(found: Replan) -> int:
    status = found.result.status
    if status is Status.ERROR:
        return UNEXPECTED
    if found.contradiction is not None:
        return CONTRADICTED
    if found.deployment is not None:
        return FOUND
    return INFEASIBLE if status is Status.INFEASIBLE else NOTHING_FOUND
