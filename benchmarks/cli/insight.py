"""The commands that explain: why nothing fits, what more of a resource is worth, what latency and accuracy cost."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from finbench.benchmarks.cli.exit_codes import FOUND, INFEASIBLE, NOTHING_FOUND
from finbench.benchmarks.cli.options import OVERRIDES, AsJson, InstanceName, Picture, Seed, TimeLimit, loaded, takes
from finbench.benchmarks.cli.panels import SOLVE
from finbench.benchmarks.terminal import console
from finbench.models.io import load_instance
from finbench.models.result import Status

commands = typer.Typer()

DEFINITIONS = [each for each in OVERRIDES if each.name in ("accounting", "latency_kind")]
"""Overrides of a command that varies the targets itself."""


@commands.command(rich_help_panel=SOLVE)
def explain(
    instance: InstanceName,
    time_limit: TimeLimit = 60.0,
    seed: Seed = 0,
    as_json: AsJson = False,
    output: Picture = None,
) -> None:
    """Say what stands in the way and what to buy: capacity, faster nodes and links, looser targets.

    Where nothing fits: what is missing, and which node or link would do if it were faster. Where everything fits: what
    more of each capacity, faster parts (at equal energy per operation and bit) and looser targets would save.

    Exit code 3 where it is proven that nothing fits, 4 where nothing was found without a proof.

    Example: [bold]finbench explain balexnet-cifar10[/bold]

    Example: [bold]finbench explain campus.json --time-limit 20 -o prices.png[/bold]
    """
    from finbench.benchmarks.plots.explained import draw_explanation
    from finbench.benchmarks.plots.style import save_picture
    from finbench.benchmarks.terminal import explanation_view as view
    from finbench.fin_graph.joint.explanation.explain import explain as explain_instance

    problem = load_instance(instance)
    found = explain_instance(problem, time_limit_s=time_limit, seed=seed)
    if as_json:
        console.print_json(view.to_json(problem, found))
    else:
        view.print_explanation(problem, found)
    if output is not None:
        save_picture(draw_explanation(problem, found), output)
        console.print_written(output)
    infeasible = found.result.status is Status.INFEASIBLE
    raise typer.Exit(FOUND if found.fits else INFEASIBLE if infeasible else NOTHING_FOUND)


@commands.command(rich_help_panel=SOLVE)
@takes(overrides=DEFINITIONS)
def frontier(
    instance: InstanceName,
    gamma: Annotated[int, typer.Option(min=1, help="Resolution γ: latency steps over the whole range.")] = 200,
    horizon_s: Annotated[
        float | None,
        typer.Option("--horizon", help="Largest latency budget \\[s]; left out: beyond which more saves nothing."),
    ] = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
    output: Picture = None,
    *,
    overrides: dict[str, Any],
) -> None:
    """Find the least energy for every latency budget and every exit, exact and by FIN.

    A printed budget is rounded up: `solve --max-latency` with it reaches the printed energy.

    Example: [bold]finbench frontier balexnet-cifar10 --gamma 100 -o frontier.png[/bold]
    """
    from finbench.benchmarks.plots.frontier import draw_frontiers
    from finbench.benchmarks.plots.style import save_picture
    from finbench.benchmarks.terminal import frontier_view as view

    problem = loaded(instance, overrides)
    found = view.instance_frontiers(problem, gamma=gamma, horizon_s=horizon_s, time_limit_s=time_limit)
    if as_json:
        console.print_json(view.to_json(problem, gamma, found))
    else:
        view.print_frontiers(problem, gamma, found)
    if output is not None and found:
        save_picture(draw_frontiers(problem, gamma, found), output)
        console.print_written(output)
    elif output is not None:
        console.print_unwritten(output, "no exit can be reached")
    raise typer.Exit(FOUND if found else NOTHING_FOUND)
