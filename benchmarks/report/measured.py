"""The claims of the paper's abstract, as far as the rows of one campaign can say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from benchmarks.claims import (
    BASELINE,
    MATCHES,
    SAVING,
    TARGETS,
    Claim,
    Claims,
    MatchRow,
    Point,
    SavingRow,
    match_row,
    matches_claim,
    saving_claim,
    saving_rows,
    targets_claim,
)
from benchmarks.console import percent
from benchmarks.methods import label
from benchmarks.tables import Rows
from models.result import Status

UNKNOWN = "cannot be said"


def measured_claims(runs: pd.DataFrame) -> Claims:
    """Judge the claims over the instances whose optimum is proven and on which FIN ran at the same γ.

    Parameters
    ----------
    runs : DataFrame
        As `metrics.frame` makes it.

    Returns
    -------
    Claims
        Its resolutions are those that the most instances share. A claim of which no run speaks has the verdict
        `UNKNOWN`.
    """
    by_instance = {str(key): here for key, here in runs.groupby("content_hash", sort=False)}
    answers = {key: _fin_answers(here) for key, here in by_instance.items()}
    gammas = _shared_gammas(answers)
    points = {
        key: _point(by_instance[key], {gamma: found[gamma] for gamma in gammas})
        for key, found in answers.items()
        if set(gammas) <= set(found) and _decided(by_instance[key])
    }
    matches = [match_row(list(points.values()), gamma) for gamma in gammas] if points else []
    if not matches or not matches[0].points:
        nothing = "no instance has a proven optimum and runs of FIN"
        return Claims(len(points), 0, [], [], [Claim(name, UNKNOWN, nothing) for name in (MATCHES, SAVING, TARGETS)])
    with_baseline = [point for key, point in points.items() if BASELINE in set(by_instance[key]["label"])]
    savings = saving_rows(with_baseline, gammas[-1])
    saving = Claim(SAVING, UNKNOWN, f"FIN and {BASELINE} have no instance in common that both answer")
    if savings:
        saving = saving_claim(savings, with_baseline, gammas[-1])
    claims = [matches_claim(matches), saving, targets_claim(list(points.values()))]
    return Claims(len(points), matches[0].points, matches, savings, claims)


def _fin_answers(runs: pd.DataFrame) -> dict[int, Any]:
    """FIN's first row at each γ, all other options at their defaults."""
    answers: dict[int, Any] = {}
    for row in runs[(runs["method"] == "fin") & runs["gamma"].notna()].to_dict("records"):
        gamma = int(row["gamma"])
        if row["label"] == label("fin", {"gamma": gamma}):
            answers.setdefault(gamma, row)
    return answers


def _shared_gammas(answers: dict[str, dict[int, Any]]) -> tuple[int, ...]:
    """The set of resolutions that the most instances have, ascending."""
    counts = Counter(tuple(sorted(found)) for found in answers.values() if found)
    return counts.most_common(1)[0][0] if counts else ()


def _decided(runs: pd.DataFrame) -> bool:
    return bool(runs["proven"].iloc[0]) or _refuted(runs)


def _refuted(runs: pd.DataFrame) -> bool:
    return bool((runs["status"] == Status.INFEASIBLE).any() and runs["best_objective"].isna().all())


def _point(runs: pd.DataFrame, fin: dict[int, Any]) -> Point:
    first = runs.iloc[0]
    optimum = None if _refuted(runs) else float(first["best_objective"])
    energies = {gamma: row["objective"] if row["found"] else None for gamma, row in fin.items()}
    baseline = [row["objective"] for row in runs.to_dict("records") if row["label"] == BASELINE and row["found"]]
    violations = sum(bool(row["violations"]) for row in fin.values())
    return Point(_case(first), optimum, energies, baseline[0] if baseline else None, violations)


def _case(row: pd.Series[Any]) -> str:
    """Instances of a family are a case together; points of a target grid where instance and accounting agree."""
    generated = pd.notna(row.get("family"))
    return f"{row['group'] if generated else row['instance']}, {row['accounting']}"


def match_table(rows: Sequence[MatchRow]) -> Rows:
    """FIN at every γ against the proven optimum."""
    columns = ("γ", "instances", "optimum met [%]", "missed", "mean gap [%]", "worst gap [%]")
    cells = tuple(
        (
            str(row.gamma),
            str(row.points),
            f"{100 * row.matched / row.points:.2f}",
            str(row.missed),
            percent(row.mean_gap),
            percent(row.worst_gap),
        )
        for row in rows
    )
    return Rows("FIN against the proven optimum", columns, cells, text_columns=0)


def saving_table(rows: Sequence[SavingRow]) -> Rows:
    """Energy saved by FIN against the baseline, case by case."""
    columns = ("case", "instances", "mean [%]", "least [%]", "median [%]", "most [%]", "above 65 % [% of instances]")
    cells = tuple(
        (
            row.case,
            str(row.points),
            *(f"{100 * share:.2f}" for share in (row.mean, row.least, row.median, row.most, row.share_above)),
        )
        for row in rows
    )
    return Rows("Energy that FIN saves against MCP", columns, cells, text_columns=1)
