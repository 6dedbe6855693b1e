"""What a campaign leaves behind: every run (runs.jsonl), runs.csv, tables.md, figures; and what it prints."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import console
from benchmarks.campaign import Campaign
from benchmarks.runner import Outcome, count_runs, run_campaign
from models.io import write_text

PLAIN_INTERVAL_S = 5.0
"""Without a terminal, a line of progress at most this often."""


def run_and_report(campaign: Campaign, output: Path) -> Outcome:
    """Run a campaign, write its results to a folder of its own, and print its tables.

    Parameters
    ----------
    campaign : Campaign
    output : Path
        The results land in `output/<campaign>/`.

    Returns
    -------
    Outcome
    """
    folder = output / campaign.name
    outcome = _run_with_progress(campaign, folder / "runs.jsonl")
    _write_and_print(campaign, outcome, folder)
    return outcome


def _run_with_progress(campaign: Campaign, journal_file: Path) -> Outcome:
    screen, total = console.output(), count_runs(campaign)
    if not screen.is_terminal:
        return run_campaign(campaign, journal_file, _PlainProgress(total))
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task(campaign.name, total=total)
        started = iter(range(total))

        def report(line: str) -> None:
            progress.update(task, description=line, completed=next(started))

        return run_campaign(campaign, journal_file, report)


class _PlainProgress:
    """A line now and then."""

    def __init__(self, total: int) -> None:
        self._total, self._begun, self._last = total, 0, float("-inf")

    def __call__(self, line: str) -> None:
        if monotonic() - self._last >= PLAIN_INTERVAL_S:
            print(f"[{self._begun}/{self._total}] {line}", flush=True)
            self._last = monotonic()
        self._begun += 1


def _write_and_print(campaign: Campaign, outcome: Outcome, folder: Path) -> None:
    from benchmarks.aggregate import aggregate, aggregate_tables
    from benchmarks.metrics import frame
    from benchmarks.plots import campaign_figures
    from benchmarks.tables import campaign_tables, markdown
    from benchmarks.trajectories import matching_tables

    runs = frame(outcome.records)
    write_text(folder / "runs.csv", runs.to_csv(index=False))
    tables = [*campaign_tables(runs), *aggregate_tables(aggregate(runs)), *matching_tables(outcome.records)]
    notes = [*(f"contradiction: {line}" for line in outcome.contradictions), f"{outcome.errors} failed runs"]
    write_text(folder / "tables.md", markdown(f"Campaign {campaign.name}", tables, notes))
    figures = campaign_figures(runs, folder / "figures")
    screen = console.output()
    for made in tables:
        screen.print(console.table(made.title, made.columns, made.rows, text_columns=made.text_columns))
    for note in notes:
        screen.print(note, markup=False)
    for path in (folder / "runs.jsonl", folder / "runs.csv", folder / "tables.md", *figures):
        screen.print(f"wrote {path}", markup=False)
