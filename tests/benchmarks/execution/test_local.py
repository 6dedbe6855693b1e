"""Whatever a run does, it becomes a row, the next run is made, and nothing of it stays."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import psutil
import pytest

from finbench.benchmarks.campaigns.origins import Member
from finbench.benchmarks.execution import warm_worker
from finbench.benchmarks.execution.local import run_locally, shares_of_cores
from finbench.benchmarks.execution.memory import lacks_memory, memory_limit
from finbench.benchmarks.execution.task import Finished, Started, Task
from finbench.benchmarks.families import generate
from finbench.benchmarks.rows.moments import utc_now
from finbench.benchmarks.rows.row import Row
from finbench.models.io import InputError
from tests.benchmarks.conftest import OPTIMUM_J
from tests.benchmarks.execution.conftest import are_gone, comes_true, made, pages
from tests.benchmarks.execution.unruly import WORSE, WORSE_J

pytestmark = pytest.mark.usefixtures("no_process_is_left")

MIB = 2**20


def never() -> bool:
    return False


def ended(*tasks: Task, jobs: int = 1) -> list[Finished]:
    return [event for event in run_locally(tasks, never, jobs=jobs) if isinstance(event, Finished)]


def row(*tasks: Task) -> Row:
    """Return the result of the first task; every task after it must succeed."""
    first, *others = ended(*tasks, made("answer"))
    assert [(one.columns["status"], one.columns["exit"]) for one in others] == [("no-solution", {"kind": "returned"})]
    return {**first.columns, "log": first.log}


def test_a_run_that_returns_leaves_a_row_with_its_result() -> None:
    came = row(made(method="label-setting"))
    assert (came["status"], came["exit"], came["log"]) == ("optimal", {"kind": "returned"}, None)
    assert came["objective"] == pytest.approx(OPTIMUM_J, rel=1e-12)
    assert came["wall_s"] >= came["time_s"] > 0
    assert came["peak_bytes"] >= 0


def test_a_run_says_when_its_clock_starts() -> None:
    first, second = made("answer", seed=1), made("exit", seed=2)
    events = list(run_locally([first, second], never))
    assert [(type(event), event.task.seed) for event in events] == [
        (kind, n) for n in (1, 2) for kind in (Started, Finished)
    ]


def test_rows_say_when_their_clock_started_however_they_ended() -> None:
    before = utc_now()
    moments = [one.columns["started_at"] for one in ended(made("answer"), made("exit"), made("raise"))]
    assert [before, *moments, utc_now()] == sorted([before, *moments, utc_now()])
    assert before < moments[0] < moments[1] < moments[2]


@pytest.mark.parametrize(
    ("deed", "status", "how", "reason"),
    [
        ("raise", "error", {"kind": "raised"}, "ZeroDivisionError: inside the method"),
        ("leave-python", "error", {"kind": "raised"}, "SystemExit: 4"),
        ("exit", "error", {"kind": "exited", "code": 3}, "its process ended itself with code 3"),
        ("segfault", "error", {"kind": "signalled", "signal": "SIGSEGV"}, "its process was ended by SIGSEGV"),
        ("kill", "error", {"kind": "signalled", "signal": "SIGKILL"}, "its process was ended by SIGKILL"),
        ("number", "error", {"kind": "garbage"}, "returned what cannot be judged: TypeError: int is not a Result"),
        ("nan", "error", {"kind": "garbage"}, "returned what cannot be judged: ValueError"),
        ("speak", "error", {"kind": "garbage"}, "its process said what is no answer"),
        ("close", "error", {"kind": "signalled", "signal": "SIGKILL"}, "its process was ended by SIGKILL"),
    ],
)  # fmt: skip
def test_a_failure_is_a_row(deed: str, status: str, how: dict[str, Any], reason: str) -> None:
    came = row(made(deed))
    assert (came["status"], came["exit"]) == (status, how)
    assert came["reason"].startswith(reason)
    assert (came["found"], came["objective"], came["deployments"]) == (False, None, [])


def test_what_a_failed_run_printed_is_kept_and_nothing_of_the_run_before() -> None:
    first, second, third = ended(made("chat"), made("raise"), made("segfault"))
    assert first.log is None
    assert second.log is not None
    assert second.log.startswith("about to fail\nTraceback")
    assert "ZeroDivisionError: inside the method" in second.log
    assert third.log == "printed from below\n"


@pytest.mark.usefixtures("impatient")
def test_a_run_that_is_ended_keeps_the_deployment_and_the_bound_that_it_told() -> None:
    came = row(made("tell-and-hang", time_limit_s=1.5))
    assert (came["status"], came["exit"], came["found"]) == ("time-limit", {"kind": "killed"}, True)
    assert came["objective"] == pytest.approx(WORSE_J, rel=1e-12)
    assert came["claimed_objective"] == WORSE_J
    assert (came["lower_bound"], came["gap"]) == (0.02, pytest.approx(WORSE_J / 0.02 - 1))
    assert [found for _, *found in came["info"]["trajectory"]] == [[None, 0.001], [WORSE_J, 0.002], [None, 0.02]]
    assert [one["placement"] for one in came["deployments"]] == [list(WORSE)]
    assert came["reason"] == "did not stop at its limit of 1.5 s: its processes were ended"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("deed", ["tell-a-bound-and-hang", "tell-nonsense-and-hang"])
def test_a_run_that_is_ended_without_a_deployment_keeps_its_bound_unless_it_told_nonsense(deed: str) -> None:
    came = row(made(deed, time_limit_s=0.3))
    assert (came["status"], came["found"], came["objective"]) == ("time-limit", False, None)
    told = (0.5, 0.02) if deed == "tell-a-bound-and-hang" else (None, None)
    assert (came["claimed_objective"], came["lower_bound"]) == told


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("deed", ["sleep", "ignore"])
def test_a_run_that_sleeps_through_its_limit_is_ended(deed: str) -> None:
    start = monotonic()
    came = row(made(deed, time_limit_s=0.2))
    assert (came["status"], came["exit"]) == ("time-limit", {"kind": "killed"})
    assert came["reason"] == "did not stop at its limit of 0.2 s: its processes were ended"
    assert 0.5 <= came["time_s"] == came["wall_s"] < monotonic() - start


@pytest.mark.usefixtures("impatient")
def test_a_run_that_stops_when_asked_to_keeps_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_worker, "TERMINATION_S", 60.0)  # it needs next to none of it
    came = row(made("stop-late", time_limit_s=0.2))
    assert (came["status"], came["exit"]) == ("no-solution", {"kind": "returned"})
    assert came["wall_s"] > 0.2


@pytest.mark.usefixtures("impatient")
def test_a_child_that_a_run_forked_ends_with_it(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    came = row(made("fork", time_limit_s=1.0, diary=str(diary)))
    assert came["status"] == "time-limit"
    assert len(pages(diary)) == 2
    assert are_gone(pages(diary))


def test_a_child_that_a_run_left_is_ended_and_the_row_says_so(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    first, second = ended(made("leave", diary=str(diary)), made("answer", diary=str(diary)))
    assert first.columns["status"] == "no-solution"
    assert first.columns["exit"] == {"kind": "returned", "ended_survivors": 1}
    method, child, method_again = pages(diary)
    assert method == method_again, "the worker goes on"
    assert are_gone([child])
    assert second.columns["exit"] == {"kind": "returned"}


def test_a_run_that_eats_memory_meets_its_limit_and_not_the_next_run() -> None:
    first, second = ended(made("eat", memory_limit_bytes=300 * MIB), made("answer", memory_limit_bytes=300 * MIB))
    assert (first.columns["status"], first.columns["exit"]["kind"]) == ("memory-limit", "raised")
    assert first.columns["reason"] == "needs more than 0.293 GiB"
    assert 150 * MIB < first.columns["peak_bytes"] < 300 * MIB
    assert second.columns["status"] == "no-solution"
    assert second.columns["peak_bytes"] < 50 * MIB


def test_peak_memory_is_that_of_the_run() -> None:
    member = Member("dense", nodes=5, blocks=4, exits=1, tightness=0.5, seed=0)
    given: dict[str, Any] = {
        "method": "fin",
        "origin": member,
        "content_hash": member.build().content_hash,
        "warm_up": True,
    }
    options = {"band": None, "engine": "arrays", "certify": None}
    tasks = [made(**given, options={"gamma": gamma, **options}) for gamma in (200_000, 10, 200_000)]
    rows = 5 * 5 * 200_001 * 8
    first, small, last = (came.columns["peak_bytes"] for came in ended(*tasks))
    assert 0.9 * rows < first < 1.5 * rows
    assert small < 0.1 * rows
    assert 0.9 * rows < last < 1.5 * rows


def test_memory_of_processes_below_the_run_counts() -> None:
    first, second = ended(made("delegate"), made("answer"))
    assert first.columns["status"] == "no-solution"
    assert 200 * MIB < first.columns["peak_bytes"] < 300 * MIB
    assert second.columns["peak_bytes"] < 50 * MIB


@pytest.mark.parametrize(
    ("error", "limited", "short"),
    [
        (MemoryError(), False, True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), False, True),
        (ImportError("libortools.so.9: failed to map segment from shared object"), True, True),
        (ImportError("libortools.so.9: failed to map segment from shared object"), False, False),
        (ImportError("No module named 'ortools'"), True, False),
        (OSError("x.so: cannot allocate memory in static TLS block"), True, True),
        (ZeroDivisionError("failed to map segment"), True, False),
    ],
)
def test_want_of_memory_is_recognised(error: Exception, limited: bool, short: bool) -> None:
    assert lacks_memory(error, limited=limited) is short


@pytest.mark.slow
@pytest.mark.parametrize("mebibytes", [20, 30, 40, 60, 80])
def test_cp_sat_without_room_for_its_libraries_meets_the_memory_limit(mebibytes: int) -> None:
    """Which library lacks room first, and what it says, hangs on the limit: Python, the loader, OpenBLAS, OR-Tools."""
    pytest.importorskip("ortools")
    assert row(made(method="cp-sat", memory_limit_bytes=mebibytes * MIB))["status"] == "memory-limit"


def test_a_memory_limit_ends_with_its_block() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with memory_limit(100 * MIB):
        with pytest.raises(MemoryError):
            bytearray(200 * MIB)
        bytearray(50 * MIB)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert len(bytearray(200 * MIB)) == 200 * MIB


def test_an_instance_that_changed_or_cannot_be_made_is_a_row() -> None:
    assert "did its file change?" in row(made("answer", content_hash="0" * 64))["reason"]
    unknown = Member("no-such-family", nodes=5, blocks=4, exits=1, tightness=0.5, seed=0)
    assert row(made("answer", origin=unknown))["exit"] == {"kind": "not-made"}


def test_a_warm_up_that_ends_the_process_is_the_runs_failure() -> None:
    came = row(made("exit", warm_up=True))
    assert came["reason"] == "its process ended itself with code 3 while it got ready"


def test_a_run_that_never_gets_ready_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_worker, "SETUP_S", 2.0)
    came = []
    for event in run_locally([made("sleep", warm_up=True), made("answer")], never):
        came.append(event)
        # The next worker is started after this: it may take as long as a loaded machine needs.
        monkeypatch.setattr(warm_worker, "SETUP_S", 120.0)
    assert [type(event) for event in came] == [Finished, Started, Finished]
    first, last = (event.columns for event in came if isinstance(event, Finished))
    assert (first["status"], first["reason"]) == ("error", "was not ready after 2 s")
    assert (last["status"], last["exit"]) == ("no-solution", {"kind": "returned"})


def test_one_process_makes_many_runs_and_is_replaced_after_a_failure(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    deeds = ("answer", "answer", "raise", "answer", "exit", "answer")
    ended(*(made(deed, diary=str(diary)) for deed in deeds))
    one, two, three, four, five, six = pages(diary)
    assert one == two == three
    assert four == five
    assert len({one, four, six}) == 3, "half-loaded libraries and the like are nobody's inheritance"


def test_several_jobs_run_at_the_same_time_on_cores_of_their_own(tmp_path: Path) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two cores")
    diaries = [tmp_path / "one", tmp_path / "two"]
    tasks = [made("answer", pause_s=1.0, diary=str(diary)) for diary in diaries]
    seen: list[list[int]] = []
    for event in run_locally(tasks, never, jobs=2):
        if isinstance(event, Finished):
            workers = [number for diary in diaries for number in pages(diary)]
            assert len(set(workers)) == 2
            seen += [sorted(psutil.Process(number).cpu_affinity()) for number in workers]
    assert len({tuple(cores) for cores in seen}) == 2
    assert not set(seen[0]) & set(seen[1])


def test_cores_are_shared_evenly_and_not_oversold() -> None:
    cores = sorted(os.sched_getaffinity(0))
    assert shares_of_cores(1) == [()]
    assert shares_of_cores(len(cores)) == ([(core,) for core in cores] if len(cores) > 1 else [()])
    with pytest.raises(InputError, match="at most the number of cores"):
        shares_of_cores(len(cores) + 1)


def test_stopping_ends_what_runs(tmp_path: Path) -> None:
    diary, stop = tmp_path / "diary", Event()
    events = []
    for event in run_locally([made("fork", diary=str(diary)), made("answer")], stop.is_set):
        events.append(event)
        assert comes_true(lambda: len(pages(diary)) == 2)
        stop.set()
    assert [type(event) for event in events] == [Started]
    assert are_gone(pages(diary))


def test_a_worker_that_holds_too_much_is_replaced(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    ended(made("hold", diary=str(diary)), made("answer", diary=str(diary)), made("answer", diary=str(diary)))
    first, second, third = pages(diary)
    assert first != second == third


def test_a_key_is_that_of_what_decides() -> None:
    first = made("answer")
    assert first.key == made("answer", warm_up=True).key == first.portable().key
    changes: list[dict[str, Any]] = [
        {"seed": 1}, {"repetition": 2}, {"time_limit_s": 1.0}, {"memory_limit_bytes": 1}, {"code_version": "other"},
        {"pause_s": 1.0}, {"method": "larac"}, {"content_hash": "0"},
    ]  # fmt: skip
    assert len({first.key, *(made("answer", **change).key for change in changes)}) == 1 + len(changes)


def test_a_portable_task_carries_its_instance() -> None:
    task = made("answer")
    assert task.portable().origin.build() == task.origin.build()
    member = Member("tiered", nodes=4, blocks=4, exits=2, tightness=0.5, seed=1)
    assert made("answer", origin=member).portable().origin == member
    assert generate("tiered", nodes=4, blocks=4, exits=2, seed=1, tightness=0.5) == member.build()
