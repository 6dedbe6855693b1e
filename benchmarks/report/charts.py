"""The figures of a campaign, each where its runs support it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from finbench.benchmarks.analysis.aggregate import SOLVED_GAP, profiles
from finbench.benchmarks.analysis.gaps import FEWEST_GAMMAS, gap_by_gamma
from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.analysis.statistics import Profile
from finbench.benchmarks.analysis.units import HEADINGS, Quantity, sized, total_heading
from finbench.benchmarks.plots.axis_scales import SMALLEST_GAP
from finbench.benchmarks.report.chart import Axis, Chart, Kind, Panel, Series, View, entries, finite
from finbench.benchmarks.report.order import in_order
from finbench.benchmarks.rows.row import Row
from finbench.models.tolerances import ENERGY_TOLERANCE

FEWEST_TARGETS = 3
"""Latency targets over which a frontier is drawn."""

OPTIMUM = "proven optimum"

MOST_TRAJECTORIES = 60
"""Instances whose searches are drawn, those of the longest runs first."""


def gap_chart(runs: pd.DataFrame) -> Chart | None:
    """Return FIN's gap to the proven optimum, and how often it is met, over γ."""
    table = gap_by_gamma(runs)
    table = table[table.groupby("group")["gamma"].transform("size") >= FEWEST_GAMMAS]
    if table.empty:
        return None
    gammas = sorted(int(gamma) for gamma in table["gamma"].unique())
    x = Axis("FIN's resolution γ", "gamma", "log", ticks=gammas)
    gap = Axis("gap [%]", "percent", "symlog", threshold=SMALLEST_GAP, least=0.0)
    met = Axis("instances [%]", "percent", most=100.0)
    panels = [
        Panel("Energy above the proven optimum", x, gap, _by_group(table, ("worst", False), ("mean", True))),
        Panel("Solvable instances", x, met, _by_group(table, ("matched", False), ("found", True))),
    ]
    caption = (
        "Energy: solid the worst gap, dashed the mean, over the deployments found. Instances: solid how many "
        "FIN solves to the optimum, dashed for how many it finds any deployment, of those with a proven optimum."
    )
    styles = entries(table["group"])
    return Chart("gap-by-gamma", "Gap against γ", caption, styles, [View("", panels)])


def _by_group(table: pd.DataFrame, *columns: tuple[str, bool]) -> list[Series]:
    made = []
    for group in dict.fromkeys(table["group"]):
        here = table[table["group"] == group].sort_values("gamma")
        for column, dashed in columns:
            x, y = finite(zip(here["gamma"], here[column], strict=True))
            made.append(Series(f"{group}: {column}", group, x, y, dashed=dashed))
    return made


def profile_chart(runs: pd.DataFrame, gap: float = SOLVED_GAP) -> Chart | None:
    """Return performance profiles, a panel for each group of instances."""
    made = profiles(runs, gap)
    if not made:
        return None
    caption = (
        f"Instances that a method solves (a gap of at most {100 * gap:g} % to the best proven bound) within τ "
        "times the time of the fastest method there. Left end: how often it is the fastest; right end: how often it "
        "solves at all. Over the instances that all methods of the group share (Dolan, Moré, 2002)."
    )
    panels = [_profile_panel(group, by_method) for group, by_method in made.items()]
    return Chart("profiles", "Performance profiles", caption, entries(in_order(runs["variant"])), [View("", panels)])


def _profile_panel(group: str, by_method: Mapping[str, Profile]) -> Panel:
    widest = max((profile.ratios[-1] for profile in by_method.values() if profile.ratios), default=1.0)
    end = max(1.3 * widest, 2.0)
    series = []
    for method, profile in by_method.items():
        steps = [ratio for ratio, _ in groupby(profile.ratios)]
        corners = [*([] if steps[:1] == [1.0] else [1.0]), *steps, end]
        solved = [100 * profile.solved_fraction(ratio) for ratio in corners]
        series.append(Series(method, method, corners, solved, kind="step"))
    instances = next(iter(by_method.values())).instances
    x = Axis("time over the fastest method's, τ", "ratio", "log", least=1.0, most=end)
    y = Axis("solved [%]", "solved_percent", least=0.0, most=100.0)
    return Panel(f"{group} ({instances:,} {plural(instances, 'instance')})", x, y, series)


def frontier_chart(runs: pd.DataFrame) -> Chart | None:
    """Return energy over the latency target by method, a view for each accuracy target of each instance on a grid."""
    keys = ["instance", "accounting", "latency_kind", "latency_quantile", "objective_unit", "min_accuracy"]
    runs = runs if "latency_quantile" in runs else runs.assign(latency_quantile=None)
    if not {*keys, "max_latency_s"} <= set(runs.columns):
        return None
    asked = runs[runs["found"].astype(bool) & runs["max_latency_s"].notna() & runs["min_accuracy"].notna()]
    if "family" in asked:
        asked = asked[asked["family"].isna()]
    asked = asked[[*keys, "max_latency_s", "variant", "energy_j", "objective", "best_objective", "proven"]]
    asked = asked[asked.groupby(keys, dropna=False)["max_latency_s"].transform("nunique") >= FEWEST_TARGETS]
    views = [_frontier_view(here) for _, here in asked.groupby(keys, dropna=False)]
    if not views:
        return None
    caption = (
        "The least that each method found at every latency target δ of the grid, for one accuracy "
        "target α; the wide line beneath is the proven optimum. Where a point is missing, no deployment was found."
    )
    styles = entries([OPTIMUM, *in_order(runs["variant"])])
    corners = [len({energy for series in view.panels[0].series for energy in series.y}) for view in views]
    return Chart(
        key="frontier",
        title="Energy–latency frontier",
        caption=caption,
        styles={name: k - 1 for name, k in styles.items()},
        views=views,
        choice="instance, accounting and accuracy target",
        start=corners.index(max(corners)),
    )


def _frontier_view(runs: pd.DataFrame) -> View:
    first = runs.iloc[0]
    name = f"{first['instance']}, {first['accounting'].replace('_', ' ')} accounting, α ≥ {first['min_accuracy']:g}"
    if first["latency_kind"] != "full_depth":
        share = "" if pd.isna(first["latency_quantile"]) else f" of {first['latency_quantile']:g}"
        name += f", {first['latency_kind']} latency{share}"
    quantity = Quantity(first["objective_unit"])
    energy = quantity in (Quantity.JOULES, Quantity.WATTS)
    column, unit = ("energy_j", "J") if energy else ("objective", quantity.value)
    heading = "energy per inference" if energy else total_heading(quantity)
    name += "" if energy else f", {HEADINGS[quantity]} minimised"
    proven = runs[runs["proven"] & (runs["objective"] <= runs["best_objective"] * (1 + ENERGY_TOLERANCE))]
    series = [_staircase(OPTIMUM, proven, column, kind="halo")]
    series += [_staircase(str(method), here, column) for method, here in runs.groupby("variant", sort=False)]
    x = Axis("latency target δ", "max_latency_s", unit="s")
    return View(name, [Panel("", x, Axis(heading, column, unit=unit, least=0.0), series)])


def _staircase(name: str, runs: pd.DataFrame, column: str, kind: Kind = "line") -> Series:
    least: dict[float, float] = {}
    for target, energy in zip(runs["max_latency_s"].tolist(), runs[column].tolist(), strict=True):
        least[target] = min(energy, least.get(target, energy))
    x, y = finite(sorted(least.items()))
    return Series(name, name, x, y, kind)


def trajectory_chart(records: Sequence[Row], runs: pd.DataFrame) -> Chart | None:
    """Return incumbent and bound over time, a view for each instance of which a search was recorded."""
    searched = [row for row in records if row.get("info", {}).get("trajectory")]
    by_instance: dict[str, list[Row]] = {}
    for row in sorted(searched, key=lambda row: -(row.get("time_s") or 0.0)):
        by_instance.setdefault(row.get("content_hash") or row["instance"], []).append(row)
    shown = list(by_instance.values())[:MOST_TRAJECTORIES]
    if not shown:
        return None
    caption = "Solid: objective of the best deployment found so far. Dashed: the bound proven so far."
    if len(by_instance) > len(shown):
        caption += f" The {len(shown)} instances with the longest runs, of {len(by_instance)}."
    views = [View(_searched_name(rows[0]), [_trajectory_panel(rows)]) for rows in shown]
    return Chart(
        "trajectories", "Incumbent and bound over time", caption, entries(in_order(runs["variant"])), views, "instance"
    )


def _trajectory_panel(rows: Sequence[Row]) -> Panel:
    series = [one for row in rows for one in _trajectory(row)]
    x = Axis("time", "time_s", unit="s", least=0.0)
    unit = rows[0].get("objective_unit") or ("J" if rows[0].get("total_power_w") is None else "W")
    return Panel("", x, Axis(total_heading(Quantity(unit)), "objective", unit=unit), series)


def _searched_name(row: Row) -> str:
    delta, alpha = row.get("max_latency_s"), row.get("min_accuracy")
    targets = "" if delta is None or alpha is None else f", δ ≤ {sized(delta, 's')}, α ≥ {alpha:g}"
    return f"{row['instance']}{targets}"


def _trajectory(row: Row) -> Iterator[Series]:
    points: list[tuple[float, Any, Any]] = row["info"]["trajectory"]
    for name, column, dashed in (("incumbent", 1, False), ("bound", 2, True)):
        x, y = finite((point[0], point[column]) for point in points if point[column] is not None)
        if x:
            yield Series(f"{row['variant']}: {name}", row["variant"], x, y, kind="step", dashed=dashed)
