"""A campaign in words: what ran, where, how it ended, who meets the optimum, who is fast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from finbench.benchmarks.analysis.claims import Claims
from finbench.benchmarks.analysis.frame import instance_of, refuted
from finbench.benchmarks.analysis.numbers import fixed_percent, plural, seconds
from finbench.benchmarks.rows.environment import Environment
from finbench.benchmarks.rows.row import Row
from finbench.models.result import Status
from finbench.models.tolerances import ENERGY_TOLERANCE

FAILURES = (Status.ERROR, Status.MEMORY_LIMIT)


@dataclass(frozen=True)
class Fact:
    """A number that the page shows large, and what it counts."""

    value: str
    meaning: str
    warns: bool = False


def facts(runs: pd.DataFrame, claims: Claims, contradictions: Sequence[str]) -> list[Fact]:
    """Return the numbers at the top of the page."""
    failed = int(runs["status"].isin(FAILURES).sum())
    instances = _instances(runs)
    proven = _instances(runs[runs["proven"] | refuted(runs)])
    made = [
        Fact(f"{len(runs):,}", plural(len(runs), "run")),
        Fact(f"{instances:,}", plural(instances, "instance")),
        Fact(f"{runs['label'].nunique()}", "method variants"),
        Fact(f"{proven:,}", "decided with proof"),
    ]
    if claims.matches:
        best = claims.matches[-1]
        made.append(Fact(f"{100 * best.matched / best.points:.4g} %", f"FIN meets the optimum, γ = {best.gamma}"))
    made.append(Fact(str(failed), "failed", warns=failed > 0))
    made.append(
        Fact(str(len(contradictions)), plural(len(contradictions), "contradiction"), warns=bool(contradictions))
    )
    return made


def sentences(runs: pd.DataFrame, claims: Claims) -> list[str]:
    """Return the summary, a paragraph each."""
    return [
        _what_ran(runs),
        _how_it_ended(runs),
        _who_is_optimal(runs),
        *([_fin_by_gamma(claims)] if claims.matches else []),
        _who_is_fast(runs),
    ]


def _what_ran(runs: pd.DataFrame) -> str:
    limits = sorted(runs["limit_s"].unique())
    limit = " or ".join(f"{value:g}" for value in limits) if len(limits) <= 3 else f"{limits[0]:g} to {limits[-1]:g}"
    groups, methods = runs["group"].nunique(), runs["method"].nunique()
    return (
        f"Runs of {methods} {plural(methods, 'method')} on instances in {groups} {plural(groups, 'group')}, each run "
        f"with a limit of {limit} s."
    )


def _how_it_ended(runs: pd.DataFrame) -> str:
    counts = {str(status): int(count) for status, count in runs["status"].value_counts().items()}
    found = int(runs["found"].astype(bool).sum())
    ends = ", ".join(f"{count:,} {status}" for status, count in counts.items())
    return (
        f"{found:,} {plural(found, 'run')} found a deployment that satisfies every constraint. How they ended: {ends}."
    )


def _who_is_optimal(runs: pd.DataFrame) -> str:
    proven = runs[runs["proven"]]
    solvable = _instances(proven)
    empty = _instances(runs[refuted(runs)])
    has = "instance has" if empty == 1 else "instances have"
    none = f" {empty:,} {has} no feasible deployment, with proof."
    if not solvable:
        return "No optimum is proven: gaps are against the best energy known." + (none if empty else "")
    met = proven["gap_to_best_known"].astype(float) <= ENERGY_TOLERANCE
    shares = met.groupby(proven["label"], sort=False).mean().sort_values(ascending=False, kind="stable")
    always = [str(label) for label, share in shares.items() if share == 1]
    others = [f"{label} {fixed_percent(share, 1)} %" for label, share in shares.items() if share < 1]
    text = f"The optimum is proven on {solvable:,} {plural(solvable, 'instance')}."
    text += none if empty else ""
    if always:
        text += f" Every run there of {_listed(always)} meets it."
    return text + (f" How often the runs of others do: {_listed(others)}." if others else "")


def _fin_by_gamma(claims: Claims) -> str:
    """Return from which γ on FIN is always right; the table beside it has the numbers."""
    rows = claims.matches
    always = next((row.gamma for k, row in enumerate(rows) if all(r.matched == r.points for r in rows[k:])), None)
    where = f"the {rows[0].points:,} {plural(rows[0].points, 'instance')} that every γ ran on"
    if always is None:
        return f"At no γ that was run does FIN meet the optimum on all of {where}."
    return f"FIN meets the optimum on all of {where}{'' if always == rows[0].gamma else f' from γ = {always} on'}."


def _who_is_fast(runs: pd.DataFrame) -> str:
    timed = runs[runs["time_s"].notna() & (runs["found"].astype(bool) | refuted(runs))]
    if timed.empty:
        return "No run ended with an answer."
    medians = timed.groupby("label")["time_s"].median().sort_values()
    longest = timed.iloc[int(timed["time_s"].astype(float).argmax())]
    return (
        f"Fastest by the median of its own answers: {medians.index[0]}, {seconds(medians.iloc[0])}; slowest: "
        f"{medians.index[-1]}, {seconds(medians.iloc[-1])}. The longest took {seconds(longest['time_s'])}: "
        f"{longest['label']} on {longest['instance']}."
    )


def environment_rows(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return machine and versions, each distinct value of each field."""
    distinct: dict[str, dict[str, None]] = {}
    for row in rows:
        for name, value in _flat(row["environment"]):
            distinct.setdefault(name, {})[value] = None
    return [(name, "; ".join(values)) for name, values in distinct.items()]


def machine(rows: Sequence[Row]) -> str:
    """Return the machines of the runs, in words."""
    shown = dict.fromkeys(
        f"{here['cpu']}, {here['cores']} {plural(here['cores'], 'core')}"
        for here in (row["environment"] for row in rows)
    )
    return "; ".join(shown)


def _flat(table: Environment, prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{name}: ")
        else:
            yield f"{prefix}{name}", _absent(name, prefix) if value is None else str(value)


def _absent(name: str, prefix: str) -> str:
    """Return what it means that an environment names no value there."""
    if prefix.startswith(("versions", "solvers")):
        return "not installed"
    if prefix.startswith("threads"):
        return "not set"
    return "no checkout" if name == "git" else "unknown"


def _instances(runs: pd.DataFrame) -> int:
    return int(instance_of(runs).nunique())


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
