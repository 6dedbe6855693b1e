"""The claims of the paper's abstract, as far as the rows of one campaign can say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from finbench.benchmarks.analysis.claims import (
    BASELINE,
    MATCHES,
    SAVING,
    TARGETS,
    Claim,
    Claims,
    Point,
    match_row,
    matches_claim,
    saving_claim,
    saving_rows,
    targets_claim,
)
from finbench.benchmarks.analysis.frame import refuted
from finbench.benchmarks.methods import variant
from finbench.models.result import Status

UNKNOWN = "cannot be said"

COLUMNS = (
    *("content_hash", "group", "instance", "accounting", "family", "variant", "method", "gamma", "status", "found"),
    *("objective", "best_objective", "proven", "violations", "refuted"),
)

FrameRow = dict[Hashable, Any]


def claims_of_runs(runs: pd.DataFrame) -> Claims:
    """Judge the claims over the instances whose optimum is proven and on which FIN ran at the same γ.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.

    Returns
    -------
    Claims
        Its resolutions are those that the most instances share. A claim of which no run speaks has the verdict
        `UNKNOWN`.
    """
    by_instance: defaultdict[str, list[FrameRow]] = defaultdict(list)
    told = runs.assign(refuted=refuted(runs)).loc[runs["content_hash"].notna()]
    for row in told.reindex(columns=COLUMNS).to_dict("records"):
        by_instance[row["content_hash"]].append(row)
    answers = {key: _fin_answers(rows) for key, rows in by_instance.items()}
    gammas = _shared_gammas(answers)
    points = {
        key: _point(by_instance[key], {gamma: found[gamma] for gamma in gammas})
        for key, found in answers.items()
        if gammas and set(gammas) <= set(found) and (by_instance[key][0]["proven"] or _is_refuted(by_instance[key]))
    }
    matches = [match_row(list(points.values()), gamma) for gamma in gammas] if points else []
    if not matches or not matches[0].points:
        nothing = "no instance has a proven optimum and runs of FIN"
        return Claims(len(points), 0, [], [], [Claim(name, UNKNOWN, nothing) for name in (MATCHES, SAVING, TARGETS)])
    rivalled = [point for key, point in points.items() if any(row["variant"] == BASELINE for row in by_instance[key])]
    savings = saving_rows(rivalled, gammas[-1])
    saving = Claim(SAVING, UNKNOWN, f"there is no instance that FIN and {BASELINE} both answer")
    if savings:
        saving = saving_claim(savings, rivalled, gammas[-1])
    claims = [matches_claim(matches), saving, targets_claim(list(points.values()))]
    return Claims(len(points), matches[0].points, matches, savings, claims)


def _fin_answers(rows: Sequence[FrameRow]) -> dict[int, FrameRow]:
    """Return FIN's first row at each γ, all other options at their defaults."""
    answers: dict[int, FrameRow] = {}
    for row in rows:
        if row["method"] != "fin" or row["status"] == Status.UNSUPPORTED or pd.isna(row["gamma"]):
            continue
        if row["variant"] == variant("fin", {"gamma": int(row["gamma"])}):
            answers.setdefault(int(row["gamma"]), row)
    return answers


def _shared_gammas(answers: Mapping[str, Mapping[int, FrameRow]]) -> tuple[int, ...]:
    """Return the set of resolutions that the most instances have, ascending."""
    counts = Counter(tuple(sorted(found)) for found in answers.values() if found)
    return counts.most_common(1)[0][0] if counts else ()


def _is_refuted(rows: Sequence[FrameRow]) -> bool:
    return any(row["refuted"] for row in rows)


def _point(rows: Sequence[FrameRow], fin: Mapping[int, FrameRow]) -> Point:
    optimum = None if _is_refuted(rows) else float(rows[0]["best_objective"])
    energies = {gamma: row["objective"] if row["found"] else None for gamma, row in fin.items()}
    baseline = [row["objective"] for row in rows if row["variant"] == BASELINE and row["found"]]
    violations = sum(bool(row["violations"]) for row in fin.values())
    return Point(_case(rows[0]), optimum, energies, baseline[0] if baseline else None, violations)


def _case(row: FrameRow) -> str:
    """Return the case of an instance: its family's group, or its name and accounting on a target grid."""
    name: str = row["instance"] if pd.isna(row["family"]) else row["group"]
    return f"{name} ({str(row['accounting']).replace('_', ' ')})"
