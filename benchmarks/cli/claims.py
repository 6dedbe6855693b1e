"""The command that measures the paper's claims."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND
from finbench.benchmarks.cli.options import AsJson
from finbench.benchmarks.cli.panels import RESULTS
from finbench.benchmarks.terminal import console

commands = typer.Typer()


@commands.command(rich_help_panel=RESULTS)
def claims(
    results: Annotated[
        Path | None,
        typer.Argument(metavar="[RESULTS]", help="Judge them by these finished runs; left out: measure them now."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the paper's three claims now, on the published target grids (about half a minute).

    FIN at nine resolutions γ and MCP run beside the proven optimum. The two claims of the paper's journal version,
    about many applications, are judged by the runs of the campaign published-many, which takes minutes. Exit code 5
    where methods contradict each other; a claim that does not hold is no error.

    Example: [bold]finbench claims[/bold]

    Example: [bold]finbench claims results/published-many[/bold]
    """
    from finbench.benchmarks.analysis.claims_of_many import claims_of_many
    from finbench.benchmarks.analysis.claims_of_runs import claims_of_runs
    from finbench.benchmarks.terminal.claims_view import print_claims, print_claims_of_many

    if results is None:
        from finbench.benchmarks.analysis.claims_of_grids import claims_of_grids

        found, many = claims_of_grids(), claims_of_many(None)
    else:
        from finbench.benchmarks.analysis.frame import frame
        from finbench.benchmarks.rows.reading import load_rows
        from finbench.benchmarks.rows.row_verdicts import contradictions_among

        rows = load_rows(results)
        runs = frame(rows)
        found = replace(claims_of_runs(runs), contradictions=contradictions_among(rows))
        many = claims_of_many(runs)
    if as_json:
        console.print_json({**found.to_json(), "many_applications": many.to_json()})
    else:
        print_claims(found, "grid points" if results is None else "instances")
        print_claims_of_many(many)
    raise typer.Exit(CONTRADICTED if found.contradictions else FOUND)
