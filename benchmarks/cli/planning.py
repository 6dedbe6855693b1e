"""The command that makes plans which hold under load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from finbench.benchmarks.cli.exit_codes import FOUND, INFEASIBLE, NOTHING_FOUND
from finbench.benchmarks.cli.options import (
    OVERRIDES,
    AsJson,
    Headroom,
    InstanceName,
    TimeLimit,
    declared_by,
    declared_by_methods,
    loaded,
    output_option,
    takes,
)
from finbench.benchmarks.cli.origin import origin_of
from finbench.benchmarks.cli.panels import SOLVE
from finbench.benchmarks.methods import find_method, variant
from finbench.benchmarks.planning.options import PlanningOptions
from finbench.benchmarks.plots.formats import PICTURE_SUFFIXES
from finbench.benchmarks.terminal import console
from finbench.models.instance import Instance
from finbench.models.io import InputError, dump_deployment, validate, write_text

commands = typer.Typer()


@commands.command("plan", rich_help_panel=SOLVE)
@takes(planning=declared_by(PlanningOptions), overrides=OVERRIDES, options=declared_by_methods)
def plan(
    instance: InstanceName,
    method: Annotated[str, typer.Option(help="The method that plans, one that `finbench methods` lists.")] = "fin",
    headroom: Headroom = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Plan without waiting, with headrooms, and until simulated, side by side.")
    ] = False,
    output: Annotated[Path | None, output_option("Write the plan here (.json).", ".json")] = None,
    picture: Annotated[
        Path | None,
        output_option("With --compare: draw it here (.png, .pdf or .svg).", *PICTURE_SUFFIXES, flag="--picture"),
    ] = None,
    time_limit: TimeLimit = 60.0,
    as_json: AsJson = False,
    *,
    planning: dict[str, Any],
    overrides: dict[str, Any],
    options: dict[str, Any],
) -> None:
    """Plan for samples that wait: until a simulation of the plan bears it out, or with headroom.

    Each round plans, simulates, and adds the waits that it measured at every node and link to their latencies. It ends
    where the share of samples that was asked for meets δ, or says why none does; the best plan is kept.

    Exit code 4 where no plan holds, 3 where it is proven that there is none at all.

    Example: [bold]finbench plan campus.json --until-simulated 0.95 -o plan.json[/bold]

    Example: [bold]finbench plan campus.json --headroom 0.7 --method column-generation[/bold]

    Example: [bold]finbench plan campus.json --compare --picture nines.png[/bold]
    """
    asked = validate(dict(planning), PlanningOptions, "command line")
    if compare and (output is not None or headroom is not None):
        raise InputError("--compare", "makes several plans: --output and --headroom go without it")
    if picture is not None and not compare:
        raise InputError("--picture", "needs --compare")
    find_method(method)
    problem = loaded(instance, overrides)
    _check_rates(problem)
    if compare:
        raise typer.Exit(_compared(problem, method, asked, options, time_limit, as_json, picture))
    raise typer.Exit(_planned(problem, method, headroom, asked, options, time_limit, as_json, output))


def _check_rates(problem: Instance) -> None:
    for app in problem.applications:
        if app.rate_per_s is None:
            raise InputError(
                f"instance '{problem.name}'",
                f"application '{app.name}': rate_per_s is missing: without it samples do not wait",
            )


def _compared(
    problem: Instance,
    method: str,
    asked: PlanningOptions,
    options: dict[str, Any],
    time_limit: float | None,
    as_json: bool,
    picture: Path | None,
) -> int:
    from finbench.benchmarks.planning.comparison import compare_plans
    from finbench.benchmarks.terminal import plan_view as view
    from finbench.benchmarks.terminal.progress import counted

    with counted("ways of planning") as told:
        found = compare_plans(problem, method, asked, time_limit_s=time_limit, method_options=options, told=told)
    if as_json:
        console.print_json(view.compared_to_json(problem, found, asked))
    else:
        view.print_compared(problem, found)
    some = any(one.plan is not None for one in found)
    if picture is not None and not some:
        console.print_unwritten(picture, "there is no plan")
    elif picture is not None:
        from finbench.benchmarks.plots.nines import draw_nines
        from finbench.benchmarks.plots.style import save_picture

        save_picture(draw_nines(problem, found), picture)
        console.print_written(picture)
    return FOUND if some else NOTHING_FOUND


def _planned(
    problem: Instance,
    method: str,
    headroom: float | None,
    asked: PlanningOptions,
    options: dict[str, Any],
    time_limit: float | None,
    as_json: bool,
    output: Path | None,
) -> int:
    from finbench.benchmarks.planning.comparison import planned_once
    from finbench.benchmarks.planning.fixed_point import Ending, until_simulated
    from finbench.benchmarks.planning.headroom import solve_with_headroom
    from finbench.benchmarks.terminal import plan_view as view
    from finbench.benchmarks.terminal.progress import counted

    if headroom is None:
        with counted("rounds of planning and simulating") as told:
            found = until_simulated(problem, method, asked, time_limit_s=time_limit, method_options=options, told=told)
    else:
        result = solve_with_headroom(problem, headroom, method, time_limit_s=time_limit, seed=asked.seed, **options)
        found = planned_once(problem, result, asked)
    if output is not None and found.best is not None:
        write_text(output, dump_deployment(found.best.deployment, origin_of(problem, variant(method, options))))
        console.print_written(output)
    if as_json:
        console.print_json(view.to_json(problem, found, asked))
    else:
        view.print_fixed_point(problem, found, asked)
    if output is not None and found.best is None:
        console.print_unwritten(output, "there is no plan")
    if found.outcome is Ending.HOLDS:
        return FOUND
    return INFEASIBLE if found.rounds[0].status == "infeasible" else NOTHING_FOUND
