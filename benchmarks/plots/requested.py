"""The figure that is asked for: performance profiles, a measure against a dimension, or parts of deployments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from finbench.benchmarks.analysis.aggregate import SOLVED_GAP
from finbench.benchmarks.analysis.compositions import COMPOSITIONS, compositions
from finbench.benchmarks.analysis.curves import curves, varied
from finbench.benchmarks.analysis.dimensions import Dimension, find_dimension
from finbench.benchmarks.analysis.measures import MEASURES
from finbench.benchmarks.analysis.points import chosen_runs
from finbench.benchmarks.plots.compositions import compositions_figure
from finbench.benchmarks.plots.curves import MOST_NAMED, curves_figure
from finbench.benchmarks.plots.profiles import draw_profiles
from finbench.benchmarks.plots.style import Paper
from finbench.models.io import InputError

PROFILE = "profile"


@dataclass(frozen=True)
class PlotRequest:
    """What a figure shows; empty sequences mean all."""

    what: str = PROFILE
    """`profile`, or the name of a measure or of a composition."""
    against: str | None = None
    """Name of a dimension; None: the first in which the runs differ."""
    methods: Sequence[str] = ()
    groups: Sequence[str] = ()
    baseline: str | None = None
    gap: float = SOLVED_GAP
    named: int = MOST_NAMED


def requested_figure(runs: pd.DataFrame, request: PlotRequest, on: Paper) -> Figure | None:
    """Return the figure; None where the methods share no instance in any group.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    request : PlotRequest
    on : Paper
        Size and style.

    Raises
    ------
    InputError
        If a measure, method, group, dimension or baseline is unknown, or two of them do not go together.
    """
    shown = chosen_runs(runs, request.methods, request.groups)
    if request.what == PROFILE:
        if request.against is not None:
            raise InputError("--against", "a profile is over ratios of times; choose a measure with --what")
        return draw_profiles(shown, request.gap, on, named=request.named)
    if request.what in COMPOSITIONS:
        return _composed(runs, shown, request, on)
    if request.what not in MEASURES:
        known = ", ".join((PROFILE, *MEASURES, *COMPOSITIONS))
        raise InputError(f"'{request.what}'", f"cannot be drawn; known: {known}")
    measure, dimension = MEASURES[request.what], _dimension(shown, request.against)
    numbers = curves(
        runs, measure, dimension, methods=request.methods, groups=request.groups, baseline=request.baseline
    )
    return None if numbers.empty else curves_figure(numbers, measure, dimension, on, named=request.named)


def _composed(runs: pd.DataFrame, shown: pd.DataFrame, request: PlotRequest, on: Paper) -> Figure:
    """Return the figure of what deployments are made of."""
    composition, dimension = COMPOSITIONS[request.what], _dimension(shown, request.against)
    table = compositions(runs, composition, dimension, methods=request.methods, groups=request.groups)
    if table.empty:
        raise InputError(
            f"'{request.what}'", "no run says what its deployment is made of; `finbench run` makes them anew"
        )
    return compositions_figure(table, composition, dimension, on)


def _dimension(shown: pd.DataFrame, name: str | None) -> Dimension:
    if name is not None:
        return find_dimension(name, shown)
    found = varied(shown, fewest=2)
    if not found:
        raise InputError("--against", "the instances of every group are alike in all that a figure could go over")
    return found[0]
