"""The option `--plugin`, and the commands that list and test what plugins bring."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.cli.exit_codes import BAD_INPUT, FOUND, UNEXPECTED
from finbench.benchmarks.cli.options import declare_again, writable_folder
from finbench.benchmarks.cli.panels import DATA, UPKEEP
from finbench.benchmarks.methods import METHODS, find_method
from finbench.benchmarks.plugins.installed import load_installed
from finbench.benchmarks.plugins.plugin import Plugin, load_file, plugins
from finbench.benchmarks.terminal import console
from finbench.models.io import InputError

commands = typer.Typer()

FLAG = "--plugin"

PluginFiles = Annotated[
    list[Path] | None,
    typer.Option(
        FLAG,
        metavar="FILE",
        help="Python file that brings methods, families or solvers (repeatable; anywhere on the line).",
    ),
]


class _Known:
    """The plugins from which the flags of commands follow at present."""

    def __init__(self) -> None:
        self.plugins: tuple[Plugin, ...] = ()


_known = _Known()


def taken_from(args: Sequence[str] | None) -> tuple[list[str], bool]:
    """Load the plugins that arguments name by `--plugin`, and the installed one that brings the `--method` they name.

    Parameters
    ----------
    args : sequence of str or None
        None: those of this process.

    Returns
    -------
    list of str
        The arguments without the option.
    bool
        Whether other plugins are loaded than when the flags of commands were declared; they have been declared again.
    """
    given = list(sys.argv[1:] if args is None else args)
    try:
        left = list(_load_named(given))
        for flag, value in pairwise(left):
            if flag == "--method" and value not in METHODS:
                load_installed("method", value)  # its flags are known then; a wrong name is told later
    except InputError as error:
        console.print_error(str(error))
        sys.exit(BAD_INPUT)
    changed = plugins() != _known.plugins
    if changed:
        _known.plugins = plugins()
        declare_again()
    return left, changed


def _load_named(args: Sequence[str]) -> Iterator[str]:
    """Load what `--plugin` names; yield the other arguments."""
    waiting = iter(args)
    for argument in waiting:
        flag, equals, value = argument.partition("=")
        if argument == "--":
            yield argument
            yield from waiting
        elif flag != FLAG:
            yield argument
        elif equals:
            load_file(value)
        elif (file := next(waiting, None)) is not None:
            load_file(file)
        else:
            raise InputError(FLAG, "needs the name of a file")


@commands.command("plugins", rich_help_panel=DATA)
def list_plugins() -> None:
    """List what plugins bring, and where each comes from.

    Example: [bold]finbench plugins --plugin my_method.py[/bold]
    """
    from finbench.benchmarks.terminal.plugin_list import print_plugins

    print_plugins()


@commands.command("test-method", rich_help_panel=UPKEEP)
def hold_to_contract(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="A method of the suite, or of a plugin.")],
    quick: Annotated[bool, typer.Option("--quick", help="Check on a few instances only, in seconds.")] = False,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="Folder for the instances of what fails, made only then.", callback=writable_folder
        ),
    ] = Path("failed-checks"),
) -> None:
    """Hold a method to the contract of all methods: none of its claims is believed.

    Every deployment is evaluated; claims of energy, optimality and infeasibility are held against the evaluator and
    against optima of small instances, found without the method. Limits, seeds, refusals and options are tried. Exit
    code 1 where a check fails; the instance of each failure is written to a file, with the command that runs it again.

    Example: [bold]finbench test-method nearest --plugin my_method.py[/bold]
    """
    from finbench.benchmarks.judging.contract.contract import examine
    from finbench.benchmarks.terminal.contract_view import print_report, showing_progress

    chosen = find_method(method)
    with showing_progress(chosen.name) as report:
        found = examine(chosen, quick=quick, progress=report)
    print_report(found, output)
    raise typer.Exit(UNEXPECTED if found.breaches else FOUND)
