"""The page of the largest campaign stays small, and is written quickly."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from finbench.benchmarks.report.page import write_report
from finbench.benchmarks.rows.row import Row
from tests.benchmarks.conftest import write_results

RUNS = 21_754
"""Runs of the campaign `published` at its greatest."""

MOST_BYTES = 7e6
LONGEST_S = 15.0
REPEATED = 50
"""Runs made up for each of the smoke campaign's: several thousand in all."""


def many(results: Path, folder: Path, repeated: int) -> tuple[Path, int]:
    """A folder with the campaign's instances, and its runs again and again: with other seeds, times and latencies."""
    rows: list[Row] = [json.loads(line) for line in (results / "runs.jsonl").read_text(encoding="utf-8").splitlines()]
    (environment,) = map(json.loads, (results / "environments.jsonl").read_text(encoding="utf-8").splitlines())
    rng = random.Random(1)
    made = [
        {
            **row,
            "seed": k,
            "key": f"{row['key']}-{k}",
            "time_s": row.get("time_s", 0.0) * rng.uniform(0.5, 2.0),
            "environment": environment["environment"],
        }
        for k in range(repeated)
        for row in rows
    ]
    write_results(folder, made)
    for path in results.glob("instances*"):
        (folder / path.name).symlink_to(path.resolve())
    return folder, len(made)


def written(folder: Path) -> tuple[int, float]:
    """The size of a folder's page [byte], and the processor time that writing it takes [s]."""
    page, started = folder.with_suffix(".html"), time.process_time()
    write_report(folder, page)
    return page.stat().st_size, time.process_time() - started


@pytest.mark.slow
def test_the_page_of_the_largest_campaign_is_small_and_written_in_time(results: Path, tmp_path: Path) -> None:
    few, count = many(results, tmp_path / "few", 2)
    several, counted = many(results, tmp_path / "several", REPEATED)
    written(few)  # loads what the second one finds loaded
    (size, took), (greater, longer) = written(few), written(several)
    share = (RUNS - count) / (counted - count)
    assert size + (greater - size) * share < MOST_BYTES
    assert took + (longer - took) * share < LONGEST_S
