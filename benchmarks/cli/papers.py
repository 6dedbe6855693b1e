"""The commands that make tables and figures for papers from finished results."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.cli.options import output_option
from finbench.benchmarks.cli.panels import RESULTS
from finbench.benchmarks.plots.formats import PICTURE_SUFFIXES, Look, Width
from finbench.benchmarks.terminal import console

commands = typer.Typer()

Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder of results, or its runs.jsonl.")]
Methods = Annotated[
    list[str] | None,
    typer.Option("--methods", help="Methods or variants, in this order, separated by commas; left out: all."),
]
Groups = Annotated[
    list[str] | None, typer.Option("--groups", help="Groups of instances, separated by commas; left out: all.")
]
Baseline = Annotated[str | None, typer.Option(help="The method against which savings are counted, such as mcp.")]


class Format(StrEnum):
    """How a table is written."""

    MARKDOWN = "markdown"
    LATEX = "latex"
    CSV = "csv"


@commands.command(rich_help_panel=RESULTS)
def table(
    results: Results,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="Measures, separated by commas: answered, optimal, solved, missed, energy, saving, gap, mean-gap, "
            "worst-gap, time, worst-time, memory, latency, rejected, alternatives, instances."
        ),
    ] = None,
    methods: Methods = None,
    groups: Groups = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="A row for each value of: nodes, blocks, exits, applications, arcs, load, tightness, gamma, latency, "
            "accuracy."
        ),
    ] = None,
    baseline: Baseline = None,
    format_: Annotated[
        Format, typer.Option("--format", help="latex fits the width; csv has every digit.")
    ] = Format.MARKDOWN,
    width: Annotated[Width, typer.Option(help="latex: what it must fit, 252 pt or 516 pt.")] = Width.COLUMN,
    caption: Annotated[str | None, typer.Option(help="latex: its caption; left out: one that says what it is.")] = None,
    label: Annotated[str | None, typer.Option(help="latex: its label, such as tab:methods.")] = None,
    output: Annotated[Path | None, output_option("Write it to this file; left out: print it.")] = None,
) -> None:
    """Judge methods side by side over finished results, as a table for papers.

    Failures are counted, never averaged in, and never left out unsaid; what each column means stands below the table.

    Example: [bold]finbench table results/published --format latex --baseline mcp -o table.tex[/bold]

    Example: [bold]finbench table results/applications --by load --columns energy,gap,time --format latex[/bold]
    """
    from finbench.benchmarks.analysis.frame import load_frame
    from finbench.benchmarks.analysis.table import csv_text
    from finbench.benchmarks.analysis.table_latex import PaperWidth, latex_table, named
    from finbench.benchmarks.analysis.table_methods import TableRequest, methods_table
    from finbench.models.io import InputError, write_text

    name = named(label)
    made = methods_table(load_frame(results), TableRequest(columns or (), methods or (), groups or (), by, baseline))
    if not made.blocks:
        raise InputError(results, "the methods share no instance in any group")
    if format_ is Format.CSV:
        text = csv_text(made.frame())
    elif format_ is Format.LATEX:
        text = latex_table(made, PaperWidth(width), caption or made.caption, name)
    else:
        text = made.markdown()
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)
        console.print_written(output)


@commands.command(rich_help_panel=RESULTS)
def plot(
    results: Results,
    output: Annotated[Path, output_option("Draw it here (.png, .pdf or .svg).", *PICTURE_SUFFIXES)],
    what: Annotated[
        str,
        typer.Option(
            help="profile: share solved over the ratio to the fastest time; parts: energy of computing and of "
            "transfers; tiers: where blocks run; exits: last exits; or a measure of `finbench table`."
        ),
    ] = "profile",
    against: Annotated[
        str | None,
        typer.Option(
            help="Against: nodes, blocks, exits, applications, arcs, load, tightness, gamma, latency, accuracy."
        ),
    ] = None,
    methods: Methods = None,
    groups: Groups = None,
    baseline: Baseline = None,
    gap: Annotated[
        float, typer.Option(min=0, help="profile: largest gap to the best bound that counts as solved.")
    ] = 0.01,
    top: Annotated[int, typer.Option(min=1, help="Name so many of the best methods; the others are grey.")] = 8,
    style: Annotated[Look, typer.Option(help="Fonts and sizes: for a screen, or as IEEE asks.")] = Look.SCREEN,
    width: Annotated[Width, typer.Option(help="3.5 or 7.16 inches wide.")] = Width.PAGE,
) -> None:
    """Draw finished results for papers: profiles, or measures or parts against sizes, loads, targets or γ.

    A panel for each group, a line for each method. Failures are counted or marked, never left out unsaid; bands and
    marks are explained below the figure.

    Example: [bold]finbench plot results/published -o profile.pdf --style ieee --width column[/bold]

    Example: [bold]finbench plot results/published --what gap --against nodes -o gap.pdf[/bold]

    Example: [bold]finbench plot results/published-many --what tiers --methods fin,mcp -o tiers.pdf[/bold]
    """
    from finbench.benchmarks.analysis.frame import load_frame
    from finbench.benchmarks.plots.requested import PlotRequest, requested_figure
    from finbench.benchmarks.plots.style import paper, save_picture
    from finbench.models.io import InputError

    request = PlotRequest(what, against, methods or (), groups or (), baseline, gap, top)
    figure = requested_figure(load_frame(results), request, paper(style, width))
    if figure is None:
        raise InputError(results, "the methods share no instance in any group")
    save_picture(figure, output, style)
