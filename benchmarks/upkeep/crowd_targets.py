"""Targets of FIN and of prices where applications are very many, or the system is overloaded (`finbench bench`)."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from time import perf_counter

import numpy as np

from finbench.benchmarks.families import generate_shared
from finbench.benchmarks.judging.contradictions import contradictions
from finbench.benchmarks.upkeep.joint_targets import in_process, judged_run
from finbench.benchmarks.upkeep.measurement import Measurement, seconds
from finbench.fin_graph.joint.fin.everyone import Everyone, load_everyone
from finbench.fin_graph.joint.system import SharedSystem
from finbench.models.instance import Instance

SEEDS = range(101, 111)
"""Seeds that nothing was tuned on."""

BOUND_LIMIT_S = 60.0
"""Time of `milp-flow`, whose bound is the best at this size."""


def overload() -> Iterator[Measurement]:
    """Measure FIN on overloaded systems, where turning an application away costs five times its least power."""
    subject = "campus at load 1.2, 100 nodes, 200 applications"
    gaps, times = [], []
    for seed in SEEDS:
        instance = generate_shared("campus", nodes=100, applications=200, load=1.2, seed=seed, penalty=5.0)
        runs = [judged_run(instance, "fin", None), judged_run(instance, "milp-flow", BOUND_LIMIT_S)]
        assert not contradictions(runs), contradictions(runs)
        bound = max(run.result.lower_bound or 0.0 for run in runs)
        assert runs[0].objective is not None
        gaps.append(100 * (runs[0].objective / bound - 1))
        times.append(runs[0].time_s)
    note = ", ".join(f"{seed}: {gap:.2f} %" for seed, gap in zip(SEEDS, gaps, strict=True))
    yield Measurement(
        "FIN's gap to the best bound, median", subject, median(gaps), "%", at_most=1.5, note=f"by seed {note}"
    )
    note = ", ".join(f"{seed}: {time:.2f} s" for seed, time in zip(SEEDS, times, strict=True))
    yield Measurement("FIN under overload, median", subject, median(times), "s", at_most=2.6, note=f"by seed {note}")


def crowd() -> Iterator[Measurement]:
    """Measure FIN and column generation on 10,000 applications, each in a fresh process, and reading the instance."""
    nodes, applications = 2000, 10_000
    subject = f"campus at load 0.7, {nodes} nodes, {applications} applications"
    instance = generate_shared("campus", nodes=nodes, applications=applications, load=0.7, seed=1)
    text = instance.model_dump_json()
    time = seconds(lambda: Instance.model_validate_json(text), 1)
    yield Measurement("checking an instance", subject, time, "s", at_most=5)
    fin = in_process(nodes, applications, "fin", None)
    priced = in_process(nodes, applications, "column-generation", 1200.0)
    gap = 100 * (fin["objective"] / max(fin["lower_bound"], priced["lower_bound"]) - 1)
    yield Measurement("FIN for many applications", subject, fin["time_s"], "s", at_most=120)
    yield Measurement("FIN's gap to the best bound", subject, gap, "%", at_most=1.5)
    proven = 100 * (priced["objective"] / priced["lower_bound"] - 1)
    yield Measurement("column-generation's proven gap", subject, proven, "%", at_most=1, note="in 20 minutes")
    peak = max(fin["peak_gib"], priced["peak_gib"])
    yield Measurement("peak memory of both, whole process", subject, peak, "GiB", at_most=8)


def threads() -> Iterator[Measurement]:
    """Measure searches for everyone on two threads against one, in turn, in one process."""
    instance = generate_shared("campus", nodes=500, applications=1000, load=0.7, seed=1)
    system = SharedSystem.of(instance, reachable=True)
    load_everyone()
    room, rng = system.empty_room(), np.random.default_rng(1)
    one, two = Everyone(system, room), Everyone(system, room, threads=2)
    ratios = []
    for _ in range(30):
        prices = rng.uniform(0, 20, system.resources)
        times = []
        for everyone in (one, two):
            start = perf_counter()
            everyone.search(prices)
            times.append(perf_counter() - start)
        ratios.append(times[0] / times[1])
    subject = f"campus, 500 nodes, {len(system.groups)} groups, 30 prices"
    yield Measurement("searching for everyone, two threads against one", subject, median(ratios), "×", at_least=1.7)
