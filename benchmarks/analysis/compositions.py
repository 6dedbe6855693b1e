"""What deployments are made of, against a dimension: computing and sending, executions by tier, last exits.

A value is the mean over the instances at one value of the dimension on which all methods shown found a deployment,
those left aside that found none there; the parts of one mean add up to the mean of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from finbench.benchmarks.analysis.dimensions import Dimension, binned
from finbench.benchmarks.analysis.points import chosen_runs
from finbench.benchmarks.analysis.units import Quantity

MOST_METHODS = 4
"""Methods that a figure shows where none are asked for."""

Parts = dict[str, float]


@dataclass(frozen=True)
class Composition:
    """One way to see what a deployment is made of."""

    name: str
    heading: str
    parts: Callable[[Mapping[str, Any]], Parts]
    """From the column `plan` of a row (`rows.plan_columns`)."""
    is_share: bool
    """Whether parts are shares of their sum."""


def _energies(plan: Mapping[str, Any]) -> Parts:
    return {"computing": plan["compute"], "transfers": plan["transfer"]}


def _tiers(plan: Mapping[str, Any]) -> Parts:
    return dict(plan["executions"])


def _exits(plan: Mapping[str, Any]) -> Parts:
    return {f"exit {number}": float(count) for number, count in plan["last_exits"].items()}


COMPOSITIONS = {
    each.name: each
    for each in (
        Composition("parts", "energy", _energies, is_share=False),
        Composition("tiers", "executions", _tiers, is_share=True),
        Composition("exits", "applications", _exits, is_share=True),
    )
}

_ENERGY = {"W": Quantity.WATTS, "g/s": Quantity.WATTS, "money/s": Quantity.WATTS}
"""Quantity of the energy by the unit of an objective; of those that are not listed it is per inference."""


def compositions(
    runs: pd.DataFrame,
    composition: Composition,
    dimension: Dimension,
    *,
    methods: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the parts of deployments by group, method and value of a dimension.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    composition : Composition
    dimension : Dimension
    methods, groups : sequence of str
        As in `points.chosen_runs`; without methods, the `MOST_METHODS` of each group that found a deployment on the
        most instances are shown, each at the finest of its γ.

    Returns
    -------
    DataFrame
        `group`, `variant`, `at`, `part`, `value`, `instances` (how many the mean is over), `quantity`. Empty where no
        run says what its deployment is made of.
    """
    shown = chosen_runs(runs, methods, groups)
    told = shown[shown["found"].astype(bool) & shown[dimension.column].notna()]
    told = told[[isinstance(plan, dict) for plan in told["plan"]]] if "plan" in told else told.iloc[:0]
    rows = []
    for group, here in told.groupby("group", sort=False):
        of_group = here if methods else _representative(here)
        once = of_group.drop_duplicates(["variant", "content_hash"])
        for at, together in once.groupby(binned(once[dimension.column])):
            rows += [{"group": group, "at": float(at), **row} for row in _means(_shared(together), composition)]
    names = ["group", "variant", "at", "part", "value", "instances", "quantity"]
    return pd.DataFrame(rows, columns=names)


def finest(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs of one variant of each method of a group: of several, that of the finest γ."""
    by_gamma = runs.assign(gamma=pd.to_numeric(runs["gamma"])).sort_values("gamma", kind="stable", na_position="first")
    chosen = by_gamma.groupby(["group", "method"], sort=False)["variant"].last().to_dict()
    return runs[runs["variant"] == [chosen[key] for key in zip(runs["group"], runs["method"], strict=True)]]


def _representative(here: pd.DataFrame) -> pd.DataFrame:
    """Return the runs of the methods of a group that found most, each with the variant of the finest γ."""
    one_each = finest(here)
    found = one_each.groupby("method", sort=False)["content_hash"].nunique()
    return one_each[one_each["method"].isin(found.nlargest(MOST_METHODS).index)]


def _shared(together: pd.DataFrame) -> pd.DataFrame:
    """Return the runs on the instances on which every variant that is there found a deployment."""
    variants = together["variant"].nunique()
    return together[together.groupby("content_hash")["variant"].transform("nunique") == variants]


def _means(shared: pd.DataFrame, composition: Composition) -> list[dict[str, Any]]:
    found = []
    for variant, own in shared.groupby("variant", sort=False):
        table = pd.DataFrame([_parts(plan, composition) for plan in own["plan"]]).fillna(0.0)
        quantity = Quantity.FRACTION if composition.is_share else _ENERGY.get(own["objective_unit"].iloc[0])
        common = {"variant": variant, "instances": len(table), "quantity": quantity or Quantity.JOULES}
        found += [{"part": str(part), "value": float(mean), **common} for part, mean in table.mean().items()]
    return found


def _parts(plan: Mapping[str, Any], composition: Composition) -> Parts:
    parts = composition.parts(plan)
    total = sum(parts.values())
    return {name: value / total for name, value in parts.items()} if composition.is_share and total else parts
