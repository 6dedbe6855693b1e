"""Puts the page together: `finbench report`."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from finbench.benchmarks.analysis.aggregate import aggregate, aggregate_tables
from finbench.benchmarks.analysis.campaign_tables import shared_systems, summary
from finbench.benchmarks.analysis.claim_tables import match_table, saving_table
from finbench.benchmarks.analysis.claims_of_runs import claims_of_runs
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.table import Rows
from finbench.benchmarks.plots.style import COLOURS, DASHES, MARKERS
from finbench.benchmarks.records.reading import load_instances, load_records
from finbench.benchmarks.records.row import Record
from finbench.benchmarks.report.chart import Chart
from finbench.benchmarks.report.charts import frontier_chart, gap_chart, profile_chart, trajectory_chart
from finbench.benchmarks.report.columns import most_telling, run_columns
from finbench.benchmarks.report.growth_chart import growth_chart, with_sizes
from finbench.benchmarks.report.summary import environment_rows, facts, machine, sentences
from finbench.benchmarks.report.verdicts import all_contradictions, altered, judge_again
from finbench.models.instance import Instance
from finbench.models.io import InputError, write_text

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("basics.js", "tables.js", "charts.js", "network.js", "instance.js", "start.js")


@dataclass(frozen=True)
class GroupTables:
    """What is said of one group of instances."""

    name: str
    tables: tuple[Rows, ...]


def write_report(results: Path, output: Path, title: str | None = None) -> None:
    """Write the page of a folder of results.

    Parameters
    ----------
    results : Path
        The folder, with `runs.jsonl` and, for the drawings, `instances.jsonl`; or the journal itself.
    output : Path
        The HTML file.
    title : str, optional
        Heading; by default the folder's name.

    Raises
    ------
    InputError
        If there are no results, or they cannot be read.
    """
    if not os.path.exists(results):
        raise InputError(results, "no such folder of results")
    journal = results / "runs.jsonl" if results.is_dir() else results
    records, instances = load_records(journal), load_instances(journal.parent)
    finished = datetime.fromtimestamp(journal.stat().st_mtime, UTC)
    title = title or f"Campaign {journal.resolve().parent.name}"
    write_text(output, report_page(records, instances, title, finished))


def report_page(records: list[Record], instances: Mapping[str, Instance], title: str, finished: datetime) -> str:
    """Return the page as text.

    Parameters
    ----------
    records : list of Record
    instances : mapping
        By content hash; those that are missing are not drawn.
    title : str
    finished : datetime
        When the last run ended.
    """
    runs = frame(records)
    judged = judge_again(records, instances)
    contradictions = [*altered(records, judged), *all_contradictions(judged)]
    claims = claims_of_runs(runs)
    growth = growth_chart(with_sizes(runs, instances))
    found = [gap_chart(runs), growth and growth[0], profile_chart(runs), frontier_chart(runs)]
    charts = [chart for chart in (*found, trajectory_chart(records, runs)) if chart]
    return _rendered(
        title=title,
        finished=finished.strftime("%Y-%m-%d %H:%M UTC"),
        machine=machine(records),
        facts=facts(runs, claims, contradictions),
        sentences=sentences(runs, claims),
        contradictions=contradictions,
        judged=sum(one is not None and one.evaluation is not None for one in judged),
        recorded=sum(bool(row.get("deployments")) for row in records),
        claims=claims,
        fin_table=match_table(claims.matches) if claims.matches else None,
        method_table=summary("All groups together", runs),
        saving_table=saving_table(claims.savings) if claims.savings else None,
        charts=charts,
        growth_table=growth and growth[1],
        groups=_group_tables(runs),
        environment=environment_rows(records),
        drawable=bool(instances),
        data=_embedded(runs, judged, charts),
    )


def _group_tables(runs: pd.DataFrame) -> list[GroupTables]:
    judged = aggregate(runs)
    aggregated = dict(zip(dict.fromkeys(judged["group"]), aggregate_tables(judged), strict=True))
    return [
        GroupTables(str(group), (*_first_tables(str(group), runs[runs["group"] == group]), aggregated[group]))
        for group in dict.fromkeys(runs["group"])
    ]


def _first_tables(group: str, runs: pd.DataFrame) -> tuple[Rows, ...]:
    """Return the summary, and before it what many applications cost against size and load."""
    by_load = (shared_systems(group, runs),) if (runs["applications"] > 1).any() else ()
    return (*by_load, summary(group, runs))


def _embedded(runs: pd.DataFrame, judged: list[Any], charts: list[Chart]) -> Markup:
    data = {
        **(columns := run_columns(runs, judged)),
        "start": most_telling(columns),
        "charts": [chart.to_json() for chart in charts],
        "look": {"colours": len(COLOURS), "markers": len(MARKERS), "dashes": len(DASHES)},
    }
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Within a script element nothing but "</script" and "<!--" means anything; without "<" neither can stand there.
    return Markup(text.replace("<", "\\u003c"))


def _rendered(**content: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Markup(environment.get_template("report.css").render(colours=COLOURS))
    script = Markup("".join((TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS))
    policy = (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return environment.get_template("report.html").render(policy=policy, style=style, script=script, **content)


def _source(text: str) -> str:
    """Return how the page's Content-Security-Policy names an inline script or style; nothing else may run."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
