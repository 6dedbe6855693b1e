"""`finbench scale`: how time and memory of every method grow with size, family by family.

Every method climbs the family's ladder of sizes. One that meets its limit `strikes` times stops climbing; the sizes
above are marked censored, and so they enter the fits (`benchmarks.growth`): as runs that would have cost more than the
limit, neither left out nor taken for finished. Each run has a process of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from benchmarks import console
from benchmarks.campaign import FamilyEntry, Many, Member, MethodEntry, Some, Table
from benchmarks.isolated import run_isolated
from benchmarks.judge import Judged, contradictions, judge
from benchmarks.methods import label
from benchmarks.metrics import frame
from benchmarks.records import Record, journal, record
from benchmarks.runner import Report
from benchmarks.scale_growth import CENSORED, LIMITS, growth_table
from benchmarks.tables import markdown
from fin_graph.support import layered_arcs
from models.instance import Instance, Positive
from models.io import find_file, read_document, validate, write_text
from models.result import Result, Status

_NOT_RUN = Result(Status.TIME_LIMIT, reason="not run: the method stopped climbing at smaller sizes")

GIB = 2**30


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
    """Limit for each run's process [GiB]."""
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


def climb(campaign: ScaleCampaign, report: Report) -> Iterator[tuple[Record, Judged | None]]:
    """Run every ladder, size by size; censored sizes are rows as well."""
    for ladder in campaign.families:
        strikes: Counter[str] = Counter()
        limit_s = ladder.time_limit_s or campaign.time_limit_s
        chosen = [run for method in ladder.methods or campaign.methods for run in method.expanded()]
        for member in ladder.sources():
            for method, options in chosen:
                name = label(method, options)
                origin = {"group": ladder.group, **member.columns()}
                if strikes[name] >= campaign.strikes:
                    yield {**origin, **_censored(campaign, limit_s, member, method, options)}, None
                    continue
                report(f"{ladder.group}: {member.name}, {name}")
                row, judged = _run(campaign, limit_s, member, method, options)
                strikes[name] += row["status"] in LIMITS
                yield {**origin, **row}, judged


def _run(
    campaign: ScaleCampaign, limit_s: float, member: Member, method: str, options: dict[str, Any]
) -> tuple[Record, Judged]:
    run = run_isolated(
        member,
        method,
        options,
        seed=campaign.seed,
        time_limit_s=limit_s,
        memory_limit_bytes=round(campaign.memory_limit_gib * GIB),
    )
    instance = _built(member)
    judged = judge(instance, method, options, run.result)
    over = judged.time_s > limit_s and judged.result.status not in LIMITS
    row = record(judged, seed=campaign.seed, wall_s=judged.time_s)
    row |= {"arcs": layered_arcs(instance), "limit_s": limit_s, "peak_bytes": run.peak_bytes}
    return (row | {"status": Status.TIME_LIMIT.value, "reason": f"took {judged.time_s:.3g} s"} if over else row), judged


def _censored(campaign: ScaleCampaign, limit_s: float, member: Member, method: str, options: dict[str, Any]) -> Record:
    instance = _built(member)
    judged = judge(instance, method, options, _NOT_RUN)
    row = record(judged, seed=campaign.seed, wall_s=0.0)
    return row | {"status": CENSORED, "arcs": layered_arcs(instance), "limit_s": limit_s, "peak_bytes": None}


@lru_cache(maxsize=4)
def _built(member: Member) -> Instance:
    return member.build()


def run_scale(campaign: ScaleCampaign, output: Path, report: Report) -> tuple[pd.DataFrame, list[str]]:
    """Run a scale campaign; every finished run is on the disk before the next.

    Parameters
    ----------
    campaign : ScaleCampaign
    output : Path
        The results land in `output/<campaign>/`.
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
    judged_by_instance: defaultdict[str, list[Judged]] = defaultdict(list)
    with journal(output / campaign.name / "runs.jsonl") as lines:
        for row, judged in climb(campaign, report):
            lines.append(row)
            rows.append(row)
            if judged is not None:
                judged_by_instance[judged.instance.content_hash].append(judged)
    broken = [
        f"{runs[0].instance.name}: {line}" for runs in judged_by_instance.values() for line in contradictions(runs)
    ]
    return frame(rows), broken


def scale_and_report(campaign: ScaleCampaign, output: Path) -> list[str]:
    """Run a scale campaign, write runs, table and plots, print the table; returns the contradictions."""
    from benchmarks.plots import save_picture
    from benchmarks.scale_plots import draw_growth

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
