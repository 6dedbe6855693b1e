"""What each method did, computed once: the page's sentences and its tables say the same numbers.

A run is *conclusive* when it found a deployment that the evaluator takes, in time or not, or proved that there is none.
Every other run is counted beside; none enters a mean or a median of gaps or times.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap
from typing import Any

import pandas as pd

from finbench.benchmarks.analysis.aggregate import SOLVED_COLUMNS, SOLVED_GAP, aggregate
from finbench.benchmarks.analysis.frame import instance_of, refuted
from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.analysis.statistics import GAPS
from finbench.benchmarks.analysis.units import objective_word, quantity_of_objectives, total_heading
from finbench.benchmarks.report.cells import (
    Cell,
    PageTable,
    counted,
    known,
    measured,
    percentage,
    plain,
    text,
)
from finbench.benchmarks.report.order import in_order
from finbench.models.tolerances import ENERGY_TOLERANCE


@dataclass(frozen=True)
class MethodFacts:
    """One method, with its options, over some runs."""

    variant: str
    runs: int
    conclusive: int
    """Found a deployment, or proved that there is none."""
    found: int
    missed: int
    """Found nothing on an instance on which some run found a deployment."""
    best: int
    """Met the best objective known of an instance."""
    solvable: int
    """Runs on instances with a known deployment."""
    on_proven: int
    """Runs on instances with a proven optimum."""
    optimal: int
    """Of them, those that met it."""
    gap_median: float | None
    gap_mean: float | None
    gap_worst: float | None
    """Over the deployments found, above the best objective known."""
    time_median_s: float | None
    """Over the conclusive runs."""
    time_longest_s: float | None
    """Over all runs that say how long they took."""
    ends: str
    """How many ended otherwise than with a deployment, by status."""


def facts_of(runs: pd.DataFrame) -> list[MethodFacts]:
    """Return the facts of every method of a frame of runs (`analysis.frame`), in the order of the page."""
    told = runs["found"].astype(bool) | refuted(runs)
    by_variant = {str(variant): here for variant, here in runs.assign(conclusive=told).groupby("variant", sort=False)}
    return [_facts(variant, by_variant[variant]) for variant in in_order(by_variant)]


def _facts(variant: str, runs: pd.DataFrame) -> MethodFacts:
    found = runs["found"].astype(bool)
    solvable, proven = runs["best_objective"].notna(), runs["proven"].astype(bool)
    gaps = runs.loc[found, "gap_to_best_known"].dropna().astype(float)
    met = runs["gap_to_best_known"].astype(float) <= ENERGY_TOLERANCE
    times = runs["time_s"].astype(float)
    others = runs.loc[~runs["status"].isin(["optimal", "feasible"]), "status"].value_counts(sort=False)
    return MethodFacts(
        variant=variant,
        runs=len(runs),
        conclusive=int(runs["conclusive"].sum()),
        found=int(found.sum()),
        missed=int((solvable & ~found).sum()),
        best=int((solvable & met).sum()),
        solvable=int(solvable.sum()),
        on_proven=int(proven.sum()),
        optimal=int((proven & met).sum()),
        gap_median=known(gaps.median()),
        gap_mean=known(gaps.mean()),
        gap_worst=known(gaps.max()),
        time_median_s=known(times[runs["conclusive"]].median()),
        time_longest_s=known(times.max()),
        ends=", ".join(f"{count} {status}" for status, count in others.items()),
    )


def method_table(title: str, runs: pd.DataFrame, facts: list[MethodFacts]) -> PageTable:
    """Return a row for each method; `facts` are those of `runs`."""
    word = objective_word(runs["objective_unit"])
    columns = (
        *("method", "runs", "conclusive", "missed", f"best {word} found [%]"),
        *("gap median [%]", "gap mean [%]", "gap worst [%]", "time median", "time longest", "other ends"),
    )
    instances = instance_of(runs)
    total, solvable = instances.nunique(), instances[runs["best_objective"].notna()].nunique()
    proven = instances[runs["proven"].astype(bool)].nunique()
    heading = (
        f"{title}: {total:,} {plural(total, 'instance')}, {solvable:,} with a known deployment, {proven:,} with a "
        "proven optimum"
    )
    note = (
        "Conclusive: runs that found a deployment or proved that there is none; missed: runs that found none where "
        f"another did. Gaps are above the best {word} known, over the deployments found. Median times are over the "
        "conclusive runs, longest times over all."
    )
    return PageTable(heading, columns, tuple(starmap(_method_row, enumerate(facts))), 1, note)


def _method_row(place: int, one: MethodFacts) -> tuple[Cell, ...]:
    best = 100 * one.best / one.solvable if one.solvable else None
    return (
        Cell(one.variant, place),
        *map(counted, (one.runs, one.conclusive, one.missed)),
        plain(best),
        *map(percentage, (one.gap_median, one.gap_mean, one.gap_worst)),
        *(measured(value, "s") for value in (one.time_median_s, one.time_longest_s)),
        text(one.ends),
    )


SYSTEM = ("network_nodes", "applications", "load")
"""Columns that tell systems of many applications apart."""


def system_table(title: str, runs: pd.DataFrame) -> PageTable:
    """Return what each method makes of systems that many applications share, by size and load."""
    columns = (
        *("nodes", "applications", "load", "method", "found", _total(runs), "gap median [%]", "gap worst [%]"),
        *("time median", "rejected", "other ends"),
    )
    by_system = runs.groupby([*SYSTEM, "objective_unit"], sort=False, dropna=False)
    rows = [
        (*(plain(value, 6) for value in system[:-1]), *_system_row(place, one, here[here["variant"] == one.variant]))
        for system, here in by_system
        for place, one in enumerate(facts_of(here))
    ]
    note = (
        "Powers, gaps and rejections are means and medians over the deployments found: two methods compare where both "
        "found as many. Gaps are to the best bound that any method proved. Median times are over the conclusive "
        "runs."
    )
    return PageTable(f"{title}: by size and load", columns, tuple(rows), 4, note)


def _total(runs: pd.DataFrame) -> str:
    return total_heading(quantity_of_objectives(runs["objective_unit"]))


def _system_row(place: int, one: MethodFacts, runs: pd.DataFrame) -> tuple[Cell, ...]:
    found = runs[runs["found"].astype(bool)]
    gaps = found["gap_to_best_bound"].dropna().astype(float)
    return (
        Cell(one.variant, place),
        Cell(f"{one.found} of {one.runs}", float(one.found)),
        measured(found["objective"].astype(float).mean(), runs["objective_unit"].iloc[0], 5),
        *map(percentage, (gaps.median(), gaps.max())),
        measured(one.time_median_s, "s"),
        plain(found["rejected"].astype(float).mean(), 3),
        text(one.ends),
    )


def aggregate_tables(runs: pd.DataFrame) -> dict[str, PageTable]:
    """Return how methods compare over the instances that all of a group's methods share, by group."""
    columns = (
        *("method", *(f"solved, gap ≤ {100 * gap:g} %" for gap in GAPS), "unanswered"),
        *("geometric mean, shift 10 s", "geometric mean, shift 10 ms", f"PAR10, gap ≤ {100 * SOLVED_GAP:g} %"),
        "median gap [%]",
    )
    note = "“≥”: unanswered runs entered with their limit. A median gap with failures as the worst; – where it is one."
    tables = {}
    for group, here in aggregate(runs).groupby("group", sort=False):
        first = here.iloc[0]
        shared = _shared(int(first["shared"]), int(first["instances"]))
        title = f"{group}: over {shared}; {first['bounded']:,} with a proven bound"
        by_variant = {row["method"]: row for _, row in here.iterrows()}
        rows = tuple(_aggregate_row(place, by_variant[variant]) for place, variant in enumerate(in_order(by_variant)))
        tables[str(group)] = PageTable(title, columns, rows, 1, note)
    return tables


def _shared(shared: int, instances: int) -> str:
    if shared == instances:
        return f"all {instances:,} instances" if instances > 1 else "the only instance"
    return f"the {shared:,} of {instances:,} instances that all methods share"


def _aggregate_row(place: int, row: pd.Series[Any]) -> tuple[Cell, ...]:
    at_least = "≥ " if row["unanswered"] else ""
    return (
        Cell(str(row["method"]), place),
        *(counted(int(row[name])) for name in (*SOLVED_COLUMNS, "unanswered")),
        *(measured(row.get(name), "s", 3, at_least) for name in ("sgm_10s_s", "sgm_0.01s_s")),
        measured(row.get("par10_s"), "s"),
        percentage(row.get("median_gap")),
    )
