"""One performance target and what was measured for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Measurement:
    """One target and what was measured for it."""

    target: str
    subject: str
    value: float | None
    """None where nothing was measured; `note` says why."""
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the value lies within its limits; None where nothing was measured."""
        if self.value is None:
            return None
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )


def seconds(call: Callable[[], object], repetitions: int = 5) -> float:
    """Return the median wall-clock time of `call` after one call that does not count [s]."""
    call()
    times = []
    for _ in range(repetitions):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(times)
