"""What is known of instances over time: the least objective and the best bound, of the library and of runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from markupsafe import Markup

from finbench.benchmarks.judging.contradictions import relative_gap
from finbench.benchmarks.leaderboard.refutation import Judgement
from finbench.benchmarks.library.known_value import KnownAs, KnownValue
from finbench.benchmarks.library.library import Library
from finbench.benchmarks.rows.moments import parsed
from finbench.models.tolerances import ENERGY_TOLERANCE

WIDTH, HEIGHT, EDGE = 150, 34, 4
"""Of a picture [px]."""


@dataclass(frozen=True)
class Finding:
    """An objective, a bound or both that became known at a moment."""

    at: datetime
    objective: float | None
    bound: float | None

    @property
    def says_something(self) -> bool:
        """Whether there is either; a proof that nothing fits has neither."""
        return self.objective is not None or self.bound is not None


@dataclass(frozen=True)
class KnownOverTime:
    """What is known of several instances, on one axis of time."""

    findings: Mapping[str, tuple[Finding, ...]]
    """By content hash, each finding with the best that is known then, in order of time."""
    first: datetime | None
    last: datetime | None

    @property
    def span(self) -> str:
        """From when to when, in words."""
        if self.first is None or self.last is None:
            return ""
        return f"from {self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC"

    def gap(self, key: str) -> float | None:
        """Return the gap between the least objective and the best bound at the end; None where it says nothing."""
        found = self.findings[key]
        return relative_gap(found[-1].objective, found[-1].bound) if found else None

    def picture(self, key: str) -> Markup:
        """Return the picture of an instance; in words since when it is closed where nothing moved since."""
        found = self.findings[key]
        if not found or self.first is None or self.last is None:
            return Markup("–")
        gap = self.gap(key)
        moves = any(not _same(one, other) for one, other in pairwise(found))
        if gap is not None and gap <= ENERGY_TOLERANCE and not moves:
            return Markup("closed since {}").format(f"{found[0].at:%Y-%m-%d}")
        return _picture(found, self.first, self.last)


def known_over_time(judgements: Mapping[str, Judgement], library: Library) -> KnownOverTime:
    """Return what the library and runs that are not refuted say, by content hash of the instance."""
    findings = {}
    for key, judgement in judgements.items():
        history = library.history.get(judgement.runs[0].name, ())
        every = [one for one in (*map(_of_library, history), *_of_runs(judgement)) if one.says_something]
        findings[key] = tuple(_best_so_far(sorted(every, key=lambda one: one.at)))
    moments = [one.at for found in findings.values() for one in found]
    return KnownOverTime(findings, min(moments, default=None), max(moments, default=None))


def _of_library(value: KnownValue) -> Finding:
    bound = value.objective if value.known_as is KnownAs.OPTIMAL else value.bound
    return Finding(datetime.combine(value.date, time(), UTC), value.objective, bound)


def _of_runs(judgement: Judgement) -> Iterator[Finding]:
    """Yield what the runs found whose date is recorded, at the moment at which each ended."""
    for k, run in enumerate(judgement.runs):
        begun = run.row.get("started_at")
        if begun and k not in judgement.refuted:
            spent = run.row.get("wall_s") or run.row.get("time_s") or 0.0
            yield Finding(parsed(begun) + timedelta(seconds=spent), run.objective, run.bound)


def _best_so_far(findings: list[Finding]) -> Iterator[Finding]:
    """Yield every moment with the least objective and the greatest bound until then."""
    objective: float | None = None
    bound: float | None = None
    for one in findings:
        objective = min((each for each in (objective, one.objective) if each is not None), default=None)
        bound = max((each for each in (bound, one.bound) if each is not None), default=None)
        yield Finding(one.at, objective, bound)


def _same(one: Finding, other: Finding) -> bool:
    pairs = ((one.objective, other.objective), (one.bound, other.bound))
    return all(
        a == b or (a is not None and b is not None and abs(a - b) <= ENERGY_TOLERANCE * max(abs(a), abs(b)))
        for a, b in pairs
    )


def _picture(found: tuple[Finding, ...], first: datetime, last: datetime) -> Markup:
    """Return two staircases: the least objective above, the best bound below."""
    values = [each for one in found for each in (one.objective, one.bound) if each is not None]
    low, high, span = min(values), max(values), (last - first).total_seconds()

    def across(at: datetime) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * ((at - first).total_seconds() / span if span else 0.0)

    def down(value: float) -> float:
        return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * ((value - low) / (high - low) if high > low else 0.5)

    lines = Markup("").join(
        Markup('<g class="c{}"><path class="curve" d="{}"/></g>').format(
            colour, _staircase([(across(at), down(value)) for at, value in points])
        )
        for colour, points in (
            (1, [(one.at, one.objective) for one in found if one.objective is not None]),
            (0, [(one.at, one.bound) for one in found if one.bound is not None]),
        )
        if points
    )
    image = Markup('<svg class="small" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return image.format(WIDTH, HEIGHT, _in_words(found), lines)


def _staircase(points: list[tuple[float, float]]) -> str:
    (x, y), *rest = points
    path = f"M{x:.1f} {y:.1f}" + "".join(f"H{one:.1f}V{other:.1f}" for one, other in rest)
    return f"{path}H{WIDTH - EDGE}"


def _in_words(found: tuple[Finding, ...]) -> str:
    return f"{_change('least objective', [one.objective for one in found])}; " + _change(
        "best bound", [one.bound for one in found]
    )


def _change(what: str, values: list[float | None]) -> str:
    """Return the first and the last of some values in words."""
    known = [value for value in values if value is not None]
    if not known:
        return f"no {what}"
    first, last = f"{known[0]:.6g}", f"{known[-1]:.6g}"
    return f"{what} {last}" if first == last else f"{what} from {first} to {last}"
