"""A measure of every method against a dimension: the numbers of a figure."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

import pandas as pd

from finbench.benchmarks.analysis.dimensions import DIMENSIONS, Dimension, binned, values_of
from finbench.benchmarks.analysis.measures import Measure, with_common
from finbench.benchmarks.analysis.points import chosen_runs, one_variant, points, shared_points, without_gamma
from finbench.benchmarks.analysis.units import quantity_of_objectives
from finbench.models.io import InputError


def curves(
    runs: pd.DataFrame,
    measure: Measure,
    dimension: Dimension,
    *,
    methods: Sequence[str] = (),
    groups: Sequence[str] = (),
    baseline: str | None = None,
) -> pd.DataFrame:
    """Return a measure for every group, method and value of a dimension, over the instances that all methods share.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    measure, dimension : Measure, Dimension
    methods, groups : sequence of str
        As `points.chosen_runs` takes them.
    baseline : str, optional
        Method against which savings are counted.

    Returns
    -------
    DataFrame
        `group`, `variant` (without γ where the dimension is γ), `method`, `at` (NaN for a method that has no value of
        the dimension), `value`, `low` and `high` (the band), `counted`, `instances`, `above`, as `measures.Estimate`
        has them, and `unit`, that of the objectives. Ascending in `at`. Empty where the methods share no instance.

    Raises
    ------
    InputError
        If a method, group or baseline is unknown, or savings are asked for without a baseline.
    """
    if measure.name == "saving" and baseline is None:
        raise InputError("measure 'saving'", "needs a method to compare with: --baseline METHOD")
    base = None if baseline is None else one_variant(runs, baseline)
    shown = chosen_runs(runs, methods, groups)
    every = points(runs[runs["group"].isin(shown["group"].unique())], base)
    order = shown[["group", "variant"]].drop_duplicates()
    here = shared_points(order.merge(every, on=["group", "variant"], how="left", sort=False))
    bins = [binned(of_group[dimension.column]) for _, of_group in here.groupby("group", sort=False)]
    here = with_common(here.assign(at=pd.concat(bins) if bins else None), "at")
    if dimension.name == "gamma":
        here = here.assign(variant=here["variant"].map(without_gamma))
    keys = ["group", "variant", "at"]
    rows = [
        _point(dict(zip(keys, key, strict=True)), of_point, measure)
        for key, of_point in here.groupby(keys, sort=False, dropna=False)
    ]
    names = [*keys, "method", "value", "low", "high", "counted", "instances", "above", "unit"]
    table = pd.DataFrame(rows, columns=names)
    ranks = {name: k for k, name in enumerate(dict.fromkeys(zip(table["group"], table["variant"], strict=True)))}
    place = [ranks[pair] for pair in zip(table["group"], table["variant"], strict=True)]
    return table.assign(place=place).sort_values(["place", "at"], kind="stable").drop(columns="place")


def _point(key: dict[str, Any], of_point: pd.DataFrame, measure: Measure) -> dict[str, Any]:
    estimate = measure.measured.estimate(of_point)
    low, high = measure.measured.band(of_point) if len(of_point) > 1 else (nan, nan)
    return {
        **key,
        "method": of_point["method"].iloc[0],
        "value": estimate.value,
        "low": low,
        "high": high,
        "counted": estimate.counted,
        "instances": estimate.instances,
        "above": estimate.above,
        "unit": quantity_of_objectives(of_point["objective_unit"]).value,
    }


def varied(runs: pd.DataFrame, fewest: int = 3) -> list[Dimension]:
    """Return the dimensions of which the runs of some group have at least so many values."""
    by_group = [here for _, here in runs.groupby("group", sort=False)]
    return [each for each in DIMENSIONS.values() if any(len(values_of(each, here)) >= fewest for here in by_group)]
