"""Gap and energy against size, and how often a method is conclusive at all."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from finbench.benchmarks.analysis.frame import refuted
from finbench.benchmarks.analysis.units import quantity_of_objectives, total_heading
from finbench.benchmarks.report.chart import Axis, Chart, Panel, Series, View, entries, finite
from finbench.benchmarks.report.order import in_order

FEWEST_SIZES = 3
"""A group is drawn against a size if its instances have this many."""

SMALLEST_GAP = 1e-3
"""Below this many percent the axis of gaps is linear down to 0."""

SIZES: Mapping[str, str] = {
    "network_nodes": "nodes",
    "dnn_blocks": "blocks",
    "applications": "applications",
}
"""Columns that say how large an instance is, and their names."""


def size_chart(runs: pd.DataFrame) -> Chart | None:
    """Return gap, objective and share of conclusive runs over size, a view for each group and kind of size."""
    views = [
        view
        for group in dict.fromkeys(runs["group"])
        for column, name in SIZES.items()
        if (view := _view(str(group), runs[runs["group"] == group], column, name)) is not None
    ]
    if not views:
        return None
    caption = (
        "Medians over the instances of a size and, shaded, from the lower to the upper quartile. Gaps are to the best "
        "proven bound; gaps and energies are over the runs that found a deployment, and the last panel shows how many "
        "are conclusive (did, or proved that there is none): compare two methods where all runs of both are."
    )
    styles = entries(in_order(runs["variant"]))
    return Chart("size", "Gap and energy against size", caption, styles, views, "group and size")


def _view(group: str, runs: pd.DataFrame, column: str, name: str) -> View | None:
    if column not in runs or runs[column].nunique() < FEWEST_SIZES:
        return None
    x = Axis(name, column, "log", ticks=_ticks(runs[column]))
    quantity = quantity_of_objectives(runs["objective_unit"])
    cost = Axis(total_heading(quantity), "objective", "log", unit=quantity.value)
    gap = Axis("gap to bound [%]", "gap_percent", "symlog", threshold=SMALLEST_GAP, least=0.0)
    share = Axis("conclusive [%]", "conclusive_percent", least=0.0, most=100.0)
    found = runs[runs["found"].astype(bool)]
    gaps = found.assign(gap_percent=100 * found["gap_to_best_bound"].astype(float))
    told = runs.assign(conclusive_percent=100.0 * (runs["found"].astype(bool) | refuted(runs)))
    panels = [
        Panel("Gap to the best proven bound", x, gap, _series(gaps, column, "gap_percent")),
        Panel("Cost of the deployments found", x, cost, _series(found, column, "objective")),
        Panel("Conclusive runs", x, share, _means(told, column, "conclusive_percent")),
    ]
    shown = [panel for panel in panels if any(series.x for series in panel.series)]
    return View(f"{group}, by {name}", shown) if len(shown) > 1 else None


def _ticks(sizes: pd.Series) -> list[float]:
    values = sorted({float(size) for size in sizes.dropna()})
    return values if len(values) <= 8 else []


def _series(runs: pd.DataFrame, column: str, value: str) -> list[Series]:
    made = []
    for variant, here in runs.groupby("variant", sort=False):
        told = here[here[value].notna() & here[column].notna()].astype({value: float})
        by_size = told.groupby(column)[value]
        low, middle, high = by_size.quantile(0.25), by_size.median(), by_size.quantile(0.75)
        x, y = finite(zip(middle.index, middle, strict=True))
        if x and (high > low).any():
            band = Series(f"{variant}: quartiles", str(variant), x, low.tolist(), kind="band", high=high.tolist())
            made.append(band)
        made.append(Series(str(variant), str(variant), x, y))
    return [series for series in made if series.x]


def _means(runs: pd.DataFrame, column: str, value: str) -> list[Series]:
    made = []
    for variant, here in runs.groupby("variant", sort=False):
        means = here[here[column].notna()].groupby(column)[value].mean()
        made.append(Series(str(variant), str(variant), *finite(zip(means.index, means, strict=True))))
    return made
