"""The command that imports shares and accuracies of exits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.cli.importing_dnn import numbered
from finbench.benchmarks.cli.options import output_option
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable


def exits(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A .csv of samples, or a summary of exits.")],
    output: Annotated[Path, output_option("Write the settings here (.toml or .json).", ".toml", ".json")],
    by: Annotated[str, typer.Option(metavar="confidence|entropy", help="What thresholds are of.")] = "confidence",
    grid: Annotated[int, typer.Option(min=1, max=1000, help="Steps of the grid of thresholds of each exit.")] = 10,
    most: Annotated[int, typer.Option(min=1, max=1000, help="Settings to keep of those that none dominates.")] = 12,
    dnn: Annotated[
        Path | None, typer.Option(help="A DNN file: write it under each setting as well, numbered, as alternatives.")
    ] = None,
) -> None:
    """Turn what exits said of samples into their shares and accuracies.

    A table of samples has the columns sample, exit, confidence, correct and, for --by entropy, entropy: one row for
    each sample and exit. For thresholds on a grid it gives the share of samples that leave at each exit, and the
    accuracy for every possible last exit, which answers samples that have not left. Settings that another one beats
    everywhere go. A summary has the columns exit, share, accuracy (of those that leave).

    Example: [bold]finbench import exits samples.csv -o exits.toml[/bold]

    Example: [bold]finbench import exits samples.csv --dnn dnn.toml -o exits.toml[/bold]
    """
    from finbench.benchmarks.imports.exits.exit_profiles import load_dnn, with_exits
    from finbench.benchmarks.imports.exits.tables import exit_profiles
    from finbench.benchmarks.imports.part_files import write_part

    base = None if dnn is None else load_dnn(dnn)
    made = exit_profiles(table, by=by, steps=grid, most=most)
    profiles = () if base is None else with_exits(base, made, table)
    count = len(made.settings[0].exits)
    columns = (
        "setting",
        "thresholds",
        *(f"{what} {k}" for what in ("leave at", "accuracy") for k in range(1, count + 1)),
    )
    rows = [
        (
            *(str(k), ", ".join(f"{each:.4g}" for each in setting.thresholds)),
            *(f"{each.exit_fraction:.4f}" for each in setting.exits),
            *(f"{each.accuracy:.4f}" for each in setting.exits),
        )
        for k, setting in enumerate(made.settings, start=1)
    ]
    write_part(made, output)
    files = [output.with_stem(f"{output.stem}-1")] if len(profiles) == 1 else numbered(output, len(profiles))
    for profile, file in zip(profiles, files if profiles else (), strict=True):
        write_part(profile, file)
    console.output().print(console.table(printable(made.name), columns, rows, text_columns=2))
    print(printable(made.provenance))
    for file in (output, *(files if profiles else ())):
        console.print_written(file)
