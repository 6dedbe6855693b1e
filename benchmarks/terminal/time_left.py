"""How long the runs still to be made will take, from runs of the same method that have ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from time import monotonic

Kind = tuple[str, str]
"""Group and variant of a run."""


class TimeLeft:
    """An estimate of the time that is left, run by run.

    A run still to be made takes the mean of the runs of its group and variant that have ended, else of its variant,
    else of all. Where no run of a variant has ended yet, the estimate is uncertain. Runs at the same time share it: the
    sum is divided by how many runs have been under way at once, on average, since the first began.

    Parameters
    ----------
    now : callable
        Returns the time [s].
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._waiting: Counter[Kind] = Counter()
        self._begun: defaultdict[Kind, list[float]] = defaultdict(list)
        self._took: defaultdict[Kind, list[float]] = defaultdict(list)
        self._first: float | None = None

    def expect(self, kinds: Iterable[Kind]) -> None:
        """Take note of the runs that are to be made."""
        self._waiting.update(kinds)

    def started(self, kind: Kind) -> None:
        """Take note that a run has begun."""
        self._first = self._now() if self._first is None else self._first
        self._begun[kind].append(self._now())

    def finished(self, kind: Kind) -> None:
        """Take note that a run has ended; one that never began took no time."""
        begun = self._begun[kind].pop(0) if self._begun[kind] else self._now()
        self._took[kind].append(self._now() - begun)
        self._waiting[kind] -= 1

    def seconds(self) -> float | None:
        """Return the time left [s]; None where no run has ended yet."""
        if not any(self._took.values()):
            return None
        left = sum(times * self._mean(kind) for kind, times in self._waiting.items() if times > 0)
        under_way = sum(self._now() - begun for times in self._begun.values() for begun in times)
        return max(0.0, left - under_way) / self._at_once(under_way)

    @property
    def certain(self) -> bool:
        """Whether a run of every variant that is still to be made has ended."""
        known = {variant for (_, variant), took in self._took.items() if took}
        return all(variant in known for (_, variant), times in self._waiting.items() if times > 0)

    def _at_once(self, under_way: float) -> float:
        """Return how many runs have been under way at once, on average, at least 1."""
        spent = under_way + sum(map(sum, self._took.values()))
        since = 0.0 if self._first is None else self._now() - self._first
        return max(1.0, spent / since) if since > 0 else 1.0

    def _mean(self, kind: Kind) -> float:
        group_and_variant = self._took.get(kind) or []
        of_variant = [each for (_, variant), took in self._took.items() if variant == kind[1] for each in took]
        anything = [each for took in self._took.values() for each in took]
        chosen = group_and_variant or of_variant or anything
        return sum(chosen) / len(chosen)
