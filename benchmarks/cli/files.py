"""The commands about files themselves: their schemas, and bringing them to the newest version of the format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.campaigns.file_kinds import FileKind, check_file, schema_of
from finbench.benchmarks.cli.options import output_option, writable_folder
from finbench.benchmarks.cli.panels import DATA
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.fields import SCHEMA_VERSION
from finbench.models.io import Document, InputError, write_bytes
from finbench.models.upgraded import upgraded

commands = typer.Typer()


@commands.command(rich_help_panel=DATA)
def schema(
    kind: Annotated[FileKind, typer.Argument(metavar="[KIND]", help=f"{', '.join(FileKind)}.")] = FileKind.INSTANCE,
) -> None:
    """Print the JSON Schema of a kind of file.

    Example: [bold]finbench schema > instance.schema.json[/bold]

    Example: [bold]finbench schema campaign > campaign.schema.json[/bold]
    """
    console.print_json(schema_of(kind))


@commands.command(rich_help_panel=DATA)
def upgrade(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of any kind (.toml or .json).")],
    output: Annotated[
        Path | None, output_option("Write the one FILE here, and leave it as it is.", ".toml", ".json")
    ] = None,
) -> None:
    """Bring files to the newest version of the format.

    Files of older versions are read as well. All files are checked before the first is written. Comments of TOML files
    stay; JSON files, which have none, are written anew with the same values.

    Example: [bold]finbench upgrade instance.toml network.toml[/bold]
    """
    if output is not None and len(files) > 1:
        raise InputError("-o", f"{len(files)} files: goes with one FILE")
    contents = {file: _checked(file, output) for file in files}
    for file, (content, before) in contents.items():
        if output is None and before.get("schema_version") == SCHEMA_VERSION:
            print(f"{printable(str(file))}: is of version {SCHEMA_VERSION}, and stays as it is")
            continue
        write_bytes(output or file, content)
        console.print_written(output or file)


def _checked(file: Path, output: Path | None) -> tuple[bytes, Document]:
    """Return what a file is to hold and its table before, if it is sound and may be written to `output`."""
    content, before = upgraded(file)
    check_file(before, file)
    if output is None:
        writable_folder(file.resolve().parent)
        return content, before
    if output.suffix != file.suffix:
        raise InputError(output, f"file name must end in {file.suffix}, as that of {file} does")
    if output.resolve().parent != file.resolve().parent and _names_files(before):
        raise InputError(output, f"must lie in the folder of {file}, which names other files by paths from there")
    return content, before


def _names_files(document: Document) -> bool:
    """Return whether a file names others by their paths, which are relative to its folder."""
    parts = [document.get("network"), *(document.get("plugins") or ())]
    parts += [part for field in ("dnns", "applications", "devices") for part in document.get(field) or ()]
    entries = [entry for entry in document.get("instances") or () if isinstance(entry, dict)]
    given = [str(name) for entry in entries for name in entry.get("instances") or ()]
    return any(isinstance(part, str) for part in parts) or any(name.endswith((".toml", ".json")) for name in given)
