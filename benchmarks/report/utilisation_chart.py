"""How full shared systems are under each method's deployments."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.report.chart import Axis, Chart, Panel, Series, View, entries, finite
from finbench.benchmarks.report.order import in_order
from finbench.models.loads import Resource

RESOURCES = {Resource.COMPUTE: "compute of nodes", Resource.BANDWIDTH: "bandwidth of links", Resource.MEMORY: "memory"}


def fullest(judged: Judged | None) -> dict[Resource, float]:
    """Return the utilisation of the fullest resource of each kind; empty without rates or a deployment."""
    found: dict[Resource, float] = {}
    for use in judged.uses if judged is not None else []:
        found[use.resource] = max(found.get(use.resource, 0.0), use.utilisation)
    return found


def utilisation_chart(runs: pd.DataFrame, uses: Sequence[dict[Resource, float]]) -> Chart | None:
    """Return the fullest node and link over the load of the system, a view for each group of many applications.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    uses : sequence of dict
        `fullest` of each of its rows.
    """
    several = runs["applications"].astype(float) > 1
    told = runs.assign(uses=pd.Series(list(uses), index=runs.index, dtype=object))[several & runs["found"].astype(bool)]
    views = [_view(str(group), here) for group, here in told.groupby("group", sort=False)]
    shown = [view for view in views if view.panels]
    if not shown:
        return None
    caption = (
        "Load over capacity of the fullest resource of each kind, a point for each deployment found; at 100 % it is "
        "full. Size and load of the system are given by the instance; runs without a deployment have no point."
    )
    styles = entries(in_order(told["variant"]))
    return Chart("utilisation", "Utilisation of shared systems", caption, styles, shown, "group")


def _view(group: str, runs: pd.DataFrame) -> View:
    column, name = ("load", "load of the instance") if runs["load"].nunique() > 1 else ("applications", "applications")
    panels = []
    for resource, title in RESOURCES.items():
        percents = runs["uses"].map(lambda each, kind=resource: 100 * each[kind] if kind in each else None)
        if percents.notna().any():
            y = Axis("fullest [%]", "utilisation_percent", least=0.0)
            panels.append(Panel(f"Fullest: {title}", Axis(name, column), y, _series(runs, column, percents)))
    return View(group, panels)


def _series(runs: pd.DataFrame, column: str, percents: pd.Series) -> list[Series]:
    made = []
    for variant, here in runs.assign(percents=percents.astype(float)).groupby("variant", sort=False):
        x, y = finite(zip(here[column].astype(float), here["percents"], strict=True))
        made.append(Series(str(variant), str(variant), x, y, kind="points"))
    return [series for series in made if series.x]
