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
        yield _cold_start("balexnet-cifar10", "balexnet-cifar10", method)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "own.toml"
        file.write_text(_OWN, encoding="utf-8")
        for method in ("fin", "label-setting"):
            yield _cold_start("a file of entries of the catalogue", str(file), method)


def _cold_start(subject: str, instance: str, method: str) -> Measurement:
    command = [sys.executable, "-c", _SOLVE, "solve", instance, "--method", method, "--json"]
    time = seconds(partial(subprocess.run, command, capture_output=True, check=True), 3)
    return Measurement("finbench solve, cold start", f"{subject}, {method}", time, "s", at_most=1.5)


_OWN = """
name = "own"
dnns = ["catalogue:resnet-50"]
[network]
name = "two machines"
nodes = [{ name = "pi", device = "raspberry-pi-4/tflite" }, { name = "edge", device = "dell-xr12-a2/tensorrt" }]
[[network.links]]
source = "pi"
target = "edge"
both_ways = true
bandwidth_bit_per_s = "100 Mbit/s"
delay_s = "5 ms"
tx_energy_j_per_bit = "10.7 nJ/bit"
rx_energy_j_per_bit = "10.7 nJ/bit"
[[applications]]
name = "camera"
dnn = "resnet-50"
source = "pi"
max_latency_s = "1 s"
min_accuracy = 0.7
"""
"""What a user writes who has names of machines, and numbers with units."""

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
