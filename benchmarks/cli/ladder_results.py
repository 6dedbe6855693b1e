"""What `finbench scale` leaves behind."""

from __future__ import annotations

from pathlib import Path

from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.ladder_growth import growth_table
from finbench.benchmarks.analysis.table import csv_text, markdown
from finbench.benchmarks.campaigns.ladder import LadderCampaign
from finbench.benchmarks.cli.lasting_output import lasting_output
from finbench.benchmarks.execution.ladder import run_ladders
from finbench.benchmarks.terminal import console
from finbench.models.io import write_text


def climb_and_report(campaign: LadderCampaign, output: Path) -> list[str]:
    """Run a ladder campaign, write its runs, table and plots, print the table; return the contradictions."""
    with lasting_output():
        return _climb_and_report(campaign, output)


def _climb_and_report(campaign: LadderCampaign, output: Path) -> list[str]:
    from finbench.benchmarks.plots.growth import draw_growth
    from finbench.benchmarks.plots.style import save_picture

    folder = output / campaign.name
    rows, broken = run_ladders(campaign, output, lambda line: print(line, flush=True))
    runs = frame(rows)
    table = growth_table(runs)
    write_text(folder / "runs.csv", csv_text(runs))
    notes = [f"contradiction: {line}" for line in broken]
    write_text(folder / "tables.md", markdown(f"Campaign {campaign.name}", [table], notes))
    for suffix in ("png", "pdf"):
        save_picture(draw_growth(runs), folder / f"growth.{suffix}")
    screen = console.output()
    console.print_rows(table)
    for line in (*notes, f"wrote {folder}/runs.jsonl, runs.csv, tables.md, growth.png, growth.pdf"):
        screen.print(line, markup=False)
    return broken
