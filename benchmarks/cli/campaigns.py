"""The commands that run campaigns: whole ones, and ladders of sizes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from finbench.benchmarks.campaigns.conditions import BackendName, Conditions
from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND, UNEXPECTED
from finbench.benchmarks.cli.options import declared_by, takes, writable_folder
from finbench.benchmarks.cli.panels import CAMPAIGNS
from finbench.benchmarks.terminal.console import output, print_error, table

commands = typer.Typer()

ResultsFolder = Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")]


@commands.command(rich_help_panel=CAMPAIGNS)
@takes(conditions=declared_by(Conditions, "Override what the campaign says"))
def run(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Shipped name or a TOML file.")],
    output: ResultsFolder = Path("results"),
    method: Annotated[list[str] | None, typer.Option(help="Run this method only (repeatable).")] = None,
    redo: Annotated[
        list[str] | None, typer.Option(help="Run again what has this method or status (repeatable).")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time, each on cores of its own; 1 for timings.")] = 1,
    backend: Annotated[BackendName, typer.Option(help="local, or dask for a cluster.")] = BackendName.LOCAL,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler; left out: a cluster of --jobs workers here.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would run, and for how long at most.")] = False,
    *,
    conditions: dict[str, Any],
) -> None:
    """Run what is missing of a campaign; tables, figures and every single run land in a folder of its own.

    Every run is on the disk as it ends. Interrupted or killed, the same command goes on where it stopped.

    Example: [bold]finbench run published -o results/[/bold]
    """
    from finbench.benchmarks.campaigns.campaign import load_campaign
    from finbench.benchmarks.cli.campaign_results import print_plan, run_and_report
    from finbench.benchmarks.execution.backends import chosen_backend
    from finbench.benchmarks.execution.plan import RunFilter
    from finbench.models.io import validate

    asked = load_campaign(campaign).under(validate(conditions, Conditions, "command line"))
    chosen = RunFilter(method or (), redo or ())
    chosen.check()
    if dry_run:
        print_plan(asked, output, chosen, jobs)
        raise typer.Exit(FOUND)
    writable_folder(output / asked.name)
    where = chosen_backend(backend, jobs, scheduler)
    if backend is BackendName.LOCAL and jobs > 1:
        print_error(f"{jobs} runs at a time slow each other down: their times do not compare with --jobs 1")
    made = run_and_report(asked, output, where, chosen)
    if made.stopped_by is not None:
        raise typer.Exit(128 + made.stopped_by)
    if made.contradictions:
        raise typer.Exit(CONTRADICTED)
    raise typer.Exit(UNEXPECTED if made.errors else FOUND)


@commands.command("campaigns", rich_help_panel=CAMPAIGNS)
def list_campaigns() -> None:
    """List the shipped campaigns, and the ladders that `finbench scale` climbs.

    Example: [bold]finbench campaigns[/bold]
    """
    from finbench.benchmarks.campaigns.campaign import load_campaign
    from finbench.benchmarks.campaigns.ladder import load_ladder_campaign
    from finbench.benchmarks.execution.plan import count_runs
    from finbench.models.io import shipped

    rows = []
    for name in shipped("campaigns"):
        campaign = load_campaign(name)
        rows.append((name, f"finbench run {name}", _first_sentence(campaign.provenance), str(count_runs(campaign))))
    for name in shipped("ladders"):
        rows.append((name, f"finbench scale {name}", _first_sentence(load_ladder_campaign(name).provenance), "–"))
    columns = ("campaign", "command", "what", "runs")
    output().print(table("shipped campaigns and ladders", columns, rows, text_columns=3))


def _first_sentence(text: str) -> str:
    return " ".join(re.split(r"(?<=\.)\s", text.strip(), maxsplit=1)[0].split())


@commands.command(rich_help_panel=CAMPAIGNS)
def scale(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Shipped name or a TOML file.")] = "scale",
    output: ResultsFolder = Path("results"),
) -> None:
    """Climb size ladders with every method; growth exponents with intervals, log-log plots (minutes).

    Example: [bold]finbench scale -o results/[/bold]
    """
    from finbench.benchmarks.campaigns.ladder import load_ladder_campaign
    from finbench.benchmarks.cli.ladder_results import climb_and_report

    asked = load_ladder_campaign(campaign)
    writable_folder(output / asked.name)
    raise typer.Exit(CONTRADICTED if climb_and_report(asked, output) else FOUND)
