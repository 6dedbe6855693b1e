"""Puts the page together: `finbench report`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from finbench.benchmarks.analysis.claim_tables import match_table, saving_table
from finbench.benchmarks.analysis.claims_of_runs import claims_of_runs
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.campaigns.campaign_file import kept_text
from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.library.library import shipped_library
from finbench.benchmarks.plots.style import COLOURS, DASHES, MARKERS
from finbench.benchmarks.report.cells import PageTable, of_rows
from finbench.benchmarks.report.chart import Chart
from finbench.benchmarks.report.charts import frontier_chart, gap_chart, profile_chart, trajectory_chart
from finbench.benchmarks.report.columns import most_telling, packed, run_columns
from finbench.benchmarks.report.growth_chart import growth_chart, with_sizes
from finbench.benchmarks.report.library_section import COLUMNS as LIBRARY_COLUMNS
from finbench.benchmarks.report.library_section import library_section
from finbench.benchmarks.report.methods_table import aggregate_tables, facts_of, method_table, system_table
from finbench.benchmarks.report.once import distinct
from finbench.benchmarks.report.order import by_method
from finbench.benchmarks.report.rendering import rendered
from finbench.benchmarks.report.served_tables import served_tables
from finbench.benchmarks.report.size_chart import size_chart
from finbench.benchmarks.report.static_figure import static_figure
from finbench.benchmarks.report.summary import environment_rows, facts, machine, repeated, sentences
from finbench.benchmarks.report.transfers import links_by_group, shares_by_group, transfer_sentence, transfer_table
from finbench.benchmarks.report.utilisation_chart import fullest, utilisation_chart
from finbench.benchmarks.report.verdicts import all_contradictions, altered, judge_again
from finbench.benchmarks.report.when import when
from finbench.benchmarks.rows.reading import load_instances, load_rows
from finbench.benchmarks.rows.served import load_served
from finbench.models.instance import Instance
from finbench.models.io import InputError, write_text

SCRIPTS = (
    *("basics.js", "query.js", "tables.js", "charts.js", "pictures.js", "network.js"),
    *("instance.js", "deployments.js", "start.js"),
)


@dataclass(frozen=True)
class GroupTables:
    """What is said of one group of instances."""

    name: str
    tables: tuple[PageTable, ...]


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
    rows, instances = load_rows(journal), load_instances(journal.parent)
    title = title or f"Campaign {journal.resolve().parent.name}"
    served = load_served(journal.parent)
    write_text(output, report_page(rows, instances, title, kept_text(journal.parent), served))


def report_page(
    rows: Sequence[dict[str, Any]],
    instances: Mapping[str, Instance],
    title: str,
    campaign: str | None = None,
    served: Sequence[dict[str, Any]] = (),
) -> str:
    """Return the page as text.

    Parameters
    ----------
    rows : sequence of dict
        With their environments.
    instances : mapping
        By content hash; those that are missing are not drawn.
    title : str
    campaign : str or None
        Text of the campaign's file, where it was kept.
    served : sequence of dict
        What samples met at deployments, as `rows.served.load_served` returns it.
    """
    runs = frame(rows)
    judged = judge_again(rows, instances)
    once = distinct(rows)
    kept = list(once.kept)
    each, shown = runs.iloc[kept].reset_index(drop=True), [judged[k] for k in kept]
    drawn = run_columns(each, shown, once.groups)
    shares = shares_by_group(once.groups, drawn["runs"]["placement"], drawn["placements"])
    contradictions = [*altered(rows, judged), *all_contradictions(judged)]
    claims, methods = claims_of_runs(runs), facts_of(each)
    growth = growth_chart(with_sizes(by_method(runs), instances))
    charts = _charts(rows, runs, judged, growth[0] if growth else None)
    return rendered(
        "report.html",
        SCRIPTS,
        title=title,
        when=when([rows[k] for k in kept]),
        machine=machine(rows),
        campaign=campaign,
        facts=facts(each, claims, contradictions),
        sentences=[
            *sentences(each, claims, methods),
            *([said] if (said := transfer_sentence(shares)) else []),
            *([repeated(len(rows), len(each))] if len(rows) > len(each) else []),
        ],
        contradictions=contradictions,
        judged=sum(one is not None and one.evaluation is not None for one in shown),
        recorded=sum(bool(rows[k].get("deployments")) for k in kept),
        claims=claims,
        fin_table=of_rows(match_table(claims.matches)) if claims.matches else None,
        method_table=method_table("All groups together", each, methods),
        transfer_table=transfer_table(shares, links_by_group(runs, instances)),
        saving_table=of_rows(saving_table(claims.savings)) if claims.savings else None,
        charts=[(chart, static_figure(chart)) for chart in charts],
        growth_table=of_rows(growth[1]) if growth else None,
        groups=_group_tables(runs),
        library=library_section(rows, instances, shipped_library()),
        library_columns=LIBRARY_COLUMNS,
        served=served_tables([rows[k] for k in kept], served),
        environment=environment_rows(rows),
        drawable=bool(instances),
        several=bool((runs["applications"].astype(float) > 1).any()),
        data=_embedded(drawn, charts),
    )


def _charts(
    rows: Sequence[dict[str, Any]],
    runs: pd.DataFrame,
    judged: Sequence[Judged | None],
    growth: Chart | None,
) -> list[Chart]:
    ordered = by_method(runs)
    uses = [fullest(judged[place]) for place in ordered.index]
    found = (
        gap_chart(ordered),
        size_chart(ordered),
        utilisation_chart(ordered, uses),
        growth,
        profile_chart(ordered),
        frontier_chart(ordered),
        trajectory_chart(rows, runs),
    )
    return [chart for chart in found if chart is not None]


def _group_tables(runs: pd.DataFrame) -> list[GroupTables]:
    aggregated = aggregate_tables(runs)
    made = []
    for group in dict.fromkeys(runs["group"]):
        here = runs[runs["group"] == group]
        systems = (system_table(str(group), here),) if (here["applications"] > 1).any() else ()
        tables = (*systems, method_table(str(group), here, facts_of(here)), aggregated[str(group)])
        made.append(GroupTables(str(group), tables))
    return made


def _embedded(drawn: dict[str, Any], charts: Sequence[Chart]) -> Markup:
    data = {
        **drawn,
        "runs": packed(drawn["runs"]),
        "start": most_telling(drawn["runs"]["instance"], drawn["runs"]["placement"]),
        "charts": [chart.to_json() for chart in charts],
        "look": {"colours": len(COLOURS), "markers": len(MARKERS), "dashes": len(DASHES)},
    }
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Within a script element nothing but "</script" and "<!--" means anything; without "<" neither can stand there.
    return Markup(text.replace("<", "\\u003c"))
