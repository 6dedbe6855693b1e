"""Targets of the command: how soon it answers, and what a campaign costs beside its runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from finbench.benchmarks.campaigns.campaign import Campaign
from finbench.benchmarks.execution.local import run_locally
from finbench.benchmarks.execution.runner import run_campaign
from finbench.benchmarks.upkeep.measurement import Measurement, seconds


def cold_start() -> Iterator[Measurement]:
    """Measure the whole command, from a process that has loaded nothing to its answer."""
    for method in ("fin", "milp-flow", "label-setting"):
        command = [sys.executable, "-c", _SOLVE, "solve", "balexnet-cifar10", "--method", method, "--json"]
        time = seconds(partial(subprocess.run, command, capture_output=True, check=True), 3)
        yield Measurement("finbench solve, cold start", f"balexnet-cifar10, {method}", time, "s", at_most=1.5)


_SOLVE = "from finbench.benchmarks.cli.app import main; main()"


def overhead() -> Iterator[Measurement]:
    """Measure what a campaign costs beside its runs: isolation, evaluation, a durable row; start and plan too."""
    tiny = {
        "name": "tiny",
        "time_limit_s": 10.0,
        "repetitions": 2000,
        "methods": [{"name": "single-node"}],
        "instances": [{"group": "tiny", "instances": ["blenet-mnist"]}],
    }
    with TemporaryDirectory() as folder:
        start = perf_counter()
        outcome = run_campaign(Campaign.model_validate(tiny), Path(folder), run_locally)
        elapsed = perf_counter() - start
    spent = elapsed - sum(row["wall_s"] for row in outcome.rows)
    subject = f"{len(outcome.rows)} runs of single-node on blenet-mnist"
    yield Measurement("overhead of a run in a campaign", subject, 1e3 * spent / len(outcome.rows), "ms", at_most=60)
