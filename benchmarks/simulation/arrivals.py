"""When samples arise."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finbench.benchmarks.imports.csv_rows import CsvRow, header_of, rows_of
from finbench.models.io import InputError

Floats = NDArray[np.float64]

BURST_FACTOR = 5.0
"""While a bursty source is on, its samples come this many times as often as on average; it is on 1/5 of the time."""

BURST_SAMPLES = 20.0
"""Samples of one burst, on average."""


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
    for row in rows_of(file, header_of(file, ("application", "time_s"))):
        times[_application(row, applications)].append(row.number("time_s"))
    if not any(times.values()):
        raise InputError(file, "holds no sample")
    return {name: np.sort(np.array(each)) for name, each in times.items()}


def _application(row: CsvRow, applications: Sequence[str]) -> str:
    name = row.cells["application"]
    if name not in applications:
        raise row.refused("application", "must be one that is served")
    return name


def read_exits(file: Path, applications: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Read the exits at which samples leave in turn from a CSV file with the columns `application` and `exit`.

    Raises
    ------
    InputError
        If it cannot be read, names another application, or holds an exit that is no whole number ≥ 1.
    """
    exits: dict[str, list[int]] = {}
    for row in rows_of(file, header_of(file, ("application", "exit"))):
        exits.setdefault(_application(row, applications), []).append(row.index("exit"))
    if not exits:
        raise InputError(file, "holds no sample")
    return {name: np.array(each) for name, each in exits.items()}
