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


FEW = 6
"""Entries that are told with their source."""


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
    """List devices, kinds of links, networks, DNNs and exits that an instance's file may name.

    Where few are found, each is told with where it comes from; --json tells it of all.

    A file says network = "catalogue:geant2009", dnns = ["catalogue:NAME"], or device = "raspberry-pi-4/tflite" in a
    node, which then has the device's rate, power and measured runs.

    Example: [bold]finbench catalogue raspberry[/bold]

    Example: [bold]finbench catalogue --kind links[/bold]
    """
    from finbench.benchmarks.terminal.catalogue_list import catalogue_rows

    rows = [row for row in catalogue_rows(words or []) if kind in (None, row[0])]
    if as_json:
        console.print_json([dict(zip(("kind", "name", "what", "source"), row, strict=True)) for row in rows])
    elif rows:
        table = console.table("catalogue", ("kind", "name", "what"), [row[:3] for row in rows], text_columns=3)
        console.output().print(table)
        for _, name, _, source in rows if len(rows) <= FEW else ():
            print(f"{printable(name)}: {printable(source)}")
    else:
        print(f"no entry has all of these words: {printable(' '.join(words or []))}")
