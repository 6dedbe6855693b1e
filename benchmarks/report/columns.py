"""The runs of a campaign, column by column, as compactly as a page of twenty thousand needs it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from finbench.benchmarks.analysis.frame import instance_of
from finbench.benchmarks.judging.judged import Judged
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
)
"""Columns of numbers, every digit kept; those that a campaign does not fill are left out."""

NAMES = ("group", "label", "status", "reason", "violations")
"""Columns of few distinct texts, kept as numbers into a list."""

INSTANCE_COLUMNS = (
    *("accounting", "latency_kind", "max_latency_s", "min_accuracy"),
    *("applications", "network_nodes", "network_links"),
)

Table = dict[str, Any]


def run_columns(runs: pd.DataFrame, judged: Sequence[Judged | None]) -> Table:
    """Return the runs column by column, the instances that they name, and what is needed to draw both.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    judged : sequence of Judged or None
        As `verdicts.judge_again` makes it, row for row.

    Returns
    -------
    dict
        JSON-compatible: `runs` (columns), `instances`, `networks`, `dnns`, `placements`.
    """
    gallery = Gallery()
    instances, of_run = _instances(runs, judged, gallery)
    placements = [None if one is None else gallery.placement(one) for one in judged]
    gallery.finish()
    columns: Table = {name: _texts(runs[name]) for name in NAMES if name in runs}
    columns |= {name: _numbers(runs[name]) for name in NUMBERS if name in runs and runs[name].notna().any()}
    columns |= {"instance": of_run, "placement": placements, "found": [int(one) for one in runs["found"]]}
    return {
        "runs": columns,
        "count": len(runs),
        "instances": instances,
        "networks": gallery.networks,
        "dnns": gallery.dnns,
        "placements": gallery.placements,
    }


def _instances(runs: pd.DataFrame, judged: Sequence[Judged | None], gallery: Gallery) -> tuple[list[Table], list[int]]:
    """Return every instance once (by content, else by name), and for each run the number of its own."""
    made: list[Table] = []
    numbers: dict[str, int] = {}
    of_run = []
    keys = instance_of(runs)
    for key, row, one in zip(keys, runs.to_dict("records"), judged, strict=True):
        number = numbers.setdefault(key, len(made))
        if number == len(made):
            made.append(_instance(str(key), row))
        if one is not None and "drawing" not in made[number]:
            made[number]["drawing"] = gallery.instance(one.instance)
        of_run.append(number)
    return made, of_run


def _instance(key: str, row: Mapping[Hashable, Any]) -> Table:
    known = {name: row[name] for name in INSTANCE_COLUMNS if name in row and pd.notna(row[name])}
    bests = {name: _optional(row[name]) for name in ("best_bound", "best_objective")}
    return {"key": key[:16], "name": row["instance"], **known, **bests, "proven": bool(row["proven"])}


def _optional(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _numbers(values: Iterable[Any]) -> list[float | int | None]:
    return [None if pd.isna(value) else int(value) if float(value).is_integer() else float(value) for value in values]


def _texts(values: pd.Series[Any]) -> Table:
    """Return distinct texts, and for each row the number of its own."""
    texts = values.fillna("").astype(str)
    distinct = list(dict.fromkeys(texts))
    number = {text: k for k, text in enumerate(distinct)}
    return {"texts": distinct, "of_run": [number[text] for text in texts]}


def most_telling(columns: Table) -> int:
    """Return the number of the instance whose runs place blocks in the most different ways; the page opens with it."""
    placements: dict[int, set[int]] = {}
    for instance, placement in zip(columns["runs"]["instance"], columns["runs"]["placement"], strict=True):
        if placement is not None:
            placements.setdefault(instance, set()).add(placement)
    return max(placements, key=lambda instance: len(placements[instance]), default=0)
