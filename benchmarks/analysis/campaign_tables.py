"""Tables of a campaign: every run where there are few, summaries where there are many."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from finbench.benchmarks.analysis.numbers import fixed_percent, number, percent, plural
from finbench.benchmarks.analysis.table import TextTable
from finbench.benchmarks.analysis.units import HEADINGS, Quantity, objective_word, quantity_of_objectives
from finbench.models.tolerances import ENERGY_TOLERANCE

FEW = 12
"""Groups of at most this many instances are listed run by run."""

TARGETS = (
    *(("δ [s]", "max_latency_s"), ("α", "min_accuracy"), ("accounting", "accounting"), ("latency", "latency_kind")),
    *(("q", "latency_quantile"), ("unit", "objective_unit")),
)
"""What tells points of a target grid apart, and its column."""


ENERGIES = (Quantity.JOULES.value, Quantity.WATTS.value)
"""Units of objectives that say the energy."""


def campaign_tables(runs: pd.DataFrame) -> list[TextTable]:
    """Return all tables of a campaign, group by group in the campaign's order.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    """
    tables: list[TextTable] = []
    for group in dict.fromkeys(runs["group"]):
        here = runs[runs["group"] == group]
        if (here["applications"] > 1).any():
            tables.append(shared_systems(group, here))
        elif here["content_hash"].nunique() <= FEW:
            tables.append(side_by_side(group, here))
        tables.append(summary(group, here))
    return tables


def side_by_side(title: str, runs: pd.DataFrame) -> TextTable:
    """Return a table of every run: energy, gap to the best proven bound, latency, accuracy, runtime."""
    others = bool((~runs["objective_unit"].isin(ENERGIES)).any())
    chosen = "dnn" in runs and bool(runs["dnn"].notna().any())
    columns = (
        "instance",
        "method",
        "status",
        *(["DNN"] if chosen else []),
        "energy [J]",
        *(["minimised"] if others else []),
        "gap to best bound [%]",
        "latency [s]",
        "accuracy",
        "runtime [s]",
    )
    targets = [(name, column) for name, column in TARGETS if _differs_by(runs, column)]
    rows = tuple(_run_row(run, targets, others, chosen) for run in runs.to_dict("records"))
    return TextTable(f"{title}: side by side", columns, rows, text_columns=4 if chosen else 3)


def _differs_by(runs: pd.DataFrame, column: str) -> bool:
    """Return whether instances of one name differ in a target or definition."""
    return column in runs and bool((runs.groupby("instance")[column].nunique() > 1).any())


def _run_row(
    run: Mapping[Hashable, Any], targets: Sequence[tuple[str, str]], others: bool, chosen: bool
) -> tuple[str, ...]:
    told = [str(run["instance"]), *(f"{name} = {_text(run[column])}" for name, column in targets)]
    costs: tuple[str, ...] = ("–",) * (5 if others else 4)
    if run["found"]:
        minimised = (f"{number(run['objective'])} {run['objective_unit']}",) if others else ()
        gap = percent(_known(run["gap_to_best_bound"]))
        costs = (number(run["energy_j"]), *minimised, gap, number(run["latency_s"]), number(run["accuracy"]))
    dnn = ("–" if pd.isna(run["dnn"]) else str(run["dnn"]),) if chosen else ()
    return (", ".join(told), run["variant"], run["status"], *dnn, *costs, number(_known(run["time_s"]), 4))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.replace("_", " ")
    return number(_known(value))


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


SYSTEM = ("network_nodes", "applications", "load")
"""Columns that tell systems of many applications apart: one row of their table for each combination."""


def shared_systems(title: str, runs: pd.DataFrame) -> TextTable:
    """Return total power, gap, runtime and rejections of each method against size and load.

    Means over the instances of that size and load on which the method found a deployment: powers of two methods compare
    where both found as many. Gaps are against the best bound that any method proved.
    """
    columns = (
        *("nodes", "applications", "load", "method", "found"),
        *(_total(runs), "gap median [%]", "gap worst [%]", "runtime median [s]", "rejected", "other ends"),
    )
    by_system = runs.groupby([*SYSTEM, "objective_unit", "variant"], sort=False, dropna=False)
    rows = tuple(_system_row(str(variant), here) for (*_, variant), here in by_system)
    return TextTable(f"{title}: by size and load", columns, rows, text_columns=5)


def _total(runs: pd.DataFrame) -> str:
    """Return the heading of the totals: what is minimised, in its unit where there is one."""
    quantity = quantity_of_objectives(runs["objective_unit"])
    return f"total {HEADINGS[quantity]} [{quantity}]" if quantity in HEADINGS else "objective"


def _system_row(variant: str, runs: pd.DataFrame) -> tuple[str, ...]:
    found = runs[runs["found"].astype(bool)]
    gaps, times = found["gap_to_best_bound"].dropna().astype(float), runs["time_s"].dropna().astype(float)
    return (
        *(number(_known(runs[column].iloc[0])) for column in SYSTEM),
        variant,
        f"{len(found)} of {len(runs)}",
        number(_known(found["objective"].astype(float).mean()), 6),
        *(percent(_known(gap)) for gap in (gaps.median(), gaps.max())),
        number(_known(times.median()), 3),
        number(_known(found["rejected"].astype(float).mean()), 3),
        _other_ends(runs["status"]),
    )


def summary(title: str, runs: pd.DataFrame) -> TextTable:
    """Return one row for each method and γ over all instances of a group.

    Gaps are against the best objective known, over instances where the method found a deployment; `missed` counts those
    where it found none although another method did.
    """
    columns = (
        "method",
        "runs",
        "found",
        "missed",
        f"best {objective_word(runs['objective_unit'])} found [%]",
        "gap median [%]",
        "gap mean [%]",
        "gap worst [%]",
        "runtime median [s]",
        "runtime worst [s]",
        "other ends",
    )
    rows = tuple(_summary_row(str(variant), of_method) for variant, of_method in runs.groupby("variant", sort=False))
    solvable = runs.loc[runs["best_objective"].notna(), "content_hash"].nunique()
    proven = runs.loc[runs["proven"], "content_hash"].nunique()
    instances = runs["content_hash"].nunique()
    heading = (
        f"{title}: {instances} {plural(instances, 'instance')}, {solvable} with a known deployment, {proven} with a "
        "proven optimum"
    )
    return TextTable(heading, columns, rows, text_columns=1)


def _summary_row(variant: str, runs: pd.DataFrame) -> tuple[str, ...]:
    found = runs[runs["found"].astype(bool)]
    solvable = runs[runs["best_objective"].notna()]
    gaps = found["gap_to_best_known"].dropna().astype(float)
    best = (gaps <= ENERGY_TOLERANCE).sum() / len(solvable) if len(solvable) else None
    times = runs["time_s"].dropna().astype(float)
    return (
        variant,
        str(len(runs)),
        str(len(found)),
        str(len(solvable) - len(found)),
        number(None) if best is None else fixed_percent(best),
        *(percent(_known(value)) for value in (gaps.median(), gaps.mean(), gaps.max())),
        *(number(_known(value), 3) for value in (times.median(), times.max())),
        _other_ends(runs["status"]),
    )


def _other_ends(statuses: pd.Series[str]) -> str:
    """Return how many runs ended otherwise than with a deployment, by status."""
    counts = statuses[~statuses.isin(["optimal", "feasible"])].value_counts(sort=False)
    return ", ".join(f"{count} {status}" for status, count in counts.items())
