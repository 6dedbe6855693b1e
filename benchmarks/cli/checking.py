"""The command that reads an instance and says what in it is probably a mistake."""

from __future__ import annotations

import warnings
from typing import Any

import typer

from finbench.benchmarks.cli.exit_codes import FOUND, INFEASIBLE, UNEXPECTED
from finbench.benchmarks.cli.options import OVERRIDES, AsJson, InstanceName, loaded, takes
from finbench.benchmarks.cli.panels import DATA
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.io import InputWarning

commands = typer.Typer()


@commands.command(rich_help_panel=DATA)
@takes(overrides=OVERRIDES)
def check(instance: InstanceName, as_json: AsJson = False, *, overrides: dict[str, Any]) -> None:
    """Read an instance, and say what breaks no rule and yet is probably a mistake.

    Told are values outside what is known of devices, links and DNNs; transfers that take days, or less time than light;
    outputs far off the tensors beside them; targets that even the quickest deployment misses; applications that no
    node can serve. Of many alike the first is told. `finbench solve` tells all but those that need a search for the
    quickest deployment.

    Exit codes: 0 nothing to remark · 1 remarks · 2 the file cannot be read · 3 an application that must be served
    cannot be, even alone.

    Example: [bold]finbench check balexnet-cifar10[/bold]
    """
    from finbench.benchmarks.judging.checked import checked

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)  # its lines are among the remarks
        problem = loaded(instance, overrides)
    found = checked(problem)
    if as_json:
        console.print_json({"remarks": list(found.lines), "unserved": list(found.unserved)})
    for line in () if as_json else found.lines:
        print(printable(line))
    if not as_json and not found.lines:
        print(f"{printable(problem.name)}: nothing to remark")
    raise typer.Exit(INFEASIBLE if found.unserved else UNEXPECTED if found.lines else FOUND)
