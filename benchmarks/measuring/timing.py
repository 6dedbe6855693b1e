"""How long the parts of a model take: passes over all of them, and what repeated times come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter_ns

import numpy as np

from finbench.benchmarks.measuring.runtime import Arrays, Run

BUSY_SPREAD = 0.2
"""Spread above which the machine did something else besides."""


@dataclass(frozen=True)
class RunTimes:
    """The times of repeated runs of one part [s]."""

    seconds: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """Their median."""
        return float(np.median(self.seconds))

    @property
    def spread(self) -> float:
        """Distance of their quartiles relative to their median; 0 where the clock saw no time."""
        low, high = np.quantile(self.seconds, (0.25, 0.75))
        return float((high - low) / self.median_s) if self.median_s > 0 else 0.0

    @property
    def busy(self) -> bool:
        """Whether they spread as on a machine that was busy."""
        return self.spread > BUSY_SPREAD


def run_times(
    parts: Mapping[str, Run],
    inputs: Sequence[Arrays],
    repetitions: int,
    warm_up: int,
    told: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[str, RunTimes]:
    """Return the times of every part over repeated passes.

    A pass runs all parts once, one after the other, as a sample meets them: what a part finds in the caches of the
    processor is what the parts before it leave there, and a disturbance of the machine meets all parts alike.

    Parameters
    ----------
    parts : mapping of str to callable
    inputs : sequence of mapping
        Tensors of whole samples, of which every part takes those that it reads; used in turn.
    repetitions, warm_up : int
        Passes that are recorded, and passes before them that are not.
    told : callable
        Told after every pass how many of how many are done.
    """
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for k in range(warm_up + repetitions):
        given = inputs[k % len(inputs)]
        for name, run in parts.items():
            begin = perf_counter_ns()
            run(given)
            seconds[name].append((perf_counter_ns() - begin) / 1e9)
        told(k + 1, warm_up + repetitions)
    return {name: RunTimes(tuple(each[warm_up:])) for name, each in seconds.items()}
