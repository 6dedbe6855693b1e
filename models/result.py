"""What every method returns: a status, decisions, its own claims, and where the time went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Any, TypeVar

from finbench.models.deployment import Deployment

Item = TypeVar("Item")


class Status(StrEnum):
    """How a run ended (a failure is a status, never a missing row)."""

    OPTIMAL = "optimal"
    """A deployment with a proof that none is better."""
    FEASIBLE = "feasible"
    """A deployment without that proof."""
    INFEASIBLE = "infeasible"
    """Proven: no deployment satisfies the constraints."""
    NO_SOLUTION = "no-solution"
    """Nothing was found; that proves nothing."""
    TIME_LIMIT = "time-limit"
    """The limit ended the run, with or without an incumbent."""
    MEMORY_LIMIT = "memory-limit"
    """The run would need, or has taken, more memory than allowed."""
    UNSUPPORTED = "unsupported"
    """The method refuses this instance, with a reason."""
    ERROR = "error"
    """The method failed."""


@dataclass(frozen=True)
class Result:
    """Outcome of one run of one method.

    Energies are objective values (eq. 3): J per inference where the single application has no rate, W otherwise.
    They are the method's own claims; what tables show comes from `models.evaluate`.
    """

    status: Status
    deployment: Deployment | None = None
    claimed_objective: float | None = None
    lower_bound: float | None = None
    """Proven lower bound on the optimal objective, None where the method has none."""
    reason: str | None = None
    """One line for people: why there is no deployment, or why the method refused."""
    times_s: Mapping[str, float] = field(default_factory=dict)
    """Wall-clock seconds of each phase; no `total`, which is their sum."""
    info: Mapping[str, Any] = field(default_factory=dict)
    """Facts of the run that only this method has (nodes, graph sizes, …), JSON-compatible."""


LONGEST_S = 1e6
"""What `Clock.remaining_s` says at most [s]: solvers and system calls take no more than some 24 days."""

LOOK_EVERY = 4096
"""Of so many items that are worked on one after another, the first one waits for a look at the clock."""

LOAD = "load"
"""Phase in which compiled code is loaded or made; it counts neither for a run's time nor against its limit."""


class OutOfTime(Exception):  # noqa: N818  (the end of the time is no error)
    """Raised by `Clock.check` once the limit has passed; whoever started the clock catches it."""


class Clock:
    """Times the phases of a run and knows when its limit has passed; what phase `LOAD` takes is not counted.

    Parameters
    ----------
    time_limit_s : float or None
        Limit for the whole run [s]; None means none.
    """

    def __init__(self, time_limit_s: float | None = None) -> None:
        self._start = perf_counter()
        self._limit = time_limit_s
        self.times_s: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent in the block to phase `name`."""
        start = perf_counter()
        try:
            yield
        finally:
            spent = perf_counter() - start
            self.times_s[name] = self.times_s.get(name, 0.0) + spent
            if name == LOAD:
                self._start += spent

    def excuse(self, phase: str, seconds: float) -> None:
        """Count some of a phase's time as time of `LOAD`: it was spent on loading, within a run of another clock."""
        if seconds:
            self.times_s[phase] -= seconds
            self.times_s[LOAD] = self.times_s.get(LOAD, 0.0) + seconds
            self._start += seconds

    def keep(self, seconds: float) -> None:
        """Bring the limit forward, so that these seconds are left for what the run has to do at its end."""
        if self._limit is not None:
            self._limit = max(0.0, self._limit - seconds)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began, without those of phase `LOAD`."""
        return perf_counter() - self._start

    @property
    def remaining_s(self) -> float | None:
        """Seconds left, at least 0 and at most `LONGEST_S`; None where there is no limit."""
        return None if self._limit is None else min(max(0.0, self._limit - self.elapsed_s), LONGEST_S)

    @property
    def expired(self) -> bool:
        """Whether the limit has passed."""
        return self._limit is not None and self.elapsed_s >= self._limit

    def check(self) -> None:
        """Raise `OutOfTime` once the limit has passed."""
        if self.expired:
            raise OutOfTime

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items; raise `OutOfTime` once the limit has passed (looked at every `LOOK_EVERY` of them)."""
        for number, item in enumerate(items):
            if number % LOOK_EVERY == 0:
                self.check()
            yield item
