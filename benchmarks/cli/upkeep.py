"""The commands for the upkeep of the suite itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finbench.benchmarks.cli.exit_codes import FOUND, UNEXPECTED
from finbench.benchmarks.cli.options import output_option, writable_folder
from finbench.benchmarks.cli.panels import UPKEEP
from finbench.benchmarks.terminal import console
from finbench.models.io import InputError, write_text

if TYPE_CHECKING:
    from finbench.benchmarks.upkeep.measurement import Measurement

commands = typer.Typer()


BENCH_PARTS = (
    *("published", "cold-start", "overhead", "engines", "rates", "roundings", "large", "growth"),
    *("labels", "alternatives", "capacities", "cspy", "handover", "proofs", "threads", "many", "overload"),
    *("crowd", "branching"),
)
"""Parts that can be measured alone; `upkeep.targets` has them."""


@commands.command(rich_help_panel=UPKEEP)
def bench(
    output: Annotated[Path, output_option("Write the measurements here (.json).", ".json", new_folders=True)] = Path(
        "bench.json"
    ),
    part: Annotated[
        list[str] | None, typer.Option(help=f"Only this part, again for more: {', '.join(BENCH_PARTS)}.")
    ] = None,
) -> None:
    """Measure every performance target, mark those that fall short (about an hour and a half).

    Example: [bold]finbench bench -o results/bench.json[/bold]

    Example: [bold]finbench bench --part labels --part capacities[/bold]
    """
    for name in part or ():
        if name not in BENCH_PARTS:
            raise InputError("--part", f"{name[:60]!r}: must be one of {', '.join(BENCH_PARTS)}")
    raise typer.Exit(FOUND if measure_and_report(output, part or ()) else UNEXPECTED)


@commands.command(rich_help_panel=UPKEEP)
def figures(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the pictures.", callback=writable_folder)
    ] = Path("docs/figures"),
) -> None:
    """Draw the README's pictures again, from real runs.

    Example: [bold]finbench figures -o docs/figures[/bold]
    """
    from finbench.benchmarks.upkeep.readme_figures import readme_figures

    for path in readme_figures(output):
        print(f"wrote {path}")


def measure_and_report(file: Path, parts: Sequence[str] = ()) -> bool:
    """Measure the targets of some parts, or all, print each as it is measured, write them as JSON.

    Returns
    -------
    bool
        Whether none is missed. One that could not be measured is neither met nor missed.
    """
    from finbench.benchmarks.rows.environment import environment
    from finbench.benchmarks.upkeep.targets import measure

    screen = console.output()
    measurements = []
    for one in measure(parts):
        measurements.append(one)
        screen.print(f"{_MARKS[one.met]}  {_described(one)}", markup=False)
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = [{**asdict(each), "met": each.met} for each in measurements]
        write_text(file, json.dumps({"environment": environment(), "measurements": rows}, indent=1) + "\n")
    met, missed, unmeasured = (sum(one.met is mark for one in measurements) for mark in (True, False, None))
    apart = f", {unmeasured} not measured" if unmeasured else ""
    screen.print(f"{met} met, {missed} missed{apart}; wrote {file}", markup=False)
    return missed == 0


_MARKS = {True: "met ", False: "MISS", None: "none"}
"""What stands before a target that is met, missed, or was not measured."""


def _described(one: Measurement) -> str:
    limits = [f"{sign} {limit:g}" for sign, limit in (("≥", one.at_least), ("≤", one.at_most)) if limit is not None]
    note = f" ({one.note})" if one.note else ""
    value = "–" if one.value is None else f"{one.value:.4g}"
    return f"{one.target}: {value} {one.unit} [{', '.join(limits)}] — {one.subject}{note}"
