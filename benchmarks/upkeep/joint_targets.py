"""Targets of the methods for many applications on one system, measured by `finbench bench`.

Everything runs on instances of the `campus` family, drawn without rejections: every application is served, so that
energies compare. Whatever a method returns is judged before it counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import count
from statistics import median

from finbench.benchmarks.execution.memory import peak_bytes
from finbench.benchmarks.families import generate_shared
from finbench.benchmarks.judging.contradictions import contradictions, relative_gap
from finbench.benchmarks.judging.judged import Judged, judge
from finbench.benchmarks.methods import check_options, run_method
from finbench.benchmarks.upkeep.measurement import Measurement, seconds
from finbench.models.instance import Instance
from finbench.models.result import Status

SMALL_INSTANCES = 100
SMALL_NODES = 6
SMALL_LOADS = (0.4, 0.7, 0.9)
PROOF_LIMIT_S = 60.0
ALIKE = 1000


def many_applications() -> Iterator[Measurement]:
    """Measure all targets, the quick ones first."""
    for part in (_small, _identical, _medium, _large):
        yield from part()


def _small() -> Iterator[Measurement]:
    """Measure column generation and FIN against the proven optima of `milp-flow` on small systems."""
    runs: list[list[Judged]] = []
    for seed in count():
        if len(runs) == SMALL_INSTANCES:
            break
        applications, load = 1 + seed % SMALL_NODES, SMALL_LOADS[seed // SMALL_NODES % len(SMALL_LOADS)]
        instance = generate_shared("campus", nodes=SMALL_NODES, applications=applications, load=load, seed=seed)
        judged = [judged_run(instance, method) for method in ("milp-flow", "column-generation", "fin")]
        if judged[0].result.status is Status.OPTIMAL:
            assert not contradictions(judged), contradictions(judged)
            runs.append(judged)
    optimal = sum(relative_gap(priced.objective, exact.objective) == 0 for exact, priced, _ in runs)
    gaps = [relative_gap(heuristic.objective, exact.objective) for exact, _, heuristic in runs]
    found = [100 * gap for gap in gaps if gap is not None]
    subject = f"campus, {len(runs)} instances, {SMALL_NODES} nodes, up to {SMALL_NODES} applications"
    note = "every bound at or below the optimum"
    yield Measurement(
        "column-generation meets milp-flow's optimum", subject, optimal, "instances", at_least=95, note=note
    )
    yield Measurement("FIN's median gap to the optimum", subject, median(found), "%", at_most=1)
    note = f"a deployment on {len(found)} of {len(runs)}"
    yield Measurement("FIN's worst gap to the optimum", subject, max(found), "%", at_most=5, note=note)


def _identical() -> Iterator[Measurement]:
    """Measure FIN for many identical users against FIN for one, who may be rejected as well."""
    one = generate_shared("campus", nodes=500, applications=1, load=0.2, seed=1, penalty=5.0)
    app = one.applications[0]
    part = {"rate_per_s": app.weight / ALIKE, "rejection_penalty_w": (app.rejection_penalty_w or 0.0) / ALIKE}
    roomy = tuple(node.model_copy(update={"memory_bytes": None}) for node in one.network.nodes)
    alone = one.model_copy(update={"network": one.network.model_copy(update={"nodes": roomy})})
    crowd = alone.model_copy(
        update={"applications": tuple(app.model_copy(update={"name": f"user{k}", **part}) for k in range(ALIKE))}
    )
    assert judged_run(crowd, "fin").found
    times = [seconds(partial(run_method, instance, "fin"), 9) for instance in (alone, crowd)]
    note = f"{1e3 * times[0]:.3g} ms and {1e3 * times[1]:.3g} ms"
    subject = f"campus, 500 nodes, {ALIKE} identical applications against one"
    yield Measurement("FIN for identical users over one", subject, times[1] / times[0], "×", at_most=2, note=note)


def _medium() -> Iterator[Measurement]:
    yield from _proven(nodes=50, applications=50, fin_s=1.0, limit_s=60.0, gap=0.5)


def _large() -> Iterator[Measurement]:
    yield from _proven(nodes=500, applications=1000, fin_s=10.0, limit_s=600.0, gap=2.0, peak_gib=4.0)


_PROGRAM = """
import json, sys
from finbench.benchmarks.upkeep.joint_targets import facts_of_run
print(json.dumps(facts_of_run(*json.loads(sys.argv[1]))))
"""


def _proven(
    *, nodes: int, applications: int, fin_s: float, limit_s: float, gap: float, peak_gib: float | None = None
) -> Iterator[Measurement]:
    """Measure FIN's time, and what column generation proves in its limit, each in a fresh process."""
    subject = f"campus at load 0.7, {nodes} nodes, {applications} applications"
    fin, priced = (
        in_process(nodes, applications, method, limit)
        for method, limit in (("fin", None), ("column-generation", limit_s))
    )
    note = (
        f"{fin['objective']:.6g} W, {100 * (fin['objective'] / priced['lower_bound'] - 1):.3f} % above the best bound"
    )
    yield Measurement("FIN for many applications", subject, fin["time_s"], "s", at_most=fin_s, note=note)
    note = f"{priced['objective']:.6g} W, {priced['status']} after {priced['time_s']:.1f} s"
    proven = 100 * (priced["objective"] / priced["lower_bound"] - 1)
    yield Measurement("column-generation's proven gap", subject, proven, "%", at_most=gap, note=note)
    yield Measurement("column-generation's time", subject, priced["time_s"], "s", at_most=limit_s * 1.02)
    if peak_gib is not None:
        peak = max(fin["peak_gib"], priced["peak_gib"])
        yield Measurement("peak memory of both, whole process", subject, peak, "GiB", at_most=peak_gib)


def facts_of_run(nodes: int, applications: int, method: str, limit_s: float | None) -> dict[str, float | str]:
    """Run one method on one instance and tell what counts; fail unless its deployment satisfies every constraint."""
    judged = judged_run(
        generate_shared("campus", nodes=nodes, applications=applications, load=0.7, seed=1), method, limit_s
    )
    assert judged.objective is not None
    assert judged.result.lower_bound is not None
    assert not contradictions([judged]), contradictions([judged])
    return {
        "status": judged.status,
        "objective": judged.objective,
        "lower_bound": judged.result.lower_bound,
        "time_s": judged.time_s,
        "peak_gib": peak_bytes() / 2**30,
    }


def judged_run(instance: Instance, method: str, limit_s: float | None = PROOF_LIMIT_S) -> Judged:
    """Return what a method finds in a limit, with what the evaluator says of it."""
    options = check_options(method, {})
    return judge(instance, method, options, run_method(instance, method, time_limit_s=limit_s, **options))


def in_process(nodes: int, applications: int, method: str, limit_s: float | None) -> dict[str, float]:
    """Return `facts_of_run` of a fresh process."""
    command = [sys.executable, "-c", _PROGRAM, json.dumps([nodes, applications, method, limit_s])]
    output: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return output
