"""The figures that a campaign writes by itself, as far as its runs support them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from finbench.benchmarks.analysis.compositions import COMPOSITIONS, compositions, finest
from finbench.benchmarks.analysis.curves import curves, varied
from finbench.benchmarks.analysis.gaps import FEWEST_GAMMAS, gap_by_gamma
from finbench.benchmarks.analysis.measures import MEASURES
from finbench.benchmarks.plots.compositions import compositions_figure
from finbench.benchmarks.plots.curves import curves_figure
from finbench.benchmarks.plots.gaps import draw_gap_by_gamma
from finbench.benchmarks.plots.profiles import draw_profiles
from finbench.benchmarks.plots.style import save_picture

SHOWN_AGAINST = {
    "nodes": ("gap", "time"),
    "blocks": ("gap", "time"),
    "applications": ("gap", "time", "energy"),
    "load": ("gap", "energy"),
    "tightness": ("gap", "answered"),
    "latency": ("energy",),
    "accuracy": ("energy",),
}
"""Measures that are drawn against a dimension of which a group has at least `FEWEST_VALUES`."""

COMPOSED_AGAINST = ("applications", "latency", "accuracy")
"""Dimensions against which it is drawn what deployments are made of, under the same condition."""

FEWEST_VALUES = 3

FEWEST_INSTANCES = 5
"""Instances that a performance profile needs to say anything."""


def campaign_figures(runs: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw what the runs support: FIN's gap against γ, performance profiles, measures against sizes, loads and targets.

    Against targets and the number of applications also what deployments are made of. Energies are those of every
    method's finest γ.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    folder : Path

    Returns
    -------
    list of Path
        The files written, PNG and PDF of each figure.
    """
    written = []
    for name, figure in _figures(runs):
        folder.mkdir(parents=True, exist_ok=True)
        for suffix in ("png", "pdf"):
            path = folder / f"{name}.{suffix}"
            save_picture(figure, path)
            written.append(path)
    return written


def _figures(runs: pd.DataFrame) -> Iterator[tuple[str, Figure]]:
    table = gap_by_gamma(runs)
    table = table[table.groupby("group")["gamma"].transform("size") >= FEWEST_GAMMAS]
    if len(table):
        yield "gap_by_gamma", draw_gap_by_gamma(table)
    told = runs.groupby("group")["content_hash"].transform("nunique") >= FEWEST_INSTANCES
    profile = draw_profiles(runs[told]) if told.any() else None
    if profile is not None and runs["variant"].nunique() > 1:
        yield "profiles", profile
    for dimension in varied(runs, FEWEST_VALUES):
        of_dimension = runs.groupby("group")[dimension.column].transform("nunique") >= FEWEST_VALUES
        for name in SHOWN_AGAINST.get(dimension.name, ()):
            shown = finest(runs[of_dimension]) if name == "energy" else runs[of_dimension]
            numbers = curves(shown, MEASURES[name], dimension)
            if numbers["value"].notna().any():
                yield f"{name}_by_{dimension.name}", curves_figure(numbers, MEASURES[name], dimension)
        for name, composition in COMPOSITIONS.items() if dimension.name in COMPOSED_AGAINST else ():
            made_of = compositions(runs[of_dimension], composition, dimension)
            if len(made_of):
                yield f"{name}_by_{dimension.name}", compositions_figure(made_of, composition, dimension)
