"""Methods judged over exactly the instances that all of them ran on; failures are counted, never averaged in.

What a run is worth:

- *in time*: it kept its limit (`OVERRUN` allowed), whatever it says itself;
- *gap*: against the best bound that any run proved; 0 for a proof of infeasibility; ∞ for every failure, every answer
  out of time, and where no bound is known;
- *answered*: it ended by itself and in time, with a deployment that the evaluator found feasible, or that proof. Every
  other run is censored: it would have taken at least its limit, and enters the geometric means with it.

An instance that a method ran on repeatedly counts once, with the median time and the worst of everything else.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from finbench.benchmarks.analysis.frame import instance_of, refuted
from finbench.benchmarks.analysis.statistics import (
    GAPS,
    MITTELMANN_SHIFT_S,
    SMALL_SHIFT_S,
    Profile,
    is_solved,
    penalised_mean,
    performance_profiles,
    shared_instances,
    shifted_geometric_mean,
    solved_counts,
)
from finbench.models.result import Status

OVERRUN = 0.05
"""How far a run may exceed its limit, relative: one that stops itself needs a moment to hand over."""

SMALLEST_TIME_S = 1e-6
"""Times below are taken as this, so that ratios exist [s]."""

SOLVED_GAP = 0.01
"""Gap at which PAR10, and a performance profile by default, call an instance solved."""

SOLVED_COLUMNS = tuple(f"solved_at_{gap:g}" for gap in GAPS)


def worth(runs: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Return what each method's runs on each instance are worth, repeated runs taken together.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    *keys : str
        Further columns that tell runs apart.

    Returns
    -------
    DataFrame
        Indexed by `variant`, `instance` (its content, or its name where it could not be made) and `keys`, in the order
        of `runs`: `time_s`, `limit_s`, `answered`, `gap`.
    """
    limit, time = runs["limit_s"].astype(float), runs["time_s"].astype(float)
    in_time = time <= limit * (1 + OVERRUN)
    proven_empty = refuted(runs)
    ended = runs["found"].astype(bool) & runs["status"].isin([Status.OPTIMAL, Status.FEASIBLE])
    gap = runs["gap_to_best_bound"].astype(float).mask(proven_empty, 0.0)
    columns = {
        "variant": runs["variant"],
        "instance": instance_of(runs),
        **{key: runs[key] for key in keys},
        "time_s": time.fillna(limit).clip(lower=SMALLEST_TIME_S, upper=limit),
        "limit_s": limit,
        "answered": in_time & (ended | proven_empty),
        "gap": gap.where(in_time).fillna(np.inf),
    }
    grouped = pd.DataFrame(columns).groupby(["variant", "instance", *keys], sort=False)
    return grouped.agg({"time_s": "median", "limit_s": "max", "answered": "all", "gap": "max"})


def shared_worth(runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return `worth` for each method, over the instances that all methods share, in the same order for each."""
    by_variant = worth(runs).groupby(level="variant", sort=False)
    by_method = {str(variant): here.droplevel("variant") for variant, here in by_variant}
    shared = shared_instances({variant: dict.fromkeys(here.index) for variant, here in by_method.items()})
    return {variant: here.loc[shared] for variant, here in by_method.items()}


def aggregate(runs: pd.DataFrame) -> pd.DataFrame:
    """Judge every method in every group, over the instances that the group's methods share.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.

    Returns
    -------
    DataFrame
        `group`, `method`; `instances` of the group, how many of them are `bounded` (a proven bound is known) and
        `shared` among its methods; how many are solved at each gap of `statistics.GAPS` (`solved_at_<gap>`);
        `unanswered`; `sgm_10s_s` and `sgm_0.01s_s`, lower bounds where anything is unanswered; `par10_s` at
        `SOLVED_GAP`; `median_gap`, with failures as the worst (∞ where they reach it). No means (NaN) where nothing is
        shared.
    """
    rows = []
    for group in dict.fromkeys(runs["group"]):
        here = runs[runs["group"] == group]
        known = {
            "instances": instance_of(here).nunique(),
            "bounded": here.loc[here["best_bound"].notna(), "content_hash"].nunique(),
        }
        for variant, values in shared_worth(here).items():
            rows.append({"group": group, "method": variant, **known, **_aggregated(values)})
    return pd.DataFrame(rows)


def _aggregated(values: pd.DataFrame) -> dict[str, float]:
    gaps, limits = values["gap"].tolist(), values["limit_s"].tolist()
    row: dict[str, float] = {
        "shared": len(values),
        **dict(zip(SOLVED_COLUMNS, solved_counts(gaps), strict=True)),
        "unanswered": int((~values["answered"]).sum()),
    }
    if values.empty:
        return row
    times = values["time_s"].where(values["answered"], values["limit_s"]).tolist()
    solved = [is_solved(gap, SOLVED_GAP) for gap in gaps]
    row["sgm_10s_s"] = shifted_geometric_mean(times, MITTELMANN_SHIFT_S)
    row["sgm_0.01s_s"] = shifted_geometric_mean(times, SMALL_SHIFT_S)
    row["par10_s"] = penalised_mean(values["time_s"].tolist(), solved, limits)
    row["median_gap"] = float(np.median(gaps))
    return row


def profiles(runs: pd.DataFrame, gap: float = SOLVED_GAP) -> dict[str, dict[str, Profile]]:
    """Return performance profiles of all methods, for each group in which they share instances.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    gap : float
        Largest gap to the best proven bound that counts as solved.
    """
    made = {}
    for group in dict.fromkeys(runs["group"]):
        values = shared_worth(runs[runs["group"] == group])
        if not next(iter(values.values())).empty:
            times = {variant: here["time_s"].tolist() for variant, here in values.items()}
            solved = {variant: [is_solved(each, gap) for each in here["gap"]] for variant, here in values.items()}
            made[str(group)] = performance_profiles(times, solved)
    return made
