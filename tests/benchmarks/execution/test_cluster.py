"""A real Dask scheduler and real worker processes on this machine, some of them killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import psutil
import pytest

from finbench.benchmarks.campaigns.conditions import BackendName
from finbench.benchmarks.execution import backends
from finbench.benchmarks.execution.code_version import code_version
from finbench.benchmarks.execution.task import Event, Finished, Started, Task
from finbench.models.io import InputError
from tests.benchmarks.cli.test_app import ROOT
from tests.benchmarks.execution.conftest import are_gone, comes_true, made, pages
from tests.benchmarks.execution.test_campaign_process import COMMAND
from tests.benchmarks.execution.unruly import UNRULY

pytestmark = pytest.mark.slow

cluster = pytest.importorskip("finbench.benchmarks.execution.cluster", reason="Dask is not installed")


class DaskCluster:
    """A scheduler and two workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.address_file = folder / "scheduler.json"
        options = ["--scheduler-file", str(self.address_file), "--no-dashboard", "--host", "127.0.0.1"]
        self.scheduler = self._start("dask_scheduler", *options, "--port", "0")
        worker = ["dask_worker", *options, "--no-nanny", "--nthreads", "1", "--local-directory", str(folder)]
        self.workers = [self._start(*worker) for _ in range(2)]
        self._processes = [self.scheduler, *self.workers]

    @property
    def address(self) -> str:
        return str(json.loads(self.address_file.read_text())["address"])

    def _start(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *options]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self) -> None:
        for process in reversed(self._processes):
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[DaskCluster]:
    made_up = DaskCluster(tmp_path)
    try:
        assert comes_true(made_up.address_file.exists)
        yield made_up
    finally:
        made_up.close()


def events(dask: DaskCluster, tasks: list[Task]) -> Iterator[Event]:
    code = code_version(UNRULY, {})
    tasks = [replace(task, code_version=code) for task in tasks]
    return iter(cluster.run_on_cluster(tasks, lambda: False, scheduler=dask.address))


def dask_worker_of(process: int, dask: DaskCluster) -> subprocess.Popen[bytes]:
    """The Dask worker above a process that makes a run."""
    above = {parent.pid for parent in psutil.Process(process).parents()}
    return next(worker for worker in dask.workers if worker.pid in above)


def test_a_worker_that_dies_has_its_run_repeated_elsewhere_once(dask: DaskCluster, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    tasks = [made("answer", pause_s=5.0, diary=str(diary)), *(made("answer", seed=seed) for seed in range(1, 9))]
    tasks.append(made("raise", seed=9))
    finished: dict[int, Finished] = {}
    killed = False
    for event in events(dask, tasks):
        if isinstance(event, Finished):
            finished[event.task.seed] = event
        if len(finished) == 3 and not killed:
            assert comes_true(lambda: len(pages(diary)) == 1)
            dask_worker_of(pages(diary)[0], dask).kill()
            killed = True
            assert comes_true(lambda: are_gone(pages(diary))), "its warm worker ends with it"
    assert sorted(finished) == list(range(10))
    assert len(pages(diary)) == 2, "made twice"
    assert finished[0].attempts == 2
    assert {finished[seed].columns["status"] for seed in range(9)} == {"no-solution"}
    assert (finished[9].columns["status"], finished[9].columns["exit"]["kind"]) == ("error", "raised")
    assert "inside the method" in str(finished[9].log)
    assert finished[1].environment is not None
    assert finished[1].environment["cores"] >= 1


def test_a_run_under_which_two_workers_die_is_an_error(dask: DaskCluster, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    deaths = 0
    for event in events(dask, [made("sleep", diary=str(diary))]):
        if isinstance(event, Started):
            # The run is handed over when the event has been taken in: another thread waits for it.
            deaths += 1
            Thread(target=kill_the_worker_of_page, args=(dask, diary, deaths)).start()
    assert deaths == 2
    assert isinstance(event, Finished)
    assert event.columns["status"] == "error"
    assert event.columns["reason"] == "2 Dask workers died while they made this run"
    assert (event.columns["exit"], event.attempts) == ({"kind": "worker-died"}, 2)


def kill_the_worker_of_page(dask: DaskCluster, diary: Path, number: int) -> None:
    """Kill the Dask worker that makes the run which wrote page `number`."""
    if comes_true(lambda: len(pages(diary)) == number):
        dask_worker_of(pages(diary)[-1], dask).kill()


def test_workers_with_other_code_are_refused_before_any_run(dask: DaskCluster) -> None:
    made_here: list[Event] = []
    with pytest.raises(
        InputError, match=r"Dask worker tcp://.*the code or a library there is not.*: unruly; no worker"
    ):
        made_here += cluster.run_on_cluster([made()] * 20, lambda: False, scheduler=dask.address)
    assert made_here == []


def test_a_worker_whose_code_changed_since_makes_no_run() -> None:
    with pytest.raises(RuntimeError, match="is not that of the campaign"):
        cluster.run_task(made(), "campaign")


def test_a_worker_that_stands_still_has_its_run_made_elsewhere(
    dask: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "SLACK_S", 0.0)
    monkeypatch.setattr(cluster, "SETUP_S", 15.0)
    diary = tmp_path / "diary"
    finished: list[Finished] = []
    for event in events(dask, [made("answer", pause_s=20.0, diary=str(diary), time_limit_s=3.0)]):
        if isinstance(event, Started) and not finished:
            Thread(target=stop_the_first_worker, args=(dask, diary)).start()
        elif isinstance(event, Finished):
            finished.append(event)
    (made_elsewhere,) = finished
    assert made_elsewhere.attempts == 2
    assert made_elsewhere.columns["status"] == "time-limit"


def stop_the_first_worker(dask: DaskCluster, diary: Path) -> None:
    if comes_true(lambda: len(pages(diary)) == 1):
        dask_worker_of(pages(diary)[0], dask).send_signal(signal.SIGSTOP)


def test_a_scheduler_that_is_killed_is_one_line_that_says_how_to_go_on(dask: DaskCluster, tmp_path: Path) -> None:
    tasks = [made("answer", pause_s=0.5, seed=seed) for seed in range(50)]
    done: list[Event] = []

    def run_and_kill() -> None:
        for event in events(dask, tasks):
            done.append(event)
            if sum(isinstance(each, Finished) for each in done) == 2:
                dask.scheduler.kill()

    with pytest.raises(InputError, match="the Dask scheduler is gone: the same command goes on") as refusal:
        run_and_kill()
    assert "\n" not in str(refusal.value)
    assert len(done) < 50


def test_warm_workers_that_nobody_takes_are_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cluster, "IDLE_S", 0.2)
    diary = tmp_path / "diary"
    task = made("answer", diary=str(diary))
    task = replace(task, code_version=code_version(UNRULY, task.options))
    assert cluster.run_task(task, "killed campaign") is not None
    assert comes_true(lambda: are_gone(pages(diary)), 10)


@pytest.mark.parametrize(
    "address", ["garbage", "", "tcp://:::", "http://x", "tcp://127.0.0.1:99999", "tcp://127.0.0.1:abc", "inproc://a/1"]
)
def test_an_address_that_is_none_is_one_line_at_once(address: str) -> None:
    with pytest.raises(InputError, match="must be an address such as tcp://host:8786"):
        backends.chosen_backend(BackendName.DASK, 1, address)


def test_more_workers_than_cores_are_refused() -> None:
    with pytest.raises(InputError, match="at most the number of cores"):
        backends.chosen_backend(BackendName.DASK, 100_000, None)


def test_a_campaign_that_is_killed_leaves_no_process_of_its_cluster(tmp_path: Path) -> None:
    file = tmp_path / "campaign.toml"
    diary = tmp_path / "diary"
    file.write_text(
        f'name = "test"\ntime_limit_s = 60\nwarm_up = false\n[[methods]]\nname = "unruly"\n'
        f'options = {{ deed = "sleep", diary = "{diary}" }}\n[[instances]]\ngroup = "g"\n'
        'instances = ["balexnet-cifar10"]\n'
    )
    command = [sys.executable, "-c", COMMAND, "run", str(file), "-o", str(tmp_path), "--backend", "dask"]
    campaign = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert comes_true(lambda: len(pages(diary)) == 1, 120)
    processes = [process.pid for process in psutil.Process(campaign.pid).children(recursive=True)]
    campaign.kill()
    campaign.wait()
    assert comes_true(lambda: are_gone(processes), 30), processes


def test_the_command_runs_on_a_cluster_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "campaign.toml"
    file.write_text(
        'name = "test"\ntime_limit_s = 9\nwarm_up = false\n[[methods]]\nname = "single-node"\n[[instances]]\n'
        'group = "g"\ninstances = ["balexnet-cifar10", "bresnet-cifar10"]\n'
    )
    command = [
        sys.executable,
        "-c",
        "from finbench.benchmarks.cli.app import main; main()",
        "run",
        str(file),
        "-o",
        str(tmp_path),
    ]
    run = subprocess.run(
        [*command, "--backend", "dask", "--jobs", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert len((tmp_path / "test" / "runs.jsonl").read_text().splitlines()) == 2


def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECTION_S", 0.5)
    with pytest.raises(InputError, match=r"--scheduler tcp://127\.0\.0\.1:9: cannot be reached"):
        next(cluster.run_on_cluster([made()], lambda: False, scheduler="tcp://127.0.0.1:9"))


def test_without_dask_it_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "finbench.benchmarks.execution.cluster")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'finbench\[dask\]'"):
        backends.chosen_backend(BackendName.DASK, 1, None)
