"""The runs of a campaign, column by column, as compactly as a page of twenty thousand needs it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

import pandas as pd

from finbench.benchmarks.analysis.frame import instance_of
from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.report.order import in_order
from finbench.benchmarks.report.pictures import Gallery

NUMBERS = (
    "objective",
    "energy_j",
    "compute_energy_j",
    "transfer_energy_j",
    "latency_s",
    "accuracy",
    "lower_bound",
    "gap_to_best_bound",
    "gap_to_best_known",
    "time_s",
    "peak_bytes",
    "rejected",
    "seed",
    "repetition",
    "gamma",
)
"""Columns of numbers, every digit kept; those that a campaign does not fill are left out."""

FEW = 0.2
"""A column of numbers whose distinct values are at most this part of its length is kept as numbers into a list."""

NAMES = ("status", "reason", "violations", "dnn")
"""Columns of few distinct texts, kept as numbers into a list."""

INSTANCE_COLUMNS = (
    *("accounting", "latency_kind", "latency_quantile", "objective_unit", "max_latency_s", "min_accuracy"),
    *("applications", "network_nodes", "network_links", "dnn_blocks", "dnn_exits", "load", "tightness", "links"),
)

BESTS = ("best_bound", "best_objective")

Table = dict[str, Any]


def run_columns(
    runs: pd.DataFrame, judged: Sequence[Judged | None], groups: Sequence[Sequence[str]] | None = None
) -> Table:
    """Return the runs column by column, the instances that they name, and what is needed to draw both.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    judged : sequence of Judged or None
        As `verdicts.judge_again` makes it, row for row.
    groups : sequence of sequence of str, optional
        All groups of each run; by default the one that its row names.

    Returns
    -------
    dict
        JSON-compatible: `runs` (columns), `instances`, `networks`, `dnns`, `placements`, `groups`.
    """
    gallery = Gallery()
    instances, of_run = _instances(runs, judged, gallery)
    placements = [None if one is None else gallery.placement(one) for one in judged]
    gallery.finish()
    columns: Table = {"group": _groups(groups or [[group] for group in runs["group"]])}
    columns["variant"] = _texts(runs["variant"], in_order(runs["variant"]))
    columns |= {name: _texts(runs[name]) for name in NAMES if name in runs}
    columns |= {name: _numbers(runs[name]) for name in NUMBERS if name in runs and runs[name].notna().any()}
    fullest = [None if one is None or len(one.instance.applications) < 2 else _fullest(one) for one in judged]
    if any(value is not None for value in fullest):
        columns["fullest"] = fullest
    columns |= {"instance": of_run, "placement": placements, "found": [int(one) for one in runs["found"]]}
    return {
        "runs": columns,
        "count": len(runs),
        "instances": instances,
        "networks": gallery.networks,
        "dnns": gallery.dnns,
        "placements": gallery.placements,
    }


def _fullest(judged: Judged) -> float | None:
    """Return the utilisation of the fullest resource, None where there is none or it has no capacity."""
    uses = judged.uses
    return uses[0].utilisation if uses and isfinite(uses[0].utilisation) else None


def packed(columns: Table) -> Table:
    """Return the columns as the page keeps them.

    One that is equal to an earlier one is kept as that one's name (`same`), one of few distinct values as a list of
    these (`values`) with numbers into it (`of_run`); where there is one value, the numbers are left out.
    """
    kept: Table = {}
    for name, column in columns.items():
        twin = next((other for other in kept if columns[other] == column), None)
        kept[name] = {"same": twin} if twin is not None else _few(column)
    return kept


def _few(column: Any) -> Any:
    if isinstance(column, dict):
        return column if len(column["texts"]) != 1 else {k: v for k, v in column.items() if k != "of_run"}
    numbers = {value: k for k, value in enumerate(dict.fromkeys(column))}
    if len(numbers) == 1:
        return {"values": list(numbers)}
    if len(numbers) > FEW * len(column):
        return column
    return {"values": list(numbers), "of_run": [numbers[value] for value in column]}


def _groups(groups: Sequence[Sequence[str]]) -> Table:
    """Return each combination of groups once, as a text and as names, and for each run the number of its own."""
    combinations = {tuple(names): k for k, names in enumerate(dict.fromkeys(map(tuple, groups)))}
    return {
        "texts": ["; ".join(names) for names in combinations],
        "names": [list(names) for names in combinations],
        "of_run": [combinations[tuple(names)] for names in groups],
    }


def _instances(runs: pd.DataFrame, judged: Sequence[Judged | None], gallery: Gallery) -> tuple[list[Table], list[int]]:
    """Return every instance once (by content, else by name), and for each run the number of its own."""
    made: list[Table] = []
    numbers: dict[str, int] = {}
    of_run = []
    keys = instance_of(runs)
    told = runs[[name for name in ("instance", "proven", *BESTS, *INSTANCE_COLUMNS) if name in runs]]
    for key, row, one in zip(keys, told.to_dict("records"), judged, strict=True):
        number = numbers.setdefault(key, len(made))
        if number == len(made):
            made.append(_instance(str(key), row))
        if one is not None and "drawing" not in made[number]:
            made[number]["drawing"] = gallery.instance(one.instance)
        of_run.append(number)
    return made, of_run


def _instance(key: str, row: Mapping[Hashable, Any]) -> Table:
    known = {name: row[name] for name in INSTANCE_COLUMNS if name in row and pd.notna(row[name])}
    bests = {name: _optional(row[name]) for name in BESTS}
    return {"key": key[:16], "name": row["instance"], **known, **bests, "proven": bool(row["proven"])}


def _optional(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _numbers(values: Iterable[Any]) -> list[float | int | None]:
    return [None if pd.isna(value) else int(value) if float(value).is_integer() else float(value) for value in values]


def _texts(values: pd.Series[Any], order: Sequence[str] | None = None) -> Table:
    """Return distinct texts, in the given order or as they come, and for each row the number of its own."""
    texts = values.fillna("").astype(str)
    distinct = list(order or dict.fromkeys(texts))
    number = {text: k for k, text in enumerate(distinct)}
    return {"texts": distinct, "of_run": [number[text] for text in texts]}


def most_telling(instances: Sequence[int], placements: Sequence[int | None]) -> int:
    """Return the number of the instance whose runs place blocks in the most different ways; the page opens with it.

    Parameters
    ----------
    instances, placements : sequence
        The numbers of each run's instance and of its placement.
    """
    distinct: dict[int, set[int]] = {}
    for instance, placement in zip(instances, placements, strict=True):
        if placement is not None:
            distinct.setdefault(instance, set()).add(placement)
    return max(distinct, key=lambda instance: len(distinct[instance]), default=0)
