"""When a campaign ran, from its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.rows.moments import parsed


def when(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return in words when the first and the last run began, and of how many rows that is not recorded."""
    moments = sorted(parsed(row["started_at"]) for row in rows if row.get("started_at"))
    if not moments:
        return "Date of the runs not recorded"
    first, last = moments[0], moments[-1]
    begun = f"Runs begun {first:%Y-%m-%d %H:%M}"
    if f"{last:%Y-%m-%d %H:%M}" != f"{first:%Y-%m-%d %H:%M}":
        begun += f" to {last:%H:%M}" if last.date() == first.date() else f" to {last:%Y-%m-%d %H:%M}"
    missing = len(rows) - len(moments)
    return f"{begun} UTC" + (f" (not recorded of {missing:,} {plural(missing, 'run')})" if missing else "")
