"""`finbench scale`: how time and memory of every method grow with size, family by family.

Every method climbs the family's ladder of sizes. One that meets its limit `strikes` times stops climbing; the sizes
above are marked censored and enter the fits (`benchmarks.analysis.growth`) as runs that would have cost more than the
limit: neither left out nor taken for finished. Runs are made in a worker (`benchmarks.execution`), one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from finbench.benchmarks.analysis.campaign_tables import markdown
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.ladder_growth import CENSORED, LIMITS, growth_table
from finbench.benchmarks.campaigns.campaign import FamilyEntry, Many, MethodEntry, Problem, Some, Table
from finbench.benchmarks.execution.local import Crew
from finbench.benchmarks.execution.runner import Run, contradictions_among, impossible, row_of, runs_on
from finbench.benchmarks.execution.task import Finished
from finbench.benchmarks.records.environment import environment
from finbench.benchmarks.records.journal import Journal
from finbench.benchmarks.records.reading import Record, failure_columns
from finbench.benchmarks.terminal import console
from finbench.models.instance import Instance, Positive
from finbench.models.io import find_file, read_document, validate, write_text
from finbench.models.result import Status

_REASON = "not run: the method stopped climbing at smaller sizes"
_NOT_RUN = failure_columns(Status.TIME_LIMIT, _REASON, 0.0, "not-made") | {"status": CENSORED}

Row = tuple[Record, str | None]


class ScaleCampaign(Table):
    """What a scale campaign's file holds."""

    schema_version: Literal[1] = 1
    """Version of the file format."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    """Name, and the folder of its results."""
    provenance: str = ""
    """Where its choices come from."""
    time_limit_s: Positive
    """Limit for each run [s]."""
    memory_limit_gib: Positive = 8.0
    """What each run may take beyond what its process held before [GiB]."""
    strikes: Annotated[int, Field(ge=1)] = 2
    """Runs at a limit after which a method stops climbing."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed handed to every method."""
    methods: Many[MethodEntry] = ()
    """Methods where a ladder names none of its own."""
    families: Some[FamilyEntry]
    """One ladder each."""


def load_scale_campaign(name_or_path: str) -> ScaleCampaign:
    """Read a scale campaign by shipped name or path.

    Raises
    ------
    InputError
        If the file cannot be read or breaks a rule.
    """
    path = find_file(name_or_path, "ladders")
    return validate(read_document(path), ScaleCampaign, path)


def climb(campaign: ScaleCampaign, make: Callable[[Run], Finished], keep: Callable[[Instance], None]) -> Iterator[Row]:
    """Run every ladder, size by size; censored sizes are rows as well.

    Parameters
    ----------
    campaign : ScaleCampaign
    make : callable
        Makes a run.
    keep : callable
        Given every instance.

    Yields
    ------
    (Record, str or None)
        A row, and the log of a run that failed.
    """
    for ladder in campaign.families:
        strikes: Counter[str] = Counter()
        limit_s = ladder.time_limit_s or campaign.time_limit_s
        chosen = tuple(run for method in ladder.methods or campaign.methods for run in method.expanded())
        for member in ladder.sources():
            problem = Problem(ladder.group, member, chosen, limit_s, campaign.memory_limit_gib)
            for run in runs_on(problem, campaign.seed, keep):
                if strikes[run.task.label] >= campaign.strikes:
                    yield row_of(run, Finished(run.task, _NOT_RUN)), None
                    continue
                event = make(run)
                row = row_of(run, event) | _overrun(event)
                strikes[run.task.label] += row["status"] in LIMITS
                yield row, event.log


def _overrun(event: Finished) -> Record:
    """What a row says instead where the run took longer than its limit, whatever its method says."""
    time_s = event.columns["time_s"]
    if event.columns["status"] in LIMITS or time_s <= event.task.time_limit_s:
        return {}
    return {"status": Status.TIME_LIMIT.value, "reason": f"took {time_s:.3g} s"}


def run_scale(campaign: ScaleCampaign, output: Path, report: Callable[[str], None]) -> tuple[pd.DataFrame, list[str]]:
    """Run a scale campaign; every finished run is on the disk before the next.

    Parameters
    ----------
    campaign : ScaleCampaign
    output : Path
        The results land in `output/<campaign>/`; rows of an earlier campaign there are kept as `.bak`.
    report : callable
        Told what is about to run.

    Returns
    -------
    DataFrame
        One row for each run and each censored size.
    list of str
        Contradictions between methods, one line each.
    """
    rows: list[Record] = []
    with Journal(output / campaign.name, fresh=True) as journal, closing(Crew()) as crew:

        def make(run: Run) -> Finished:
            report(f"{run.origin['group']}: {run.origin['instance']}, {run.task.label}")
            finished = impossible(run) if run.failure is not None else crew.make(run.task)
            assert finished is not None
            return finished

        for row, log in climb(campaign, make, journal.add_instance):
            rows.append(journal.with_environment(journal.append(row, environment(), log)))
    return frame(rows), contradictions_among(rows)


def scale_and_report(campaign: ScaleCampaign, output: Path) -> list[str]:
    """Run a scale campaign, write runs, table and plots, print the table; returns the contradictions."""
    from finbench.benchmarks.plots.growth import draw_growth
    from finbench.benchmarks.plots.style import save_picture

    folder = output / campaign.name
    runs, broken = run_scale(campaign, output, lambda line: print(line, flush=True))
    table = growth_table(runs)
    write_text(folder / "runs.csv", runs.to_csv(index=False))
    notes = [f"contradiction: {line}" for line in broken]
    write_text(folder / "tables.md", markdown(f"Campaign {campaign.name}", [table], notes))
    for suffix in ("png", "pdf"):
        save_picture(draw_growth(runs), folder / f"growth.{suffix}")
    screen = console.output()
    screen.print(console.table(table.title, table.columns, table.rows, text_columns=table.text_columns))
    for line in (*notes, f"wrote {folder}/runs.jsonl, runs.csv, tables.md, growth.png, growth.pdf"):
        screen.print(line, markup=False)
    return broken
