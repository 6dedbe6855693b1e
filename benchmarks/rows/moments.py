"""Moments as rows write them: UTC, ISO 8601, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def utc_now() -> str:
    """Return the present moment, such as `2026-03-01T09:30:00.125Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parsed(moment: str) -> datetime:
    """Return a moment of a row as a time with its zone; raise ValueError where it is none."""
    return datetime.fromisoformat(moment)


def _checked(moment: str) -> str:
    try:
        parsed(moment)
    except ValueError:
        rule = "must be a moment in UTC, such as 2026-03-01T09:30:00.125Z"
        raise ValueError(f"started_at = {moment!r}: {rule}") from None
    return moment


_SHAPE = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$"
Moment = Annotated[str, StringConstraints(pattern=_SHAPE, max_length=40), AfterValidator(_checked)]
"""A column that holds such a moment."""
