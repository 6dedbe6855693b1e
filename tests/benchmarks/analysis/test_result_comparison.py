"""Two sets of results against each other, from rows written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from finbench.benchmarks.analysis.result_comparison import MethodChange, compare_results
from finbench.benchmarks.analysis.statistics import Interval
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.rows.row import Row
from finbench.models.io import InputError
from tests.benchmarks.conftest import made_up_row, write_results

INSTANCES = "abcdefgh"
OTHER_MACHINE = {"cpu": "another", "cores": 8, "python": "3", "versions": {}}


def row(instance: str, method: str = "fin", *, time_s: float = 1.0, energy: float | None = 1.0, **more: Any) -> Row:
    status = "feasible" if energy is not None else "error"
    fields = {"status": status, "objective": energy, "time_s": time_s, "lower_bound": 1.0, **more}
    return made_up_row(instance, method, **fields)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return write_results(tmp_path / "before", [row(name, time_s=2.0**-k) for k, name in enumerate(INSTANCES)][:6])


def after(tmp_path: Path, factor: float = 1.0, **more: Any) -> Path:
    rows = [row(name, time_s=factor * 2.0**-k, **more) for k, name in enumerate(INSTANCES)][:6]
    return write_results(tmp_path / "after", rows)


def compare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["compare-results", *map(str, arguments)])


def only(first: Path, second: Path) -> MethodChange:
    (change,) = compare_results(first, second).changes
    return change


def test_ratio_and_difference_by_hand(tmp_path: Path, before: Path) -> None:
    change = only(before, after(tmp_path, 1.5, energy=1.25))
    assert (change.method, change.pairs, change.answered) == ("fin", 6, (6, 6))
    assert change.time is not None
    assert (change.time.value, change.time.low, change.time.high) == pytest.approx((1.5, 1.5, 1.5))
    assert change.gap == Interval(0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("factor", "energy", "allowed", "code"),
    [
        (1.0, 1.0, "0", 0),
        (0.5, 1.0, "0.1", 0),
        (1.09, 1.0, "0.1", 0),
        (1.11, 1.0, "0.1", 1),
        (1.11, 1.0, "0.2", 0),
        (1.0, 1.09, "0.1", 0),
        (1.0, 1.11, "0.1", 1),
        (1.0, None, "0.1", 1),
        (1.0, None, "50", 1),
    ],
)
def test_exit_code_tells_whether_b_is_worse(
    tmp_path: Path, before: Path, factor: float, energy: float | None, allowed: str, code: int
) -> None:
    result = compare(before, after(tmp_path, factor, energy=energy), "--fail-above", allowed)
    assert result.exit_code == code, result.output
    assert ("worse" in result.stdout) == (code == 1)


def test_a_failure_is_no_time(tmp_path: Path, before: Path) -> None:
    rows = [row(name, time_s=2.0**-k) for k, name in enumerate(INSTANCES[:5])]
    change = only(before, write_results(tmp_path / "after", [*rows, row("f", energy=None, time_s=1e-3)]))
    assert change.answered == (6, 5)
    assert change.time == Interval(1.0, 1.0, 1.0)
    assert change.worse(0.1)
    assert not change.worse(0.2)


def test_what_the_interval_leaves_open_is_not_worse(tmp_path: Path, before: Path) -> None:
    times = [2.0**-k * (9 if k % 2 else 0.2) for k in range(6)]
    rows = [row(name, time_s=time) for name, time in zip("abcdef", times, strict=True)]
    change = only(before, write_results(tmp_path / "after", rows))
    assert change.time is not None
    assert change.time.value == pytest.approx(1.8**0.5)
    assert change.time.low < 1 < change.time.high
    assert not change.worse(0.1)


def test_runs_are_paired_by_instance_method_and_seed_and_the_rest_is_counted(tmp_path: Path) -> None:
    first = write_results(tmp_path / "a", [row("a", seed=1), row("a", seed=2), row("b"), row("a", "mcp"), row("z")])
    second = write_results(
        tmp_path / "b", [row("b", time_s=3.0), row("a", seed=2, time_s=2.0), row("a", seed=3), row("a", "mcp")]
    )
    comparison = compare_results(first, second)
    assert [(change.method, change.pairs) for change in comparison.changes] == [("fin", 2), ("mcp", 1)]
    assert comparison.unpaired == (2, 1)
    assert comparison.changes[0].time is not None
    assert comparison.changes[0].time.value == pytest.approx(6**0.5)


def test_seeds_of_one_instance_are_one_pair_of_the_interval(tmp_path: Path) -> None:
    seeds = range(5)
    first = write_results(tmp_path / "a", [row(name, seed=seed) for name in "ab" for seed in seeds])
    times = {"a": 1.0, "b": 4.0}
    second = write_results(
        tmp_path / "b", [row(name, seed=seed, time_s=times[name]) for name in "ab" for seed in seeds]
    )
    time = only(first, second).time
    assert time is not None
    assert (time.value, time.low, time.high) == pytest.approx((2.0, 1.0, 4.0)), "two instances, whatever the seeds"


def test_gaps_of_both_are_against_the_better_bound(tmp_path: Path) -> None:
    first = write_results(tmp_path / "a", [row("a", energy=1.5, lower_bound=0.5)])
    second = write_results(tmp_path / "b", [row("a", energy=1.25, lower_bound=1.0)])
    assert only(first, second).gap == Interval(-0.25, -0.25, -0.25)


def test_unlike_machines_are_refused_or_marked(tmp_path: Path, before: Path) -> None:
    second = after(tmp_path, environment=OTHER_MACHINE)
    refused = compare(before, second)
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "another (8 cores)" in refused.stderr
    assert "c (1 core)" in refused.stderr
    forced = compare(before, second, "--force")
    assert forced.exit_code == 0
    assert "MACHINES DIFFER (forced)" in forced.stdout
    assert "MACHINES" not in compare(before, before).stdout


def test_machines_are_compared_pair_by_pair(tmp_path: Path) -> None:
    """Both sides name the same two machines, but the pairs cross."""
    first = write_results(tmp_path / "a", [row("a"), row("b", environment=OTHER_MACHINE), row("c")])
    second = write_results(tmp_path / "b", [row("a", environment=OTHER_MACHINE), row("b"), row("c")])
    refused = compare(first, second)
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "2 of 3 pairs of runs ran on another (8 cores) here, but on c (1 core) in" in refused.stderr
    forced = compare_results(first, second, force=True)
    assert [change.unlike for change in forced.changes] == [2]
    table = forced.table(0.1)
    assert (table.columns[-1], table.rows[0][-1]) == ("pairs on unlike machines", "2")


def test_runs_without_a_counterpart_may_be_of_any_machine(tmp_path: Path) -> None:
    first = write_results(tmp_path / "a", [row("a")])
    second = write_results(tmp_path / "b", [row("a"), row("z", environment=OTHER_MACHINE)])
    assert compare_results(first, second).unlike == 0


def test_repetitions_on_several_machines_are_no_pair_of_one(tmp_path: Path) -> None:
    rows = [row("a", key="1"), row("a", key="2", environment=OTHER_MACHINE)]
    with pytest.raises(InputError, match="1 of 1 pair of runs"):
        compare_results(write_results(tmp_path / "a", rows), write_results(tmp_path / "b", rows))


def test_nothing_to_pair_is_refused(tmp_path: Path, before: Path) -> None:
    with pytest.raises(InputError, match="shares no run"):
        compare_results(before, write_results(tmp_path / "after", [row("a", "mcp")]))
