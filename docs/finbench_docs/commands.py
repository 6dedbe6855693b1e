"""Every command with its arguments and options, as the command line itself knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import typer

from finbench.benchmarks.cli.app import app, every_command
from finbench_docs.table import code, table

OWN = "Options"


def commands() -> str:
    """Return one section for each command: what it does, an example, arguments, options by their headings."""
    group: Any = typer.main.get_command(app)
    root = typer.Context(group, info_name="finbench")
    found: dict[str, Any] = {"": group, **every_command()}
    return "\n".join(
        section(command, typer.Context(command, info_name=name, parent=root) if name else root)
        for name, command in found.items()
    )


def section(command: Any, context: Any) -> str:
    """Return the section of one command."""
    name = context.command_path
    return "\n".join([f"## `{name}`\n", *_text(command.help or ""), *_tables(command, context)])


def _text(help_text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; what it shows in bold after "Example:" becomes a command to copy."""
    for paragraph in re.split(r"\n\s*\n", help_text):
        prose, *examples = re.split(r"\[bold\](.*?)\[/bold\]", " ".join(paragraph.split()))
        yield plain(prose).removesuffix("Example: ") + "\n"
        for example in examples[::2]:
            yield f"```console\n$ {plain(example)}\n```\n"


def _tables(command: Any, context: Any) -> Iterator[str]:
    shown = [(_panel(each), *record) for each in command.params if (record := record_of(each, context))]
    for panel, rows in groupby(sorted(shown, key=lambda row: _order(row, shown)), key=lambda row: row[0]):
        yield f"**{panel}**\n"
        yield table(("spelling", "meaning"), ((code(spelling), meaning) for _, spelling, meaning in rows))


def _order(row: tuple[str, str, str], shown: Iterable[tuple[str, str, str]]) -> int:
    """Return where a panel first comes up, so that sorting keeps the order within it."""
    return [panel for panel, *_ in shown].index(row[0])


def _panel(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return parameter.rich_help_panel or OWN


def record_of(parameter: Any, context: Any) -> tuple[str, str] | None:
    """Return how a parameter is spelled and what it means; None where the help does not show it."""
    if parameter.param_type_name == "argument":
        return parameter.metavar or parameter.name.upper(), plain(parameter.help or "")
    record = None if parameter.hidden else parameter.get_help_record(context)
    return None if record is None else (record[0], plain(record[1]))


def plain(text: str) -> str:
    """Return a help text without the marks that only a terminal understands."""
    return re.sub(r"\\\[", "[", re.sub(r"\[/?(?:bold|dim|italic)\]", "", text)).replace("<", r"\<")
