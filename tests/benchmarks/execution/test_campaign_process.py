"""A campaign in a process of its own: killed, interrupted, taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from finbench.benchmarks.rows.reading import load_rows
from finbench.benchmarks.rows.row import Row
from tests.benchmarks.cli.test_app import ROOT
from tests.benchmarks.execution.conftest import are_gone, comes_true, pages
from tests.few_and_many import slow

pytestmark = pytest.mark.slow

CAMPAIGN = """
name = "test"
time_limit_s = 30
warm_up = false
repetitions = 3
[[methods]]
name = "single-node"
[[methods]]
name = "unruly"
options = {{ deed = ["answer", "raise"], pause_s = {pause_s}, diary = "{diary}" }}
[[instances]]
group = "g"
instances = ["balexnet-cifar10", "bresnet-cifar10"]
"""

COMMAND = """
from tests.benchmarks.execution.unruly import register
register()
from finbench.benchmarks.cli.app import main
main()
"""


def started(folder: Path, *given: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        COMMAND,
        "run",
        str(folder / "campaign.toml"),
        "-o",
        str(folder / "results"),
        *given,
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def written(folder: Path, **options: Any) -> Path:
    """A campaign's file, in a folder for its results."""
    folder.mkdir()
    (folder / "campaign.toml").write_text(CAMPAIGN.format(**options))
    return folder


def lines(folder: Path) -> list[bytes]:
    journal = folder / "results" / "test" / "runs.jsonl"
    return journal.read_bytes().splitlines(keepends=True) if journal.exists() else []


def what_came(folder: Path) -> list[tuple[Any, ...]]:
    """The rows in the campaign's order, times and the like aside."""

    def known(row: Row) -> tuple[Any, ...]:
        decisive = (
            "instance",
            "variant",
            "repetition",
            "seed",
            "status",
            "reason",
            "objective",
            "exit",
            "attempts",
            "key",
        )
        return tuple(str(row[name]) for name in decisive)

    return sorted(known(row) for row in load_rows(folder / "results" / "test"))


def end_in_the_middle(folder: Path, number: int) -> tuple[subprocess.Popen[str], Sequence[bytes]]:
    """Start a campaign, send it a signal once a few rows exist, and return the process and these rows."""
    campaign = started(folder)
    assert comes_true(lambda: len(lines(folder)) >= 4)
    processes = [process.pid for process in psutil.Process(campaign.pid).children(recursive=True)]
    assert len(processes) == 2, "guard and worker"
    before = lines(folder)
    os.kill(campaign.pid, number)
    campaign.wait(timeout=120)
    assert comes_true(lambda: are_gone(processes))
    return campaign, before


def test_killed_and_resumed_is_the_same_as_never_killed(tmp_path: Path) -> None:
    # The same diary in both: it is an option, and so a part of the key.
    options = {"pause_s": 0.05, "diary": tmp_path / "diary"}
    whole, broken = written(tmp_path / "whole", **options), written(tmp_path / "broken", **options)
    undisturbed = started(whole)
    campaign, before = end_in_the_middle(broken, signal.SIGKILL)
    assert campaign.returncode == -signal.SIGKILL
    journal = broken / "results" / "test" / "runs.jsonl"
    with journal.open("ab") as stream:
        stream.write(before[0][:200])  # as if the kernel had taken only a part of the last row
    resumed = started(broken)
    output, _ = resumed.communicate(timeout=300)
    undisturbed.communicate(timeout=300)
    assert resumed.returncode == undisturbed.returncode == 1, "some runs fail"
    assert "18 runs, 0 of them" not in output
    assert what_came(broken) == what_came(whole)
    assert len(what_came(whole)) == 18
    assert set(before) <= set(lines(broken))
    assert journal.with_name("runs.jsonl.torn").read_bytes() == before[0][:200] + b"\n"


@pytest.mark.parametrize("number", [signal.SIGINT, slow(signal.SIGTERM)])
def test_a_signal_stops_cleanly_and_the_same_command_goes_on(tmp_path: Path, number: int) -> None:
    folder = written(tmp_path / "c", pause_s=0.1, diary="")
    campaign, before = end_in_the_middle(folder, number)
    assert campaign.returncode == 128 + number
    assert campaign.stdout is not None
    assert "the same command goes on" in campaign.stdout.read()
    assert set(before) <= set(lines(folder))
    assert all(line.endswith(b"\n") for line in lines(folder))
    resumed = started(folder)
    resumed.communicate(timeout=300)
    assert len(lines(folder)) == 18


def test_what_a_run_forked_dies_with_a_campaign_that_is_killed(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    folder = written(tmp_path / "c", pause_s=0, diary=diary)
    file = folder / "campaign.toml"
    file.write_text(file.read_text().replace('["answer", "raise"]', '"fork"'))
    campaign = started(folder)
    assert comes_true(lambda: len(pages(diary)) == 2)
    campaign.kill()
    campaign.communicate()
    assert comes_true(lambda: are_gone(pages(diary)))


def test_two_campaigns_do_not_write_to_one_folder(tmp_path: Path) -> None:
    folder = written(tmp_path / "c", pause_s=3, diary="")
    first = started(folder)
    assert comes_true(lambda: len(lines(folder)) >= 1)
    second = started(folder)
    _, error = second.communicate(timeout=120)
    assert second.returncode == 2
    assert "another campaign is writing its results there" in error
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=120)
    assert first.returncode == 130


def test_a_campaign_whose_output_nobody_reads_runs_to_its_end(tmp_path: Path) -> None:
    folder = written(tmp_path / "c", pause_s=0.05, diary="")
    campaign = started(folder)
    assert campaign.stdout is not None
    assert campaign.stderr is not None
    assert campaign.stdout.readline()
    campaign.stdout.close()
    campaign.stderr.close()
    assert campaign.wait(timeout=200) == 1, "some runs fail"
    assert len(lines(folder)) == 18
    assert (folder / "results" / "test" / "tables.md").exists()


def test_a_working_folder_that_is_deleted_meanwhile_ends_no_campaign(tmp_path: Path) -> None:
    folder = written(tmp_path / "c", pause_s=0.1, diary="")
    gone = tmp_path / "gone"
    gone.mkdir()
    command = [sys.executable, "-c", COMMAND, "run", str(folder / "campaign.toml"), "-o", str(folder / "results")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    campaign = subprocess.Popen(
        command, cwd=gone, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert comes_true(lambda: len(lines(folder)) >= 1, 60)
    gone.rmdir()
    _, said = campaign.communicate(timeout=200)
    assert campaign.returncode == 1, said
    assert len(lines(folder)) == 18
