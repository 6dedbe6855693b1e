"""`finbench bench`: every performance target measured in one run, with a mark where one falls short.

Absolute times depend on the machine; ratios are taken between medians measured in the same process, one after the
other. Everything runs on one core.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from math import inf
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from finbench.benchmarks.analysis.growth import fit_growth
from finbench.benchmarks.campaigns.campaign import Campaign
from finbench.benchmarks.execution.local import run_locally
from finbench.benchmarks.execution.runner import run_campaign
from finbench.benchmarks.families import generate
from finbench.benchmarks.upkeep.measurement import Measurement, seconds
from finbench.fin_graph import fin, label_setting
from finbench.fin_graph.options import FinOptions
from finbench.fin_graph.paths.arrays import PathProblem, layer_edges, path_problem
from finbench.fin_graph.paths.kernel import least_energy_replica_path, replica_step
from finbench.fin_graph.stages.inference import fin_three_stages
from finbench.models.instance import Instance
from finbench.models.io import dump_instance, load_instance, write_text
from finbench.models.milp import flow
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.result import Result, Status
from finbench.models.tolerances import equal_energy

MILP_LIMIT_S = 600.0
CSPY_LIMIT_S = 100.0


def measure() -> Iterator[Measurement]:
    """Measure all targets, in an order that yields the quick ones first."""
    from finbench.benchmarks.upkeep.joint_targets import many_applications

    quick = (_published, _cold_start, _overhead, _backends, _rates)
    for part in (*quick, _large, _growth, _labels, _cspy, _handover, _proofs, many_applications):
        yield from part()


def _problem(instance: Instance) -> PathProblem:
    problem = path_problem(instance, instance.applications[0])
    assert problem is not None
    return problem


def _linked(family: str, nodes: int, blocks: int, seed: int = 0) -> Instance:
    """Return a half-tight instance of a family, with one exit."""
    return generate(family, nodes=nodes, blocks=blocks, exits=1, seed=seed, tightness=0.5)


def _published() -> Iterator[Measurement]:
    instance = load_instance("balexnet-cifar10")
    time = seconds(lambda: fin.solve(instance, FinOptions(gamma=100, engine="arrays")), 200)
    yield Measurement(
        "FIN on a published instance, once imported", "balexnet-cifar10, γ=100", time * 1e3, "ms", at_most=1
    )


def _cold_start() -> Iterator[Measurement]:
    """Measure the whole command, from a process that has loaded nothing to its answer."""
    for method in ("fin", "milp-flow", "label-setting"):
        command = [sys.executable, "-c", _SOLVE, "solve", "balexnet-cifar10", "--method", method, "--json"]
        time = seconds(partial(subprocess.run, command, capture_output=True, check=True), 3)
        yield Measurement("finbench solve, cold start", f"balexnet-cifar10, {method}", time, "s", at_most=1.5)


_SOLVE = "from finbench.benchmarks.cli.app import main; main()"


def _overhead() -> Iterator[Measurement]:
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
    spent = elapsed - sum(row["wall_s"] for row in outcome.records)
    subject = f"{len(outcome.records)} runs of single-node on blenet-mnist"
    yield Measurement("overhead of a run in a campaign", subject, 1e3 * spent / len(outcome.records), "ms", at_most=60)


def _backends() -> Iterator[Measurement]:
    """Measure arrays against the three NetworkX stages and against SciPy's Dijkstra on the same expanded graph."""
    for nodes, blocks in ((10, 10), (20, 10), (40, 10)):
        instance = _linked("dense", nodes, blocks)
        problem, app = _problem(instance), instance.applications[0]
        subject = f"dense, {nodes} nodes, {blocks} blocks, {problem.arcs} layered arcs, γ=100"
        arrays = seconds(partial(least_energy_replica_path, problem, 100), 9)
        start = perf_counter()
        stages = fin_three_stages(instance, app, 100)
        networkx = perf_counter() - start
        expanded, source, ends = expanded_graph(problem, 100)
        dijkstra = partial(_least_energies, expanded, source)
        scipy_time = seconds(dijkstra, 3)
        scipy_energy = float(dijkstra()[ends].min())
        energy = least_energy_replica_path(problem, 100).energy
        same = equal_energy(energy, scipy_energy) and equal_energy(energy, stages.energy_j or inf)
        note = "same energy" if same else f"ENERGIES DIFFER: {energy}, {stages.energy_j}, {scipy_energy}"
        yield Measurement(
            "FIN arrays against NetworkX stages", subject, networkx / arrays, "×", at_least=200, note=note
        )
        yield Measurement(
            "FIN arrays against scipy dijkstra", subject, scipy_time / arrays, "×", at_least=10, note=note
        )


def _least_energies(graph: sparse.csr_array, source: int) -> NDArray[np.float64]:
    """Return SciPy's least energies from the source to every replica."""
    energies: NDArray[np.float64] = sparse.csgraph.dijkstra(graph, indices=[source])[0]
    return energies


def expanded_graph(problem: PathProblem, gamma: int) -> tuple[sparse.csr_array, int, NDArray[np.intp]]:
    """Return FIN's feasible graph (all replicas) as a SciPy matrix of energies, its source and its end vertices."""
    count, depth, edges = len(problem.node_names), problem.depth, problem.edges
    target = edges.link_target
    tails, heads, costs = [], [], []

    def add(tail_layer: int, head_layer: int, tail: int, head: int, energy: float, latency: float) -> None:
        step = replica_step(latency, gamma, problem.max_latency_s, True)
        if step > gamma:
            return
        k = np.arange(gamma + 1 - step)
        tails.append((tail_layer * count + tail) * (gamma + 1) + k)
        heads.append((head_layer * count + head) * (gamma + 1) + k + step)
        costs.append(np.full(len(k), energy))

    for j in range(depth):
        layer = layer_edges(edges, j)
        for n in range(count):
            if layer.pin < 0 or layer.pin == n:
                add(j, j + 1, n, n, layer.run_energy[n], layer.run_latency[n])
        for a, n in enumerate(edges.link_source):
            m, energy, latency = target[a], layer.send_energy[a], layer.send_latency[a]
            add(j, j, n, m, energy, latency)
            if layer.pin < 0 or layer.pin == m:
                add(j, j + 1, n, m, energy + layer.run_energy[m], latency + layer.run_latency[m])
    size = (depth + 1) * count * (gamma + 1)
    entries = (np.concatenate(costs), (np.concatenate(tails), np.concatenate(heads)))
    source = problem.source * (gamma + 1)
    return sparse.csr_array(entries, shape=(size, size)), source, np.arange(depth * count * (gamma + 1), size)


def _rates() -> Iterator[Measurement]:
    """Measure relaxations per second and core on completely linked and on sparse networks."""
    dense = []
    for nodes, blocks in ((20, 10), (50, 10), (100, 20), (200, 20)):
        problem = _problem(_linked("dense", nodes, blocks))
        rate = _relaxation_rate(problem)
        dense.append(rate)
        subject = f"dense, {nodes} nodes, {blocks} blocks, {problem.arcs} layered arcs, γ=100"
        yield Measurement("relaxations per second and core", subject, rate / 1e9, "10⁹/s", at_least=0.8)
    for family, nodes, blocks in (("tiered", 1000, 20), ("mesh", 1000, 20), ("tiered", 10_000, 20)):
        problem = _problem(_linked(family, nodes, blocks))
        share = median(dense) / _relaxation_rate(problem)
        subject = f"{family}, {nodes} nodes, {blocks} blocks, {problem.arcs} layered arcs, γ=100"
        yield Measurement("dense rate over sparse rate", subject, share, "×", at_most=3)


def _relaxation_rate(problem: PathProblem) -> float:
    relaxations = least_energy_replica_path(problem, 100).relaxations
    return relaxations / seconds(partial(least_energy_replica_path, problem, 100), 5)


_LARGE = """
import json, sys
from time import perf_counter
from finbench.benchmarks.execution.memory import peak_bytes
from finbench.models.io import load_instance
instance = load_instance(sys.argv[1])
start = perf_counter()
from finbench.fin_graph import fin, options
result = fin.solve(instance, options.FinOptions(gamma=200, engine="arrays"))
elapsed = perf_counter() - start
print(json.dumps([elapsed, peak_bytes() / 2**30, str(result.status)]))
"""


def _large() -> Iterator[Measurement]:
    """Measure FIN's first answer in a fresh process on the largest network."""
    instance = _linked("tiered", 10_000, 50)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "large.json"
        write_text(file, dump_instance(instance))
        output = subprocess.run(
            [sys.executable, "-c", _LARGE, str(file)], capture_output=True, text=True, check=True
        ).stdout
    time, peak, status = json.loads(output)
    subject = f"tiered, 10000 nodes, {len(instance.network.links)} links, 50 blocks, γ=200, fresh process"
    note = f"{status}; import and first answer, reading the file not counted"
    yield Measurement("FIN's first answer at 10,000 nodes", subject, time, "s", at_most=10, note=note)
    yield Measurement("peak memory of it, whole process", subject, peak, "GiB", at_most=2, note=note)


def _growth() -> Iterator[Measurement]:
    """Measure the exponent of FIN's time in arcs × γ, over sizes and γ at once."""
    sizes, times = [], []
    for nodes in (20, 40, 80, 160):
        problem = _problem(_linked("dense", nodes, 20))
        for gamma in (100, 200, 400):
            sizes.append(float(problem.arcs * gamma))
            times.append(seconds(partial(least_energy_replica_path, problem, gamma), 3))
    fit = fit_growth(sizes, times)
    assert fit is not None
    note = f"95 % interval {fit.low:.3f} to {fit.high:.3f}, {fit.runs} runs"
    yield Measurement(
        "FIN's growth exponent in arcs × γ", "dense, 20 to 160 nodes, 20 blocks", fit.exponent, "", 0.9, 1.1, note
    )


def _labels() -> Iterator[Measurement]:
    """Measure exact label setting at the sizes that were promised."""
    for family, nodes, blocks, limit in (
        ("dense", 50, 10, 0.005),
        ("correlated", 50, 10, 0.5),
        ("tiered", 10_000, 20, 1.0),
        ("mesh", 10_000, 20, 1.0),
    ):
        times, labels = [], []
        for seed in range(3):
            instance = _linked(family, nodes, blocks, seed)
            result = label_setting.solve(instance)
            assert result.status is Status.OPTIMAL
            labels.append(result.info["labels"])
            times.append(seconds(partial(label_setting.solve, instance), 5))
        subject = f"{family}, {nodes} nodes, {blocks} blocks, worst of 3 seeds"
        note = f"{max(labels)} labels at most"
        yield Measurement("exact label setting", subject, max(times), "s", at_most=limit, note=note)


def _cspy() -> Iterator[Measurement]:
    """Measure label setting against cspy's bidirectional labelling on the same graphs."""
    try:
        import cspy  # noqa: F401
    except ImportError:
        yield Measurement("label setting against cspy", "not installed: pip install 'finbench[bench]'", 0, "×", 100)
        return
    from finbench.benchmarks.upkeep.cspy import cspy_run

    for family, nodes, blocks in (("dense", 20, 10), ("dense", 50, 10), ("correlated", 6, 4), ("correlated", 10, 6)):
        instance = _linked(family, nodes, blocks)
        mine = label_setting.solve(instance)
        time = median(_search_time(instance) for _ in range(9))
        run = cspy_run(_problem(instance), CSPY_LIMIT_S)
        subject = f"{family}, {nodes} nodes, {blocks} blocks"
        if run.energy is None:
            note = f"cspy {run.reason}: a lower bound of the ratio"
        else:
            same = mine.claimed_objective is not None and equal_energy(run.energy, mine.claimed_objective)
            note = "same optimum" if same else f"OPTIMA DIFFER: {mine.claimed_objective}, cspy {run.energy}"
        yield Measurement("label setting against cspy", subject, run.time_s / time, "×", at_least=100, note=note)


def _search_time(instance: Instance) -> float:
    """Return the time of label setting's search alone, bounds included and graph not, as cspy's is taken [s]."""
    times = label_setting.solve(instance).times_s
    return times["bounds"] + times["labels"]


def _handover() -> Iterator[Measurement]:
    """Measure building milp-flow and handing it to HiGHS, without the reductions that would make it small."""
    instance = _linked("dense", 100, 20)
    result = flow.solve(instance, MilpFlowOptions(strengthen=False), time_limit_s=5.0)
    spent = result.times_s["build"] + result.times_s["handover"]
    subject = f"dense, 100 nodes, 20 blocks, {result.info['columns']} columns"
    note = f"build {result.times_s['build']:.2f} s, hand-over {result.times_s['handover']:.2f} s"
    yield Measurement("building and handing over milp-flow", subject, spent, "s", at_most=2, note=note)


def _proofs() -> Iterator[Measurement]:
    """Measure certified optima at 100 nodes × 20 blocks: label setting, milp-flow and FIN."""
    for family in ("dense", "correlated"):
        instance = _linked(family, 100, 20)
        optimum = label_setting.solve(instance)
        time = seconds(partial(label_setting.solve, instance), 3)
        subject = f"{family}, 100 nodes, 20 blocks"
        start = perf_counter()
        program = flow.solve(instance, time_limit_s=MILP_LIMIT_S)
        proof = perf_counter() - start
        yield Measurement(
            "milp-flow's time to proof over label setting's",
            subject,
            proof / time,
            "×",
            at_least=100,
            note=f"{_agreement(optimum, program)}; milp-flow {proof:.1f} s, label setting {time:.4f} s",
        )
        rounded = fin.solve(instance, FinOptions(gamma=1000, engine="arrays")).claimed_objective
        assert rounded is not None
        assert optimum.claimed_objective is not None
        gap = rounded / optimum.claimed_objective - 1
        yield Measurement("FIN's gap at γ = 1000", subject, 100 * gap, "%", at_most=0.5)


def _agreement(optimum: Result, program: Result) -> str:
    if program.status is not Status.OPTIMAL:
        return "no proof within the limit: a lower bound of the ratio"
    assert optimum.claimed_objective is not None
    assert program.claimed_objective is not None
    same = equal_energy(optimum.claimed_objective, program.claimed_objective)
    return "same energy" if same else f"ENERGIES DIFFER: {optimum.claimed_objective}, {program.claimed_objective}"
