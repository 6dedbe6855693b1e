"""The command that ranks the methods of several folders of results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND
from finbench.benchmarks.cli.options import AsJson, output_option
from finbench.benchmarks.cli.panels import RESULTS
from finbench.benchmarks.library.entry import LibraryTier
from finbench.benchmarks.terminal import console

commands = typer.Typer()


@commands.command(rich_help_panel=RESULTS)
def leaderboard(
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULTS...", help="Folders of results, of one or several people.")
    ],
    methods: Annotated[
        list[str] | None, typer.Option("--methods", help="Rank these alone, or variants, separated by commas.")
    ] = None,
    tier: Annotated[
        list[LibraryTier] | None, typer.Option("--tier", help="Rank over this tier of the library (repeatable).")
    ] = None,
    output: Annotated[Path | None, output_option("Write it here (.html, .md or .csv).", ".html", ".md", ".csv")] = None,
    as_json: AsJson = False,
) -> None:
    """Rank methods over one or several folders of results, every claim checked.

    Every recorded deployment is evaluated again in exact arithmetic. Objectives, bounds and proofs are held against it,
    against the library's best known values, and against all other runs. A claim that cannot be true is named, with both
    numbers; it is worth nothing in the ranking. Every machine has a table of its own: times of different machines do
    not compare.

    Exit codes: 0 nothing contradicts · 2 a folder cannot be read · 5 a claim cannot be true.

    Example: [bold]finbench leaderboard results/library[/bold]

    Example: [bold]finbench leaderboard mine/library theirs/library -o board.html[/bold]
    """
    from finbench.benchmarks.leaderboard.board import leaderboard as ranked
    from finbench.benchmarks.library.library import shipped_library
    from finbench.benchmarks.terminal.leaderboard_view import print_board
    from finbench.benchmarks.terminal.progress import counted

    with counted("checking") as told:
        board = ranked(
            results, shipped_library(), methods=methods or (), tiers=[each.value for each in tier or ()], told=told
        )
    print_board(board, as_json=as_json)
    if output is not None:
        from finbench.benchmarks.report.leaderboard_page import write_board

        write_board(board, output)
        console.print_written(output)
    raise typer.Exit(CONTRADICTED if board.refutations else FOUND)
