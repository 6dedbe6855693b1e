"""The command `finbench`: its groups of commands, its exit codes, and what it does with unexpected errors.

Heavy libraries are imported inside the commands that need them, so that `finbench solve` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from finbench.benchmarks.cli import campaigns, claims, insight, instances, results, solving, upkeep
from finbench.benchmarks.cli.exit_codes import BAD_INPUT, PIPE_CLOSED, UNEXPECTED
from finbench.benchmarks.cli.remarks import show_remarks
from finbench.benchmarks.terminal import console
from finbench.models.io import InputError


class Commands(TyperGroup):
    """Bad input is one line on standard error and exit code 2; a closed pipe ends the command without a word."""

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


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Place early-exit DNN blocks on mobile, edge and cloud nodes at least energy: exact MILP and FIN "
    "side by side.\n\n"
    "Exit codes: 0 feasible · 2 bad input or usage · 3 proven infeasible · 4 nothing found, no proof · "
    "5 violations, or claims that contradict each other or the evaluator · 1 anything unexpected, or results worse "
    "than allowed.",
)


@app.callback()
def common(
    debug: Annotated[bool, typer.Option("--debug", envvar="FINBENCH_DEBUG", help="Show tracebacks.")] = False,
) -> None:
    """Take the options of every command."""
    os.environ["FINBENCH_DEBUG"] = "1" if debug else ""


for group in (solving, insight, instances, campaigns, results, claims, upkeep):
    app.add_typer(group.commands)


def main() -> None:
    """Run the command `finbench`."""
    console.show_what_can_be_shown()
    show_remarks()
    try:
        try:
            app(prog_name="finbench")
        finally:
            if console.reader_is_gone():
                console.discard_output()
                sys.exit(PIPE_CLOSED)
    except Exception as error:
        if os.environ.get("FINBENCH_DEBUG"):
            raise
        console.print_error(f"unexpected {type(error).__name__}: {error} (--debug shows the traceback)")
        sys.exit(UNEXPECTED)
