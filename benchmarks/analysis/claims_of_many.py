"""The claims of the journal's abstract, as far as the rows of a campaign can say: many applications at once.

A point is one instance of the families `published-many` and `published-many-divided`: n users of each of the three
published DNNs. On it, over the power P of all users (eq. 3),

    saving = 1 − P_FIN / P_baseline

exists where FIN and the baseline both serve everybody. The journal's abstract names neither n, nor targets, nor whom
the saving is relative to: a verdict says on which of them it holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import pandas as pd

from finbench.benchmarks.analysis.claims import Claim
from finbench.benchmarks.analysis.claims_of_runs import UNKNOWN
from finbench.benchmarks.analysis.frame import refuted
from finbench.benchmarks.analysis.numbers import fixed_percent, plural
from finbench.benchmarks.methods import variant

SAVING_OF_MANY = 0.89
"""The abstract's "over 89 %"."""

FAMILIES_OF_MANY = ("published-many", "published-many-divided")
KINDS_OF_USERS = 3
"""DNNs of which these families have users."""

BASELINES = ("mcp", "greedy")

COEXIST, SAVING = (
    "several co-existing applications share network and computing",
    f"over {100 * SAVING_OF_MANY:g} % savings against alternatives",
)
"""The claims."""

HOW = "these runs are not of many users: `finbench run published-many -o results`, then `claims results/published-many`"


@dataclass(frozen=True)
class ManyPoint:
    """One instance with n users of each DNN. Powers [W] are of a run that serves all of them, else None."""

    group: str
    users: int
    """n"""
    fin: float | None
    best: float | None
    """Of the best deployment of any method; None where none is known."""
    is_refuted: bool
    """Whether it is proven that there is no deployment."""
    is_proven: bool
    """Whether `best` is proven to be the optimum."""
    broken: int
    """Rules that FIN's deployment breaks."""
    baselines: Mapping[str, float | None]
    """Of the baselines that ran."""


@dataclass(frozen=True)
class ManySavingRow:
    """What FIN saves against one baseline in one group."""

    group: str
    baseline: str
    savings: Mapping[int, float]
    """By n."""
    left_out: tuple[int, ...]
    """Each n with a known deployment where FIN or the baseline serves not everybody."""
    refuted: tuple[int, ...]
    """Each n without any deployment, proven."""

    @property
    def above(self) -> tuple[int, ...]:
        """Each n at which the saving is above the published figure."""
        return tuple(n for n, saving in self.savings.items() if saving > SAVING_OF_MANY)


@dataclass(frozen=True)
class ClaimsOfMany:
    """What `finbench claims` shows of many applications."""

    points: int
    claims: list[Claim]
    savings: list[ManySavingRow]

    def to_json(self) -> dict[str, Any]:
        """Return the object that `claims --json` prints."""
        rows = [{**vars(row), "savings": dict(row.savings), "above": row.above} for row in self.savings]
        return {"points": self.points, "claims": [vars(claim) for claim in self.claims], "savings": rows}


def claims_of_many(runs: pd.DataFrame | None) -> ClaimsOfMany:
    """Judge the claims over the instances with n users of each published DNN.

    Parameters
    ----------
    runs : DataFrame or None
        As `analysis.frame.frame` makes it; None: there are none.

    Returns
    -------
    ClaimsOfMany
        FIN counts at the finest of its resolutions, all other options at their defaults. A claim of which no run
        speaks has the verdict `UNKNOWN`.
    """
    many = None if runs is None or "family" not in runs else runs[runs["family"].isin(FAMILIES_OF_MANY)]
    gamma = None if many is None else _finest(many)
    if many is None or gamma is None:
        return ClaimsOfMany(0, [Claim(name, UNKNOWN, HOW) for name in (COEXIST, SAVING)], [])
    points = _points(many, variant("fin", {"gamma": gamma}))
    savings = _saving_rows(points)
    return ClaimsOfMany(len(points), [_coexist_claim(points, gamma), _saving_claim(savings, points, gamma)], savings)


def _finest(many: pd.DataFrame) -> int | None:
    """Return the largest γ at which FIN ran with its other options at their defaults."""
    fins = many[(many["method"] == "fin") & many["gamma"].notna()]
    told = {int(gamma) for gamma, name in zip(fins["gamma"], fins["variant"], strict=True) if name == _fin(gamma)}
    return max(told, default=None)


def _fin(gamma: float) -> str:
    return variant("fin", {"gamma": int(gamma)})


def _points(many: pd.DataFrame, fin: str) -> list[ManyPoint]:
    """Return the instances on which FIN ran, by group and n."""
    by_instance: defaultdict[tuple[str, str], list[dict[Hashable, Any]]] = defaultdict(list)
    for row in many.assign(refuted=refuted(many)).loc[many["content_hash"].notna()].to_dict("records"):
        by_instance[row["group"], row["content_hash"]].append(row)
    points = [_point(rows, fin) for rows in by_instance.values() if any(row["variant"] == fin for row in rows)]
    order = list(dict.fromkeys(point.group for point in points))
    return sorted(points, key=lambda point: (order.index(point.group), point.users))


def _point(rows: Sequence[Mapping[Hashable, Any]], fin: str) -> ManyPoint:
    first, best = rows[0], rows[0]["best_objective"]
    powers = {row["variant"]: _power(row) for row in rows}
    return ManyPoint(
        group=str(first["group"]),
        users=int(first["applications"]) // KINDS_OF_USERS,
        fin=powers[fin],
        best=None if pd.isna(best) else float(best),
        is_refuted=any(row["refuted"] for row in rows),
        is_proven=bool(first["proven"]),
        broken=sum(bool(row["violations"]) for row in rows if row["variant"] == fin),
        baselines={name: powers[name] for name in BASELINES if name in powers},
    )


def _power(row: Mapping[Hashable, Any]) -> float | None:
    """Return the power of a run that serves everybody."""
    serves_all = row["found"] and (pd.isna(row["rejected"]) or not row["rejected"])
    return float(row["objective"]) if serves_all else None


def _saving_rows(points: Sequence[ManyPoint]) -> list[ManySavingRow]:
    rows = []
    for baseline in BASELINES:
        for group in dict.fromkeys(point.group for point in points):
            here = [point for point in points if point.group == group and baseline in point.baselines]
            savings = {point.users: saving for point in here if (saving := _saving(point, baseline)) is not None}
            unsaid = [point for point in here if point.users not in savings]
            left_out = tuple(point.users for point in unsaid if not point.is_refuted)
            none = tuple(point.users for point in unsaid if point.is_refuted)
            rows += [ManySavingRow(group, baseline, savings, left_out, none)] if here else []
    return rows


def _saving(point: ManyPoint, baseline: str) -> float | None:
    power = point.baselines[baseline]
    return None if point.fin is None or not power else 1 - point.fin / power


def _coexist_claim(points: Sequence[ManyPoint], gamma: int) -> Claim:
    """Judge that FIN serves everybody, within all capacities, wherever that is known to be possible."""
    solvable = [point for point in points if point.best is not None]
    served = [point for point in solvable if point.fin is not None and not point.broken]
    optimal = [point for point in solvable if point.is_proven]
    verdict = _verdict(served, solvable)
    none, open_ones = [one for one in points if one.is_refuted], [one for one in points if _is_open(one)]
    broken, users = sum(point.broken for point in points), _numbers(point.users for point in served)
    said = (
        f"FIN (γ = {gamma}) serves all users on {len(served)} of {len(solvable)} {plural(len(solvable), 'point')} "
        f"where a deployment is known, {len(optimal)} with a proven optimum, at n = {users} users of each DNN",
        f"rules broken: {broken}",
        f"proven that there is none: {_by_group(none) or 'nowhere'}",
        f"not judged, neither found nor refuted: {_by_group(open_ones) or 'nowhere'}",
    )
    return Claim(COEXIST, verdict, "; ".join(said))


def _is_open(point: ManyPoint) -> bool:
    return point.best is None and not point.is_refuted


def _saving_claim(rows: Sequence[ManySavingRow], points: Sequence[ManyPoint], gamma: int) -> Claim:
    """Judge the saving: at every n, in every group, against every baseline; else it names those where it holds."""
    compared = [row for row in rows if row.savings]
    if not compared:
        return Claim(
            SAVING, UNKNOWN, f"there is no point on which FIN and one of {', '.join(BASELINES)} serve everybody"
        )
    holds = [row for row in compared if row.above]
    verdict = "does not hold"
    if all(row.above == tuple(row.savings) for row in compared):
        verdict = "holds"
    elif holds:
        where = (f"against {row.baseline}: {row.group}, n = {_numbers(row.above)}" for row in holds)
        verdict = f"holds only if {'; '.join(where)}"
    said = [_against(baseline, [row for row in compared if row.baseline == baseline]) for baseline in BASELINES]
    most = max((1 - p.best / power for p in points for power in p.baselines.values() if p.best and power), default=0.0)
    told = "; ".join(part for part in said if part)
    upper = f"the best deployments known save at most {fixed_percent(most)} %"
    return Claim(SAVING, verdict, f"FIN (γ = {gamma}): {told}; {upper}")


def _against(baseline: str, rows: Sequence[ManySavingRow]) -> str:
    savings = [saving for row in rows for saving in row.savings.values()]
    if not savings:
        return ""
    above, left_out = sum(len(row.above) for row in rows), sum(len(row.left_out) for row in rows)
    said = (
        f"against {baseline} {fixed_percent(min(savings))} % to {fixed_percent(max(savings))} %, median "
        f"{fixed_percent(median(savings))} %, above {100 * SAVING_OF_MANY:g} % on {above} of {len(savings)} "
        f"{plural(len(savings), 'point')}"
    )
    unsaid = f", not judged on {left_out} {plural(left_out, 'point')} where one of the two does not serve everybody"
    return said + (unsaid if left_out else "")


def _verdict(true: Sequence[ManyPoint], asked: Sequence[ManyPoint]) -> str:
    if not asked:
        return UNKNOWN
    if len(true) == len(asked):
        return "holds"
    return f"holds only if {_by_group(true)}" if true else "does not hold"


def _by_group(points: Sequence[ManyPoint]) -> str:
    """Return each group with its n, in words."""
    groups = dict.fromkeys(point.group for point in points)
    return "; ".join(f"{group}: n = {_numbers(p.users for p in points if p.group == group)}" for group in groups)


def _numbers(users: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(set(users))))
