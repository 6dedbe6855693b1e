"""The command that measures the paper's claims."""

from __future__ import annotations

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND
from finbench.benchmarks.cli.options import AsJson
from finbench.benchmarks.cli.panels import RESULTS
from finbench.benchmarks.terminal import console

commands = typer.Typer()


@commands.command(rich_help_panel=RESULTS)
def claims(as_json: AsJson = False) -> None:
    """Measure the paper's three claims now, on the published target grids (about half a minute).

    FIN at nine resolutions γ and MCP run beside the proven optimum. Exit code 5 where methods contradict each other;
    a claim that does not hold is no error.

    Example: [bold]finbench claims[/bold]
    """
    from finbench.benchmarks.analysis.claims_of_grids import claims_of_grids
    from finbench.benchmarks.terminal.claims_view import print_claims

    found = claims_of_grids()
    if as_json:
        console.print_json(found.to_json())
    else:
        print_claims(found)
    raise typer.Exit(CONTRADICTED if found.contradictions else FOUND)
