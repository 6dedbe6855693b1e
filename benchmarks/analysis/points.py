"""Points: what a method is worth on an instance of a group, repeated runs taken together, for tables and figures.

    saving(method, instance) = (E_baseline − E) / E_baseline

exists where both found a deployment. Time is the median of the repeated runs; of everything else the worst counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from finbench.benchmarks.analysis.aggregate import worth
from finbench.benchmarks.analysis.dimensions import DIMENSIONS
from finbench.benchmarks.analysis.frame import instance_of
from finbench.benchmarks.rows.row import LIMITS
from finbench.models.io import InputError

UNREPEATED_NOISE = 0.05
"""Relative noise taken for times that no repeated run tells: what a quiet machine shows from run to run."""


def chosen_runs(runs: pd.DataFrame, methods: Sequence[str] = (), groups: Sequence[str] = ()) -> pd.DataFrame:
    """Return the runs of some methods in some groups, in the order in which these were asked for, γ ascending.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    methods : sequence of str
        Variants, or names of methods, which stand for all their variants; several may be joined by commas. None: all.
    groups : sequence of str
        Names of groups, joined by commas or not. None: all.

    Raises
    ------
    InputError
        If the runs have no such method or group.
    """
    variants = _chosen_variants(runs, methods)
    known_groups = list(dict.fromkeys(runs["group"]))
    wanted = names_in(groups, known_groups, "group") or known_groups
    here = runs[runs["variant"].isin(variants) & runs["group"].isin(wanted)]
    order = (here["group"].map(wanted.index), here["variant"].map(variants.index))
    return here.iloc[np.lexsort([each.to_numpy(int) for each in order[::-1]])]


def _chosen_variants(runs: pd.DataFrame, methods: Sequence[str]) -> list[str]:
    """Return the variants that are asked for, those of a method in the order of their γ."""
    variants_of: dict[str, list[str]] = {}
    told = runs[["method", "variant", "gamma"]].drop_duplicates()
    for method, of_method in told.groupby("method", sort=False):
        in_order = of_method.sort_values("gamma", kind="stable", key=pd.to_numeric)
        variants_of[str(method)] = list(dict.fromkeys(in_order["variant"]))
    variants = [variant for each in variants_of.values() for variant in each]
    names = names_in(methods, [*variants_of, *variants], "method")
    chosen = [variant for name in names for variant in ([name] if name in variants else variants_of[name])]
    return list(dict.fromkeys(chosen)) or variants


def names_in(texts: Sequence[str], known: Collection[str], kind: str) -> list[str]:
    """Return the names that texts list, separated by commas; a name may hold commas itself.

    Raises
    ------
    InputError
        If a text names something that is not known.
    """
    found: list[str] = []
    for text in texts:
        parts = text.split(",")
        while parts:
            ends = range(len(parts), 0, -1)
            end = next((k for k in ends if ",".join(parts[:k]).strip() in known), None)
            if end is None:
                raise InputError(f"{kind} '{parts[0].strip()}'", f"not here; known: {', '.join(dict.fromkeys(known))}")
            found.append(",".join(parts[:end]).strip())
            parts = parts[end:]
    return list(dict.fromkeys(found))


def one_variant(runs: pd.DataFrame, name: str) -> str:
    """Return the variant that a baseline's name stands for.

    Raises
    ------
    InputError
        If no run has it, or the method ran with several choices of options.
    """
    variants = _chosen_variants(runs, [name])
    if len(variants) > 1:
        raise InputError(f"baseline '{name}'", f"ran with several options; name one of: {'; '.join(variants)}")
    return variants[0]


def without_gamma(variant: str) -> str:
    """Return a variant that does not name its γ, for comparisons over γ."""
    kept = re.sub(r"\bgamma=\d+(, )?", "", variant)
    return re.sub(r" \((?:, )?\)$", "", re.sub(r", \)$", ")", kept))


def points(runs: pd.DataFrame, baseline: str | None = None) -> pd.DataFrame:
    """Return one row for each group, method and instance.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it; the baseline's runs among them.
    baseline : str, optional
        Variant of the method against which savings are counted.

    Returns
    -------
    DataFrame
        `group`, `variant`, `method`, `instance`, the columns of `dimensions.DIMENSIONS`; `time_s`, `limit_s`,
        `answered` and `gap` as `aggregate.worth` has them; `limited`, whether a limit ended a run; `found`, whether all
        runs found a deployment, with `objective` [`objective_unit`], `latency_s`, `rejected`; `peak_bytes`, `dnn`;
        `solvable`, whether any method of the results found one, `bounded`, whether a bound is proven; `saving` (NaN
        without a baseline).
    """
    keys = ["group", "variant", "instance"]
    each = worth(runs, "group").reset_index()
    instances = runs.assign(instance=instance_of(runs), limited=runs["status"].isin(LIMITS))
    columns = {
        "method": "first", "found": "all", "limited": "any", "objective": "max", "latency_s": "max",
        "rejected": "max", "peak_bytes": "max", "objective_unit": "first", "best_objective": "first",
        "best_bound": "first", "dnn": "first",
    }  # fmt: skip
    columns |= {one.column: "first" for one in DIMENSIONS.values()}
    numeric = [name for name in columns if name not in ("method", "found", "limited", "objective_unit", "dnn")]
    instances = instances.reindex(columns=[*keys, *columns])
    instances[numeric] = instances[numeric].apply(pd.to_numeric)
    instances["found"] = instances["found"].astype(bool)
    told = instances.groupby(keys, sort=False).agg(columns).reset_index()
    merged = told.merge(each, on=keys, how="left", sort=False)
    for cost in ("objective", "latency_s", "rejected"):
        merged[cost] = merged[cost].where(merged["found"])
    merged["solvable"], merged["bounded"] = merged["best_objective"].notna(), merged["best_bound"].notna()
    merged["saving"] = _savings(merged, baseline)
    return merged


def shared_points(every: pd.DataFrame) -> pd.DataFrame:
    """Return the points on instances on which all methods of the group have a run, whatever came of it."""
    methods = every.groupby("group")["variant"].transform("nunique")
    here = every.groupby(["group", "instance"])["variant"].transform("nunique")
    return every[methods == here]


def _savings(merged: pd.DataFrame, baseline: str | None) -> pd.Series[float]:
    mine = merged[merged["variant"] == baseline].set_index(["group", "instance"])["objective"]
    base = merged.set_index(["group", "instance"]).index.map(mine.to_dict()).to_numpy(float)
    saved: pd.Series[float] = (base - merged["objective"]) / np.where(base > 0, base, np.nan)
    return saved


def noise_of_times(runs: pd.DataFrame) -> float:
    """Return the relative noise of a method's median time on an instance, from runs made repeatedly.

    The median over methods and instances of (standard deviation / mean) / √n; `UNREPEATED_NOISE` where nothing ran
    twice.
    """
    ended = runs[~runs["status"].isin(LIMITS) & runs["time_s"].notna()]
    grouped = ended["time_s"].astype(float).groupby([ended["group"], ended["variant"], instance_of(ended)])
    spread = grouped.agg(["std", "mean", "count"])
    spread = spread[(spread["count"] > 1) & (spread["mean"] > 0)]
    if spread.empty:
        return UNREPEATED_NOISE
    return float((spread["std"] / spread["mean"] / np.sqrt(spread["count"])).median())
