"""When samples arise."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from enum import StrEnum
from math import ceil, isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finbench.models.io import InputError, content_of

Floats = NDArray[np.float64]

BURST_FACTOR = 5.0
"""While a bursty source is on, its samples come this many times as often as on average; it is on 1/5 of the time."""

BURST_SAMPLES = 20.0
"""Samples of one burst, on average."""

MOST_TRACE_BYTES = 2**28
"""Largest trace file that is read."""


class ArrivalProcess(StrEnum):
    """How samples of an application follow each other."""

    POISSON = "poisson"
    PERIODIC = "periodic"
    BURSTY = "bursty"
    ALONE = "alone"


def arrivals(process: ArrivalProcess, rate_per_s: float, horizon_s: float, random: np.random.Generator) -> Floats:
    """Return the times in [0, horizon) at which samples of one application arise, rising [s].

    Parameters
    ----------
    process : ArrivalProcess
        `poisson`: at random; `periodic`: at equal distances from a random start; `bursty`: at random while the source
        is on, whose times on and off are exponential. (`alone` is for `one_at_a_time`.)
    rate_per_s : float
        Samples per second λ, on average.
    horizon_s : float
    random : Generator
    """
    if process is ArrivalProcess.PERIODIC:
        first = random.uniform(0, 1 / rate_per_s)
        return np.arange(first, horizon_s, 1 / rate_per_s)
    if process is ArrivalProcess.BURSTY:
        return _bursts(rate_per_s, horizon_s, random)
    return _at_random(rate_per_s, 0.0, horizon_s, random)


def _at_random(rate_per_s: float, begin_s: float, end_s: float, random: np.random.Generator) -> Floats:
    """Return the points of a Poisson process."""
    count = int(random.poisson(rate_per_s * (end_s - begin_s)))
    return np.sort(random.uniform(begin_s, end_s, count))


def _bursts(rate_per_s: float, horizon_s: float, random: np.random.Generator) -> Floats:
    """Return the points of an on-off source: Poisson while it is on."""
    on_s = BURST_SAMPLES / (BURST_FACTOR * rate_per_s)
    off_s = on_s * (BURST_FACTOR - 1)
    now = -float(random.exponential(off_s)) if random.uniform() < 1 / BURST_FACTOR else float(random.exponential(off_s))
    bursts: list[Floats] = []
    while now < horizon_s:
        end = now + float(random.exponential(on_s))
        if end > 0:
            bursts.append(_at_random(BURST_FACTOR * rate_per_s, max(now, 0.0), min(end, horizon_s), random))
        now = end + float(random.exponential(off_s))
    return np.concatenate([np.empty(0), *bursts])


def one_at_a_time(longest_s: Sequence[float], samples: int) -> list[Floats]:
    """Return times of samples none of which meets another: applications take turns.

    Parameters
    ----------
    longest_s : sequence of float
        The longest time that a sample of each application takes when it never waits [s].
    samples : int
        Samples of all applications together, at least.
    """
    turns = ceil(samples / len(longest_s))
    starts = np.concatenate([[0.0], np.cumsum([1.001 * each + 1e-12 for each in longest_s])])
    return [start + starts[-1] * np.arange(turns) for start in starts[:-1]]


def read_trace(file: Path, applications: Sequence[str]) -> dict[str, Floats]:
    """Read the times at which samples arise from a CSV file with the columns `application` and `time_s`.

    Raises
    ------
    InputError
        If it cannot be read, names another application, or holds a time that is no finite number ≥ 0.
    """
    times: dict[str, list[float]] = {name: [] for name in applications}
    for number, row in rows_of(file, "application", "time_s"):
        if row["application"] not in times:
            raise _unknown(file, number, row["application"])
        times[row["application"]].append(_time(file, number, row["time_s"]))
    if not any(times.values()):
        raise InputError(file, "holds no sample")
    return {name: np.sort(np.array(each)) for name, each in times.items()}


def _unknown(file: Path, number: int, name: str) -> InputError:
    return InputError(file, f"line {number}: application = {name[:60]!r}: must be one that is served")


def _time(file: Path, number: int, text: str) -> float:
    try:
        time = float(text)
    except ValueError:
        time = -1.0
    if not isfinite(time) or time < 0:
        raise InputError(file, f"line {number}: time_s = {text[:60]!r}: must be a finite number of seconds, 0 or more")
    return time


def rows_of(file: Path, *columns: str) -> list[tuple[int, dict[str, Any]]]:
    """Return the rows of a CSV file as tables, each with the number of its line.

    Raises
    ------
    InputError
        If it cannot be read, a column is missing, or a row has too few or too many fields.
    """
    try:
        reader = csv.DictReader(io.StringIO(content_of(file, MOST_TRACE_BYTES).decode("utf-8-sig")), strict=True)
        names = reader.fieldnames or []
        rows = [(reader.line_num, row) for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(file, f"is not valid CSV: {str(error)[:120]}") from None
    for column in columns:
        if column not in names:
            raise InputError(file, f"column '{column}' is missing: the columns must be {', '.join(columns)}")
    for number, row in rows:
        if None in row or None in row.values():
            raise InputError(file, f"line {number}: must have {len(names)} fields")
    return rows


def read_exits(file: Path, applications: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Read the exits at which samples leave in turn from a CSV file with the columns `application` and `exit`.

    Raises
    ------
    InputError
        If it cannot be read, names another application, or holds an exit that is no whole number ≥ 1.
    """
    exits: dict[str, list[int]] = {}
    for number, row in rows_of(file, "application", "exit"):
        name, text = row["application"], row["exit"]
        if name not in applications:
            raise _unknown(file, number, name)
        if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
            raise InputError(file, f"line {number}: exit = {text[:60]!r}: must be the number of an exit, 1 or more")
        exits.setdefault(name, []).append(int(text))
    if not exits:
        raise InputError(file, "holds no sample")
    return {name: np.array(each) for name, each in exits.items()}
