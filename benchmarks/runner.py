"""Runs a campaign in this process, one run after the other; every finished run is on the disk before the next."""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.campaign import Campaign, Problem, problems
from benchmarks.judge import Judged, contradictions, judge
from benchmarks.methods import label, run_method
from benchmarks.records import Record, failure_record, journal, record
from models.instance import Instance
from models.io import load_instance
from models.result import Result, Status

Report = Callable[[str], None]
"""Told what is about to run."""


@dataclass
class Outcome:
    """What came of a campaign."""

    records: list[Record] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Runs that failed."""
        return sum(row["status"] == Status.ERROR for row in self.records)


def count_runs(campaign: Campaign) -> int:
    """How many runs the campaign has."""
    return sum(len(problem.methods) for problem in problems(campaign))


def run_campaign(campaign: Campaign, journal_file: Path, report: Report) -> Outcome:
    """Run everything.

    Parameters
    ----------
    campaign : Campaign
    journal_file : Path
        Gets one JSON line for each finished run, flushed to the disk; an earlier file is kept as `.bak`.
    report : callable
        Called with a line for people before each run.

    Returns
    -------
    Outcome
        All rows, and what contradicts among the runs on one and the same instance.
    """
    _warm_up(campaign)
    outcome = Outcome()
    judged_by_instance: defaultdict[str, list[Judged]] = defaultdict(list)
    with journal(journal_file) as lines:
        for problem in problems(campaign):
            origin = {"group": problem.group, "instance": problem.source.name, **problem.source.columns()}
            origin["limit_s"] = problem.time_limit_s
            for row, judged in _runs(problem, campaign.seed, report):
                lines.append({**origin, **row})
                outcome.records.append({**origin, **row})
                if judged is not None:
                    judged_by_instance[judged.instance.content_hash].append(judged)
    for runs in judged_by_instance.values():
        outcome.contradictions += [f"{runs[0].instance.name}: {line}" for line in contradictions(runs)]
    return outcome


def _warm_up(campaign: Campaign) -> None:
    """Run every method once, unrecorded: loading libraries and compiled code is not part of a run."""
    instance = load_instance("blenet-mnist")
    for method in dict.fromkeys(method for problem in problems(campaign) for method, _ in problem.methods):
        _one_run(instance, method, {}, campaign.time_limit_s, campaign.seed)


def _runs(problem: Problem, seed: int, report: Report) -> Iterator[tuple[Record, Judged | None]]:
    """All runs on one problem. Nothing that goes wrong inside ends the campaign: it becomes a row."""
    instance, reason, trace = None, "", ""
    try:
        instance = problem.source.build()
    except Exception as error:  # noqa: BLE001  (kept in the row)
        reason, trace = _described(error)
    for method, options in problem.methods:
        report(f"{problem.group}: {label(method, options)}")
        if instance is None:
            yield failure_record(method, options, seed=seed, reason=reason, trace=trace), None
        else:
            yield _one_run(instance, method, options, problem.time_limit_s, seed)


def _one_run(
    instance: Instance, method: str, options: Mapping[str, Any], time_limit_s: float, seed: int
) -> tuple[Record, Judged]:
    start = perf_counter()
    try:
        result = run_method(instance, method, time_limit_s=time_limit_s, seed=seed, **options)
    except Exception as error:  # noqa: BLE001  (kept in the row)
        reason, trace = _described(error)
        result = Result(Status.ERROR, reason=reason, info={"traceback": trace})
    wall_s = perf_counter() - start
    judged = judge(instance, method, options, result)
    return record(judged, seed=seed, wall_s=wall_s), judged


def _described(error: Exception) -> tuple[str, str]:
    return f"{type(error).__name__}: {error}", traceback.format_exc()
