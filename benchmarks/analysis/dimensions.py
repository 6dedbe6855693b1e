"""What the instances of a campaign differ in, and over which methods are compared: size, load, targets, γ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from finbench.benchmarks.analysis.units import Quantity
from finbench.models.io import InputError


@dataclass(frozen=True)
class Dimension:
    """One thing that instances or runs differ in."""

    name: str
    column: str
    """Column of a data frame of runs."""
    heading: str
    quantity: Quantity = Quantity.PLAIN


DIMENSIONS = {
    each.name: each
    for each in (
        Dimension("nodes", "network_nodes", "nodes"),
        Dimension("blocks", "dnn_blocks", "blocks"),
        Dimension("exits", "dnn_exits", "exits"),
        Dimension("applications", "applications", "applications"),
        Dimension("arcs", "arcs", "layered arcs"),
        Dimension("load", "load", "load"),
        Dimension("tightness", "tightness", "tightness"),
        Dimension("gamma", "gamma", "γ"),
        Dimension("latency", "max_latency_s", "latency target δ", Quantity.SECONDS),
        Dimension("accuracy", "min_accuracy", "accuracy target α"),
    )
}

MOST_VALUES = 24
"""Distinct values up to which each stands for itself; more are put into `BINS` bins of equally many instances."""

BINS = 10


def find_dimension(name: str, runs: pd.DataFrame) -> Dimension:
    """Return the dimension of that name.

    Raises
    ------
    InputError
        If there is none, or no run has a value of it.
    """
    if name not in DIMENSIONS:
        raise InputError(f"'{name}'", f"nothing that runs differ in; known: {', '.join(DIMENSIONS)}")
    dimension = DIMENSIONS[name]
    if dimension.column not in runs or runs[dimension.column].isna().all():
        there = ", ".join(each.name for each in DIMENSIONS.values() if values_of(each, runs))
        raise InputError(f"'{name}'", f"no run of these has a value of it; known: {there}")
    return dimension


def values_of(dimension: Dimension, runs: pd.DataFrame) -> list[float]:
    """Return the distinct values that runs have of a dimension, ascending."""
    if dimension.column not in runs:
        return []
    return sorted(float(value) for value in runs[dimension.column].dropna().unique())


def binned(values: pd.Series[float]) -> pd.Series[float]:
    """Return values as they are where few differ; else the middle value of the bin that each belongs to.

    Bins hold equally many of the distinct values.
    """
    distinct = np.sort(values.dropna().unique().astype(float))
    if len(distinct) <= MOST_VALUES:
        return values.astype(float)
    edges = np.quantile(distinct, np.linspace(0, 1, BINS + 1)[1:-1])
    place = np.searchsorted(edges, values.astype(float), side="right")
    middles = values.astype(float).groupby(place).transform("median")
    return middles.where(values.notna())
