"""A campaign in words: what ran, where, how it ended, who meets the optimum, who is fast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from finbench.benchmarks.analysis.claims import Claims
from finbench.benchmarks.analysis.frame import instance_of, refuted
from finbench.benchmarks.analysis.numbers import fixed_percent, plural
from finbench.benchmarks.analysis.units import objective_word, sized
from finbench.benchmarks.report.methods_table import MethodFacts
from finbench.benchmarks.rows.row import Row
from finbench.models.result import Status

FAILURES = (Status.ERROR, Status.MEMORY_LIMIT)

NAMES = {"cpu": "processor", "ram_bytes": "memory", "os": "distribution"}
"""Words for fields of an environment."""


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
        Fact(f"{runs['variant'].nunique()}", "method variants"),
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


def sentences(runs: pd.DataFrame, claims: Claims, methods: Sequence[MethodFacts]) -> list[str]:
    """Return the summary, a paragraph each; `methods` are the facts of `runs`, those of the page's table."""
    return [
        _what_ran(runs),
        _how_it_ended(runs),
        _who_is_optimal(runs, methods),
        *([_fin_by_gamma(claims)] if claims.matches else []),
        _who_is_fast(runs, methods),
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
        f"{found:,} of {len(runs):,} runs found a deployment that satisfies every constraint. How they ended: {ends}."
    )


def _who_is_optimal(runs: pd.DataFrame, methods: Sequence[MethodFacts]) -> str:
    solvable, empty = _instances(runs[runs["proven"]]), _instances(runs[refuted(runs)])
    word = objective_word(runs["objective_unit"])
    has = "instance has" if empty == 1 else "instances have"
    none = f" {empty:,} {has} no feasible deployment, with proof." if empty else ""
    if not solvable:
        return f"No optimum is proven: gaps are against the best {word} known.{none}"
    there = [one for one in methods if one.on_proven]
    always = [one.variant for one in there if one.optimal == one.on_proven]
    others = sorted((one for one in there if one.optimal < one.on_proven), key=lambda one: -one.optimal / one.on_proven)
    text = f"The optimum is proven on {solvable:,} {plural(solvable, 'instance')}."
    if always:
        text += f" Every run there of {_listed(always)} meets it."
    shares = [f"{one.variant} {fixed_percent(one.optimal / one.on_proven, 1)} %" for one in others]
    less = f" Others meet it less often, a failure counting as not met: {_listed(shares)}." if shares else ""
    return text + less + none


def _fin_by_gamma(claims: Claims) -> str:
    """Return from which γ on FIN is always right; the table beside it has the numbers."""
    rows = claims.matches
    always = next((row.gamma for k, row in enumerate(rows) if all(r.matched == r.points for r in rows[k:])), None)
    where = f"the {rows[0].points:,} {plural(rows[0].points, 'instance')} that every γ ran on"
    if always is None:
        return f"At no γ that was run does FIN meet the optimum on all of {where}."
    return f"FIN meets the optimum on all of {where}{'' if always == rows[0].gamma else f' from γ = {always} on'}."


def _who_is_fast(runs: pd.DataFrame, methods: Sequence[MethodFacts]) -> str:
    timed = [(one.time_median_s, one) for one in methods if one.time_median_s is not None]
    if not timed:
        return "No run is conclusive."
    timed.sort(key=lambda pair: pair[0])
    (_, fastest), (_, slowest) = timed[0], timed[-1]
    longest = runs.iloc[int(runs["time_s"].astype(float).fillna(-1.0).argmax())]
    ended = "" if longest["found"] else f", which ended as {longest['status']}"
    return (
        f"Fastest by the median of its conclusive runs: {_timed(fastest)}; slowest: {_timed(slowest)}. The longest "
        f"run took {sized(float(longest['time_s']), 's', 3)}: {longest['variant']} on {longest['instance']}{ended}."
    )


def _timed(one: MethodFacts) -> str:
    return f"{one.variant}, {sized(one.time_median_s, 's', 3)} ({one.conclusive:,} of {one.runs:,} runs)"


def repeated(rows: int, runs: int) -> str:
    """Return in words that some runs belong to several groups."""
    again = rows - runs
    return (
        f"{again:,} {plural(again, 'row')} of the results {'is' if again == 1 else 'are'} of runs that another group "
        "asks for as well: such a run is counted once here and in the list of runs, with all of its groups, and in the "
        "tables of each of them."
    )


def environment_rows(records: Sequence[Row]) -> list[tuple[str, str]]:
    """Return machine and versions, each distinct value of each field."""
    distinct: dict[str, dict[str, None]] = {}
    for here in _environments(records):
        for name, value in _flat(here):
            distinct.setdefault(name, {})[value] = None
    return [(name, "; ".join(values)) for name, values in distinct.items()]


def machine(records: Sequence[Row]) -> str:
    """Return the machines of the runs, in words."""
    shown = dict.fromkeys(
        f"{here['cpu']}, {here['cores']} {plural(here['cores'], 'core')}" for here in _environments(records)
    )
    return "; ".join(shown)


def _environments(records: Sequence[Row]) -> Iterable[Row]:
    """Return the environment of each row; rows that share one object give it once."""
    return {id(row["environment"]): row["environment"] for row in records}.values()


def _flat(table: Row, prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{name}: ")
        else:
            yield f"{prefix}{NAMES.get(name, name)}", _absent(name, prefix) if value is None else _shown(name, value)


def _shown(name: str, value: object) -> str:
    return f"{value / 2**30:.1f} GiB" if name == "ram_bytes" and isinstance(value, int) else str(value)


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
