"""Moments of rows are UTC and are checked; old rows have none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from finbench.benchmarks.rows.moments import parsed, utc_now
from finbench.benchmarks.rows.reading import load_rows
from finbench.models.io import InputError
from tests.benchmarks.conftest import made_up_row, write_results


def test_the_present_moment_is_utc() -> None:
    assert abs((parsed(utc_now()) - datetime.now(UTC)).total_seconds()) < 10
    assert parsed("2026-03-01T09:30:00.125Z").tzinfo is not None


def test_rows_with_and_without_their_moment_are_read(tmp_path: Path) -> None:
    rows = [made_up_row("a", "fin"), made_up_row("b", "fin", started_at="2026-03-01T09:30:00.125Z")]
    assert [row.get("started_at") for row in load_rows(write_results(tmp_path, rows))] == [
        None,
        "2026-03-01T09:30:00.125Z",
    ]


@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01T09:30:00Z", "2026-03-01T09:30:00", 17.5, ""])
def test_what_is_no_moment_is_refused(tmp_path: Path, moment: object) -> None:
    folder = write_results(tmp_path, [made_up_row("a", "fin", started_at=moment)])
    with pytest.raises(InputError, match="line 1: started_at"):
        load_rows(folder)
