"""Contradictions among rows: what one says of its run against what the others say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields

from finbench.benchmarks.judging.contradictions import contradictions
from finbench.benchmarks.rows.row import Row


@dataclass(frozen=True)
class _RowVerdict:
    """The part of a row that is compared with other rows."""

    variant: str
    status: str
    found: bool
    objective: float | None
    claimed_objective: float | None
    lower_bound: float | None
    violated: tuple[str, ...]


def contradictions_among(rows: Sequence[Row]) -> list[str]:
    """Return the contradictions among the runs on one and the same instance, a line each."""
    verdicts: defaultdict[tuple[str, str], list[_RowVerdict]] = defaultdict(list)
    for row in rows:
        if row.get("content_hash") is not None:
            said: Row = {name.name: row.get(name.name) for name in fields(_RowVerdict) if name.name != "violated"}
            verdicts[row["content_hash"], row["instance"]].append(
                _RowVerdict(**said, violated=tuple(row["violations"]))
            )
    lines = (f"{name}: {line}" for (_, name), runs in verdicts.items() for line in contradictions(runs))
    return list(dict.fromkeys(lines))
