"""How far FIN is from the proven optimum, for each group and γ."""

from __future__ import annotations

import pandas as pd

from finbench.benchmarks.analysis.points import without_gamma
from finbench.models.tolerances import ENERGY_TOLERANCE

FEWEST_GAMMAS = 4
"""A group is drawn over γ if it was run at this many."""


def gap_by_gamma(runs: pd.DataFrame) -> pd.DataFrame:
    """Compare FIN with the proven optimum, for each group and γ.

    Returns
    -------
    DataFrame
        `group`, `gamma`, `mean` and `worst` gap over the deployments found [%], and the parts `found` and
        `matched` of the instances with a proven optimum [%]. Where FIN ran in a group with several choices of its
        other options, each choice is a group of its own, whose name tells it.
    """
    fin = _told_apart(runs[(runs["method"] == "fin") & runs["proven"]])
    rows = []
    for _, here in fin.groupby(["group", "gamma"], sort=False):
        gaps = here["gap_to_best_known"].dropna().astype(float)
        matched = (gaps <= ENERGY_TOLERANCE).sum()
        rows.append(
            {
                "group": here["group"].iloc[0],
                "gamma": int(here["gamma"].iloc[0]),
                "mean": 100 * gaps.mean(),
                "worst": 100 * gaps.max(),
                "found": 100 * len(gaps) / len(here),
                "matched": 100 * matched / len(here),
            }
        )
    return pd.DataFrame(rows, columns=["group", "gamma", "mean", "worst", "found", "matched"])


def _told_apart(fin: pd.DataFrame) -> pd.DataFrame:
    """Return the runs with the variant but for γ in the name of every group in which there are several."""
    variant = fin["variant"].map(without_gamma)
    several = variant.groupby(fin["group"]).transform("nunique") > 1
    return fin.assign(group=fin["group"].where(~several, fin["group"] + ": " + variant))
