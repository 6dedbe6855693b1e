"""Two sets of results compared run by run, with intervals, on one kind of machine (`finbench compare-results`).

Runs are paired by instance content, method with its options, and seed. The two runs of a pair must have been measured
on machines with the same processor and as many cores; a side may hold runs of several machines. Gaps of both sides are
against the best bound that either has proved. Several seeds on one instance enter an interval as one pair, since they
are not independent.

An interval tells how far the ratio varies over instances. What slows a whole set of runs at once, such as another load
on the same machine, is inside the ratio and not inside the interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from finbench.benchmarks.analysis.aggregate import worth
from finbench.benchmarks.analysis.frame import frame, instance_of
from finbench.benchmarks.analysis.numbers import number, percent, plural
from finbench.benchmarks.analysis.statistics import Interval, mean_difference, ratio_of_times
from finbench.benchmarks.analysis.table import TextTable
from finbench.benchmarks.rows.reading import load_rows
from finbench.benchmarks.rows.row import Row
from finbench.models.io import InputError

SEPARATOR = "; "
"""Stands between the machines of runs that were made on several."""


@dataclass(frozen=True)
class MethodChange:
    """How one method does in B against A."""

    method: str
    pairs: int
    """Runs that both sides have."""
    answered: tuple[int, int]
    """How many of these A and B answered in time (`aggregate`)."""
    time: Interval | None
    """Geometric mean of time B over time A, where both answered; None where there is no such pair."""
    gap: Interval | None
    """Mean of gap B minus gap A, where both have one; None where there is no such pair."""
    unlike: int = 0
    """Pairs whose runs were measured on machines that differ, so that their ratio tells about the machines."""

    def worse(self, allowed: float) -> bool:
        """Return whether B is worse by more than `allowed`, relative in time and answers, absolute in gap.

        A difference of time or gap counts if its interval excludes that there is none.
        """
        before, after = self.answered
        slower = self.time is not None and self.time.value > 1 + allowed and self.time.low > 1
        farther = self.gap is not None and self.gap.value > allowed and self.gap.low > 0
        return before > (1 + allowed) * after or slower or farther


@dataclass(frozen=True)
class ResultComparison:
    """Two sets of results, paired."""

    changes: tuple[MethodChange, ...]
    unpaired: tuple[int, int]
    """Runs that only A and only B has."""
    machines: tuple[str, str]
    """Those that the runs of A and of B name."""

    @property
    def unlike(self) -> int:
        """Pairs whose runs were measured on machines that differ."""
        return sum(change.unlike for change in self.changes)

    def table(self, allowed: float) -> TextTable:
        """Return a table with one row for each method; where pairs ran on unlike machines, a column counts them."""
        columns = (
            "method",
            "paired runs",
            "answered A",
            "answered B",
            "time B/A",
            "95 % interval",
            "gap B − A [%]",
            "95 % interval",
            "verdict",
        )
        rows = tuple(_cells(change, allowed) for change in self.changes)
        if not self.unlike:
            return TextTable("B against A", columns, rows, text_columns=1)
        marked = tuple((*row, str(change.unlike)) for row, change in zip(rows, self.changes, strict=True))
        heading = "B against A, MACHINES DIFFER (forced)"
        return TextTable(heading, (*columns, "pairs on unlike machines"), marked, text_columns=1)


def _cells(change: MethodChange, allowed: float) -> tuple[str, ...]:
    time, gap = ("–", "–"), ("–", "–")
    if change.time is not None:
        time = (number(change.time.value, 4), f"{number(change.time.low, 4)} to {number(change.time.high, 4)}")
    if change.gap is not None:
        gap = (percent(change.gap.value), f"{percent(change.gap.low)} to {percent(change.gap.high)}")
    verdict = "worse" if change.worse(allowed) else "within"
    return (change.method, str(change.pairs), *map(str, change.answered), *time, *gap, verdict)


def compare_results(first: Path, second: Path, *, force: bool = False) -> ResultComparison:
    """Pair two sets of results and compare them, method by method.

    Parameters
    ----------
    first, second : Path
        Folders of results, A and B.
    force : bool
        Compare although the machines differ.

    Returns
    -------
    ResultComparison

    Raises
    ------
    InputError
        If one cannot be read, nothing can be paired, or the machines of a pair differ without `force`.
    """
    sides = {"A": load_rows(first), "B": load_rows(second)}
    runs = frame([{**row, "side": side} for side, rows in sides.items() for row in rows])
    runs["machine"] = [_machine(row) for rows in sides.values() for row in rows]
    by_side = _with_machines(runs).groupby(level="side")
    before, after = (by_side.get_group(side).droplevel("side") for side in sides)
    paired = before.add_suffix("_a").join(after.add_suffix("_b"), how="inner")
    if paired.empty:
        raise InputError(second, f"shares no run (instance, method and seed) with {first}")
    unlike = paired[_unlike(paired)]
    if not unlike.empty and not force:
        one, other = unlike.iloc[0][["machine_a", "machine_b"]]
        pairs = f"{len(unlike)} of {len(paired)} {plural(len(paired), 'pair')} of runs"
        raise InputError(
            second, f"{pairs} ran on {other} here, but on {one} in {first}: times do not compare (--force: mark them)"
        )
    changes = [_change(str(variant), here) for variant, here in paired.groupby(level="variant", sort=False)]
    machines = (_listed(before["machine"]), _listed(after["machine"]))
    return ResultComparison(tuple(changes), (len(before) - len(paired), len(after) - len(paired)), machines)


def _machine(row: Row) -> str:
    """Return processor and cores of the machine that a row names."""
    here = row["environment"]
    return f"{here['cpu']} ({here['cores']} {plural(here['cores'], 'core')})"


def _with_machines(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what the runs of each side are worth, and the machines on which they were measured."""
    values = worth(runs, "seed", "side")
    keys = [runs["variant"], instance_of(runs).rename("instance"), runs["seed"], runs["side"]]
    return values.assign(machine=runs["machine"].groupby(keys).agg(_listed))


def _unlike(paired: pd.DataFrame) -> pd.Series[bool]:
    """Return which pairs were not measured on one kind of machine; repetitions on several count as such."""
    return (paired["machine_a"] != paired["machine_b"]) | paired["machine_a"].str.contains(SEPARATOR, regex=False)


def _listed(machines: pd.Series[str]) -> str:
    return SEPARATOR.join(sorted({machine for each in machines for machine in each.split(SEPARATOR)}))


def _change(variant: str, pairs: pd.DataFrame) -> MethodChange:
    timed = pairs.loc[pairs["answered_a"] & pairs["answered_b"], ["time_s_a", "time_s_b"]]
    times = timed.apply(np.log).groupby(level="instance").mean()
    gaps = pairs.loc[np.isfinite(pairs["gap_a"] + pairs["gap_b"]), ["gap_a", "gap_b"]].groupby(level="instance").mean()
    return MethodChange(
        variant,
        len(pairs),
        (int(pairs["answered_a"].sum()), int(pairs["answered_b"].sum())),
        None if times.empty else ratio_of_times(*(np.exp(times[side]).tolist() for side in timed)),
        None if gaps.empty else mean_difference(gaps["gap_a"].tolist(), gaps["gap_b"].tolist()),
        int(_unlike(pairs).sum()),
    )
