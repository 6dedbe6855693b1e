"""The command that writes a commented template of a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.cli.options import output_option
from finbench.benchmarks.cli.panels import DATA
from finbench.benchmarks.terminal import console
from finbench.models.io import InputError, write_text

commands = typer.Typer()


class Starter(StrEnum):
    """What a template is of."""

    INSTANCE = "instance"
    CAMPAIGN = "campaign"
    METHOD = "method"
    FAMILY = "family"

    @property
    def suffix(self) -> str:
        """Ending of the template's name."""
        return ".toml" if self in (Starter.INSTANCE, Starter.CAMPAIGN) else ".py"

    @property
    def text(self) -> str:
        """The template."""
        kept = ".toml" if self.suffix == ".toml" else ".txt"  # a source of this package would be imported by tools
        return (Path(__file__).parent / "starters" / f"{self}{kept}").read_text(encoding="utf-8")


@commands.command(rich_help_panel=DATA)
def init(
    kind: Annotated[Starter, typer.Argument(metavar="KIND", help=f"{', '.join(Starter)}.")],
    output: Annotated[
        Path | None, output_option("Write it here (.toml or .py); left out: KIND.toml or KIND.py.", ".toml", ".py")
    ] = None,
) -> None:
    """Write a commented template that runs as it is: an instance, a campaign, a method or a family.

    An existing file is not replaced.

    Example: [bold]finbench init instance -o mine.toml[/bold]

    Example: [bold]finbench init method[/bold]
    """
    file = Path(f"{kind}{kind.suffix}") if output is None else output
    if file.suffix != kind.suffix:
        raise InputError(file, f"file name must end in {kind.suffix}")
    if file.exists():
        raise InputError(file, "exists already, and is not replaced")
    write_text(file, kind.text)
    console.print_written(file)
