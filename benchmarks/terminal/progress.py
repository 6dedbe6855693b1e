"""How a campaign goes, for people: a live display on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from finbench.benchmarks.execution.runner import Progress as Watcher
from finbench.benchmarks.terminal.time_left import TimeLeft
from finbench.models.result import Status

PLAIN_INTERVAL_S = 5.0
"""Shortest time between two lines of progress where there is no terminal [s]."""


@contextmanager
def progress(screen: Console, title: str) -> Iterator[Watcher]:
    """Yield an object that shows the progress of a campaign on `screen` as long as the block lasts."""
    if not screen.is_terminal:
        yield PlainProgress()
        return
    columns = (
        TextColumn("{task.fields[title]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[red]{task.fields[failed]} failed[/red]"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=screen, transient=True) as shown:
        yield LiveProgress(shown, title)


class _Counts:
    """Runs that are known, running and failed, and the time that is left."""

    def __init__(self) -> None:
        self.total = self.done = self.failed = 0
        self.running: Counter[str] = Counter()
        self._left = TimeLeft()

    def begin(self, total: int, known: int, missing: Sequence[tuple[str, str]] = ()) -> None:
        """Take note of how many runs there are, before the first."""
        self.total, self.done = total, known
        self._left.expect(missing)

    def started(self, group: str, variant: str) -> None:
        """Take note that a run's clock has started."""
        self.running[f"{group}: {variant}"] += 1
        self._left.started((group, variant))

    def finished(self, group: str, variant: str, status: str) -> None:
        """Take note that a run is over."""
        self.running -= Counter([f"{group}: {variant}"])
        self.done += 1
        self.failed += status == Status.ERROR
        self._left.finished((group, variant))

    def left(self) -> str:
        """Return how long all may still take; nothing where no run has ended yet."""
        time_s = self._left.seconds()
        if time_s is None:
            return ""
        size, unit = (1, "s") if time_s < 120 else (60, "min") if time_s < 7200 else (3600, "h")
        return f"about {time_s / size:.0f} {unit} left{'' if self._left.certain else ' or more'}"


class LiveProgress(_Counts):
    """A bar with counts, the time left and what is running."""

    def __init__(self, shown: Progress, title: str) -> None:
        super().__init__()
        self._shown = shown
        self._task = shown.add_task("", total=None, title=escape(title), failed=0, left="")

    def begin(self, total: int, known: int, missing: Sequence[tuple[str, str]] = ()) -> None:
        """Show how many runs there are."""
        super().begin(total, known, missing)
        self._shown.reset(self._task, total=total, completed=known)

    def started(self, group: str, variant: str) -> None:
        """Show the run that has started."""
        super().started(group, variant)
        self._shown.update(self._task, description=escape(" · ".join(self.running)), left=self.left())

    def finished(self, group: str, variant: str, status: str) -> None:
        """Count a run that is over."""
        super().finished(group, variant, status)
        self._shown.update(self._task, completed=self.done, failed=self.failed, left=self.left())

    def simulated(self, done: int, of: int) -> None:
        """Show how many deployments are simulated."""
        self._shown.update(self._task, description="simulating", completed=done, total=of, left="")


class PlainProgress(_Counts):
    """A line now and then."""

    def __init__(self) -> None:
        super().__init__()
        self._last = float("-inf")

    def begin(self, total: int, known: int, missing: Sequence[tuple[str, str]] = ()) -> None:
        """Print how many runs there are."""
        super().begin(total, known, missing)
        print(f"{total} runs, {known} of them are there", flush=True)

    def started(self, group: str, variant: str) -> None:
        """Print what runs, and how long all may still take, if the last line is old enough."""
        super().started(group, variant)
        if monotonic() - self._last >= PLAIN_INTERVAL_S:
            told = [f"{self.done}/{self.total}", f"{self.failed} failed" if self.failed else "", self.left()]
            print(f"[{', '.join(part for part in told if part)}] {' · '.join(self.running)}", flush=True)
            self._last = monotonic()

    def simulated(self, done: int, of: int) -> None:
        """Print how many deployments are simulated, if the last line is old enough, and when the last is."""
        if done == of or monotonic() - self._last >= PLAIN_INTERVAL_S:
            print(f"{done} of {of} deployments simulated", flush=True)
            self._last = monotonic()


@contextmanager
def counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to be told how many of how many are done: a bar on standard error, if that is a terminal."""
    with Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
    ) as shown:  # fmt: skip
        task = shown.add_task("", total=None)
        yield lambda done, all_: shown.update(task, completed=done, total=all_)
