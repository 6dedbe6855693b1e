"""Time and memory against size, with fitted power laws and the intervals of their exponents."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from finbench.benchmarks.analysis.aggregate import SMALLEST_TIME_S
from finbench.benchmarks.analysis.growth import FEWEST_SIZES, GrowthFit
from finbench.benchmarks.analysis.ladder_growth import FLOOR_BYTES, Fits, censored, growth_table, growths
from finbench.benchmarks.analysis.table import TextTable
from finbench.benchmarks.report.chart import Axis, Chart, Panel, Series, View, entries, finite
from finbench.benchmarks.report.order import in_order
from finbench.fin_graph.paths.support import layered_arcs
from finbench.models.instance import Instance

BAND_POINTS = 9


def with_sizes(runs: pd.DataFrame, instances: Mapping[str, Instance]) -> pd.DataFrame:
    """Return the rows of groups of at least `FEWEST_SIZES` sizes of single applications, with their layered `arcs`."""
    sizes = {key: layered_arcs(one) for key, one in instances.items() if len(one.applications) == 1}
    sized = runs.copy()
    recorded = sized["arcs"] if "arcs" in sized else pd.Series(np.nan, index=sized.index)
    sized["arcs"] = recorded.fillna(sized["content_hash"].map(sizes)).astype(float)
    if "peak_bytes" not in sized:
        sized["peak_bytes"] = np.nan
    sized = sized[sized["arcs"].notna() & sized["time_s"].notna()].astype({"arcs": int})
    return sized[sized.groupby("group")["arcs"].transform("nunique") >= FEWEST_SIZES]


def growth_chart(sized: pd.DataFrame) -> tuple[Chart, TextTable] | None:
    """Return the figure and its table.

    Parameters
    ----------
    sized : DataFrame
        As `with_sizes` makes it.
    """
    if sized.empty:
        return None
    fits = growths(sized)
    panels = []
    for group in dict.fromkeys(sized["group"]):
        here = sized[sized["group"] == group]
        panels.append(_time_panel(group, here, fits))
        if (here["peak_bytes"].astype(float) > FLOOR_BYTES).any():
            panels.append(_memory_panel(group, here, fits))
    caption = (
        "Every finished run is a point; a run ended by its limit stands at the limit, as an arrow. Lines: power laws "
        "fitted on logarithms, with such runs as censored. Bands: slopes of the exponent's 95 % interval, through the "
        "middle of the sizes. Size: edges of the layered graph, L (N + 2 A). Memory below 1 MiB is noise and left out."
    )
    styles = entries(in_order(sized["variant"]))
    return Chart("growth", "Time and memory against size", caption, styles, [View("", panels)]), growth_table(sized)


def _time_panel(group: str, runs: pd.DataFrame, fits: Mapping[tuple[str, str], Fits]) -> Panel:
    series: list[Series] = []
    cut = censored(runs)
    for method, here in runs.groupby("variant", sort=False):
        done = here[~cut[here.index] & here["found"].astype(bool)]
        x, y = finite(zip(done["arcs"], done["time_s"].astype(float).clip(lower=SMALLEST_TIME_S), strict=True))
        series.append(Series(str(method), str(method), x, y, kind="points"))
        ended = here[cut[here.index]]
        x, y = finite(zip(ended["arcs"], ended["limit_s"].astype(float), strict=True))
        if x:
            series.append(Series(f"{method}: ended by its limit", str(method), x, y, kind="points", limit=True))
        series += _fit_series(str(method), here["arcs"], fits[group, str(method)][0])
    return Panel(f"{group}: time", *_axes(Axis("time", "time_s", "log", unit="s")), series)


def _memory_panel(group: str, runs: pd.DataFrame, fits: Mapping[tuple[str, str], Fits]) -> Panel:
    series: list[Series] = []
    for method, here in runs[runs["peak_bytes"].astype(float) > FLOOR_BYTES].groupby("variant", sort=False):
        x, y = finite(zip(here["arcs"], here["peak_bytes"].astype(float), strict=True))
        series.append(Series(str(method), str(method), x, y, kind="points"))
        series += _fit_series(str(method), here["arcs"], fits[group, str(method)][1])
    return Panel(f"{group}: peak memory", *_axes(Axis("peak memory", "peak_bytes", "log", unit="B")), series)


def _axes(y: Axis) -> tuple[Axis, Axis]:
    return Axis("layered arcs", "arcs", "log"), y


def _fit_series(method: str, arcs: pd.Series[float], fit: GrowthFit | None) -> list[Series]:
    arcs = arcs[arcs > 0]  # rows that were written by hand may say anything
    if fit is None or arcs.empty:
        return []
    sizes = np.geomspace(float(arcs.min()), float(arcs.max()), BAND_POINTS)
    middle = float(np.exp(np.log(arcs).mean()))
    fitted = np.array([fit.predict(size) for size in sizes])
    slopes = [fit.predict(middle) * (sizes / middle) ** slope for slope in (fit.low, fit.high)]
    name = f"{method}: exponent {fit.exponent:.2f} ({fit.low:.2f} to {fit.high:.2f})"
    low, high = np.minimum(*slopes), np.maximum(*slopes)
    return [
        Series(name, method, sizes.tolist(), fitted.tolist(), kind="fit"),
        Series(f"{method}: interval", method, sizes.tolist(), low.tolist(), kind="band", high=high.tolist()),
    ]
