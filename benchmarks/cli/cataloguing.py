"""The command that lists and searches the catalogue."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from finbench.benchmarks.cli.options import AsJson
from finbench.benchmarks.cli.panels import DATA
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable

commands = typer.Typer()


class EntryKind(StrEnum):
    """The kinds of entries."""

    DEVICES = "devices"
    LINKS = "links"
    NETWORKS = "networks"
    DNNS = "dnns"
    EXITS = "exits"


Words = Annotated[list[str] | None, typer.Argument(metavar="[WORDS]...", help="Words that an entry must have.")]


@commands.command(rich_help_panel=DATA)
def catalogue(
    words: Words = None,
    kind: Annotated[EntryKind | None, typer.Option(help="Entries of this kind alone.")] = None,
    as_json: AsJson = False,
) -> None:
    """List devices, kinds of links, networks, DNNs and exits that an instance's file may name, each with its source.

    A file says network = "catalogue:geant2009", dnns = ["catalogue:NAME"], or device = "raspberry-pi-4/tflite" in a
    node, which then has the device's rate, power and measured runs.

    Example: [bold]finbench catalogue raspberry[/bold]

    Example: [bold]finbench catalogue --kind links[/bold]
    """
    from finbench.benchmarks.terminal.catalogue_list import catalogue_rows

    rows = [row for row in catalogue_rows(words or []) if kind in (None, row[0])]
    if as_json:
        console.print_json([dict(zip(("kind", "name", "what"), row, strict=True)) for row in rows])
    elif rows:
        console.output().print(console.table("catalogue", ("kind", "name", "what"), rows, text_columns=3))
    else:
        print(f"no entry has all of these words: {printable(' '.join(words or []))}")
