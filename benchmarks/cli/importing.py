"""The commands that read what others have made: `finbench import …`."""

from __future__ import annotations

import typer

from finbench.benchmarks.cli.importing_dnn import dnn
from finbench.benchmarks.cli.importing_exits import exits
from finbench.benchmarks.cli.importing_network import network
from finbench.benchmarks.cli.importing_others import dnn_partitioning, space4ai
from finbench.benchmarks.cli.panels import DATA

commands = typer.Typer()
importing = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

importing.command("dnn")(dnn)
importing.command("exits")(exits)
importing.command("network")(network)
importing.command("dnn-partitioning")(dnn_partitioning)
importing.command("space4ai")(space4ai)

commands.add_typer(
    importing,
    name="import",
    help="Read what others have made as an instance, or as a part of one.",
    rich_help_panel=DATA,
)
