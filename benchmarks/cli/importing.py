"""The commands that read what others have made: `finbench import …`."""

from __future__ import annotations

import typer

from finbench.benchmarks.cli.importing_dnn import dnn
from finbench.benchmarks.cli.importing_exits import exits
from finbench.benchmarks.cli.importing_network import network
from finbench.benchmarks.cli.panels import DATA

commands = typer.Typer()
importing = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

importing.command("dnn")(dnn)
importing.command("exits")(exits)
importing.command("network")(network)

commands.add_typer(
    importing,
    name="import",
    help="Read what others have made as a part of an instance.",
    rich_help_panel=DATA,
)
