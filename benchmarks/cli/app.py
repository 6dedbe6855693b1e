"""The command `finbench`: its groups of commands, its exit codes, and what it does with unexpected errors.

Only the module of the command that is called is imported, and heavy libraries inside the commands that need them:
`finbench solve` answers at once.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from finbench.benchmarks.cli import plugins
from finbench.benchmarks.cli.exit_codes import BAD_INPUT, FOUND, PIPE_CLOSED, UNEXPECTED
from finbench.benchmarks.cli.remarks import show_remarks
from finbench.benchmarks.terminal import console
from finbench.models.io import InputError
from finbench.models.versions import package_version

if TYPE_CHECKING:
    app: typer.Typer
    """All commands."""

GROUPS: dict[str, tuple[str, ...]] = {
    "solving": ("solve", "export", "evaluate", "compare"),
    "verifying": ("verify",),
    "planning": ("plan",),
    "simulating": ("simulate",),
    "stressing": ("stress",),
    "replanning": ("replan", "drift"),
    "insight": ("explain", "frontier"),
    "splitting": ("split",),
    "serving": ("serve",),
    "campaigns": ("run", "campaigns", "scale"),
    "papers": ("table", "plot"),
    "results": ("report", "compare-results"),
    "leaderboard": ("leaderboard",),
    "claims": ("claims",),
    "instances": ("generate", "draw", "instances", "methods", "families"),
    "library": ("library",),
    "cataloguing": ("catalogue",),
    "checking": ("check",),
    "files": ("schema", "upgrade"),
    "starting": ("init",),
    "importing": ("import",),
    "measuring": ("profile", "calibrate", "record"),
    "plugins": ("plugins", "test-method"),
    "upkeep": ("bench", "figures"),
}
"""The modules of commands in the order of `--help`, and the commands of each, so that one need not be imported to know
them."""

RENAMED = {
    "--horizon-s": "--horizon",
    "--lambda": "--band",
    "--max-latency-s": "--max-latency",
    "--memory-limit-gib": "--memory-limit",
    "--time-limit-s": "--time-limit",
}
"""Options that had another name, and the one they have now; both are understood, `--help` shows the present one."""


class Commands(TyperGroup):
    """Bad input is one line on standard error and exit code 2; a closed pipe ends the command without a word."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that `args` name, and its arguments with the present names of their options."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command, rest if command is None else list(_present_names(command, rest))

    def main(self, args: Any = None, *rest: Any, **settings: Any) -> Any:
        """Load the plugins that the arguments name, from which new flags may follow, and run the chosen command."""
        left, changed = plugins.taken_from(args)
        if changed:
            return typer.main.get_command(whole_program()).main(left, *rest, **settings)
        return super().main(left, *rest, **settings)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            console.print_error(str(error))
            raise typer.Exit(BAD_INPUT) from None
        except BrokenPipeError:
            if not console.reader_is_gone():
                raise
            raise typer.Exit(PIPE_CLOSED) from None


def _present_names(command: Any, args: Sequence[str]) -> Iterator[str]:
    """Yield the arguments of a command with the present name of every option that had another one."""
    own = {name for parameter in command.params for name in parameter.opts}
    for argument in args:
        name, equals, value = argument.partition("=")
        renamed = name not in own and RENAMED.get(name) in own
        yield f"{RENAMED[name]}{equals}{value}" if renamed else argument


def _print_version(asked: bool) -> None:
    if asked:
        print(f"finbench {package_version('finbench')}")
        raise typer.Exit(FOUND)


def common(
    debug: Annotated[bool, typer.Option("--debug", envvar="FINBENCH_DEBUG", help="Show tracebacks.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
    plugin: plugins.PluginFiles = None,  # noqa: ARG001  (`Commands.main` has taken it)
) -> None:
    """Take the options of every command."""
    os.environ["FINBENCH_DEBUG"] = "1" if debug else ""


def _with_whole_paragraphs(group: typer.Typer) -> None:
    """Let the help of all commands break lines where the terminal ends, not where the source does."""
    for command in group.registered_commands:
        told = command.help or inspect.getdoc(command.callback) or ""
        command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in told.split("\n\n"))
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            _with_whole_paragraphs(inner.typer_instance)


def program(groups: Iterable[str]) -> typer.Typer:
    """Return `finbench` with the commands of these modules of `GROUPS`."""
    made = typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Place early-exit DNN blocks on mobile, edge and cloud nodes at least energy: exact MILP and FIN "
        "side by side.\n\n"
        "In a pipe or a file, tables are tab-separated text; --json prints every digit.\n\n"
        "Exit codes: 0 feasible · 2 bad input or usage · 3 proven infeasible · 4 nothing found, no proof · "
        "5 violations, or claims that contradict each other or the evaluator · 1 anything unexpected, or results worse "
        "than allowed.",
    )
    made.callback()(common)
    for name in groups:
        made.add_typer(import_module(f"finbench.benchmarks.cli.{name}").commands)
    _with_whole_paragraphs(made)
    return made


@cache
def whole_program() -> typer.Typer:
    """Return `finbench` with all its commands; this is `app`."""
    return program(GROUPS)


def __getattr__(name: str) -> typer.Typer:
    """Return `app`, which is made when it is first asked for."""
    if name == "app":
        return whole_program()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def program_for(args: Sequence[str]) -> typer.Typer:
    """Return `finbench` with the commands of the module whose command the arguments begin with, else with all."""
    groups = [group for group, names in GROUPS.items() if args and args[0] in names]
    return program(groups) if groups else whole_program()


def every_command() -> dict[str, Any]:
    """Return the commands by name; those of a group with its name before their own."""
    top: Any = typer.main.get_command(whole_program())
    found: dict[str, Any] = {}
    for name, each in top.commands.items():
        inner = getattr(each, "commands", None)
        found |= {name: each} if inner is None else {f"{name} {own}": command for own, command in inner.items()}
    return found


def main() -> None:
    """Run the command `finbench`."""
    console.show_what_can_be_shown()
    show_remarks()
    try:
        try:
            program_for(sys.argv[1:])(prog_name="finbench")
        finally:
            if console.reader_is_gone():
                console.discard_output()
                sys.exit(PIPE_CLOSED)
    except Exception as error:
        if os.environ.get("FINBENCH_DEBUG"):
            raise
        console.print_error(f"unexpected {type(error).__name__}: {error} (--debug shows the traceback)")
        sys.exit(UNEXPECTED)
