"""How soon a solver's incumbent is as good as FIN's answer, and how long its proof takes.

Methods that tell incumbent and bound over time (`info["trajectory"]`) are compared with FIN, over the instances on
which both ran and FIN found a deployment. A run that never gets there, fails or refuses is counted apart. It enters
medians as ∞, so that a median is the time by which half of the instances were done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import median
from typing import TypeAlias

from finbench.benchmarks.analysis.numbers import number
from finbench.benchmarks.analysis.statistics import primal_integral
from finbench.benchmarks.analysis.table import TextTable
from finbench.benchmarks.rows.row import Row
from finbench.models.result import Status
from finbench.models.tolerances import ENERGY_TOLERANCE

HEURISTIC = "fin"
"""The method whose energy is to be matched."""

ByInstance: TypeAlias = Mapping[str, Sequence[Row]]
"""A method's runs by instance content, repetitions together."""


def time_to_reach(row: Row, objective: float, tolerance: float = ENERGY_TOLERANCE) -> float | None:
    """Return when a run's incumbent was first at most `objective` (eq. 3) [s since the run began].

    Parameters
    ----------
    row : Row
    objective : float
        What is to be reached [J or W].
    tolerance : float, non-negative
        Relative difference up to which a higher incumbent counts as equal: E − E' ≤ tolerance · max(E, E').

    Returns
    -------
    float or None
        None where it never was, within the limit, or where the run told nothing.
    """
    for at, energy in incumbents(row):
        if energy - objective <= tolerance * max(abs(energy), abs(objective)):
            return at if at <= row["limit_s"] else None
    return None


def incumbents(row: Row) -> list[tuple[float, float]]:
    """Return times [s] and energies of a run's incumbents; none where its final deployment is not feasible."""
    points = row.get("info", {}).get("trajectory", []) if row["found"] else []
    return [(at, energy) for at, energy, _ in points if energy is not None]


@dataclass(frozen=True)
class Match:
    """One method's race against FIN on the instances of a group that count."""

    method: str
    heuristic: str
    shared: int
    """Instances on which both ran."""
    heuristic_s: tuple[float, ...]
    """FIN's time on each of those on which it found a deployment; the others below are for the same [s]."""
    match_s: tuple[float, ...]
    """When the method's incumbent was as good, ∞ where it never was [s]."""
    proof_s: tuple[float, ...]
    """When it had proven its optimum, ∞ where it had not [s]."""
    integral_s: tuple[float, ...]
    """Primal integral up to the limit, against the best energy known [s]."""

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table."""
        return (
            self.method,
            self.heuristic,
            str(self.shared),
            str(len(self.heuristic_s)),
            _median(self.heuristic_s),
            *_counted(self.match_s),
            *_counted(self.proof_s),
            _median(self.integral_s),
        )


def matches(rows: Sequence[Row]) -> list[Match]:
    """Compare every method that tells its incumbents over time with FIN under each choice of options."""
    by_variant: defaultdict[str, defaultdict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    telling, heuristics = dict[str, None](), dict[str, None]()
    for row in rows:
        if row.get("content_hash") is None:
            continue
        by_variant[row["variant"]][row["content_hash"]].append(row)
        if row["method"] == HEURISTIC:
            heuristics[row["variant"]] = None
        elif "trajectory" in row.get("info", {}):
            telling[row["variant"]] = None
    best = _best_known(rows)
    return [_match(one, by_variant[one], other, by_variant[other], best) for one in telling for other in heuristics]


def _best_known(rows: Iterable[Row]) -> dict[str, float]:
    """Return the least energy that any run found, by instance content."""
    best: dict[str, float] = {}
    for row in rows:
        if row["found"]:
            best[row["content_hash"]] = min(row["objective"], best.get(row["content_hash"], inf))
    return best


def _match(method: str, runs: ByInstance, heuristic: str, others: ByInstance, best: Mapping[str, float]) -> Match:
    shared = [instance for instance in runs if instance in others]
    found = [instance for instance in shared if all(row["found"] for row in others[instance])]
    targets = {instance: max(row["objective"] for row in others[instance]) for instance in found}

    def each(of: Callable[[Row, str], float], where: ByInstance = runs) -> tuple[float, ...]:
        return tuple(median([of(row, instance) for row in where[instance]]) for instance in found)

    return Match(
        method,
        heuristic,
        len(shared),
        heuristic_s=each(lambda row, _: float(row["time_s"]), others),
        match_s=each(lambda row, instance: _or_never(time_to_reach(row, targets[instance]))),
        proof_s=each(lambda row, _: _proof(row)),
        integral_s=each(lambda row, instance: primal_integral(incumbents(row), best[instance], row["limit_s"])),
    )


def _or_never(time: float | None) -> float:
    return inf if time is None else time


def _proof(row: Row) -> float:
    proven = row["status"] == Status.OPTIMAL and row["found"] and row["time_s"] <= row["limit_s"]
    return float(row["time_s"]) if proven else inf


def _counted(times_s: Sequence[float]) -> tuple[str, str, str]:
    """Return how many got there, how many did not, and the median time."""
    done = sum(map(isfinite, times_s))
    return str(done), str(len(times_s) - done), _median(times_s)


def _median(times_s: Sequence[float]) -> str:
    if not times_s:
        return number(None)
    middle = median(times_s)
    return number(middle, 4) if isfinite(middle) else "∞"


def matching_tables(rows: Sequence[Row]) -> list[TextTable]:
    """Return time to match FIN's energy beside time to proof, a table for each group that has such runs.

    Parameters
    ----------
    rows : sequence of Row
    """
    columns = (
        "method",
        "to match",
        "shared instances",
        "where FIN found one",
        "FIN's time [s]",
        "matched",
        "not matched",
        "time to match [s]",
        "proven",
        "not proven",
        "time to proof [s]",
        "primal integral [s]",
    )
    tables = []
    for group in dict.fromkeys(row["group"] for row in rows):
        cells = tuple(match.cells() for match in matches([row for row in rows if row["group"] == group]))
        if cells:
            title = f"{group}: time to match FIN's energy, and to proof (medians over instances where FIN found one)"
            tables.append(TextTable(title, columns, cells, text_columns=2))
    return tables
