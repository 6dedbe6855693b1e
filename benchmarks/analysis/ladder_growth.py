"""How time and memory grow along the ladders of a scale campaign: fits by ladder and method, and their table."""

from __future__ import annotations

import pandas as pd

from finbench.benchmarks.analysis.growth import GrowthFit, fit_growth
from finbench.benchmarks.analysis.numbers import number
from finbench.benchmarks.analysis.table import TextTable
from finbench.benchmarks.rows.columns import CENSORED
from finbench.benchmarks.rows.row import LIMITS
from finbench.models.result import Status

FLOOR_BYTES = 2**20
"""Memory below this is noise of the allocator, and left out of the fits."""


Fits = tuple[GrowthFit | None, GrowthFit | None]
"""Of time and of memory; None where the runs do not tell a slope."""


def growths(runs: pd.DataFrame) -> dict[tuple[str, str], Fits]:
    """Return the fits of time and of memory against layered arcs, by ladder and method."""
    return {
        (str(group), str(method)): (_time_growth(here), _memory_growth(here))
        for (group, method), here in runs.groupby(["group", "variant"], sort=False)
    }


def censored(runs: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows tell only that the cost is above the limit."""
    return runs["status"].isin([CENSORED, *LIMITS])


def _time_growth(runs: pd.DataFrame) -> GrowthFit | None:
    cut = censored(runs)
    told = runs[cut | runs["found"].astype(bool) | (runs["status"] == Status.NO_SOLUTION)]
    times = told["time_s"].where(~cut, told["limit_s"]).astype(float)
    return fit_growth(told["arcs"].tolist(), times.tolist(), cut[told.index].tolist())


def _memory_growth(runs: pd.DataFrame) -> GrowthFit | None:
    told = runs[~censored(runs) & runs["peak_bytes"].notna()]
    peaks = told["peak_bytes"].astype(float)
    grown = told[peaks > FLOOR_BYTES]
    return fit_growth(grown["arcs"].tolist(), peaks[grown.index].tolist()) if len(grown) else None


def growth_table(runs: pd.DataFrame) -> TextTable:
    """Return one row for each ladder and method: how far it climbed, and how it grows."""
    columns = (
        "ladder",
        "method",
        "runs",
        "censored",
        "largest solved [arcs]",
        "time there [s]",
        "time exponent",
        "95 % interval",
        "memory exponent",
        "95 % interval",
    )
    rows = tuple(
        _growth_row(key, runs[(runs["group"] == key[0]) & (runs["variant"] == key[1])], fits)
        for key, fits in growths(runs).items()
    )
    return TextTable("Growth with size (layered arcs)", columns, rows, text_columns=2)


def _growth_row(key: tuple[str, str], runs: pd.DataFrame, fits: Fits) -> tuple[str, ...]:
    cut = censored(runs)
    solved = runs[runs["found"].astype(bool) & ~cut]
    largest = solved[solved["arcs"] == solved["arcs"].max()]
    reach = ("–", "–") if solved.empty else (str(largest["arcs"].iloc[0]), number(largest["time_s"].median(), 3))
    cells = [cell for fit in fits for cell in _fit_cells(fit)]
    return (*key, str(len(runs)), str(int(cut.sum())), *reach, *cells)


def _fit_cells(fit: GrowthFit | None) -> tuple[str, str]:
    return ("–", "–") if fit is None else (f"{fit.exponent:.2f}", f"{fit.low:.2f} to {fit.high:.2f}")
