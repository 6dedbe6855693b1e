"""The commands that read finished results: one page of all of them, and two sets side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.cli.options import output_option
from finbench.benchmarks.cli.panels import RESULTS
from finbench.benchmarks.terminal import console

WORSE = 1

commands = typer.Typer()


@commands.command(rich_help_panel=RESULTS)
def report(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder of results.")],
    output: Annotated[Path, output_option("Write the page here (.html).", ".html")],
    title: Annotated[str | None, typer.Option(help="Heading of the page; by default the folder's name.")] = None,
) -> None:
    """Write one HTML page of finished results that opens without any network.

    It holds a summary in words, the paper's claims as far as these runs tell, tables that sort and filter, figures
    whose numbers can be downloaded, and for any instance two methods' placements side by side, drawn on the network.
    Every recorded deployment is evaluated again while the page is written. One file: copy, send, open in a browser.

    Example: [bold]finbench report results/published -o report.html[/bold]
    """
    from finbench.benchmarks.report.page import write_report

    write_report(results, output, title)
    console.print_written(output)


@commands.command("compare-results", rich_help_panel=RESULTS)
def compare_results(
    first: Annotated[Path, typer.Argument(metavar="A", help="A folder of results.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another; is it worse?")],
    fail_above: Annotated[
        float, typer.Option(min=0, help="Allowed: relative in time and answers, absolute in gap; exit code 1 above.")
    ] = 0.1,
    force: Annotated[bool, typer.Option("--force", help="Compare although the machines differ, and mark it.")] = False,
) -> None:
    """Compare two sets of results, run by run: ratio of times and difference of gaps, with intervals.

    Example: [bold]finbench compare-results results/before results/after --fail-above 0.1[/bold]
    """
    from finbench.benchmarks.analysis.result_comparison import compare_results as compared

    comparison = compared(first, second, force=force)
    console.print_rows(comparison.table(fail_above))
    for name, path, machine, alone in zip("AB", (first, second), comparison.machines, comparison.unpaired, strict=True):
        console.output().print(
            f"{name}: {path}, on {machine}; {alone} {plural(alone, 'run')} without a counterpart", markup=False
        )
    raise typer.Exit(WORSE if any(change.worse(fail_above) for change in comparison.changes) else 0)
