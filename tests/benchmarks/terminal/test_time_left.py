"""The time left follows from runs of the same method that have ended."""

from __future__ import annotations

import pytest

from finbench.benchmarks.terminal.time_left import Kind, TimeLeft


class Timeline:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


def made(left: TimeLeft, timeline: Timeline, kind: Kind, took: float) -> None:
    left.started(kind)
    timeline.at += took
    left.finished(kind)


def test_slow_runs_that_have_ended_say_nothing_of_quick_ones_to_come(timeline: Timeline) -> None:
    left = TimeLeft(timeline)
    left.expect([("g", "milp")] * 2 + [("g", "fin")] * 11)
    assert left.seconds() is None
    made(left, timeline, ("g", "milp"), 60.0)
    assert not left.certain
    made(left, timeline, ("g", "fin"), 0.1)
    assert left.certain
    assert left.seconds() == pytest.approx(60.0 + 10 * 0.1)
    made(left, timeline, ("g", "milp"), 40.0)
    assert left.seconds() == pytest.approx(1.0)


def test_a_run_of_the_same_group_says_more_than_one_of_another(timeline: Timeline) -> None:
    left = TimeLeft(timeline)
    left.expect([("small", "fin")] * 2 + [("large", "fin")] * 3)
    made(left, timeline, ("small", "fin"), 1.0)
    assert left.seconds() == pytest.approx(1.0 + 3.0)
    made(left, timeline, ("large", "fin"), 9.0)
    assert left.seconds() == pytest.approx(1.0 + 18.0)


def test_what_is_under_way_counts_and_runs_at_the_same_time_share_it(timeline: Timeline) -> None:
    left, kind = TimeLeft(timeline), ("g", "fin")
    left.expect([kind] * 6)
    for _ in range(2):
        left.started(kind)
    timeline.at = 10.0
    for _ in range(2):
        left.finished(kind)
    assert left.seconds() == pytest.approx(4 * 10.0 / 2)
    for _ in range(2):
        left.started(kind)
    timeline.at = 15.0
    assert left.seconds() == pytest.approx((4 * 10.0 - 2 * 5.0) / 2)


def test_a_run_that_never_began_takes_no_time(timeline: Timeline) -> None:
    left = TimeLeft(timeline)
    left.expect([("g", "fin")] * 2)
    left.finished(("g", "fin"))
    assert left.seconds() == 0.0
