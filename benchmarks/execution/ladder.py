"""`finbench scale`: how time and memory of every method grow with size, family by family.

Every method climbs the family's ladder of sizes. One that meets its limit `strikes` times stops climbing; the sizes
above are marked censored and enter the fits (`benchmarks.analysis.growth`) as runs that would have cost more than the
limit. Runs are made in a worker (`benchmarks.execution`), one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from finbench.benchmarks.campaigns.campaign import Problem
from finbench.benchmarks.campaigns.ladder import LadderCampaign
from finbench.benchmarks.execution.local import Crew
from finbench.benchmarks.execution.plan import Run, runs_on
from finbench.benchmarks.execution.runner import impossible, row_of
from finbench.benchmarks.execution.task import Finished
from finbench.benchmarks.rows.columns import CENSORED
from finbench.benchmarks.rows.environment import environment
from finbench.benchmarks.rows.journal import Journal
from finbench.benchmarks.rows.row import LIMITS, Row, failure_columns
from finbench.benchmarks.rows.row_verdicts import contradictions_among
from finbench.models.instance import Instance
from finbench.models.result import Status

_REASON = "not run: the method stopped climbing at smaller sizes"
_NOT_RUN = failure_columns(Status.TIME_LIMIT, _REASON, 0.0, "not-made") | {"status": CENSORED}

LoggedRow = tuple[Row, str | None]


def climb(
    campaign: LadderCampaign, make: Callable[[Run], Finished], keep: Callable[[Instance], None]
) -> Iterator[LoggedRow]:
    """Run every ladder, size by size; yield a row for each run and for each censored size.

    Parameters
    ----------
    campaign : LadderCampaign
    make : callable
        Makes a run.
    keep : callable
        Given every instance.

    Yields
    ------
    (Row, str or None)
        A row, and the log of a run that failed.
    """
    for ladder in campaign.families:
        strikes: Counter[str] = Counter()
        limit_s = ladder.time_limit_s or campaign.time_limit_s
        chosen = campaign.methods_of(ladder)
        for member in ladder.origins():
            problem = Problem(ladder.group, member, chosen, limit_s, campaign.memory_limit_gib)
            for run in runs_on(problem, campaign.seed, keep):
                if strikes[run.task.variant] >= campaign.strikes:
                    yield row_of(run, Finished(run.task, _NOT_RUN)), None
                    continue
                event = make(run)
                row = row_of(run, event) | _overrun(event)
                strikes[run.task.variant] += row["status"] in LIMITS
                yield row, event.log


def _overrun(event: Finished) -> Row:
    """Return the columns to replace where a run took longer than its limit without a status that says so."""
    time_s = event.columns["time_s"]
    if event.columns["status"] in LIMITS or time_s <= event.task.time_limit_s:
        return {}
    return {"status": Status.TIME_LIMIT.value, "reason": f"took {time_s:.3g} s"}


def run_ladders(campaign: LadderCampaign, output: Path, report: Callable[[str], None]) -> tuple[list[Row], list[str]]:
    """Run a ladder campaign; every finished run is on the disk before the next.

    The campaign is checked before anything of an earlier one is moved.

    Parameters
    ----------
    campaign : LadderCampaign
    output : Path
        The results land in `output/<campaign>/`; rows of an earlier campaign there are kept (`runs.jsonl.bak`, …).
    report : callable
        Told what is about to run.

    Returns
    -------
    list of Row
        A row for each run and each censored size.
    list of str
        Contradictions between methods, one line each.

    Raises
    ------
    InputError
        As `LadderCampaign.check` and `Journal` do.
    """
    campaign.check()
    rows: list[Row] = []
    with Journal(output / campaign.name, fresh=True) as journal, closing(Crew()) as crew:
        campaign.keep_in(journal.folder)

        def make(run: Run) -> Finished:
            report(f"{run.columns['group']}: {run.columns['instance']}, {run.task.variant}")
            finished = impossible(run) if run.failure is not None else crew.make(run.task)
            assert finished is not None
            return finished

        for row, log in climb(campaign, make, journal.add_instance):
            rows.append(journal.with_environment(journal.append(row, environment(), log)))
    return rows, contradictions_among(rows)
