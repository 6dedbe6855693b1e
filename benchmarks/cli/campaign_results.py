"""What a campaign leaves behind: every run (runs.jsonl, collected in runs.parquet and runs.csv), tables.md, figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from finbench.benchmarks.analysis.numbers import number
from finbench.benchmarks.analysis.table import csv_text
from finbench.benchmarks.campaigns.campaign import Campaign
from finbench.benchmarks.execution.plan import Choice, Run, plan
from finbench.benchmarks.execution.runner import Outcome, known_rows, run_campaign
from finbench.benchmarks.execution.task import Backend
from finbench.benchmarks.execution.warm_worker import GRACE_S, TERMINATION_S
from finbench.benchmarks.records.journal import Place, rows_there
from finbench.benchmarks.records.row import Record
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.progress import progress
from finbench.models.io import write_bytes, write_text

if TYPE_CHECKING:
    import pandas as pd


def run_and_report(campaign: Campaign, output: Path, backend: Backend, choice: Choice | None = None) -> Outcome:
    """Run what is missing of a campaign, write its results to a folder of its own, and print its tables.

    Parameters
    ----------
    campaign : Campaign
    output : Path
        The results land in `output/<campaign>/`.
    backend : callable
        Where runs are made.
    choice : Choice
        By default all that is missing.

    Returns
    -------
    Outcome
    """
    folder, screen = output / campaign.name, console.output()
    with progress(screen, campaign.name) as shown:
        outcome = run_campaign(campaign, folder, backend, choice, shown)
    if outcome.stopped_by is not None:
        screen.print(f"stopped; {len(outcome.records)} runs are in {folder}: the same command goes on", markup=False)
    elif outcome.records:
        _write_and_print(campaign, outcome, folder)
    return outcome


def collect(runs: pd.DataFrame, folder: Path) -> tuple[Path, Path]:
    """Write a frame of runs (`analysis.frame.frame`) as `runs.parquet` and `runs.csv`; returns the two files."""
    parquet, csv = folder / "runs.parquet", folder / "runs.csv"
    content = BytesIO()
    runs.to_parquet(content, index=False)
    write_bytes(parquet, content.getvalue())
    write_text(csv, csv_text(runs))
    return parquet, csv


def _write_and_print(campaign: Campaign, outcome: Outcome, folder: Path) -> None:
    from finbench.benchmarks.analysis.aggregate import aggregate, aggregate_tables
    from finbench.benchmarks.analysis.campaign_tables import campaign_tables
    from finbench.benchmarks.analysis.frame import frame
    from finbench.benchmarks.analysis.table import markdown
    from finbench.benchmarks.analysis.trajectories import matching_tables
    from finbench.benchmarks.plots.gaps import campaign_figures

    runs = frame(outcome.records)
    collected = collect(runs, folder)
    tables = [*campaign_tables(runs), *aggregate_tables(aggregate(runs)), *matching_tables(outcome.records)]
    notes = [*(f"contradiction: {line}" for line in outcome.contradictions), f"{outcome.errors} failed runs"]
    write_text(folder / "tables.md", markdown(f"Campaign {campaign.name}", tables, notes))
    figures = campaign_figures(runs, folder / "figures")
    screen = console.output()
    for made in tables:
        screen.print(console.table(made.title, made.columns, made.rows, text_columns=made.text_columns))
    for note in notes:
        screen.print(note, markup=False)
    for path in (folder / "runs.jsonl", *collected, folder / "tables.md", *figures):
        screen.print(f"wrote {path}", markup=False)


def print_plan(campaign: Campaign, output: Path, choice: Choice, jobs: int) -> None:
    """Say what would run, group by group, and for how long at most; nothing is run or written.

    Raises
    ------
    InputError
        If the results that are there are not to be trusted.
    """
    runs = plan(campaign)
    rows = known_rows(runs, rows_there(output / campaign.name), choice)
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.origin["group"], []).append(run)
    columns = ("group", "methods", "instances", "runs", "already there", "would run", "at most [h]")
    screen = console.output()
    cells = [_plan_cells(group, here, rows, choice) for group, here in groups.items()]
    screen.print(console.table(f"campaign {campaign.name}", columns, cells, text_columns=2))
    missing = {run.task.key: run for run in _missing(runs, rows, choice)}
    hours = number(_at_most_h(missing.values(), jobs), 3)
    screen.print(f"would make {len(missing)} runs, in at most {hours} h without loading and warming up", markup=False)


def _missing(runs: list[Run], rows: Mapping[Place, Record], choice: Choice) -> list[Run]:
    return [run for run in runs if run.place not in rows and choice.takes(run)]


def _plan_cells(group: str, runs: list[Run], rows: Mapping[Place, Record], choice: Choice) -> tuple[str, ...]:
    labels = dict.fromkeys(run.task.label for run in runs)
    instances = {run.task.content_hash for run in runs}
    missing = _missing(runs, rows, choice)
    counts = (len(instances), len(runs), sum(run.place in rows for run in runs), len(missing))
    return (group, ", ".join(labels), *map(str, counts), number(_at_most_h(missing), 3))


def _at_most_h(runs: Iterable[Run], jobs: int = 1) -> float:
    """Hours after which the last of these runs has been ended, the longest of them started last."""
    longest_s = [run.task.time_limit_s + GRACE_S + TERMINATION_S for run in runs]
    last_s = max(longest_s, default=0.0)
    return ((sum(longest_s) - last_s) / jobs + last_s) / 3600
