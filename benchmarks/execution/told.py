"""What a run told before it had to be ended: its incumbent and its bound make the row that its failure would be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from finbench.benchmarks.execution.task import Columns, Task
from finbench.benchmarks.judging.judged import judge
from finbench.benchmarks.rows.row import failure_columns, result_columns
from finbench.models.deployment import Deployment
from finbench.models.news import News
from finbench.models.result import Result, Status
from finbench.models.trajectory import Point, thinned

EVERY_S = 0.2
"""News that follow other news sooner than this are not passed on [s]: some methods have thousands."""


class Teller:
    """A hearer in the worker, which passes on to the campaign what the running method tells.

    Parameters
    ----------
    say : callable
        Sends one message.
    """

    def __init__(self, say: Callable[[Columns], None]) -> None:
        self._say, self._began, self._last = say, monotonic(), -EVERY_S

    def __call__(self, news: News) -> None:
        """Pass news on, unless others were passed on just now."""
        now = monotonic() - self._began
        if now - self._last < EVERY_S:
            return
        self._last = now
        deployment = None if news.deployment is None else news.deployment().model_dump(mode="json")
        numbers = (None if value is None else float(value) for value in (news.objective, news.lower_bound))
        self._say({"told": [now, *numbers], "deployment": deployment})


@dataclass
class Told:
    """What the campaign has heard of a run."""

    points: list[Point] = field(default_factory=list)
    """Seconds since the run began, objective and bound, as they were told."""
    deployment: object = None
    """The latest incumbent that was told."""
    objective: float | None = None
    """Objective of that deployment as the method claims it; where there is none, the latest that was told."""
    lower_bound: float | None = None

    def take(self, point: Point, deployment: object) -> None:
        """Keep one message."""
        _, objective, bound = point
        self.points.append(point)
        if deployment is not None or self.deployment is None:
            self.objective = self.objective if objective is None else objective
            self.deployment = deployment
        if bound is not None:
            self.lower_bound = bound if self.lower_bound is None else max(bound, self.lower_bound)

    def columns(self, task: Task, failure: Columns) -> Columns:
        """Return the columns of a run that was ended: `failure`, and what the run had told before."""
        if not self.points:
            return failure
        known = {"claimed_objective": self.objective, "lower_bound": self.lower_bound}
        info = {"trajectory": [list(point) for point in thinned(self.points)]}
        if self.deployment is None:
            return {**failure, **known, "info": info}
        result = Result(
            Status(failure["status"]),
            Deployment.model_validate(self.deployment),
            self.objective,
            self.lower_bound,
            reason=failure["reason"],
            info=info,
        )
        judged = judge(task.origin.build(), task.method.name, task.options, result)
        ended = {name: failure[name] for name in ("time_s", "times_s", "peak_bytes", "exit")}
        return {**result_columns(judged, failure["wall_s"]), **ended}


def ended_columns(task: Task, told: Told, status: Status, reason: str, wall_s: float, kind: str) -> Columns:
    """Return the columns of a run that a limit ended, with what it had told before."""
    failure = failure_columns(status, reason, wall_s, kind)
    try:
        return told.columns(task, failure)
    except (ValueError, OSError):  # what a run told that had to be ended may be anything, and its file may be gone
        return failure
