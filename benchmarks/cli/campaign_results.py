"""What a campaign leaves behind: every run (runs.jsonl, collected in runs.parquet and runs.csv), tables.md, figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from finbench.benchmarks.analysis.numbers import number
from finbench.benchmarks.analysis.table import TextTable, csv_text
from finbench.benchmarks.campaigns.campaign import Campaign
from finbench.benchmarks.cli.lasting_output import lasting_output
from finbench.benchmarks.execution.plan import Run, RunFilter, plan
from finbench.benchmarks.execution.runner import CampaignResult, known_rows, run_campaign
from finbench.benchmarks.execution.task import Backend
from finbench.benchmarks.execution.warm_worker import GRACE_S, TERMINATION_S
from finbench.benchmarks.rows.columns import extra_kind, frame_columns
from finbench.benchmarks.rows.environment import machines_of
from finbench.benchmarks.rows.journal import Place, rows_there
from finbench.benchmarks.rows.row import Row
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.progress import progress
from finbench.models.io import write_bytes, write_text

if TYPE_CHECKING:
    import pandas as pd


def run_and_report(
    campaign: Campaign, output: Path, backend: Backend, chosen: RunFilter | None = None
) -> CampaignResult:
    """Run what is missing of a campaign, write its results to a folder of its own, and print its tables.

    Parameters
    ----------
    campaign : Campaign
    output : Path
        The results land in `output/<campaign>/`.
    backend : callable
        Makes the runs.
    chosen : RunFilter
        By default all that is missing.

    Returns
    -------
    CampaignResult
    """
    folder = output / campaign.name
    with lasting_output():
        screen = console.output()
        with progress(screen, campaign.name) as shown:
            made = run_campaign(campaign, folder, backend, chosen, shown)
        if made.stopped_by is not None:
            screen.print(f"stopped; {len(made.rows)} runs are in {folder}: the same command goes on", markup=False)
        elif made.rows:
            _write_and_print(campaign, made, folder)
    return made


def collect(runs: pd.DataFrame, folder: Path) -> tuple[Path, Path]:
    """Write a frame of runs (`analysis.frame`) as `runs.parquet` and `runs.csv`; return the two files.

    Both have the columns of every campaign, in the same order, each of its declared type. So the Parquet files of
    several campaigns are one data set. What a campaign does not have is null.
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    parquet, csv = folder / "runs.parquet", folder / "runs.csv"
    types = {
        "text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "truth": pa.bool_(),
        "numbers": pa.list_(pa.float64()),
    }  # fmt: skip
    kinds = frame_columns()
    others = sorted(str(name) for name in runs if name not in kinds)
    kinds |= {name: kind for name in others if (kind := extra_kind(name)) is not None}
    numeric = {"integer": "Int64", "number": "float64"}
    dtypes = {name: numeric.get(kind, "object") for name, kind in kinds.items()}
    whole = runs.reindex(columns=list(kinds)).astype(dtypes)
    schema = pa.schema([(name, types[kind]) for name, kind in kinds.items()])
    content = BytesIO()
    pq.write_table(pa.Table.from_pandas(whole, schema, preserve_index=False), content)
    write_bytes(parquet, content.getvalue())
    write_text(csv, csv_text(whole))
    return parquet, csv


@dataclass(frozen=True)
class Written:
    """What a campaign has left behind."""

    tables: list[TextTable]
    notes: list[str]
    files: list[Path]


def write_results(name: str, made: CampaignResult, folder: Path) -> Written:
    """Write all runs as Parquet and CSV, the tables and the figures of a campaign to its folder.

    Parameters
    ----------
    name : str
        Of the campaign.
    made : CampaignResult
        With at least one run.
    folder : Path
    """
    from finbench.benchmarks.analysis.campaign_tables import campaign_tables
    from finbench.benchmarks.analysis.frame import frame
    from finbench.benchmarks.analysis.table import markdown
    from finbench.benchmarks.analysis.table_methods import TableRequest, methods_table
    from finbench.benchmarks.analysis.trajectories import matching_tables
    from finbench.benchmarks.plots.campaign_figures import campaign_figures

    runs = frame(made.rows)
    collected = collect(runs, folder)
    methods = methods_table(runs, TableRequest())
    tables = [*campaign_tables(runs), *methods.rows(), *matching_tables(made.rows)]
    notes = [*methods.notes, *(f"contradiction: {line}" for line in made.contradictions), f"{made.errors} failed runs"]
    machines = machines_of(made.rows)
    if len(machines) > 1:
        notes.append(f"made on {len(machines)} machines, whose times do not compare: {'; '.join(machines)}")
    write_text(folder / "tables.md", markdown(f"Campaign {name}", tables, notes))
    figures = campaign_figures(runs, folder / "figures")
    return Written(tables, notes, [folder / "runs.jsonl", *collected, folder / "tables.md", *figures])


def _write_and_print(campaign: Campaign, made: CampaignResult, folder: Path) -> None:
    written, screen = write_results(campaign.name, made, folder), console.output()
    for each in written.tables:
        screen.print(console.table(each.title, each.columns, each.rows, text_columns=each.text_columns))
    for note in written.notes:
        screen.print(note, markup=False)
    for path in written.files:
        screen.print(f"wrote {path}", markup=False)


def print_plan(campaign: Campaign, output: Path, chosen: RunFilter, jobs: int) -> None:
    """Print what would run, group by group, and for how long at most; nothing is run or written.

    Raises
    ------
    InputError
        If the results that are there are not to be trusted.
    """
    runs = plan(campaign)
    rows = known_rows(runs, rows_there(output / campaign.name), chosen)
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.columns["group"], []).append(run)
    columns = ("group", "methods", "instances", "runs", "already there", "would run", "at most [h]")
    screen = console.output()
    cells = [_plan_cells(group, here, rows, chosen) for group, here in groups.items()]
    screen.print(console.table(f"campaign {campaign.name}", columns, cells, text_columns=2))
    missing = {run.task.key: run for run in _missing(runs, rows, chosen)}
    hours = number(_at_most_h(missing.values(), jobs), 3)
    screen.print(f"would make {len(missing)} runs, in at most {hours} h without loading and warming up", markup=False)


def _missing(runs: list[Run], rows: Mapping[Place, Row], chosen: RunFilter) -> list[Run]:
    return [run for run in runs if run.place not in rows and chosen.takes(run)]


def _plan_cells(group: str, runs: list[Run], rows: Mapping[Place, Row], chosen: RunFilter) -> tuple[str, ...]:
    variants = dict.fromkeys(run.task.variant for run in runs)
    instances = {run.task.content_hash for run in runs}
    missing = _missing(runs, rows, chosen)
    counts = (len(instances), len(runs), sum(run.place in rows for run in runs), len(missing))
    return (group, ", ".join(variants), *map(str, counts), number(_at_most_h(missing), 3))


def _at_most_h(runs: Iterable[Run], jobs: int = 1) -> float:
    """Return the hours after which the last of these runs has ended, where the longest of them starts last."""
    longest_s = [run.task.time_limit_s + GRACE_S + TERMINATION_S for run in runs]
    last_s = max(longest_s, default=0.0)
    return ((sum(longest_s) - last_s) / jobs + last_s) / 3600
